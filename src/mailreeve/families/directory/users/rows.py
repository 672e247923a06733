"""Which users does an account have, and under which addresses? The tables and their queries.

All addresses of an account, primary ones and aliases, are in one table, so that its primary key keeps each of them
with one user. The primary one is in the user's row as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from mailreeve.families.directory.roles import rows as roles
from mailreeve.families.machinery.pages import Listing
from mailreeve.formats.addresses import Address, Domain
from mailreeve.store.counts import Counted
from mailreeve.store.keys import new_key
from mailreeve.store.loading import stream, stream_named
from mailreeve.store.records import Query, Records, given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

T = TypeVar("T")

user: Final = Table(
    "user",
    metadata,
    account_column(),
    key_column(),
    Column("key", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", String(64), nullable=True),
    Column("address_type", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("force_password_change", Boolean, nullable=False),
    Column("password_never_expires", Boolean, nullable=False),
    Column("allow_smtp", Boolean, nullable=False),
    Column("allow_pop", Boolean, nullable=False),
    Column("archive_start", Moment, nullable=True),
    Column("archive_start_shown", Text, nullable=True),
    Column("password_hash", Text, nullable=True),
    Column("password_changed_at", Moment, nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index(None, "account_id", "id", "role", sqlite_where=text("role IS NOT NULL")),
    Column("formerly", Text, nullable=False, server_default="{}"),
)
"""Users. `key` is what the primary address is matched by, `address` what was typed, `formerly` is a `Formerly`,
`archive_start_shown` how `archive_start` was written, absent in rows older than this column."""

address: Final = Table(
    "user_address",
    metadata,
    account_column(),
    Column("key", Text, primary_key=True),
    Column("user_id", KEY, nullable=False),
    Column("shown", Text, nullable=False),
    Column("domain", String(255), nullable=False),
    Column("alias", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "user_id"], ["user.account_id", "user.id"]),
    Index(None, "account_id", "user_id", "key"),
    Index(None, "account_id", "domain", "key"),
)
"""Addresses. `key` is what they are matched by, `shown` what was typed, `domain` canonical."""


_count_users: Final = Counted(user)
_count_addresses: Final = Counted(address)
_count_of_domain: Final = Counted(address, "domain")


class FormerAddress(Struct, frozen=True):
    """A primary address that a user had before, by its key, and until when."""

    key: str
    until: datetime


class Formerly(Struct, frozen=True, omit_defaults=True):
    """The primary addresses that a user had before, the newest last, at most `MOST_FORMER`."""

    addresses: tuple[FormerAddress, ...] = ()


MOST_FORMER: Final = 10


class UserRow(Struct, frozen=True):
    """A user as the store keeps it, without the hash of the password."""

    id: str
    key: str
    address: str
    name: str
    role: str | None
    address_type: str
    source: str
    locked: bool
    disabled: bool
    force_password_change: bool
    password_never_expires: bool
    allow_smtp: bool
    allow_pop: bool
    archive_start: datetime | None
    archive_start_shown: str | None
    password_changed_at: datetime | None
    created_at: datetime
    formerly: Formerly = Formerly()


class AddressRow(Struct, frozen=True):
    """An address of a user, with what its user is called."""

    key: str
    user_id: str
    shown: str
    domain: Domain
    alias: bool
    name: str
    address_type: str
    source: str


_ADDRESS_COLUMNS: Final = (
    address.c.key,
    address.c.user_id,
    address.c.shown,
    address.c.domain,
    address.c.alias,
    user.c.name,
    user.c.address_type,
    user.c.source,
)

_its_user: Final = and_(address.c.account_id == user.c.account_id, address.c.user_id == user.c.id)


_records: Final = Records(user, UserRow)
_addresses: Final = select(*_ADDRESS_COLUMNS).join(user, _its_user).where(ours(address))
_with_id: Final = _records.where(user.c.id == given("key"))
_from_source: Final = _records.where(user.c.source == given("origin"), order_by=user.c.id)
_who_has: Final = Query(
    user.name,
    select(*_records.columns).join(address, _its_user).where(ours(address), address.c.key == given("key")),
    _records.make,
)
_password_of: Final = (
    select(*_records.columns, user.c.password_hash)
    .join(address, _its_user)
    .where(ours(address), address.c.key == given("key"))
)
_identities: Final = (
    select(address.c.key, user.c.key, user.c.id, user.c.formerly).join(user, _its_user).where(ours(address))
)
_one_address: Final = _addresses.where(address.c.key == given("which"))
_aliases: Final = _addresses.where(address.c.user_id == given("whose"), address.c.alias.is_(True))
_count_aliases: Final = _aliases.with_only_columns(func.count(), maintain_column_froms=True)
_insert_address: Final = insert(address)
_of_user: Final = (
    select(address.c.key)
    .where(ours(address), address.c.user_id == given("whose"))
    .order_by(address.c.alias, address.c.key)
)
_within: Final = _addresses.where(address.c.domain == given("within")).order_by(address.c.key).limit(given("most"))
_set_alias: Final = (
    update(address).where(ours(address), address.c.key == given("which")).values(alias=given("as_alias"))
)
_show: Final = (
    update(address).where(ours(address), address.c.key == given("which")).values(shown=given("new_shown"))
)
_remove_address: Final = delete(address).where(ours(address), address.c.key == given("which"))
_remove_addresses: Final = delete(address).where(ours(address), address.c.user_id == given("whose"))
_remove_alias: Final = delete(address).where(
    ours(address), address.c.key == given("which"), address.c.alias.is_(True)
)


def _address(row: Sequence[Any]) -> AddressRow:
    return AddressRow(*row)


_listing: Final = Listing(_addresses, address.c.key, _address)
_listing_of_domain: Final = Listing(_addresses.where(address.c.domain == given("within")), address.c.key, _address)
_listing_of_users: Final = Listing(_records.where().statement, user.c.id, _records.make)
_listing_of_aliases: Final = Listing(_aliases, address.c.key, _address, all_at_once=True)


def find(work: Work, key: str) -> UserRow | None:
    """One user by store key, or None."""
    return _with_id.one(work, key=key)


def some(work: Work, keys: Sequence[str]) -> list[UserRow]:
    """Those of the users with these store keys that exist."""
    return list(work.read(user.name, stream_named(work, _records.where().statement, user.c.id, keys), _row))


def from_source(work: Work, source: str) -> list[UserRow]:
    """The users that came from a source."""
    return _from_source.every(work, origin=source)


def find_by_address(work: Work, key: str) -> UserRow | None:
    """The user who has an address, primary or alias, or None."""
    return _who_has.one(work, key=key)


def with_password(work: Work, key: str) -> tuple[UserRow, str | None] | None:
    """The user who has an address, primary or alias, and the hash of the password, or None."""
    row = work.run(_password_of, {"key": key}).one_or_none()
    found = None if row is None else work.read_one(user.name, row[:-1], _records.make)
    return None if row is None or found is None else (found, row[-1])


def check(work: Work) -> None:
    """Read every user, and every role, so that one that cannot be read is noted: decisions read less of them. A
    role that there is none of is read as none, and noted all the same."""
    known = roles.check(work)
    work.unreadable.forget(work.account_id, user.name)

    def read(row: Sequence[Any]) -> UserRow:
        found = _row(row)
        if found.role is not None and found.role not in known:
            raise ValueError(f"there is no role {found.role}")
        return found

    for _ in work.read(user.name, stream(work, _records.where().statement), read):
        pass


def count(work: Work) -> int:
    """How many users the account has."""
    return _count_users.total(work)


def add(
    work: Work,
    primary: Address,
    *,
    name: str = "",
    shown: str | None = None,
    password_hash: str | None = None,
    force_password_change: bool = False,
    role: str | None = None,
    source: str = "cloud",
) -> UserRow:
    """A new user. `shown` is the address as it was typed, where that may differ."""
    row = UserRow(
        id=new_key(),
        key=primary.key,
        address=shown or str(primary),
        name=name,
        role=role,
        address_type="created_manually" if source == "cloud" else f"contact_from_{source}",
        source=source,
        locked=False,
        disabled=False,
        force_password_change=force_password_change,
        password_never_expires=False,
        allow_smtp=False,
        allow_pop=False,
        archive_start=None,
        archive_start_shown=None,
        password_changed_at=None if password_hash is None else work.now,
        created_at=work.now,
    )
    _records.insert(work, row, password_hash=password_hash, updated_at=work.now)
    _add_address(work, row.id, primary, row.address, alias=False)
    return row


def change(work: Work, new: UserRow, password_hash: str | None = None) -> None:
    """Give a user other properties, and another password where there is one. Id and addresses stay."""
    password = {} if password_hash is None else {"password_hash": password_hash}
    _records.replace(work, new, updated_at=work.now, **password)


def page_of_addresses(work: Work, domain: Domain | None, asked: Asked) -> Page[AddressRow]:
    """A page of all addresses, or of those in one domain, aliases among them, in alphabetical order."""
    if domain is None:
        return _listing.page(work, asked, lambda: _count_addresses.total(work))
    return _listing_of_domain.page(work, asked, lambda: _count_of_domain.total(work, domain), within=domain)


def page(work: Work, asked: Asked) -> Page[UserRow]:
    """A page of all users, in the order of their keys."""
    return _listing_of_users.page(work, asked, lambda: _count_users.total(work))


def aliases_of(work: Work, users: Sequence[str]) -> list[AddressRow]:
    """The aliases of these users."""
    query = _addresses.where(address.c.alias.is_(True))
    return list(map(_address, stream_named(work, query, address.c.user_id, users)))


def find_address(work: Work, key: str) -> AddressRow | None:
    """One address, primary or alias, or None."""
    row = work.run(_one_address, {"which": key}).one_or_none()
    return None if row is None else _address(row)


def page_of_aliases(work: Work, user_id: str, asked: Asked) -> Page[AddressRow]:
    """A page of a user's aliases in alphabetical order, or all of them when no page was asked for."""

    def total() -> int:
        found: int = work.run(_count_aliases, {"whose": user_id}).scalar_one()
        return found

    return _listing_of_aliases.page(work, asked, total, whose=user_id)


