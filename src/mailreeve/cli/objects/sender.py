"""`mailreeve sender`: whom one recipient permits or blocks: set, list, remove, take in, give out."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import IO, BinaryIO, Final, ParamSpec, TypeVar, cast

import click
import msgspec
from msgspec import Struct
from rich.console import Console

from mailreeve.app.terminal import said_of
from mailreeve.cli.calling import calls_api
from mailreeve.cli.ids import IdCommand, Listed, resolve_all, shortened
from mailreeve.cli.objects.sender_files import Placed, read_entries, written_entries
from mailreeve.cli.objects.table_file import FileProblem, Format, format_of
from mailreeve.cli.options import fail, json_option, misused
from mailreeve.cli.output import echo, say
from mailreeve.cli.tables import Column, print_table
from mailreeve.client import Client

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

SET: Final = "managedsender/permit-or-block-sender"
LIST: Final = "ext/get-managed-senders"
REMOVE: Final = "ext/remove-managed-sender"
IMPORT: Final = "ext/import-managed-senders"

SHOWN: Final = 200  # rows of a table, unless others are asked for
SET_AT_ONCE: Final = 100  # items in one call
REMOVED_AT_ONCE: Final = 500
IMPORTED_AT_ONCE: Final = 1_000  # entries in one item

ENTRY: Final = Listed("personal entry", LIST, says=("sender",))

_FOR: Final = re.compile(r"(\d{1,5})([mhdw])")
_FORMATS: Final = tuple(one.value for one in Format)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DONE: Final = {"Permit": "permitted", "Block": "blocked"}

Row = Mapping[str, object]


class _Entry(Struct, frozen=True, rename="camel"):
    """An entry as the list has it."""

    id: str
    sender: str
    to: str
    type: str
    reason: str
    set_by: str
    set_at: str
    created: str
    state: str
    expires: str | None = None


class _Refused(Struct, frozen=True):
    """A line of a file that was not taken in."""

    place: str
    field: str
    value: str
    message: str


class _Imported(Struct, frozen=True, rename="camel"):
    """What came of a file."""

    added: int
    changed: int
    unchanged: int
    over: int
    refused: Sequence[_Refused]
    dry_run: bool


class _RefusedAnswer(Struct, frozen=True):
    entry: int
    field: str
    message: str


class _ImportAnswer(Struct, frozen=True):
    added: int
    changed: int
    unchanged: int
    over: int
    refused: Sequence[_RefusedAnswer]


@click.group("sender")
def command() -> None:
    """Whom single recipients permit or block: their personal lists.

    A block refuses a sender's mail to one recipient, a permit spares it spam checks.

    \b
    mailreeve sender block offers@shop.test --to ann@example.com --for 30d
    mailreeve sender list --to ann@example.com
    """


def _setting(function: Callable[P, R]) -> Callable[P, R]:
    """The arguments and options of permitting and blocking."""
    for decorate in (
        click.option("--for", "duration", metavar="TIME", help="For so long: 30m, 12h, 7d, 2w."),
        click.option("--until", metavar="TIME", help="Until then, in ISO 8601; without a zone in UTC."),
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
    duration: str | None,
    as_json: bool,
) -> None:
    """Let mail from senders, addresses or domains, to one recipient past spam checks.

    \b
    mailreeve sender permit news@shop.test --to ann@example.com
    """
    _set(api, "permit", senders, to, reason, until, duration, as_json)


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
    duration: str | None,
    as_json: bool,
) -> None:
    """Refuse mail from senders, addresses or domains, to one recipient.

    \b
    mailreeve sender block shop.test --to ann@example.com --for 30d
    """
    _set(api, "block", senders, to, reason, until, duration, as_json)


def _set(
    api: Client,
    action: str,
    senders: Sequence[str],
    to: str,
    reason: str | None,
    until: str | None,
    duration: str | None,
    as_json: bool,
) -> None:
    said = {"action": action, "to": to, "reason": reason, "expires": _end(until, duration)}
    items = [{**said, "sender": sender} for sender in senders]
    done = _in_parts(api, SET, items, SET_AT_ONCE)
    if as_json:
        echo(msgspec.json.encode({"entries": done.rows}))
    for row in () if as_json else done.rows:
        until_words = f" until {_moment(row['expires'])}" if row.get("expires") else ""
        echo(f"{_DONE.get(str(row['type']), row['type'])} {row['sender']} for {row['to']}{until_words}")
    if done.errors:
        fail(*done.errors)


def _narrowing(function: Callable[P, R]) -> Callable[P, R]:
    """The options that say which entries."""
    for decorate in (
        click.option("--all", "everything", is_flag=True, help="Also those that have expired."),
        click.option("--expired", is_flag=True, help="Only those that have expired."),
        click.option("--text", metavar="TEXT", help="With this in sender, recipient or reason."),
        click.option("--type", "type_", type=click.Choice(["permit", "block"]), help="Of this type."),
        click.option("--sender", metavar="SENDER", help="About exactly this sender, an address or a domain."),
        click.option("--to", metavar="ADDRESS", help="Of the list that mail to this address obeys."),
    ):
        function = decorate(function)
    return function


def _which(
    to: str | None, sender: str | None, type_: str | None, text: str | None, expired: bool, everything: bool
) -> Row:
    if expired and everything:
        misused("--expired and --all: give one of them")
    state = None if everything else "expired" if expired else "active"
    which = {"to": to, "sender": sender, "type": type_, "text": text, "state": state}
    return {name: value for name, value in which.items() if value is not None}


@command.command("list")
@_narrowing
@click.option("--limit", type=click.IntRange(min=1), help=f"So many at most.  [default: {SHOWN}; all with --json]")
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
    limit: int | None,
    as_json: bool,
) -> None:
    """List the entries of personal lists, oldest first.

    Those that have expired are left out unless --all or --expired asks for them.

    \b
    mailreeve sender list --to ann@example.com
    mailreeve sender list --text shop --all
    """
    which = _which(to, sender, type_, text, expired, everything)
    most = limit or (None if as_json else SHOWN)
    rows, total = _listed(api, which, most)
    if as_json:
        echo(msgspec.json.encode({"entries": rows, "total": total}))
        return
    entries = [msgspec.convert(row, _Entry) for row in rows]
    if not entries:
        echo("no entries")
        return
    _print(entries)
    if total > len(entries):
        say(f"{total - len(entries)} more; --limit {total} shows them")


@command.command("remove", cls=IdCommand)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--to", metavar="ADDRESS", help="Of the list that mail to this address obeys.")
@click.option("--sender", "senders", multiple=True, metavar="SENDER", help="About this sender; with --to.")
@click.option("--expired", is_flag=True, help="All that have expired, of all lists or that of --to.")
@json_option
@calls_api
def remove(
    api: Client, ids: tuple[str, ...], to: str | None, senders: tuple[str, ...], expired: bool, as_json: bool
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
        items: Sequence[Row] = [{"id": id_} for id_ in resolve_all(api, ENTRY, ids)]
    elif senders:
        items = [{"to": to, "sender": sender} for sender in senders]
    else:
        which = _which(to, None, None, None, True, False)
        items = [{"id": row["id"]} for row in api.every(LIST, which)]
    done = _in_parts(api, REMOVE, items, REMOVED_AT_ONCE)
    if as_json:
        echo(msgspec.json.encode({"removed": done.rows}))
    elif expired:
        echo(f"removed {_number(len(done.rows), 'entry')}")
    else:
        for row in done.rows:
            echo(f"removed the {str(row['type']).lower()} of {row['sender']} for {row['to']}")
    if done.errors:
        fail(*done.errors)


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--to", metavar="ADDRESS", help="Whose list, for lines that do not say.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would come of it.")
@json_option
@calls_api
def import_(api: Client, file: str, to: str | None, dry_run: bool, as_json: bool) -> None:
    """Take entries in from a file, or - for standard input: CSV, or JSON, an object on each line.

    The columns are to, sender, action (permit or block), reason and expires; the last two may be left out. A line
    that is refused leaves the others alone and is told with its number. The same file again changes nothing.

    Exit code 1 when a line was refused.

    \b
    mailreeve sender import senders.csv --dry-run
    """
    refusals: list[tuple[int, _Refused]] = []
    placed: list[tuple[int, Placed]] = []
    name = "standard input" if file == "-" else file
    try:
        with click.open_file(file, "rb") as stream:
            found = list(read_entries(cast(BinaryIO, stream), format_of(file), to))
    except OSError as problem:
        fail(said_of(problem))
    except FileProblem as problem:
        fail(f"{name}: {problem}; nothing was taken in")
    for number, one in enumerate(found):
        if isinstance(one, Placed):
            placed.append((number, one))
        else:
            value = str(one.values.get(one.column, ""))
            refusals.append((number, _Refused(one.place, one.column, value, one.problem)))
    counts = dict.fromkeys(("added", "changed", "unchanged", "over"), 0)
    for part in _parts(placed, IMPORTED_AT_ONCE):
        item = {"entries": [one.entry for _, one in part], "dryRun": dry_run}
        answer = api.call_for(_ImportAnswer, IMPORT, item)[0]
        for outcome in counts:
            counts[outcome] += getattr(answer, outcome)
        for refused in answer.refused:
            number, at = part[refused.entry]
            value = at.entry.get(refused.field, "")
            refusals.append((number, _Refused(at.place, refused.field, value, refused.message)))
    told = [one for _, one in sorted(refusals, key=lambda numbered: numbered[0])]
    done = _Imported(**counts, refused=told, dry_run=dry_run)
    if as_json:
        echo(msgspec.json.encode(done))
    else:
        echo(_imported_words(done))
    if told:
        fail(*map(_refused_words, told))


@command.command("export")
@_narrowing
@click.option(
    "--format",
    "form",
    type=click.Choice([one.value for one in Format]),
    default="csv",
    show_default=True,
    help="As what.",
)
@click.option("--output", "-o", type=click.File("w", encoding="utf-8", lazy=True), help="Write to this file.")
@calls_api
def export(
    api: Client,
    to: str | None,
    sender: str | None,
    type_: str | None,
    text: str | None,
    expired: bool,
    everything: bool,
    form: str,
    output: IO[str] | None,
) -> None:
    """Give entries out as `sender import` takes them in: of one list, or of all.

    \b
    mailreeve sender export --to ann@example.com -o ann.csv
    """
    rows = api.every(LIST, _which(to, sender, type_, text, expired, everything))
    for line in written_entries(rows, Format(form)):
        if output is not None:
            output.write(line)
        elif sys.stdout.isatty():
            echo(line.removesuffix("\n"))
        else:
            click.echo(line, nl=False)


def _print(entries: Sequence[_Entry]) -> None:
    """Print entries as a table, without the columns in which all are empty."""
    ids = shortened(entry.id for entry in entries)
    columns: list[tuple[Column, list[str]]] = [
        (Column("id"), [ids[entry.id] for entry in entries]),
        (Column("type"), [entry.type.lower() for entry in entries]),
        (Column("sender", 5), [entry.sender for entry in entries]),
        (Column("to", 5), [entry.to for entry in entries]),
        (Column("until"), [_until(entry) for entry in entries]),
        (Column("set by", 4), [entry.set_by for entry in entries]),
        (Column("reason", 4), [entry.reason for entry in entries]),
    ]
    columns = [(column, cells) for column, cells in columns if any(cells)]
    rows = zip(*(cells for _, cells in columns), strict=True)
    print_table(Console(highlight=False, soft_wrap=True), [column for column, _ in columns], rows)


class _Done(Struct, frozen=True):
    rows: Sequence[Row]
    errors: Sequence[str]


def _in_parts(api: Client, path: str, items: Sequence[Row], most: int) -> _Done:
    """What came of the items, in as many calls as it takes. Raises `ApiError` where a whole call is refused."""
    rows: list[Row] = []
    errors: list[str] = []
    for part in _parts(items, most):
        answer = api.send(path, *part)
        rows += answer.data
        for failure in answer.failures:
            named = failure.item.get(failure.field or "") or failure.item.get("sender") or failure.item.get("id")
            errors.append(f"{named}: {failure.described(200)}" if named else failure.described(200))
    return _Done(rows, errors)


def _parts(several: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (several[n : n + most] for n in range(0, len(several), most))


def _listed(api: Client, which: Row, most: int | None) -> tuple[list[Row], int]:
    """The first of these entries, and how many there are."""
    size = None if most is None else min(most, 500)
    rows: list[Row] = []
    total = 0
    for answer in api.pages(LIST, which, page_size=size):
        rows += answer.data
        total = answer.total or len(rows)
        if most is not None and len(rows) >= most:
            return rows[:most], total
    return rows, max(total, len(rows))


def _end(until: str | None, duration: str | None) -> str | None:
    if until is not None and duration is not None:
        misused("--until and --for: give one of them")
    if duration is None:
        return until
    found = _FOR.fullmatch(duration.strip().lower())
    if found is None:
        misused(f"--for {duration!r}: write it like 30m, 12h, 7d or 2w")
    number, unit = found.groups()
    return (datetime.now(UTC) + timedelta(**{_UNITS[unit]: int(number)})).isoformat(timespec="seconds")


def _moment(text: object) -> str:
    try:
        moment = datetime.fromisoformat(str(text))
        return f"{moment:%Y-%m-%d}" if moment.time() == time() else f"{moment:%Y-%m-%d %H:%M}"
    except ValueError:
        return str(text)


def _until(entry: _Entry) -> str:
    if entry.expires is None:
        return ""
    return "expired" if entry.state == "expired" else _moment(entry.expires)


def _number(many: int, what: str) -> str:
    several = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{many} {what if many == 1 else several}"


def _imported_words(done: _Imported) -> str:
    words = [f"{done.added} added", f"{done.changed} changed", f"{done.unchanged} unchanged"]
    if done.over:
        words.append(f"{done.over} left out, since they have ended")
    if done.refused:
        words.append(f"{_number(len({one.place for one in done.refused}), 'line')} refused")
    return f"{'nothing is changed; it would be: ' if done.dry_run else ''}{', '.join(words)}"


def _refused_words(one: _Refused) -> str:
    what = f"{one.field} {one.value!r}: " if one.value else f"{one.field}: " if one.field else ""
    return f"{one.place}: {what}{one.message}"
