"""`mailreeve call`: one signed call of the API from the shell."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import click

from mailreeve.cli.folder import CREDENTIALS
from mailreeve.cli.options import data_option, fail
from mailreeve.client import Answer, ApiError, Client, Failure
from mailreeve.client import Credentials as ClientCredentials

GUARDED: Final = frozenset(("policy/blockedsenders/create-policy", "policy/blockedsenders/update-policy"))
CONFIRM: Final = "confirmReach"
UNCONFIRMED: Final = "err_policy_reach_unconfirmed"


@click.command("call")
@click.argument("path")
@click.argument("items", nargs=-1)
@data_option
@click.option(
    "--credentials", type=click.Path(path_type=Path, dir_okay=False), help="[default: credentials.json in DATA]"
)
@click.option(
    "--url", default="http://127.0.0.1:8025", show_default=True, envvar="MAILREEVE_URL", help="The server."
)
@click.option("--yes", is_flag=True, help="Do not ask before a block of a whole organisation.")
def command(path: str, items: tuple[str, ...], data: Path, credentials: Path | None, url: str, yes: bool) -> None:
    """Call an API endpoint, signed with saved credentials.

    PATH is the endpoint without /api/; each of ITEMS is a JSON object, or - for standard input. The answers are
    printed as JSON. Exit code 1 when the call or one of its items was refused.

    A blocked sender policy that would hit a whole organisation is asked about first; where nobody can answer, it
    is refused unless --yes is given.

    \b
    mailreeve call managedsender/permit-or-block-sender \\
        '{"sender": "news@shop.test", "to": "ann@example.com", "action": "block"}'
    """
    parsed = [_read(text) for text in items]
    guarded = path.removeprefix("/api/") in GUARDED
    if guarded:
        # An answer of false has the server refuse what it would otherwise only warn of.
        parsed = [{CONFIRM: yes, **item} for item in parsed]
    try:
        with Client(url, ClientCredentials.load(credentials or data / CREDENTIALS)) as client:
            answer = client.send(path, *parsed)
            if guarded:
                answer = _confirmed(client, path, answer)
            rows = answer.rows()
    except (ApiError, OSError) as problem:
        fail(str(problem))
    for warning in answer.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False))


def _confirmed(client: Client, path: str, answer: Answer) -> Answer:
    """The answer, after asking about each item that was refused for want of a confirmation."""
    meant: list[dict[str, object]] = []
    refused: list[Failure] = []
    for failure in answer.failures:
        ask = failure.code == UNCONFIRMED and sys.stdin.isatty()
        if ask and click.confirm(f"{failure.message}.\nIs it meant?", err=True):
            meant.append({**failure.item, CONFIRM: True})
        else:
            refused.append(failure)
    if not meant:
        return answer
    again = client.send(path, *meant)
    return Answer(
        [*answer.data, *again.data],
        (*refused, *again.failures),
        warnings=(*answer.warnings, *again.warnings),
    )


def _read(text: str) -> dict[str, object]:
    try:
        item = json.loads(sys.stdin.read() if text == "-" else text)
    except json.JSONDecodeError as problem:
        raise click.BadParameter(f"not JSON: {problem}", param_hint="ITEMS") from problem
    if not isinstance(item, dict):
        raise click.BadParameter("not a JSON object", param_hint="ITEMS")
    return item
