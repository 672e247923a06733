"""What does a file of rows hold? CSV as spreadsheets write it, or JSON, each row with where it stands."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import BinaryIO, Final

from msgspec import Struct

MAX_LINE: Final = 1024 * 1024  # octets
MAX_ROWS: Final = 1_000_000
MAX_COLUMNS: Final = 1_100  # those of users, and a thousand attributes
MAX_CELL: Final = 65_536  # characters
MAX_LIST: Final = 64 * 1024 * 1024  # octets of a JSON list, which is read at once
NAMED: Final = 10  # unknown columns that an error names

ATTRIBUTE: Final = "attribute:"
"""What columns begin with that hold the values of an attribute."""

_ACTING: Final = "=+-@\t\r"
_QUOTED: Final = f"{_ACTING}'"
_SEPARATED: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_DELIMITERS: Final = ",;\t|"


class Format(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


class FileProblem(Exception):
    """The file cannot be read as a table at all."""


class FileRow(Struct, frozen=True):
    """A row: where it stands, as `line 7`, and its values by columns, without those that are empty. `problem` says
    why it is none."""

    place: str
    values: Mapping[str, object]
    problem: str = ""
    column: str = ""


class Columns(Struct, frozen=True):
    """The columns that a kind has. Some are `required`; with `attributes` there may be others for those."""

    names: Sequence[str]
    required: Sequence[str]
    attributes: bool

    def known(self, name: str) -> str | None:
        """The column that is meant, in whichever case; None for one that is unknown."""
        if name in self.names:
            return name
        plain = name.strip()
        if self.attributes and plain.casefold().startswith(ATTRIBUTE) and plain[len(ATTRIBUTE) :].strip():
            return ATTRIBUTE + plain[len(ATTRIBUTE) :].strip()
        return next((known for known in self.names if known.casefold() == plain.casefold()), None)

    def unknown(self, names: Sequence[str]) -> str:
        """What to say of columns that are unknown."""
        said = []
        for name in names[:NAMED]:
            shown = name if len(name) <= 64 else f"{name[:64]}…"
            near = get_close_matches(name.strip()[:64], self.names, 1)
            said.append(f'"{shown}" (do you mean "{near[0]}"?)' if near else f'"{shown}"')
        if len(names) > NAMED:
            said.append(f"and {len(names) - NAMED} more")
        more = f", and {ATTRIBUTE}NAME for an attribute" if self.attributes else ""
        columns = "there is no column" if len(names) == 1 else "there are no columns"
        return f"{columns} {', '.join(said)}; there are {', '.join(self.names)}{more}"


def format_of(name: str) -> Format | None:
    """How the rows of a file of this name are written; None where its suffix does not say."""
    suffix = name.rpartition(".")[2].lower()
    if suffix in ("jsonl", "ndjson", "json"):
        return Format.JSONL
    return Format.CSV if suffix in ("csv", "tsv") else None


def rows(file: BinaryIO, written: Format | None, columns: Columns) -> Iterator[FileRow]:
    """The rows of a file. Where nothing says how they are written, the first character does. Raises
    `FileProblem`."""
    lines = _Lines(file)
    if written is None:
        written = Format.JSONL if lines.first().lstrip()[:1] in ("{", "[") else Format.CSV
    found = _csv_rows(lines, columns) if written is Format.CSV else _json_rows(lines, columns)
    for count, row in enumerate(found, 1):
        if count > MAX_ROWS:
            raise FileProblem(f"{row.place}: there are more than {MAX_ROWS:,} rows")
        yield row


class _Lines:
    """The lines of a file as text. `number` is that of the last one. Raises `FileProblem` naming the line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ahead: str | None = None
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def first(self) -> str:
        """The first line that is not blank, which is still to be read."""
        if self._ahead is None:
            self._ahead = next((line for line in iter(self._read, "") if line.strip()), "")
        return self._ahead

    def __next__(self) -> str:
        line, self._ahead = (self._read() if self._ahead is None else self._ahead), None
        if not line:
            raise StopIteration
        return line

    def rest(self, most: int) -> str:
        """All lines that are left. Raises `FileProblem` where there is more than `most`."""
        kept: list[str] = []
        size = 0
        for line in self:
            size += len(line)
            if size > most:
                raise FileProblem(f"line {self.number}: a list is longer than {most:,} characters; use JSON lines")
            kept.append(line)
        return "".join(kept)

    def _read(self) -> str:
        octets = self._file.readline(MAX_LINE + 1)
        self.number += 1 if octets else 0
        if len(octets) > MAX_LINE:
            raise FileProblem(f"line {self.number} is longer than {MAX_LINE:,} octets")
        if self.number == 1:
            if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise FileProblem("line 1: the file is in UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)")
            octets = octets.removeprefix(codecs.BOM_UTF8)
        if b"\0" in octets:
            raise FileProblem(f"line {self.number} holds a NUL, which is no text")
        try:
            return octets.decode()
        except UnicodeDecodeError as problem:
            where = f"line {self.number} is not UTF-8: octet 0x{octets[problem.start]:02x} after "
            before = octets[max(0, problem.start - 20) : problem.start].decode(errors="replace")
            raise FileProblem(f"{where}{before!r}; save the file as UTF-8") from problem


# ------------------------------------------------------------------------------------------------------- CSV


