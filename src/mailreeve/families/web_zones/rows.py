"""Which serials did zones have, and which keys may they be fetched with? The tables and their queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, String, Table, select

from mailreeve.policy.zone.serials import next_serial
from mailreeve.store.keys import new_key
from mailreeve.store.records import Records, given
from mailreeve.store.schema import KEY, Moment, account, account_column, key_column, metadata
from mailreeve.store.transactions import Work

web_zone: Final = Table(
    "web_zone",
    metadata,
    account_column(),
    key_column(),
    Column("location_id", KEY, nullable=False),
    Column("label", String(63), nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("names", BigInteger, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index(None, "account_id", "label", unique=True),
)
"""The zones that were ever served or written; none is removed, since no serial may come again with other contents.
`location_id` is empty for the zone of everyone. `digest` tells whether a zone is what it was at its serial."""

web_zone_key: Final = Table(
    "web_zone_key",
    metadata,
    account_column(),
    key_column(),
    Column("name", String(63), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "account_id", "name", unique=True),
)
"""The keys that zones are fetched with (TSIG). `secret` is sealed."""


class ZoneRow(Struct, frozen=True):
    """A zone as it was last served or written."""

    id: str
    location_id: str
    label: str
    serial: int
    digest: str
    names: int
    changed_at: datetime


class KeyRow(Struct, frozen=True):
    """A key, its secret sealed."""

    id: str
    name: str
    secret: bytes
    created_at: datetime


class OwnedKey(Struct, frozen=True):
    """A key of any account."""

    account_id: str
    code: str
    name: str
    secret: bytes


_zones: Final = Records(web_zone, ZoneRow)
_keys: Final = Records(web_zone_key, KeyRow)
_all_zones: Final = _zones.where(order_by=web_zone.c.label)
_of_label: Final = _zones.where(web_zone.c.label == given("wanted_label"))
_all_keys: Final = _keys.where(order_by=web_zone_key.c.name)
_named: Final = _keys.where(web_zone_key.c.name == given("wanted_name"))
_everybodys_keys: Final = select(
    account.c.id, account.c.code, web_zone_key.c.name, web_zone_key.c.secret
).join_from(web_zone_key, account, account.c.id == web_zone_key.c.account_id)
_with_zones: Final = select(web_zone.c.account_id).distinct()


def zones(work: Work) -> Sequence[ZoneRow]:
    """The zones of the account that were ever served or written."""
    return _all_zones.every(work)


def settle(work: Work, location_id: str, label: str, digest: str, names: int, revision: int) -> ZoneRow:
    """The zone with this content: at its serial where that is what it had, else at the next one."""
    known = _of_label.one(work, wanted_label=label)
    if known is None:
        serial = next_serial(None, revision)
        return _zones.insert(work, ZoneRow(new_key(), location_id, label, serial, digest, names, work.now))
    if known.digest == digest and known.location_id == location_id:
        return known
    # The label of a location that is gone: whoever has its zone still is to see that it is another.
    serial = known.serial if known.digest == digest else next_serial(known.serial, revision)
    return _zones.replace(
        work,
        replace(known, location_id=location_id, serial=serial, digest=digest, names=names, changed_at=work.now),
    )


def keys(work: Work) -> Sequence[KeyRow]:
    """The keys of the account."""
    return _all_keys.every(work)


def key_named(work: Work, name: str) -> KeyRow | None:
    """The key of this name, or None."""
    return _named.one(work, wanted_name=name)


def add_key(work: Work, name: str, sealed: bytes) -> KeyRow:
    """A new key."""
    return _keys.insert(work, KeyRow(new_key(), name, sealed, work.now))


def delete_key(work: Work, key: str) -> None:
    """Remove a key."""
    _keys.delete(work, key)


def everybodys_keys(connection: Connection) -> Sequence[OwnedKey]:
    """The keys of all accounts, locked or not: asked before it is known whose zone is fetched."""
    return [OwnedKey(*row) for row in connection.execute(_everybodys_keys)]


def accounts_with_zones(connection: Connection) -> Sequence[str]:
    """The accounts of which somebody has asked for a zone."""
    return list(connection.execute(_with_zones).scalars())
