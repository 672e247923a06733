"""How is a file of users read? CSV in UTF-8 with a header line, `email,name,mobile` in any order (api.md 3.6).

Commas or semicolons, as spreadsheets write them. Columns that are not known are refused: whoever sends them means
something by it.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from mailreeve.families.directory.imports.errors import IMPORT_FILE
from mailreeve.families.directory.imports.types import Person
from mailreeve.wire.errors import ItemRefused, refused

MOST: Final = 25_000  # lines of a file
LONGEST_FIELD: Final = 1_024
COLUMNS: Final = ("email", "name", "mobile")


def read(text: str) -> list[Person]:
    """The people of a file. Raises `ItemRefused` naming `file`."""
    text = text.removeprefix("\ufeff")
    heading = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if ";" in heading else ",", strict=True)
    found: list[Person] = []
    try:
        columns = [name.strip().casefold() for name in next(rows, [])]
        unknown = [name for name in columns if name not in COLUMNS]
        if "email" not in columns or unknown or len(set(columns)) < len(columns):
            raise _wrong(f"its first line names the columns, of {', '.join(COLUMNS)}, and email is one of them")
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(columns):
                raise _wrong(f"line {rows.line_num} has {len(row)} columns, and not {len(columns)}")
            if max(map(len, row)) > LONGEST_FIELD:
                raise _wrong(f"line {rows.line_num} has a field of more than {LONGEST_FIELD} characters")
            if len(found) >= MOST:
                raise _wrong(f"it has more than {MOST} lines")
            if not all(cell.isprintable() for cell in row):
                raise _wrong(f"line {rows.line_num} holds control characters")
            cells = dict(zip(columns, (cell.strip() for cell in row), strict=True))
            found.append(Person(rows.line_num, cells["email"], cells.get("name", ""), cells.get("mobile", "")))
    except csv.Error as problem:
        raise _wrong(f"line {rows.line_num}: {problem}") from problem
    if not found:
        raise _wrong("it has no lines")
    return found


def _wrong(why: str) -> ItemRefused:
    return refused(IMPORT_FILE, "file", f"{IMPORT_FILE.message}: {why}")