def _csv_rows(lines: _Lines, columns: Columns) -> Iterator[FileRow]:
    first = lines.first()
    delimiter = ""
    separated = _SEPARATED.fullmatch(first)
    if separated:  # by which Excel is told
        delimiter = separated[1]
        next(lines)
        first = lines.first()
    if not first:
        raise FileProblem("there is no header: the first line names the columns")
    reader = csv.reader(lines, delimiter=delimiter or _delimiter(first, columns), strict=True)
    header: list[str] | None = None
    place = 0
    while True:
        place = lines.number + 1 if header is not None else lines.number
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as problem:
            raise FileProblem(f"line {place}: {problem}") from problem
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells, columns, lines.number)
        else:
            yield _csv_row(f"line {place}", header, cells)


def _delimiter(header: str, columns: Columns) -> str:
    """What parts the cells of a header: the one by which most are known columns, else of which there are most."""

    def found(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip().strip('"') for cell in header[:MAX_CELL].split(delimiter)]
        return sum(1 for cell in cells if columns.known(cell)), len(cells)

    return max(_DELIMITERS, key=found)


def _header(cells: Sequence[str], columns: Columns, line: int) -> list[str]:
    while cells and not cells[-1].strip():  # as spreadsheets leave them
        cells = cells[:-1]
    if len(cells) > MAX_COLUMNS:
        raise FileProblem(f"line {line}: {len(cells):,} columns; at most {MAX_COLUMNS:,} are allowed")
    known = [columns.known(unprotected(cell)) for cell in cells]
    unknown = [cell for cell, name in zip(cells, known, strict=True) if name is None]
    if unknown:
        raise FileProblem(f"line {line}: {columns.unknown(unknown)}")
    header = [name for name in known if name is not None]
    seen: dict[str, str] = {}
    for name in header:
        if name.casefold() in seen:
            raise FileProblem(f'line {line}: the column "{name}" is there twice')
        seen[name.casefold()] = name
    missing = [name for name in columns.required if name not in header]
    if missing:
        raise FileProblem(f"line {line}: the header lacks {', '.join(missing)}")
    return header


def _csv_row(place: str, header: Sequence[str], cells: Sequence[str]) -> FileRow:
    values: dict[str, object] = {}
    if any(cell.strip() for cell in cells[len(header) :]):
        return FileRow(place, {}, f"{len(cells)} cells, but the header names {len(header)} columns")
    for name, cell in zip(header, cells, strict=False):
        if len(cell) > MAX_CELL:
            return FileRow(place, {}, f"the cell is longer than {MAX_CELL:,} characters", name)
        if cell.strip():
            values[name] = unprotected(cell)
    return FileRow(place, values)


def protected(text: str) -> str:
    """A cell that a spreadsheet takes for no formula: what begins like one gets an apostrophe in front, as what
    begins with an apostrophe does."""
    return f"'{text}" if text[:1] and text[0] in _QUOTED else text


def unprotected(text: str) -> str:
    """What `protected` made the cell of. An apostrophe before anything else stays: somebody wrote it."""
    return text[1:] if text[:1] == "'" and text[1:2] and text[1] in _QUOTED else text


def csv_text(header: Sequence[str], found: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The lines of a CSV file with these rows."""
    line = io.StringIO()
    # A carriage return is quoted where it is part of a line's end, and not otherwise.
    writer = csv.writer(line, lineterminator="\r\n")
    for cells in ([*header], *([_cell(row.get(name)) for name in header] for row in found)):
        writer.writerow([protected(cell) for cell in cells])
        yield line.getvalue().removesuffix("\r\n") + "\n"
        line.seek(0)
        line.truncate()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


# ------------------------------------------------------------------------------------------------------ JSON


def _json_rows(lines: _Lines, columns: Columns) -> Iterator[FileRow]:
    for place, value, problem in json_values(
        lines.first, lines, lambda: lines.number, lambda: lines.rest(MAX_LIST)
    ):
        if problem:
            yield FileRow(place, {}, problem)
        elif not isinstance(value, dict):
            yield FileRow(place, {}, "not a JSON object")
        else:
            yield _json_row(place, value, columns)


def _json_row(place: str, value: Mapping[str, object], columns: Columns) -> FileRow:
    values: dict[str, object] = {}
    unknown: list[str] = []
    for name, member in value.items():
        known = columns.known(name)
        if known is None:
            unknown.append(name)
        elif known in values:
            return FileRow(place, {}, "the member is there twice", known)
        elif isinstance(member, str) and len(member) > MAX_CELL:
            return FileRow(place, {}, f"the text is longer than {MAX_CELL:,} characters", known)
        elif not _is_plain(member):
            return FileRow(place, {}, "neither a text nor a number nor true or false", known)
        elif member is not None and member != "":
            values[known] = member
    if unknown:
        return FileRow(place, {}, columns.unknown(unknown))
    return FileRow(place, values)


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63)


def json_values(
    first: Callable[[], str], lines: Iterable[str], number: Callable[[], int], rest: Callable[[], str]
) -> Iterator[tuple[str, object, str]]:
    """The JSON values in lines, a line each, or those of one list: where each stands, and what is wrong with it,
    if anything. Raises `FileProblem` where the list as a whole is none."""
    if first().lstrip().startswith("["):
        try:
            several = json.loads(rest())
        except (ValueError, RecursionError) as problem:
            raise FileProblem(f"not JSON: {problem}") from problem
        for count, value in enumerate(several, 1):
            yield f"item {count}", value, ""
        return
    for line in lines:
        if line.strip():
            try:
                yield f"line {number()}", json.loads(line), ""
            except (ValueError, RecursionError) as problem:
                yield f"line {number()}", None, f"not JSON: {problem}"
