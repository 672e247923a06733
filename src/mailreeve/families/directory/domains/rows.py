"""Which domains does an account manage? The table and its queries.

Mail finds its account by the recipient's domain, so a domain belongs to one account only. The queries that
look across accounts say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Boolean, Column, Connection, String, Table, UniqueConstraint, exists, select

from mailreeve.families.directory.domains.types import InboundType
from mailreeve.families.machinery.pages import Listing
from mailreeve.formats.addresses import Domain
from mailreeve.store.counts import Counted
from mailreeve.store.keys import new_key
from mailreeve.store.loading import stream_named
from mailreeve.store.records import Query, Records, given, ours
from mailreeve.store.schema import Moment, account, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

domain: Final = Table(
    "domain",
    metadata,
    account_column(),
    key_column(),
    Column("name", String(255), nullable=False),
    Column("shown", String(255), nullable=False),
    Column("inbound_type", String(16), nullable=False),
    Column("send_only", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("name"),
)
"""Domains. `name` is canonical and unique over all accounts, `shown` is what was typed, in lower case."""

_count: Final = Counted(domain)


class DomainRow(Struct, frozen=True):
    """A domain as the store keeps it."""

    id: str
    name: Domain
    shown: str
    inbound_type: InboundType
    send_only: bool
    created_at: datetime


_records: Final = Records(domain, DomainRow)
_all: Final = _records.where(order_by=domain.c.id)
_first: Final = Query(domain.name, _all.statement.limit(1), _records.make)
_named: Final = _records.where(domain.c.name == given("domain"))
_listing: Final = Listing(_records.where().statement, domain.c.id, _records.make, all_at_once=True)
_shown: Final = select(domain.c.name, domain.c.shown).where(ours(domain))


def every(work: Work) -> list[DomainRow]:
    """All domains of the account, oldest first."""
    return _all.every(work)


def load(work: Work) -> list[tuple[Domain, InboundType]]:
    """The domains as decisions see them, each with how its recipients are validated. A domain whose type cannot be
    read takes mail for every recipient: its mail is neither lost nor taken for somebody else's."""
    found: list[tuple[Domain, InboundType]] = []
    work.unreadable.forget(work.account_id, domain.name)
    for row in work.run(_all.statement):
        known = work.read_one(domain.name, row, _records.make)
        found.append((Domain(row.name), InboundType.ANY if known is None else known.inbound_type))
    return found


def page(work: Work, asked: Asked) -> Page[DomainRow]:
    """A page of the account's domains in the order of their keys, or all of them when no page was asked for."""
    return _listing.page(work, asked, lambda: _count.total(work))


def first(work: Work) -> DomainRow | None:
    """The account's first domain, or None."""
    return _first.one(work)


def shown(work: Work, names: Iterable[Domain]) -> dict[Domain, str]:
    """From each of these domains of the account to what was typed."""
    return {Domain(name): text for name, text in stream_named(work, _shown, domain.c.name, sorted(set(names)))}


def find(work: Work, name: Domain) -> DomainRow | None:
    """One domain of the account, or None."""
    return _named.one(work, domain=name)


class Own:
    """The account's domains, as `wire.fields.mail_domain` asks for them."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def is_own(self, name: Domain) -> bool:
        """Whether a domain is one of them."""
        return find(self._work, name) is not None


def add(work: Work, name: Domain, shown: str, inbound_type: InboundType) -> DomainRow:
    """A new domain."""
    return _records.insert(work, DomainRow(new_key(), name, shown, inbound_type, False, work.now))


def change(work: Work, new: DomainRow) -> DomainRow:
    """The domain with other properties. Its id and name stay."""
    return _records.replace(work, new)


def remove(work: Work, key: str) -> None:
    """Remove a domain."""
    _records.delete(work, key)


def account_of(connection: Connection, name: Domain) -> str | None:
    """The account, among all, that manages exactly this domain: asked before any account is known."""
    found: str | None = connection.execute(
        select(domain.c.account_id).where(domain.c.name == name)
    ).scalar_one_or_none()
    return found


def owners(connection: Connection) -> tuple[Mapping[Domain, str], frozenset[str]]:
    """From every domain, of all accounts, to its account: what mail is routed by; and the accounts that are
    locked."""
    rows = connection.execute(select(domain.c.name, domain.c.account_id))
    by_domain = {Domain(name): account_id for name, account_id in rows}
    locked = connection.execute(select(account.c.id).where(account.c.locked.is_(True))).scalars()
    return by_domain, frozenset(locked)


def others_manage(work: Work, names: Iterable[Domain]) -> bool:
    """Whether another account than this one manages any of the domains."""
    found: bool = work.execute(
        select(exists().where(domain.c.name.in_(list(names)), domain.c.account_id != work.account_id))
    ).scalar_one()
    return found
