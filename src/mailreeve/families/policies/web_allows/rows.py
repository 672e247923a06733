"""Which temporary web allows does an account have? Their table and queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    String,
    Table,
    Text,
    delete,
    func,
    or_,
    select,
    type_coerce,
)

from mailreeve.families.machinery.pages import Listing
from mailreeve.policy.model.policies import Scope, WebAction, WebEntry, WebEntryType, WebPolicy, WebPolicyKind
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType
from mailreeve.store.keys import made_at
from mailreeve.store.loading import Loaded
from mailreeve.store.records import Records, given, maker, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

web_allow: Final = Table(
    "web_allow",
    metadata,
    account_column(),
    key_column(),
    Column("type", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("address", Text, nullable=True),
    Column("client", String(45), nullable=True),
    Column("reason", Text, nullable=False),
    Column("override", Boolean, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index(None, "account_id", "address"),
)
"""Temporary allows. `value` is what decisions compare, `shown` what was written. `address` is the key of a user's
address, `client` an IP address; one of them is there. From `ends_at` on it decides nothing. They are few."""


class WebAllowRow(Struct, frozen=True):
    """A temporary allow as the store keeps it."""

    id: str
    type: WebEntryType
    value: str
    shown: str
    address: str | None
    client: str | None
    reason: str
    override: bool
    made_by: str
    created_at: datetime
    ends_at: datetime


RECORDS: Final = Records(web_allow, WebAllowRow)

_make: Final = maker(WebAllowRow)
_live: Final = (ours(web_allow), web_allow.c.ends_at > given("now"))
_listed: Final = select(*RECORDS.columns).where(
    *_live,
    or_(given("of") == "", web_allow.c.address == given("of")),
    or_(given("at") == "", web_allow.c.client == given("at")),
)
_listing: Final = Listing(_listed, web_allow.c.id, _make)
_count: Final = select(func.count()).select_from(_listed.subquery())
_in_force: Final = select(func.count()).select_from(web_allow).where(*_live)
_ended: Final = delete(web_allow).where(ours(web_allow), web_allow.c.ends_at <= given("now"))
_ended_keys: Final = select(web_allow.c.id).where(ours(web_allow), web_allow.c.ends_at <= given("now"))
_of: Final = RECORDS.where(web_allow.c.address == given("of"), order_by=web_allow.c.id)


def page(work: Work, asked: Asked, address: str, client: str) -> Page[WebAllowRow]:
    """A page of those in force, of an address's key or a client where these are not empty, oldest first."""
    narrowed = {"now": work.now, "of": address, "at": client}
    return _listing.page(work, asked, lambda: int(work.run(_count, narrowed).scalar_one()), **narrowed)


def count(work: Work) -> int:
    """How many are in force."""
    return int(work.run(_in_force, {"now": work.now}).scalar_one())


def of(work: Work, address: str) -> Sequence[WebAllowRow]:
    """Those of an address, by its key, ended ones as well."""
    return _of.every(work, of=address)


def forget_ended(work: Work) -> list[str]:
    """Remove those that have ended; their keys."""
    keys = list(work.run(_ended_keys, {"now": work.now}).scalars())
    if keys:
        work.run(_ended, {"now": work.now})
    return keys


def _policy(row: Sequence[Any]) -> WebPolicy:
    key, type_, value, address, client, reason, override, ends = row
    who = EVERYONE if address is None else Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, address)
    networks = () if client is None else (ip_network(client),)
    scope = Scope.of(from_=who, networks=networks, ends=ends / 1_000_000, override=override)
    entry = WebEntry(key, WebEntryType(type_), value, WebAction.ALLOW)
    return WebPolicy(key, reason, (scope,), (entry,), made_at(key), kind=WebPolicyKind.TEMPORARY)


_columns: Final = web_allow.c
LOADED: Final = Loaded(
    select(
        _columns.id,
        _columns.type,
        _columns.value,
        _columns.address,
        _columns.client,
        _columns.reason,
        _columns.override,
        type_coerce(_columns.ends_at, BigInteger),
    ).where(ours(web_allow)),
    _columns.id,
    _policy,
)
"""How they come into policy sets: as lists of one entry."""
