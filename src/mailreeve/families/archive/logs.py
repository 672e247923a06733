"""Who searched the archive, and who read what in it? Entries that nobody changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Index, String, Table, Text, func, insert, select

from mailreeve.families.archive.listing import newest
from mailreeve.families.machinery.latest import latest
from mailreeve.store.keys import least_key, new_key
from mailreeve.store.loading import stream_named
from mailreeve.store.records import ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

archive_log: Final = Table(
    "archive_log",
    metadata,
    account_column(),
    key_column(),
    Column("kind", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "account_id", "kind", "id"),
)
"""What was done with the archive. `document` is an `Entry`."""


class Did(StrEnum):
    """What was done: a search, a list of a mailbox, or that a message was read."""

    SEARCH = "search"
    LIST = "list"
    VIEW = "view"


class Entry(Struct, frozen=True, omit_defaults=True):
    """What an entry says. Of a search `query` is what was sent and `text` its words; of a message that was read
    `message` is its key."""

    source: str
    mailbox: str = ""
    text: str = ""
    query: str = ""
    reason: str = ""
    is_admin: bool = False
    message: str = ""
    sender: str = ""
    recipient: str = ""
    subject: str = ""
    received: str = ""
    content: bool = False


class LogRow(Struct, frozen=True):
    """An entry, by whom, when and of which kind."""

    id: str
    kind: Did
    at: datetime
    actor: str
    entry: Entry


_c: Final = archive_log.c
_insert: Final = insert(archive_log)
_rows: Final = select(_c.id, _c.kind, _c.at, _c.actor, _c.document).where(ours(archive_log))
_read: Final = msgspec.json.Decoder(Entry).decode


def add(work: Work, kind: Did, entry: Entry) -> None:
    """Note what the caller of the transaction did."""
    work.insert(
        _insert,
        {
            "id": new_key(),
            "kind": kind.value,
            "at": work.now,
            "actor": work.origin.actor,
            "document": msgspec.json.encode(entry).decode(),
        },
    )


def page(
    work: Work, asked: Asked, kinds: Sequence[Did], query: str, since: datetime | None, until: datetime | None
) -> Page[LogRow]:
    """A page of the entries of these kinds, the newest first, with a text in them."""
    within = select(_c.id).where(ours(archive_log))
    if since is not None:
        within = within.where(_c.id >= least_key(since.timestamp()))
    if until is not None:
        within = within.where(_c.id < least_key(until.timestamp()))
    if not query:
        keys = newest(work, asked, [within.where(_c.kind == kind.value) for kind in kinds], _c.id)
    else:
        sought = query.casefold()
        narrowed = within.where(
            _c.kind.in_([kind.value for kind in kinds]),
            (func.instr(func.casefold(_c.document), sought) > 0)
            | (func.instr(func.casefold(_c.actor), sought) > 0),
        )
        keys = latest(work, asked, _c.id, within, narrowed)
    found = work.read(archive_log.name, stream_named(work, _rows, _c.id, keys.rows), _row)
    by_key = {row.id: row for row in found}
    return keys.showing([by_key[key] for key in keys.rows if key in by_key])


def _row(row: Sequence[Any]) -> LogRow:
    key, kind, at, actor, document = row
    return LogRow(key, Did(kind), at, actor, _read(document))
