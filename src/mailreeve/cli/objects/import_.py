"""`mailreeve import`: many objects from a file, all of them or none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Final, ParamSpec, TypeVar, cast

import click
import msgspec
from msgspec import Struct

from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import UNCONFIRMED, yes_option
from mailreeve.cli.objects.kinds import columns_of, folded, format_option, kind_argument
from mailreeve.cli.objects.table_file import ATTRIBUTE, FileProblem, FileRow, Format, format_of, rows
from mailreeve.cli.options import fail, json_option
from mailreeve.cli.output import echo, say
from mailreeve.cli.progress import progress_bar
from mailreeve.client import ApiError, Client, ClientError, Failure
from mailreeve.client.api import convert

P = ParamSpec("P")
R = TypeVar("R")

WHOLE: Final = 2_000  # rows that are sent in one call, which is one revision
CHUNK: Final = 500
"""Rows of a call where there are more than that. Others who write wait while one is carried out, and find their
turn between two."""

CHUNK_OCTETS: Final = 4 * 1024 * 1024  # of the text of rows, well below the least body that a server takes
SAID: Final = 100  # refused rows that are named one by one
LONGEST: Final = 80  # characters of a value that an error repeats

_ROW: Final = re.compile(r"rows\[(\d+)\](?:\.(.+))?", re.DOTALL)
_MENTIONED: Final = re.compile(r"rows\[(\d+)\]")


class Refused(Struct, frozen=True, omit_defaults=True):
    """A row that was refused, and why: where it stands, the column and its value, if it is about one."""

    place: str
    message: str
    code: str = ""
    column: str = ""
    value: str = ""

    def said(self, file: str) -> str:
        """It in a line."""
        about = f', {self.column} "{self.value}"' if self.value else f", {self.column}" if self.column else ""
        return f"{file} {self.place}{about}: {self.message}"


class _Problem(Struct, frozen=True):
    code: str
    message: str
    field: str | None = None


class _Answer(Struct, frozen=True, rename="camel"):
    added: int
    changed: int
    unchanged: int
    refused_count: int
    refused: list[_Problem]
    changed_account: bool


class _Done(Struct):
    """What came of the rows so far."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    revisions: int = 0
    refused: list[Refused] = []
    refused_count: int = 0
    warnings: list[str] = []


def import_options(function: Callable[P, R]) -> Callable[P, R]:
    """The file that is imported, and how."""
    for decorate in (
        yes_option("Blocks of a whole organisation are meant."),
        click.option("--skip-errors", is_flag=True, help="Import the other rows where some are refused."),
        click.option("--dry-run", is_flag=True, help="Say what would come of it, and change nothing."),
        format_option,
        click.argument("file", type=click.Path(dir_okay=False, allow_dash=True)),
    ):
        function = decorate(function)
    return function


