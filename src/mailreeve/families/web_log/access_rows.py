"""Who asked to be let through to what was blocked? The table and its queries."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Column, Index, String, Table, Text, UniqueConstraint, delete, func, select

from mailreeve.families.machinery.pages import Listing
from mailreeve.store.keys import least_key
from mailreeve.store.records import Records, given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

web_access_request: Final = Table(
    "web_access_request",
    metadata,
    account_column(),
    key_column(),
    Column("record_id", KEY, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_from", String(45), nullable=False),
    Column("user", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("account_id", "record_id"),
    Index(None, "account_id", "asked_at"),
)
"""Requests for access, one for each decision. What that was about is kept here, as records are not for good."""


class AccessRow(Struct, frozen=True):
    """A request for access: which decision it is about, who asked from where, and what for."""

    id: str
    record_id: str
    asked_at: datetime
    asked_from: str
    user: str
    url: str
    policy: str
    reason: str


_records: Final = Records(web_access_request, AccessRow)
_listing: Final = Listing(_records.where().statement, web_access_request.c.id, _records.make)
_of_record: Final = _records.where(web_access_request.c.record_id == given("which"))
_count: Final = select(func.count()).select_from(web_access_request).where(ours(web_access_request))
_forget: Final = delete(web_access_request).where(
    ours(web_access_request),
    web_access_request.c.id.in_(
        select(web_access_request.c.id)
        .where(ours(web_access_request), web_access_request.c.id < given("before"))
        .order_by(web_access_request.c.id)
        .limit(given("most"))
    ),
)


def page(work: Work, asked: Asked) -> Page[AccessRow]:
    """A page of the requests, oldest first."""
    return _listing.page(work, asked, lambda: count(work))


def count(work: Work) -> int:
    """How many requests there are."""
    found: int = work.run(_count).scalar_one()
    return found


def find(work: Work, key: str) -> AccessRow | None:
    """One request, or None."""
    return _records.find(work, key)


def of_record(work: Work, record_id: str) -> AccessRow | None:
    """The request about a decision, or None."""
    return _of_record.one(work, which=record_id)


def insert(work: Work, row: AccessRow) -> AccessRow:
    """A new request."""
    return _records.insert(work, row)


def remove(work: Work, key: str) -> None:
    """Take a request from the list: it is answered."""
    _records.delete(work, key)


def forget(work: Work, before: datetime, most: int) -> int:
    """Remove what is older, at most so many. The number."""
    return work.run(_forget, {"before": least_key(before.timestamp()), "most": most}).rowcount
