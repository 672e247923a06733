"""When was the directory read last, and what came of it? One row for an account with a directory."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct, structs
from sqlalchemy import Column, Integer, Table, Text

from mailreeve.store.keys import new_key
from mailreeve.store.records import Records
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

directory_sync: Final = Table(
    "directory_sync",
    metadata,
    account_column(),
    key_column(),
    Column("read_at", Moment, nullable=True),
    Column("asked_at", Moment, nullable=True),
    Column("asked_by", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("tried_at", Moment, nullable=True),
    Column("disabled", Text, nullable=False),
)
"""`read_at` is when the directory was taken over last, `tried_at` when that was tried last, `asked_at` when
somebody asked for it and it is not done yet. `disabled` are the keys of the users whom that disabled, and who may
be enabled again by it, with spaces between."""


class SyncRow(Struct, frozen=True):
    """How the directory of an account stands."""

    id: str
    read_at: datetime | None
    asked_at: datetime | None
    asked_by: str
    problem: str
    changes: int
    tried_at: datetime | None = None
    disabled: str = ""


_records: Final = Records(directory_sync, SyncRow)
_only: Final = _records.where()


def find(work: Work) -> SyncRow:
    """How it stands; of a directory that was never read, that."""
    return _only.one(work) or SyncRow("", None, None, "", "", 0)


def put(work: Work, row: SyncRow) -> SyncRow:
    """Keep how it stands now."""
    if row.id:
        return _records.replace(work, row)
    return _records.insert(work, structs.replace(row, id=new_key()))
