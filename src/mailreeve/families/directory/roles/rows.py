"""Which roles has an account made? The table and its queries, and what any role permits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, String, Table, Text, UniqueConstraint, func, select

from mailreeve.access.permissions import ROLE_PERMISSIONS, Permission, Role, built_in, known
from mailreeve.store.keys import new_key
from mailreeve.store.records import Records, given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

ROLE: Final = "role"
"""What the audit log and the feed of changes call one."""

role: Final = Table(
    "role",
    metadata,
    account_column(),
    key_column(),
    Column("name", String(64), nullable=False),
    Column("folded", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("permissions", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("account_id", "folded"),
)
"""Custom roles. `name` is what users and applications bear, `folded` what it is found by, `permissions` the names
of those that this version and others know, as a JSON array."""


class RoleRow(Struct, frozen=True):
    """A custom role as the store keeps it. `permissions` is JSON, see `permissions_in`."""

    id: str
    name: str
    folded: str
    description: str
    permissions: str
    created_at: datetime

    @property
    def permitted(self) -> frozenset[Permission]:
        """What the role permits."""
        return permissions_in(self.permissions)


_records: Final = Records(role, RoleRow)
_all: Final = _records.where(order_by=role.c.id)
_folded: Final = _records.where(role.c.folded == given("wanted"))
_count: Final = select(func.count()).select_from(role).where(ours(role))


def every(work: Work) -> list[RoleRow]:
    """The custom roles of the account, oldest first."""
    return _all.every(work)


def check(work: Work) -> frozenset[str]:
    """The names of all roles, built-in ones too. Those whose permissions cannot be read are noted."""
    work.unreadable.forget(work.account_id, role.name)
    names = {one.value for one in Role}
    for row in work.run(_all.statement):
        found = work.read_one(role.name, row, _checked)
        if found is not None:
            names.add(found.name)
    return frozenset(names)


def count(work: Work) -> int:
    """How many custom roles the account has."""
    found: int = work.run(_count).scalar_one()
    return found


def find(work: Work, name: str) -> RoleRow | None:
    """The custom role of that name, in any case, or None."""
    return _folded.one(work, wanted=name.casefold())


def add(work: Work, name: str, description: str, permissions: Iterable[Permission]) -> RoleRow:
    """A new role."""
    row = RoleRow(new_key(), name, name.casefold(), description, _written(permissions), work.now)
    return _records.insert(work, row, updated_at=work.now)


def change(work: Work, old: RoleRow, name: str, description: str, permissions: Iterable[Permission]) -> RoleRow:
    """The role with another name, description and permissions."""
    new = msgspec.structs.replace(
        old, name=name, folded=name.casefold(), description=description, permissions=_written(permissions)
    )
    return _records.replace(work, new, updated_at=work.now)


def delete(work: Work, key: str) -> None:
    """Remove a role."""
    _records.delete(work, key)


def permissions_of(work: Work, name: str | None) -> frozenset[Permission]:
    """What a role permits that a user or an application bears; none, or one that is not known, permits nothing."""
    if name is None:
        return frozenset()
    default = built_in(name)
    if default is not None:
        return ROLE_PERMISSIONS[default]
    found = find(work, name)
    return frozenset() if found is None else found.permitted


def at_least(work: Work, held: frozenset[Permission]) -> Sequence[str]:
    """The names of all roles that permit no less."""
    names = [one.value for one in Role if ROLE_PERMISSIONS[one] >= held]
    return names + [one.name for one in every(work) if one.permitted >= held]


def permissions_in(text: str | None) -> frozenset[Permission]:
    """The permissions that the column holds. Where it cannot be read there are none."""
    if not text:
        return frozenset()
    try:
        return known(msgspec.json.decode(text, type=list[str]))
    except msgspec.DecodeError:
        return frozenset()


def _checked(row: Sequence[Any]) -> RoleRow:
    found: RoleRow = _records.make(row)
    msgspec.json.decode(found.permissions, type=list[str])
    return found


def _written(permissions: Iterable[Permission]) -> str:
    return msgspec.json.encode(sorted(permissions)).decode()
