"""`mailreeve call`: one signed call of the API from the shell."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import click
from msgspec import Struct
from msgspec.structs import replace

from mailreeve.app.settings import SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.app.terminal import escaped_line, said_of
from mailreeve.cli.calling import ca_option, credentials_option, own_url, reasons, server_client
from mailreeve.cli.confirming import CONFIRM, UNCONFIRMED
from mailreeve.cli.options import data_option, fail
from mailreeve.cli.output import echo, say
from mailreeve.client import Client, ClientError, Failure

GUARDED: Final = frozenset(
    (
        "policy/blockedsenders/create-policy",
        "policy/blockedsenders/update-policy",
        "directory/add-group-member",
        "directory/update-group",
    )
)
HIDDEN: Final = "********"  # what a server repeats of a password

Item = dict[str, object]
Numbered = tuple[int, Failure]


class _Outcome(Struct, frozen=True):
    """What became of a call. Errors come with the number of their item, 0 where it is about no item."""

    rows: list[Item]
    warnings: tuple[str, ...] = ()
    errors: tuple[tuple[int, str], ...] = ()


@click.command("call")
@click.argument("path")
@click.argument("items", nargs=-1)
@data_option
@credentials_option
@click.option(
    "--url",
    envvar="MAILREEVE_URL",
    show_envvar=True,
    help="The server.  [default: where the setting http of DATA has it listen]",
)
@ca_option
@click.option("--yes", is_flag=True, help="Do not ask before a block of a whole organisation.")
def command(
    path: str,
    items: tuple[str, ...],
    data: Path,
    credentials: Path | None,
    url: str | None,
    ca: str | None,
    yes: bool,
) -> None:
    """Call an API endpoint, signed with saved credentials.

    PATH is the endpoint without /api/; each of ITEMS is a JSON object, or - for standard input. What the items
    that were carried out gave is printed as JSON, all pages of a list. Exit code 1 when the call or one of its
    items was refused, with a line for each error that names the item by its number, from 1.

    A blocked sender policy that would hit a whole organisation, or comes to do so by a change of a group, is asked
    about first; where nobody can answer, it is refused unless --yes is given.

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
        settings = read_settings(data, {"ca": ca})
    except SettingsError as problem:
        fail(str(problem))
    own = url is None
    url = url or own_url(settings)
    try:
        connection = server_client(url, settings, data, credentials, own=own)
    except (ValueError, OSError) as problem:
        fail(said_of(problem))
    with connection as client:
        try:
            outcome = _carried_out(client, path, dict(enumerate(parsed, 1)), guarded, url)
        except ClientError as problem:
            fail(*reasons(problem, url))
    if outcome.rows or not outcome.errors:
        echo(json.dumps(outcome.rows, indent=2, ensure_ascii=False))
    for warning in outcome.warnings:
        say(f"Warning: {warning}")
    if outcome.errors:
        several = len(parsed) > 1
        by_item = sorted(outcome.errors, key=lambda error: error[0])
        fail(*(f"item {number}: {said}" if several and number else said for number, said in by_item))


def _carried_out(client: Client, path: str, items: Mapping[int, Item], guarded: bool, url: str) -> _Outcome:
    """The outcome of a call, after asking about each item that was refused for want of a confirmation. Raises
    `ClientError` when nothing at all came of it."""
    answer = client.whole(path, *items.values())
    meant: dict[int, Item] = {}
    errors: list[tuple[int, str]] = []
    for number, failure in _numbered(items, answer.failures):
        if guarded and failure.code == UNCONFIRMED:
            if not sys.stdin.isatty():
                failure = replace(failure, message=f"{failure.message}, or give --yes")
            elif click.confirm(f"{escaped_line(failure.message)}.\nIs it meant?", err=True):
                meant[number] = {**failure.item, CONFIRM: True}
                continue
        errors.append((number, failure.described(200)))
    if not meant:
        return _Outcome(answer.data, answer.warnings, tuple(errors))
    try:
        again = client.send(path, *meant.values())
    except ClientError as problem:
        # The others were carried out before, and must not be passed over in silence.
        errors += [(0, said) for said in reasons(problem, url)]
        return _Outcome(answer.data, answer.warnings, tuple(errors))
    errors += [(number, failure.described(200)) for number, failure in _numbered(meant, again.failures)]
    return _Outcome([*answer.data, *again.data], (*answer.warnings, *again.warnings), tuple(errors))


def _numbered(items: Mapping[int, Item], failures: Iterable[Failure]) -> list[Numbered]:
    """Each failure with the number of its item, or 0.

    The server repeats the item and not its place. Of items that are alike the last is taken: it is refused
    because the first was carried out.
    """
    left = list(items.items())
    found: list[Numbered] = []
    number, key = 0, None
    for failure in reversed(list(failures)):
        # The errors of one item share its mapping.
        if failure.item is not key:
            key = failure.item
            number = next((n for n, item in reversed(left) if _repeats(key, item)), 0)
            left = [(n, item) for n, item in left if n != number]
        found.append((number, failure))
    return found[::-1]


def _repeats(key: Mapping[str, object], item: Item) -> bool:
    return key.keys() == item.keys() and all(key[name] in (item[name], HIDDEN) for name in key)


def _read(text: str) -> Item:
    try:
        item = json.loads(sys.stdin.read() if text == "-" else text)
    except json.JSONDecodeError as problem:
        raise click.BadParameter(f"not JSON: {problem}", param_hint="ITEMS") from problem
    if not isinstance(item, dict):
        raise click.BadParameter("not a JSON object", param_hint="ITEMS")
    return item
