"""Which proxies ask? Their table and queries."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Column, Connection, Index, String, Table, Text, and_, func, select

from mailreeve.families.machinery.pages import Listing
from mailreeve.formats.forward_auth import ProxyKind
from mailreeve.store.changes import revision_of
from mailreeve.store.records import Records, given, maker, ours
from mailreeve.store.schema import Moment, account, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

web_proxy: Final = Table(
    "web_proxy",
    metadata,
    account_column(),
    key_column(),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("user_header", String(64), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Index(None, "account_id", "name"),
)
"""Proxies that ask. `token_hash` is the SHA-256 of many random bits, which need no slow hash."""


class WebProxyRow(Struct, frozen=True):
    """A proxy as the store keeps it, without what its token is known by."""

    id: str
    name: str
    kind: ProxyKind
    user_header: str
    made_by: str
    created_at: datetime


class FoundProxy(Struct, frozen=True):
    """A proxy that was found by its token, the account that it asks for, at which revision, and whether that is
    locked."""

    account_id: str
    id: str
    name: str
    kind: ProxyKind
    user_header: str
    token_hash: str
    revision: int = 0
    locked: bool = False


RECORDS: Final = Records(web_proxy, WebProxyRow)

_listing: Final = Listing(
    select(*RECORDS.columns).where(ours(web_proxy)), web_proxy.c.id, maker(WebProxyRow), all_at_once=True
)
_count: Final = select(func.count()).select_from(web_proxy).where(ours(web_proxy))
_named: Final = RECORDS.where(web_proxy.c.name == given("named"))


def page(work: Work, asked: Asked) -> Page[WebProxyRow]:
    """A page of the proxies, oldest first, or all of them when no page was asked for."""
    return _listing.page(work, asked, lambda: count(work))


def count(work: Work) -> int:
    """How many the account has."""
    return int(work.run(_count).scalar_one())


def named(work: Work, name: str) -> bool:
    """Whether one has this name."""
    return bool(_named.every(work, named=name))


def by_token(connection: Connection, hashed: str) -> FoundProxy | None:
    """The proxy of any account whose token has this hash, or None: asked before the account is known."""
    query = (
        select(
            web_proxy.c.account_id,
            web_proxy.c.id,
            web_proxy.c.name,
            web_proxy.c.kind,
            web_proxy.c.user_header,
            web_proxy.c.token_hash,
            account.c.locked,
        )
        .join(account, and_(account.c.id == web_proxy.c.account_id))
        .where(web_proxy.c.token_hash == hashed)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    account_id, key, name, kind, user_header, token_hash, locked = row
    revision = revision_of(connection, account_id)
    return FoundProxy(account_id, key, name, ProxyKind(kind), user_header, token_hash, revision, locked)