@click.command("import")
@kind_argument
@import_options
@json_option
@calls_api
def command(
    api: Client,
    kind: str,
    file: str,
    written: Format | None,
    dry_run: bool,
    skip_errors: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Import many objects of one KIND from a FILE, or from standard input where that is -.

    KIND is users, groups, members, senders, blocks, web or delegates.

    The file is CSV, whose first line names the columns, or holds JSON objects, a line each. A row makes an object,
    or changes the one that is there; what is empty in it stays as it is. To import the same file again changes
    nothing.

    Where a row is refused nothing is changed at all, unless --skip-errors is given. Up to 2,000 rows are one
    revision, of more each 500. Exit code 1 when rows were refused, with a line for each that names it, its column
    and value.

    \b
    mailreeve import senders lists.csv
    """
    take_in(api, kind, file, written, dry_run=dry_run, skip_errors=skip_errors, yes=yes, as_json=as_json)


def take_in(
    api: Client,
    kind: str,
    file: str,
    written: Format | None,
    *,
    dry_run: bool,
    skip_errors: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Import the rows of a file, and say what came of it."""
    name = "standard input" if file == "-" else file
    try:
        with click.open_file(file, "rb") as stream:
            good, bad = _read(cast(BinaryIO, stream), written or format_of(file), kind)
    except FileProblem as problem:
        fail(f"{name} {problem}" if str(problem).startswith("line ") else f"{name}: {problem}")
    except OSError as problem:
        fail(f"{name} cannot be read: {problem.strerror}")
    done = _Done(refused=list(bad), refused_count=len(bad))
    sender = _Sender(api, kind, yes, done)
    chunks = list(_chunks(good, WHOLE if len(good) <= WHOLE else CHUNK))
    if dry_run:
        sender.send(chunks, "rows checked", dry_run=True)
    elif skip_errors:
        sender.send(chunks, "rows imported", skip_errors=True)
    else:
        # One call changes all or nothing. Several are tried first, so that a file does so as well.
        if bad or len(chunks) > 1:
            sender.send(chunks, "rows checked", dry_run=True)
        if not done.refused_count:
            done = sender.done = _Done()
            sender.send(chunks, "rows imported")
        else:
            done.added = done.changed = done.unchanged = 0
    _say(done, name, kind, len(good) + len(bad), dry_run=dry_run, skip_errors=skip_errors, as_json=as_json)


def _read(stream: BinaryIO, written: Format | None, kind: str) -> tuple[list[FileRow], list[Refused]]:
    good: list[FileRow] = []
    bad: list[Refused] = []
    for row in rows(stream, written, columns_of(kind)):
        if row.problem:
            bad.append(Refused(row.place, row.problem, column=row.column))
        else:
            good.append(row)
    return good, bad


def _chunks(found: Iterable[FileRow], most: int) -> Iterator[list[FileRow]]:
    """The rows in parts that are sent together, each of so many at most."""
    chunk: list[FileRow] = []
    size = 0
    for row in found:
        octets = sum(len(name) + 4 * len(str(value)) for name, value in row.values.items())
        if chunk and (len(chunk) == most or size + octets > CHUNK_OCTETS):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += octets
    if chunk:
        yield chunk


class _Sender:
    """Sends chunks, and gathers what came of them in `done`."""

    def __init__(self, api: Client, kind: str, confirmed: bool, done: _Done) -> None:
        self._api = api
        self._kind = kind
        self._confirmed = confirmed
        self.done = done

    def send(
        self, chunks: Sequence[list[FileRow]], what: str, *, dry_run: bool = False, skip_errors: bool = False
    ) -> None:
        """Send the chunks in their order; after one of which nothing came no others, where that means that rows
        were refused and not to be skipped. Raises `ClientError`."""
        total = sum(map(len, chunks))
        sent = 0
        with progress_bar(what, total) as report:
            for chunk in chunks:
                refused = self.done.refused_count
                try:
                    self._send(chunk, dry_run=dry_run, skip_errors=skip_errors)
                except ClientError:
                    if self.done.revisions:
                        say(f"Up to the row before {chunk[0].place} all were imported.")
                    raise
                sent += len(chunk)
                report(sent)
                if self.done.refused_count > refused and not (dry_run or skip_errors):
                    return

    def _send(self, chunk: Sequence[FileRow], *, dry_run: bool, skip_errors: bool) -> None:
        item = {
            "rows": [folded(dict(row.values)) for row in chunk],
            "dryRun": dry_run,
            "skipErrors": skip_errors,
            "confirmReach": self._confirmed,
        }
        done = self.done
        found = self._api.send(f"ext/import-{self._kind}", item)
        problems: Iterable[Failure | _Problem] = found.failures
        if not found.failures:
            (answer,) = (convert(row, _Answer) for row in found.data)
            problems = answer.refused
            done.added += answer.added
            done.changed += answer.changed
            done.unchanged += answer.unchanged
            done.revisions += answer.changed_account
            done.refused_count += answer.refused_count
        done.warnings += [warning for warning in found.warnings if warning not in done.warnings]
        refused = [_refused(problem, chunk) for problem in problems]
        if any(not one.place for one in refused):
            raise ApiError(200, [_without_item(problem) for problem in problems])
        done.refused += refused
        if found.failures:
            done.refused_count += len({one.place for one in refused})


def _refused(problem: Failure | _Problem, chunk: Sequence[FileRow]) -> Refused:
    """A problem as the reader of the file needs it; without a place where it is about no row."""

    def place(number: str) -> str:
        return chunk[int(number)].place if int(number) < len(chunk) else number

    message = _MENTIONED.sub(lambda found: place(found[1]), problem.message)
    if problem.code == UNCONFIRMED:
        message = message.partition("; if that is meant")[0] + "; if that is meant, give --yes"
    found = _ROW.fullmatch(problem.field or "")
    if found is None or int(found[1]) >= len(chunk):
        return Refused("", message, problem.code)
    row = chunk[int(found[1])]
    column = "" if problem.code == UNCONFIRMED else (found[2] or "").replace("attributes.", ATTRIBUTE)
    value = str(row.values.get(column, ""))
    shown = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    return Refused(row.place, message, problem.code, column, shown)


def _without_item(problem: Failure | _Problem) -> Failure:
    message = problem.message
    if problem.code == UNCONFIRMED:
        message = message.partition("; if that is meant")[0] + "; if that is meant, give --yes"
    return Failure(problem.code, message, field=problem.field)


def _say(
    done: _Done, name: str, kind: str, total: int, *, dry_run: bool, skip_errors: bool, as_json: bool
) -> None:
    """Say what came of it, and end with exit code 1 where rows were refused."""
    counts = f"{done.added:,} added, {done.changed:,} changed, {done.unchanged:,} unchanged"
    for warning in done.warnings:
        say(f"Warning: {warning}")
    if as_json:
        told = msgspec.to_builtins(done) | {"rows": total, "dryRun": dry_run}
        told = {("refusedCount" if key == "refused_count" else key): value for key, value in told.items()}
        echo(json.dumps(told, indent=2, ensure_ascii=False))
    if not done.refused_count:
        if not as_json:
            echo(f"{name}: {counts}{' (dry run: nothing was changed)' if dry_run else ''}")
        return
    applied = done.revisions or done.unchanged or skip_errors or dry_run
    if applied and not as_json:
        echo(f"{name}: {counts}{' (dry run: nothing was changed)' if dry_run else ''}")
    lines = [] if as_json else [one.said(name) for one in done.refused[:SAID]]
    if len(done.refused) > SAID and not as_json:
        lines.append(f"{name}: and {len(done.refused) - SAID:,} more errors")
    rest = "nothing was changed; --skip-errors imports the other rows"
    if dry_run:
        rest = "the import would refuse them"
    elif skip_errors:
        rest = "the other rows were imported"
    elif done.revisions:
        rest = "the rows before the first of them were imported"
    fail(*lines, f"{name}: {done.refused_count:,} of {total:,} rows refused; {rest}")
