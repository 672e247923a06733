"""`mailreeve export`: all objects of a kind, in a file that can be imported."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import ParamSpec, TypeVar

import click

from mailreeve.cli.calling import calls_api
from mailreeve.cli.objects.kinds import columns_of, format_option, kind_argument, unfolded
from mailreeve.cli.objects.table_file import Format, csv_text, format_of
from mailreeve.cli.options import fail
from mailreeve.cli.output import say
from mailreeve.client import Client

P = ParamSpec("P")
R = TypeVar("R")
Row = Mapping[str, object]


def export_options(function: Callable[P, R]) -> Callable[P, R]:
    """Where an export goes, and in which form."""
    file = click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
    return file(format_option(function))


@click.command("export")
@kind_argument
@export_options
@calls_api
def command(api: Client, kind: str, file: str, written: Format | None) -> None:
    """Export all objects of one KIND to a FILE, or to standard output.

    KIND is users, groups, members, senders, blocks, web or delegates.

    What is written is what `mailreeve import` takes: CSV, or with --format jsonl or a name that ends in .jsonl a
    JSON object on each line. In CSV a cell that a spreadsheet would take for a formula has an apostrophe in front,
    which an import takes away again. There are no passwords in it.

    Exit code 1 when something is left out that no row can say, with a line for each.

    \b
    mailreeve export senders lists.csv
    """
    give_out(api, kind, file, written)


def give_out(
    api: Client, kind: str, file: str, written: Format | None, which: Mapping[str, object] | None = None
) -> None:
    """Export the objects of a kind: all of them, or which are asked for."""
    rows: list[dict[str, object]] = []
    warnings: list[str] = []
    for page in api.pages(f"ext/export-{kind}", dict(which or {}), page_size=500):
        rows += map(unfolded, page.data)
        warnings += page.warnings
    if kind == "groups":
        rows.sort(key=lambda row: str(row["group"]))  # those above come first
    lines = _lines(rows, kind, written or format_of(file) or Format.CSV)
    if file == "-":
        for line in lines:
            sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()
    else:
        try:
            _write(Path(file), lines)
        except OSError as problem:
            fail(f"{file} cannot be written: {problem.strerror}")
        say(f"{file}: {len(rows):,} rows of {kind}")
    if warnings:
        fail(*warnings)


def _lines(rows: list[dict[str, object]], kind: str, written: Format) -> Iterable[str]:
    names = list(columns_of(kind).names)
    if written is Format.CSV:
        attributes = sorted({name for row in rows for name in row if name not in names}, key=str.casefold)
        return csv_text([*names, *attributes], rows)
    return _json_lines(rows)


def _json_lines(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield f"{json.dumps(row, ensure_ascii=False)}\n"


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write the file as a whole: what had the name before stays until all is there. Raises `OSError`."""
    if path.exists() and not path.is_file():  # a device, or a pipe
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(lines)
        return
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as stream:
        try:
            stream.writelines(lines)
            stream.flush()
            os.fsync(stream.fileno())
            os.replace(stream.name, path)
        except BaseException:
            Path(stream.name).unlink(missing_ok=True)
            raise
