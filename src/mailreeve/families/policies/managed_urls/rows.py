"""Which managed URLs does an account have? Their table and queries."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, and_, or_, select

from mailreeve.families.machinery.pages import Listing
from mailreeve.families.policies.managed_urls.types import MatchType, UrlAction
from mailreeve.policy.model.policies import Scope, WebEntry, WebEntryType, WebPolicy, WebPolicyKind
from mailreeve.policy.model.targets import EVERYONE
from mailreeve.store.counts import Counted
from mailreeve.store.keys import made_at
from mailreeve.store.loading import Loaded
from mailreeve.store.records import Records, given, maker, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

managed_url: Final = Table(
    "managed_url",
    metadata,
    account_column(),
    key_column(),
    Column("match_type", String(16), nullable=False),
    Column("action", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("scheme", String(16), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("disable_user_awareness", Boolean, nullable=False),
    Column("disable_rewrite", Boolean, nullable=False),
    Column("disable_log_click", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("sought", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    UniqueConstraint("account_id", "digest"),
    Index(None, "account_id", "domain", "id"),
)
"""Managed URLs. `value` is what decisions compare, `shown` what was written, in its parts from `scheme` on.
`sought` is what a search looks at, in lower case. `digest` is the same for two that mean the same: a URL may be
longer than what databases index."""


class ManagedUrlRow(Struct, frozen=True):
    """A managed URL as the store keeps it."""

    id: str
    match_type: MatchType
    action: UrlAction
    value: str
    shown: str
    scheme: str
    domain: str
    port: int
    path: str
    query: str
    comment: str
    disable_user_awareness: bool
    disable_rewrite: bool
    disable_log_click: bool
    created_at: datetime

    @property
    def digest(self) -> str:
        """The same for those that mean the same URLs, whatever is to become of them."""
        return hashlib.sha256(f"{self.match_type} {self.value}".encode()).hexdigest()


RECORDS: Final = Records(managed_url, ManagedUrlRow)

_make: Final = maker(ManagedUrlRow)
_every: Final = Listing(RECORDS.where().statement, managed_url.c.id, _make)
_sought: Final = managed_url.c.sought.like(given("pattern"), escape="\\")
_found: Final = Listing(RECORDS.where(_sought).statement, managed_url.c.id, _make)
_count_found: Final = select(managed_url.c.id).where(ours(managed_url), _sought)
_just: Final = or_(
    managed_url.c.domain == given("host"),
    and_(managed_url.c.domain == given("on"), managed_url.c.value == given("url")),
)
_named: Final = Listing(RECORDS.where(_just).statement, managed_url.c.id, _make)
_count_named: Final = select(managed_url.c.id).where(ours(managed_url), _just)
_alike: Final = RECORDS.where(managed_url.c.digest == given("of"))
_total: Final = Counted(managed_url)


def page(work: Work, asked: Asked) -> Page[ManagedUrlRow]:
    """A page of all, oldest first."""
    return _every.page(work, asked, lambda: count(work))


def page_holding(work: Work, asked: Asked, text: str) -> Page[ManagedUrlRow]:
    """A page of those whose URL holds a text, in any case."""
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    narrowed = {"pattern": f"%{escaped}%"}
    return _found.page(work, asked, lambda: len(work.run(_count_found, narrowed).all()), **narrowed)


def page_naming(work: Work, asked: Asked, host: str, on: str, url: str) -> Page[ManagedUrlRow]:
    """A page of those of the domain `host`, and of the canonical `url`, which is on the host `on`."""
    narrowed = {"host": host, "on": on, "url": url}
    return _named.page(work, asked, lambda: len(work.run(_count_named, narrowed).all()), **narrowed)


def count(work: Work) -> int:
    """How many there are."""
    return _total.total(work)


def alike(work: Work, row: ManagedUrlRow) -> ManagedUrlRow | None:
    """The one that means the same, or None."""
    return _alike.one(work, of=row.digest)


def insert(work: Work, row: ManagedUrlRow) -> None:
    """A new one."""
    RECORDS.insert(work, row, sought=f"{row.shown} {row.value}".lower(), digest=row.digest)


def _policy(row: Sequence[Any]) -> WebPolicy:
    key, match_type, action, value, shown = row
    type_ = WebEntryType.DOMAIN if MatchType(match_type) is MatchType.DOMAIN else WebEntryType.URL
    exact = type_ is WebEntryType.URL and ("/" in value or "?" in value)
    entry = WebEntry(key, type_, value, UrlAction(action).web_action, exact)
    return WebPolicy(key, shown, (_SCOPE,), (entry,), made_at(key), kind=WebPolicyKind.MANAGED)


_SCOPE: Final = Scope.of(from_=EVERYONE, override=True)  # before lists, those that override included (D-54)
_columns: Final = managed_url.c
LOADED: Final = Loaded(
    select(_columns.id, _columns.match_type, _columns.action, _columns.value, _columns.shown).where(
        ours(managed_url)
    ),
    _columns.id,
    _policy,
)
"""How they come into policy sets: as lists of one entry, for everyone."""
