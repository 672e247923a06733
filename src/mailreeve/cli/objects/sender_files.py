"""How do personal entries stand in a file? As CSV with a head line, or as JSON, an object on each line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

CSV: Final = "csv"
JSON_LINES: Final = "jsonl"
FORMATS: Final = (CSV, JSON_LINES)

COLUMNS: Final = ("to", "sender", "type", "reason", "expires")
_ALSO: Final = {"action": "type", "recipient": "to"}  # other names for columns


class FileError(ValueError):
    """The file, or a line of it, cannot be read."""


class Numbered(Struct, frozen=True):
    """An entry as the file has it, with the number of its line, from 1."""

    line: int
    entry: Mapping[str, str]


class Unreadable(Struct, frozen=True):
    """A line that holds no entry, and why."""

    line: int
    why: str


def read_entries(text: str, owner: str | None) -> Iterator[Numbered | Unreadable]:
    """The entries of a file, of either form. Those without a recipient are for `owner`. What is more than an entry
    has is left out, so that a list as it is exported can be read. Raises `FileError`."""
    text = text.removeprefix("\ufeff")
    for one in _json_lines(text) if text.lstrip().startswith("{") else _csv(text):
        if isinstance(one, Numbered) and owner is not None and not one.entry.get("to"):
            one = Numbered(one.line, {**one.entry, "to": owner})
        yield one


def written_entries(entries: Iterable[Mapping[str, object]], form: str) -> Iterator[str]:
    """The lines of a file with these entries, as `read_entries` takes them."""
    if form == CSV:
        yield ",".join(COLUMNS)
    for entry in entries:
        values = {name: entry[name] for name in COLUMNS if entry.get(name)}
        if form == CSV:
            line = io.StringIO()
            csv.writer(line, lineterminator="").writerow([values.get(name, "") for name in COLUMNS])
            yield line.getvalue()
        else:
            yield json.dumps(values, ensure_ascii=False)


def _csv(text: str) -> Iterator[Numbered | Unreadable]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names: list[str] = []
    line = 1
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                pass
            elif not names:
                names = _head(row)
            elif len(row) > len(names):
                yield Unreadable(line, f"{len(row)} values for {len(names)} columns")
            else:
                values = zip(names, row, strict=False)
                yield Numbered(line, {name: cell for name, cell in values if name in COLUMNS and cell.strip()})
            line = reader.line_num + 1
    except csv.Error as problem:
        yield Unreadable(line, str(problem))


def _head(row: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in row]
    names = [_ALSO.get(name, name) for name in names]
    if "sender" not in names:
        wanted = ", ".join(COLUMNS)
        raise FileError(f"line 1: the first line names the columns ({wanted}); {','.join(row)[:80]!r} does not")
    return names


def _json_lines(text: str) -> Iterator[Numbered | Unreadable]:
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            found = json.loads(written)
        except ValueError as problem:
            yield Unreadable(line, f"not JSON: {problem}")
            continue
        if not isinstance(found, dict):
            yield Unreadable(line, "not a JSON object")
            continue
        values = {_ALSO.get(name, name): value for name, value in found.items()}
        wrong = [name for name in COLUMNS if not isinstance(values.get(name) or "", str)]
        if wrong:
            yield Unreadable(line, f"{wrong[0]}: not a text: {json.dumps(values[wrong[0]])[:64]}")
            continue
        yield Numbered(line, {name: values[name] for name in COLUMNS if values.get(name)})
