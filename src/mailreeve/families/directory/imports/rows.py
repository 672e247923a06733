"""Which imports of users are there? The table and its queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Index, String, Table, Text, func, select

from mailreeve.families.directory.imports.types import Person, RefusedLine, State
from mailreeve.store.records import Query, Records, given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

KEPT: Final = 100  # imports of an account whose status is kept

user_import: Final = Table(
    "user_import",
    metadata,
    account_column(),
    key_column(),
    Column("state", String(16), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=True),
    Column("problem", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("people", Text, nullable=False),
    Column("permitted", Text, nullable=False),
    Index(None, "account_id", "state"),
)
"""Imports. `counts` is a `Counts`, `people` a `People`, of what is left, `permitted` a `Permitted`."""


class Counts(Struct, frozen=True):
    """How far an import has got, and the first lines that were refused."""

    total: int
    processed: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    errors: tuple[RefusedLine, ...] = ()


class People(Struct, frozen=True):
    """The lines that are still to be taken over."""

    lines: Sequence[Person] = ()


class Permitted(Struct, frozen=True):
    """What whoever began the import might do then, by the names of the permissions."""

    names: Sequence[str]


class ImportRow(Struct, frozen=True):
    """An import as the store keeps it."""

    id: str
    state: State
    made_by: str
    created_at: datetime
    finished_at: datetime | None
    problem: str
    counts: Counts


class WaitingRow(Struct, frozen=True):
    """Of an import what whoever carries it on has to know besides."""

    id: str
    people: People
    permitted: Permitted


RECORDS: Final = Records(user_import, ImportRow)
WAITING: Final = Records(user_import, WaitingRow)
_last: Final = Query(
    user_import.name,
    RECORDS.where().statement.order_by(user_import.c.id.desc()).limit(1),
    RECORDS.make,
)
_running: Final = RECORDS.where(user_import.c.state == given("how"), order_by=user_import.c.id)
_newest: Final = (
    select(user_import.c.id).where(ours(user_import)).order_by(user_import.c.id.desc()).offset(given("most"))
)
_at_work: Final = select(user_import.c.account_id).where(user_import.c.state == State.RUNNING.value).distinct()
_count: Final = (
    select(func.count()).select_from(user_import).where(ours(user_import), user_import.c.state == given("how"))
)


def last(work: Work) -> ImportRow | None:
    """The import that began last, or None."""
    return _last.one(work)


def running(work: Work) -> list[ImportRow]:
    """Those that are not at their end, oldest first."""
    return _running.every(work, how=State.RUNNING.value)


def count_running(work: Work) -> int:
    """How many are not at their end."""
    return int(work.run(_count, {"how": State.RUNNING.value}).scalar_one())


def add(work: Work, row: ImportRow, people: People, permitted: Permitted) -> ImportRow:
    """A new import. The oldest beyond `KEPT` are forgotten."""
    for key in work.run(_newest, {"most": KEPT - 1}).scalars().all():
        RECORDS.delete(work, key)
    return RECORDS.insert(work, row, people=_json(people), permitted=_json(permitted))


def put(work: Work, row: ImportRow, left: People) -> None:
    """How far an import has got, and what is left of it."""
    RECORDS.replace(work, row, people=_json(left))


def accounts_at_work(connection: Connection) -> list[str]:
    """The accounts, of all, with an import that is not at its end."""
    return list(connection.execute(_at_work).scalars())


def _json(document: Struct) -> str:
    return msgspec.json.encode(document).decode()
