"""Who is marked for removal? The table and its queries."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Column, Connection, ForeignKeyConstraint, Index, Table, Text, func, select

from mailreeve.families.machinery.pages import Listing
from mailreeve.store.records import Query, Records, given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

purge_mark: Final = Table(
    "purge_mark",
    metadata,
    account_column(),
    key_column(),
    Column("marked_at", Moment, nullable=False),
    Column("marked_by", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "id"], ["user.account_id", "user.id"]),
    Index(None, "account_id", "due_at"),
)
"""Users who are to go. `id` is the user's, so that the mark follows whoever is renamed."""


class MarkRow(Struct, frozen=True):
    """A mark. `id` is that of the user."""

    id: str
    marked_at: datetime
    marked_by: str
    due_at: datetime


RECORDS: Final = Records(purge_mark, MarkRow)
_listing: Final = Listing(RECORDS.where().statement, purge_mark.c.id, RECORDS.make)
_count: Final = select(func.count()).select_from(purge_mark).where(ours(purge_mark))
_due: Final = Query(
    purge_mark.name,
    RECORDS.where(purge_mark.c.due_at <= given("instant"), order_by=purge_mark.c.due_at).statement.limit(
        given("most")
    ),
    RECORDS.make,
)
_at_work: Final = select(purge_mark.c.account_id).where(purge_mark.c.due_at <= given("instant")).distinct()


def page(work: Work, asked: Asked) -> Page[MarkRow]:
    """A page of the marks, in the order of their users' keys."""
    return _listing.page(work, asked, lambda: int(work.run(_count).scalar_one()))


def due(work: Work, most: int) -> list[MarkRow]:
    """The first marks whose time has come."""
    return _due.every(work, instant=work.now, most=most)


def accounts_at_work(connection: Connection, now: datetime) -> list[str]:
    """The accounts, of all, in which somebody is to go now."""
    return list(connection.execute(_at_work, {"instant": now}).scalars())
