"""`mailreeve call`: one signed call of the API from the shell."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from mailreeve.cli.folder import CREDENTIALS
from mailreeve.cli.options import data_option, fail
from mailreeve.client import Client, ClientError
from mailreeve.client import Credentials as ClientCredentials


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
@click.option("--ca-file", type=click.Path(dir_okay=False, exists=True), help="Certificates to trust for https.")
def command(
    path: str, items: tuple[str, ...], data: Path, credentials: Path | None, url: str, ca_file: str | None
) -> None:
    """Call an API endpoint, signed with saved credentials.

    PATH is the endpoint without /api/; each of ITEMS is a JSON object, or - for standard input. The answers are
    printed as JSON. Exit code 1 when the call or one of its items was refused.

    \b
    mailreeve call managedsender/permit-or-block-sender \\
        '{"sender": "news@shop.test", "to": "ann@example.com", "action": "block"}'
    """
    parsed: list[dict[str, object]] = []
    for text in items:
        try:
            item = json.loads(sys.stdin.read() if text == "-" else text)
        except json.JSONDecodeError as problem:
            raise click.BadParameter(f"not JSON: {problem}", param_hint="ITEMS") from problem
        if not isinstance(item, dict):
            raise click.BadParameter("not a JSON object", param_hint="ITEMS")
        parsed.append(item)
    try:
        with Client(url, ClientCredentials.load(credentials or data / CREDENTIALS), ca_file=ca_file) as client:
            answer = client.call(path, *parsed)
    except (ClientError, OSError, ValueError) as problem:
        fail(str(problem))
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
