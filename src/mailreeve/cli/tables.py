"""How does a command show many things? As a table that fits the terminal: a line each, the rest on request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.table import Table

from mailreeve.app.terminal import escaped_line

GAP: Final = 2  # blanks between columns


class Column(Struct, frozen=True):
    """A column: its title, and how it gives way when the terminal is too narrow.

    One with a `share` gets that part of what the others leave, if it needs as much, and is cut with an ellipsis;
    one without keeps its width. One `if_any` is left out where all its cells are empty, and any in a terminal of
    fewer columns than its `least`.
    """

    title: str
    share: int = 0
    if_any: bool = False
    least: int = 0


def print_table(
    console: Console,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    whole: bool = False,
    titles: bool = True,
) -> None:
    """Print a table, a line for each row. With `whole` nothing is cut: long cells take several lines. Without
    `titles` it goes on from one above it."""
    # Cells hold what people typed: no markup is read in them.
    cells = [[escaped_line(cell) for cell in row] for row in rows]
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=titles)
    for column, width in zip(columns, widths(console.width, columns, cells), strict=True):
        table.add_column(
            column.title,
            width=width,
            no_wrap=not (whole and column.share),
            overflow="fold" if whole else "ellipsis",
        )
    for row in cells:
        table.add_row(*(console.render_str(cell, markup=False, emoji=False, highlight=False) for cell in row))
    for line in Segment.split_lines(console.render(table)):
        while line and not line[-1].text.rstrip():
            line.pop()
        if line:
            line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
        console.print(Segments([*line, Segment.line()]), end="")


def widths(room: int, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column is, for all of them to fit into the room. One with a share takes no more than its
    longest cell needs; what it leaves the others share."""
    longest = [
        max([cell_len(column.title), *(cell_len(row[n]) for row in rows)]) for n, column in enumerate(columns)
    ]
    found = [0 if column.share else width for column, width in zip(columns, longest, strict=True)]
    flexible = [n for n, column in enumerate(columns) if column.share]
    while flexible:
        left = room - sum(found) - GAP * (len(columns) - 1)
        shares = sum(columns[n].share for n in flexible)
        content = [n for n in flexible if longest[n] * shares <= left * columns[n].share]
        for n in content or flexible:
            found[n] = longest[n] if content else max(left * columns[n].share // shares, 1)
        flexible = [n for n in flexible if content and n not in content]
    return found


def filled(
    room: int, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> tuple[list[Column], list[Sequence[str]]]:
    """The columns and cells without those that are left out, see `Column`."""
    kept = [
        n
        for n, column in enumerate(columns)
        if column.least <= room and (not column.if_any or any(row[n] for row in rows))
    ]
    return [columns[n] for n in kept], [[row[n] for n in kept] for row in rows]


def wrapped(text: str, width: int, indent: int) -> str:
    """The text broken between words into lines of that width; those after the first are indented.

    A word longer than a line stays whole, so that it can be copied. What would act on a terminal is written out.
    """
    lines = [""]
    for word in re.findall(r"\s*\S+", escaped_line(text)):
        if lines[-1].strip() and cell_len(lines[-1] + word) > width:
            lines.append(" " * indent + word.lstrip())
        else:
            lines[-1] += word
    return "\n".join(lines)
