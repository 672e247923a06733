"""Which domains wait until somebody proves to hold them? The table and its queries.

Several accounts may wait for one name: nothing is theirs before the proof, and none learns of the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Column, String, Table, UniqueConstraint, delete, func, select

from mailreeve.families.directory.domains.types import InboundType
from mailreeve.families.machinery.pages import Listing
from mailreeve.formats.addresses import Domain
from mailreeve.store.keys import new_key
from mailreeve.store.records import Records, given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

pending_domain: Final = Table(
    "pending_domain",
    metadata,
    account_column(),
    key_column(),
    Column("name", String(255), nullable=False),
    Column("shown", String(255), nullable=False),
    Column("inbound_type", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name"),
)
"""Domains that are not proved yet. `name` is canonical, `shown` is what was typed, in lower case. `code` is what
the DNS has to say; it is public as soon as it is there."""


class PendingRow(Struct, frozen=True):
    """A domain that waits for its proof."""

    id: str
    name: Domain
    shown: str
    inbound_type: InboundType
    code: str
    created_at: datetime
    expires_at: datetime


_records: Final = Records(pending_domain, PendingRow)
_in_time: Final = pending_domain.c.expires_at > given("instant")
_named: Final = _records.where(_in_time, pending_domain.c.name == given("domain"))
_with_key: Final = _records.where(_in_time, pending_domain.c.id == given("key"))
_listing: Final = Listing(_records.where(_in_time).statement, pending_domain.c.id, _records.make, all_at_once=True)
_count: Final = select(func.count()).select_from(pending_domain).where(ours(pending_domain), _in_time)
_forget: Final = delete(pending_domain).where(
    ours(pending_domain), pending_domain.c.expires_at <= given("instant")
)


def page(work: Work, asked: Asked) -> Page[PendingRow]:
    """A page of those that wait, oldest first, or all of them when no page was asked for."""
    return _listing.page(work, asked, lambda: count(work), instant=work.now)


def count(work: Work) -> int:
    """How many wait."""
    return int(work.run(_count, {"instant": work.now}).scalar_one())


def find(work: Work, name: Domain) -> PendingRow | None:
    """The one of this name, or None."""
    return _named.one(work, domain=name, instant=work.now)


def with_key(work: Work, key: str) -> PendingRow | None:
    """The one with this store key, or None."""
    return _with_key.one(work, key=key, instant=work.now)


def add(
    work: Work, name: Domain, shown: str, inbound_type: InboundType, code: str, expires_at: datetime
) -> PendingRow:
    """Another one. What has expired goes, so that it stands in nobody's way."""
    work.run(_forget, {"instant": work.now})
    return _records.insert(work, PendingRow(new_key(), name, shown, inbound_type, code, work.now, expires_at))


def remove(work: Work, key: str) -> None:
    """Let one go, proved or given up."""
    _records.delete(work, key)