def add_alias(work: Work, owner: UserRow, alias: Address, shown: str) -> AddressRow:
    """Another address for a user."""
    _add_address(work, owner.id, alias, shown, alias=True)
    return AddressRow(alias.key, owner.id, shown, alias.domain, True, owner.name, owner.address_type, owner.source)


def remove_alias(work: Work, key: str) -> None:
    """Take an alias from its user."""
    work.run(_remove_alias, {"which": key})


def keys_of(work: Work, user_id: str) -> list[str]:
    """The keys of a user's addresses, the primary one first."""
    return list(work.run(_of_user, {"whose": user_id}).scalars())


def of_domain(work: Work, domain: Domain, most: int) -> list[AddressRow]:
    """The first addresses in a domain, aliases among them, in alphabetical order."""
    return [_address(row) for row in work.run(_within, {"within": domain, "most": most})]


def change_shown(work: Work, new: UserRow) -> None:
    """Write a user's primary address in another way."""
    _records.replace(work, new, updated_at=work.now)
    work.run(_show, {"which": new.key, "new_shown": new.address})


def rename(work: Work, old: UserRow, primary: Address, shown: str, *, keep_alias: bool) -> UserRow:
    """The user with another primary address, which is nobody's or an alias of the user already. The old one
    becomes an alias, or is nobody's."""
    former = FormerAddress(old.key, work.now)
    kept = [one for one in old.formerly.addresses if one.key not in (old.key, primary.key)]
    new = msgspec.structs.replace(
        old, key=primary.key, address=shown, formerly=Formerly((*kept, former)[-MOST_FORMER:])
    )
    _records.replace(work, new, updated_at=work.now)
    work.run(_remove_address, {"which": primary.key})
    if keep_alias:
        work.run(_set_alias, {"which": old.key, "as_alias": True})
    else:
        work.run(_remove_address, {"which": old.key})
    _add_address(work, old.id, primary, shown, alias=False)
    return new


