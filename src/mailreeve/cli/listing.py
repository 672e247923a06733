"""How does a command list things? By pages: no more is fetched than is shown, and what is left is told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, ParamSpec, TypeVar

import click
import msgspec
from msgspec import Struct
from rich.console import Console

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.ids import shortened
from mailreeve.cli.options import csv_option, wants_csv
from mailreeve.cli.output import echo, say
from mailreeve.cli.tables import Column, filled, print_table, widths
from mailreeve.client import Answer

P = ParamSpec("P")
R = TypeVar("R")
Object = Mapping[str, object]

LIMIT: Final = 100  # rows, where nobody says how many
AT_ONCE: Final = 500  # rows that are fetched, and set in a table, at once


class Table(Struct, frozen=True):
    """How objects are shown: as rows of `columns`, whose `cells` are those of one object, given how ids are shown.

    `named` is what they are called, one and several.
    """

    named: tuple[str, str]
    columns: Sequence[Column]
    cells: Callable[[Object, Mapping[str, str]], Sequence[str]]


class Blocks(Struct, frozen=True):
    """How objects are shown that a line does not hold: each by some `lines`. `named` as in a `Table`."""

    named: tuple[str, str]
    lines: Callable[[Object], Sequence[str]]


def limit_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--limit N`, and `--csv`, which `show` sees to."""
    return click.option(
        "--limit",
        type=click.IntRange(min=0),
        default=LIMIT,
        show_default=True,
        metavar="N",
        help="List so many at most; 0 for all.",
    )(csv_option(function))


def page_size(limit: int) -> int:
    """How many rows a page should hold, for so many to be listed."""
    return min(limit + 1, AT_ONCE) if limit else AT_ONCE


def show(
    pages: Iterator[Answer],
    table: Table | Blocks,
    limit: int,
    *,
    as_json: bool,
    member: str = "",
    is_filtered: bool = False,
) -> None:
    """List the objects of some pages, at most `limit`; 0 stands for all. With `as_json` as one JSON object with
    the objects under the name of several, and `more`; with `--csv` as `print_csv` does. `member` of a row holds
    the objects where they are not rows themselves. It is told that some are left out, and how many there are if
    that is known. Where there are none, `is_filtered` says that there may be others."""
    total: int | None = None
    counted = 0
    more = False
    written = _writer(table, as_json=as_json)
    for answer in pages:
        total = answer.total if total is None else total
        objects = inner(answer.data, member) if member else answer.data
        room = limit - counted if limit else len(objects)
        written.add(objects[:room])
        counted += min(room, len(objects))
        more = len(objects) > room
        if more or (limit and counted == limit and answer.next_page is None):
            break
    written.end(more=more)
    if as_json:
        return
    if not counted:
        say(f"no {table.named[0]}{' like that' if is_filtered else ''}")
    elif more:
        of = f" of {total}" if total is not None and total > counted else ""
        say(f"the first {counted}{of} {table.named[1]}; --limit {max(limit, 1) * 10} lists more, --limit 0 all")


def print_csv(objects: Sequence[Object]) -> None:
    """Objects as CSV: a column for each member that any of them has, in the order in which they come, and what a
    cell does not hold as JSON. What a spreadsheet would take for a formula has an apostrophe in front."""
    # Loaded here: few lists are written so.
    from mailreeve.cli.objects.table_file import csv_text

    header = dict.fromkeys(name for one in objects for name in one)
    for line in csv_text([*header], ({name: _in_cell(one[name]) for name in one} for one in objects)):
        echo(line, newline=False)


def _in_cell(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else value


def _writer(table: Table | Blocks, *, as_json: bool) -> _Tables | _Lines | _Json | _Csv:
    if wants_csv(as_json=as_json):
        return _Csv()
    if as_json:
        return _Json(table.named[1])
    return _Tables(table) if isinstance(table, Table) else _Lines(table)


class _Csv:
    """CSV, written when all of it is known: an object may have members that none before it had."""

    def __init__(self) -> None:
        self._objects: list[Object] = []

    def add(self, objects: Sequence[Object]) -> None:
        """Keep some more."""
        self._objects += objects

    def end(self, *, more: bool) -> None:
        """Write them."""
        if self._objects:
            print_csv(self._objects)


class _Tables:
    """A table for every page; there are titles again where its columns are others, or of other widths."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._console = Console(highlight=False, soft_wrap=True)
        self._before: object = None

    def add(self, objects: Sequence[Object]) -> None:
        """Show some more."""
        if not objects:
            return
        ids = shortened(id_ for one in objects if isinstance(id_ := one.get("id"), str))
        rows = [self._table.cells(one, ids) for one in objects]
        columns, rows = filled(self._console.width, self._table.columns, rows)
        here = [column.title for column in columns], widths(self._console.width, columns, rows)
        print_table(self._console, columns, rows, titles=here != self._before)
        self._before = here

    def end(self, *, more: bool) -> None:
        """There is nothing to be added."""


class _Lines:
    """Lines for every object."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks

    def add(self, objects: Sequence[Object]) -> None:
        """Show some more."""
        for one in objects:
            for line in self._blocks.lines(one):
                echo(escaped_line(line))

    def end(self, *, more: bool) -> None:
        """There is nothing to be added."""


class _Json:
    """One JSON object, written as pages come."""

    def __init__(self, name: str) -> None:
        self._start = f'{{"{name.replace(" ", "_")}":['
        self._between = ""

    def add(self, objects: Sequence[Object]) -> None:
        """Write some more."""
        for one in objects:
            echo(f"{self._start}{self._between}{msgspec.json.encode(one).decode()}", newline=False)
            self._start, self._between = "", ","

    def end(self, *, more: bool) -> None:
        """Close what was opened."""
        echo(f'{self._start}],"more":{"true" if more else "false"}}}')


def text(row: Object, name: str) -> str:
    """A member of a row that is a text; empty where there is none."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def texts(row: Object, name: str) -> list[str]:
    """A member of a row that is a list of texts."""
    value = row.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def inner(rows: Sequence[Object], member: str) -> list[Object]:
    """The objects that a member of each row holds."""
    values = (row.get(member) for row in rows)
    return [one for value in values if isinstance(value, list) for one in value if isinstance(one, dict)]
