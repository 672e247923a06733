"""`mailreeve sender`: whom one recipient permits or blocks: set, list, remove, take in, give out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, ParamSpec, TypeVar

import click
import msgspec
from msgspec import Struct

from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import confirm_at_terminal, yes_option
from mailreeve.cli.ids import IdCommand, Listed, resolve_all
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text
from mailreeve.cli.objects.export import export_options, give_out
from mailreeve.cli.objects.import_ import import_options, take_in
from mailreeve.cli.objects.table_file import Format
from mailreeve.cli.options import fail, json_option, misused
from mailreeve.cli.output import counted, echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import COMING, WHEN, coming, in_column, shown
from mailreeve.client import Client

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

SET: Final = "managedsender/permit-or-block-sender"
LIST: Final = "ext/get-managed-senders"
REMOVE: Final = "ext/remove-managed-sender"
KIND: Final = "senders"  # as it is imported and exported

SET_AT_ONCE: Final = 100  # items in one call
REMOVED_AT_ONCE: Final = 500

ENTRY: Final = Listed("personal entry", LIST, says=("sender",))

_DONE: Final = {"Permit": "permitted", "Block": "blocked"}


@click.group("sender")
def command() -> None:
    """Whom single recipients permit or block: their personal lists.

    A block refuses a sender's mail to one recipient, a permit spares it spam checks.

    \b
    mailreeve sender block offers@shop.test --to ann@example.com --until 30d
    mailreeve sender list --to ann@example.com
    """


def _setting(function: Callable[P, R]) -> Callable[P, R]:
    """The arguments and options of permitting and blocking."""
    for decorate in (
        click.option("--until", metavar=WHEN, help=f"When it ends: {COMING}."),
        click.option("--reason", metavar="TEXT", help="Why, for whoever reads the list."),
        click.option("--to", required=True, metavar="ADDRESS", help="Whose list: an address of the account."),
        click.argument("senders", nargs=-1, required=True, metavar="SENDER..."),
    ):
        function = decorate(function)
    return function


@command.command("permit")
@_setting
@json_option
@calls_api
def permit(
    api: Client,
    senders: tuple[str, ...],
    to: str,
    reason: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Let mail from senders, addresses or domains, to one recipient past spam checks.

    \b
    mailreeve sender permit news@shop.test --to ann@example.com
    """
    _set(api, "permit", senders, to, reason, until, as_json)