def remove(work: Work, key: str) -> None:
    """Remove a user with all addresses. Nothing else may belong to the user any more."""
    work.run(_remove_addresses, {"whose": key})
    _records.delete(work, key)


def identities(work: Work, users: Sequence[str] | None = None) -> Iterator[Sequence[str]]:
    """For each address its key, the key of its user's primary address, the user's id, and the `Formerly` of the
    user as JSON: what decisions and explanations read. Of these users, or of all."""
    query = _identities
    return stream(work, query) if users is None else stream_named(work, query, address.c.user_id, users)


def owners(work: Work, keys: Sequence[str]) -> dict[str, str]:
    """From each of these addresses that is somebody's to its user's id."""
    # As in `names`: the column that is not used keeps SQLite from reading a whole index.
    query = select(address.c.key, address.c.user_id, address.c.shown).where(ours(address))
    return {key: user_id for key, user_id, _ in stream_named(work, query, address.c.key, keys)}


def names(work: Work, keys: Sequence[str]) -> dict[str, str]:
    """From each of these addresses that is somebody's, primary or alias, to its user's name."""
    # All columns of an address: where few are asked for, SQLite reads them all from an index that has those.
    rows = stream_named(work, _addresses, address.c.key, keys)
    return {row.key: row.name for row in map(_address, rows)}


def _add_address(work: Work, user_id: str, new: Address, shown: str, *, alias: bool) -> None:
    work.insert(
        _insert_address,
        {
            "key": new.key,
            "user_id": user_id,
            "shown": shown,
            "domain": new.domain,
            "alias": alias,
            "created_at": work.now,
        },
    )


def _row(row: Sequence[Any]) -> UserRow:
    return _records.make(row)
