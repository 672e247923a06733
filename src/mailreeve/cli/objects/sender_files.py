"""How do personal entries stand in a file? As in those of `mailreeve import senders`, CSV or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, Final

from msgspec import Struct

from mailreeve.cli.objects.table_file import Columns, FileRow, Format, csv_text, rows

WRITTEN: Final = ("to", "sender", "action", "reason", "expires")
_COLUMNS: Final = Columns((*WRITTEN, "type"), ("sender",), attributes=False)


class Placed(Struct, frozen=True):
    """An entry as the file has it, and where."""

    place: str
    entry: Mapping[str, str]


def read_entries(file: BinaryIO, written: Format | None, owner: str | None) -> Iterator[Placed | FileRow]:
    """The entries of a file, as the API takes them, and the rows that are none. Those without a recipient are for
    `owner`. Raises `FileProblem`."""
    for row in rows(file, written, _COLUMNS):
        wrong = next((name for name, value in row.values.items() if not isinstance(value, str)), None)
        if row.problem:
            yield row
        elif wrong is not None:
            yield FileRow(row.place, row.values, "not a text", wrong)
        else:
            entry = {"type" if name == "action" else name: str(value) for name, value in row.values.items()}
            yield Placed(row.place, entry if owner is None or entry.get("to") else {**entry, "to": owner})


def written_entries(entries: Iterable[Mapping[str, object]], form: Format) -> Iterator[str]:
    """The lines of a file with these entries, as the API lists them."""
    found = (
        {"action" if name == "type" else name: _written(name, value) for name, value in entry.items()}
        for entry in entries
    )
    if form is Format.CSV:
        yield from csv_text(WRITTEN, found)
    for entry in found:
        yield json.dumps({name: entry[name] for name in WRITTEN if entry.get(name)}, ensure_ascii=False) + "\n"


def _written(name: str, value: object) -> object:
    return str(value).lower() if name == "type" else value
