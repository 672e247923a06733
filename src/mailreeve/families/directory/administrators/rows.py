"""Which users have a role, and which keys do they have?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Select, and_, func, select

from mailreeve.families.directory.users.rows import user
from mailreeve.families.login.rows import application, binding
from mailreeve.families.machinery.pages import Listing
from mailreeve.store.loading import stream_named
from mailreeve.store.records import given, maker, ours
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page


class Administrator(Struct, frozen=True):
    """A user who has a role."""

    id: str
    address: str
    name: str
    role: str
    locked: bool
    disabled: bool
    password_changed_at: datetime | None


class Key(Struct, frozen=True):
    """The keys of a user for an application."""

    id: str
    user_id: str
    application: str
    role: str
    access_key: str
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None


_administrators: Final = select(
    user.c.id,
    user.c.address,
    user.c.name,
    user.c.role,
    user.c.locked,
    user.c.disabled,
    user.c.password_changed_at,
).where(ours(user), user.c.role.is_not(None))
_keys: Final[Select[tuple[object, ...]]] = (
    select(
        binding.c.id,
        binding.c.user_id,
        application.c.name,
        application.c.role,
        binding.c.access_key,
        binding.c.expires_at,
        binding.c.last_used_at,
        binding.c.last_used_from,
    )
    .join(
        application,
        and_(application.c.account_id == binding.c.account_id, application.c.id == binding.c.application_id),
    )
    .where(ours(binding))
)
_make: Final = maker(Administrator)
_make_key: Final = maker(Key)
_listing: Final = Listing(_administrators, user.c.id, _make, all_at_once=True)
_one: Final = _administrators.where(user.c.id == given("key"))
_count: Final = select(func.count()).select_from(user).where(ours(user), user.c.role.is_not(None))


def page(work: Work, asked: Asked) -> Page[Administrator]:
    """A page of the users who have a role, in the order in which they were made, or all of them when no page was
    asked for."""

    def total() -> int:
        found: int = work.run(_count).scalar_one()
        return found

    return _listing.page(work, asked, total)


def find(work: Work, key: str) -> Administrator:
    """The user with this key, who has a role."""
    found: Administrator = _make(work.run(_one, {"key": key}).one())
    return found


def keys_of(work: Work, users: Iterable[str]) -> dict[str, list[Key]]:
    """From each of these users to the keys that the user has, oldest first."""
    found: dict[str, list[Key]] = {}
    for row in sorted(stream_named(work, _keys, binding.c.user_id, sorted(users)), key=lambda one: str(one[0])):
        key = _make_key(row)
        found.setdefault(key.user_id, []).append(key)
    return found