@command.command("block")
@_setting
@json_option
@calls_api
def block(
    api: Client,
    senders: tuple[str, ...],
    to: str,
    reason: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Refuse mail from senders, addresses or domains, to one recipient.

    \b
    mailreeve sender block shop.test --to ann@example.com --until 30d
    """
    _set(api, "block", senders, to, reason, until, as_json)


def _set(
    api: Client,
    action: str,
    senders: Sequence[str],
    to: str,
    reason: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    said = {"action": action, "to": to, "reason": reason, "expires": coming(until, "--until")}
    items = [{**said, "sender": sender} for sender in senders]
    done = _in_parts(api, SET, items, SET_AT_ONCE)
    if as_json:
        echo(msgspec.json.encode({"entries": done.rows}))
    for row in () if as_json else done.rows:
        until_words = f" until {shown(row['expires'])}" if row.get("expires") else ""
        echo(f"{_DONE.get(str(row['type']), row['type'])} {row['sender']} for {row['to']}{until_words}")
    if done.errors:
        fail(*done.errors)


def _narrowing(function: Callable[P, R]) -> Callable[P, R]:
    """The options that say which entries."""
    for decorate in (
        click.option("--all", "everything", is_flag=True, help="Also those that have expired."),
        click.option("--expired", is_flag=True, help="Only those that have expired."),
        click.option("--text", metavar="TEXT", help="With this in sender, recipient or reason."),
        click.option("--type", "type_", type=click.Choice(["permit", "block", "auto"]), help="Of this type."),
        click.option("--sender", metavar="SENDER", help="About exactly this sender, an address or a domain."),
        click.option("--to", metavar="ADDRESS", help="Of the list that mail to this address obeys."),
    ):
        function = decorate(function)
    return function


def _which(
    to: str | None, sender: str | None, type_: str | None, text: str | None, expired: bool, everything: bool
) -> Object:
    if expired and everything:
        misused("--expired and --all: give one of them")
    state = None if everything else "expired" if expired else "active"
    which = {"to": to, "sender": sender, "type": type_, "text": text, "state": state}
    return {name: value for name, value in which.items() if value is not None}


@command.command("list")
@_narrowing
@limit_option
@json_option
@calls_api
def list_(
    api: Client,
    to: str | None,
    sender: str | None,
    type_: str | None,
    text: str | None,
    expired: bool,
    everything: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List the entries of personal lists, oldest first.

    Those that have expired are left out unless --all or --expired asks for them.

    \b
    mailreeve sender list --to ann@example.com
    mailreeve sender list --text shop --all
    """
    which = _which(to, sender, type_, text, expired, everything)
    given = {"to": ("--to", to), "sender": ("--sender", sender), "text": ("--text", None)}
    with said_of(given):
        pages = api.pages(LIST, which, page_size=page_size(limit))
        show(pages, _TABLE, limit, as_json=as_json, is_filtered=which != {"state": "active"})


@command.command("remove", cls=IdCommand)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--to", metavar="ADDRESS", help="Of the list that mail to this address obeys.")
@click.option("--sender", "senders", multiple=True, metavar="SENDER", help="About this sender; with --to.")
@click.option("--expired", is_flag=True, help="All that have expired, of all lists or that of --to.")
@yes_option()
@json_option
@calls_api
def remove(
    api: Client,
    ids: tuple[str, ...],
    to: str | None,
    senders: tuple[str, ...],
    expired: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove entries: by ID or its beginning, or by --to and --sender, or those that have expired.

    \b
    mailreeve sender remove --to ann@example.com --sender offers@shop.test
    mailreeve sender remove DAN8Lzp0
    """
    if bool(ids) + bool(senders) + expired != 1:
        misused("give IDs, or --to and --sender, or --expired")
    if senders and to is None:
        misused("--sender: give --to as well, whose list it is in")
    if ids and to is not None:
        misused("--to: an ID says whose list it is")
    if ids:
        items: Sequence[Object] = [{"id": id_} for id_ in resolve_all(api, ENTRY, ids)]
    elif senders:
        items = [{"to": to, "sender": sender} for sender in senders]
    else:
        which = _which(to, None, None, None, True, False)
        items = [{"id": row["id"]} for row in api.every(LIST, which)]
    named = [f"the entry {id_}" for id_ in ids] + [f"the entry about {one} in the list of {to}" for one in senders]
    if expired:
        named = [counted(len(items), "entry")]
    confirm_at_terminal(named, yes=yes or not items)
    done = _in_parts(api, REMOVE, items, REMOVED_AT_ONCE)
    if as_json:
        echo(msgspec.json.encode({"removed": done.rows}))
    elif expired:
        echo(f"removed {counted(len(done.rows), 'entry')}")
    else:
        for row in done.rows:
            echo(f"removed the {str(row['type']).lower()} of {row['sender']} for {row['to']}")
    if done.errors:
        fail(*done.errors)


@command.command("import")
@import_options
@json_option
@calls_api
def import_(
    api: Client,
    file: str,
    written: Format | None,
    dry_run: bool,
    skip_errors: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Import entries from a FILE, or - for standard input: as `mailreeve import senders` does.

    The columns are to, sender, action (permit or block), reason and expires; the last two may be left out.

    \b
    mailreeve sender import senders.csv --dry-run
    """
    take_in(api, KIND, file, written, dry_run=dry_run, skip_errors=skip_errors, yes=yes, as_json=as_json)


@command.command("export")
@click.option("--to", metavar="ADDRESS", help="Only the list of this recipient.")
@export_options
@calls_api
def export(api: Client, to: str | None, file: str, written: Format | None) -> None:
    """Export all entries to a FILE, or to standard output: as `mailreeve export senders` does. With the keys of a
    user it is the user's own list, or with --to one that was opened to the user.

    \b
    mailreeve sender export senders.csv
    """
    give_out(api, KIND, file, written, {} if to is None else {"to": to})


def _cells(entry: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    expires = entry.get("expires")
    return (
        ids[text(entry, "id")],
        text(entry, "type").lower(),
        text(entry, "sender"),
        text(entry, "to"),
        "ended" if entry.get("state") == "expired" else in_column(expires),
        text(entry, "setBy"),
        text(entry, "reason"),
    )


_TABLE: Final = Table(
    ("entry", "entries"),
    (
        Column("id"),
        Column("type"),
        Column("sender", 5),
        Column("to", 5),
        Column("until (UTC)", if_any=True),
        Column("set by", 4, least=100),
        Column("reason", 3, if_any=True),
    ),
    _cells,
)


class _Done(Struct, frozen=True):
    rows: Sequence[Object]
    errors: Sequence[str]


def _in_parts(api: Client, path: str, items: Sequence[Object], most: int) -> _Done:
    """What came of the items, in as many calls as it takes. Raises `ApiError` where a whole call is refused."""
    rows: list[Object] = []
    errors: list[str] = []
    for part in _parts(items, most):
        answer = api.send(path, *part)
        rows += answer.data
        for failure in answer.failures:
            named = failure.item.get(failure.field or "") or failure.item.get("sender") or failure.item.get("id")
            errors.append(f"{named}: {failure.message}" if named else failure.described(200))
    return _Done(rows, errors)


def _parts(several: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (several[n : n + most] for n in range(0, len(several), most))
