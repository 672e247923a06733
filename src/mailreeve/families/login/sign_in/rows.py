"""Which keys does a user have? Found, counted, renewed, given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Select, and_, delete, func, select, update

from mailreeve.families.login.rows import application, binding
from mailreeve.families.machinery.pages import Listing
from mailreeve.store.records import given, maker, ours
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page


class OwnKey(Struct, frozen=True):
    """The keys of a user for an application; `secret_key` is sealed."""

    id: str
    application_id: str
    app_id: str
    application: str
    access_key: str
    secret_key: bytes
    created_at: datetime
    expires_at: datetime | None
    signed_in_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None

    @property
    def last_seen(self) -> datetime:
        """When there was last a sign of life of whoever has them."""
        return max(filter(None, (self.created_at, self.signed_in_at, self.last_used_at)))


_mine: Final[Select[Any]] = (
    select(
        binding.c.id,
        binding.c.application_id,
        application.c.app_id,
        application.c.name,
        binding.c.access_key,
        binding.c.secret_key,
        binding.c.created_at,
        binding.c.expires_at,
        binding.c.signed_in_at,
        binding.c.last_used_at,
        binding.c.last_used_from,
    )
    .join(
        application,
        and_(application.c.account_id == binding.c.account_id, application.c.id == binding.c.application_id),
    )
    .where(ours(binding), binding.c.user_id == given("whose"))
)
_make: Final = maker(OwnKey)
_listing: Final = Listing(_mine, binding.c.id, _make, all_at_once=True)
_count: Final = select(func.count()).select_from(binding).where(ours(binding), binding.c.user_id == given("whose"))
_named: Final = _mine.where(binding.c.access_key == given("named"))
_with_id: Final = _mine.where(binding.c.id == given("key"))
_by_sign_in: Final = _mine.where(
    binding.c.application_id == given("of"), binding.c.signed_in_at.is_not(None)
).order_by(binding.c.id)
_renew: Final = (
    update(binding)
    .where(ours(binding), binding.c.id == given("key"))
    .values(expires_at=given("until"), signed_in_at=given("at"))
)
_delete: Final = delete(binding).where(ours(binding), binding.c.id == given("key"))


def page(work: Work, asked: Asked, user_id: str) -> Page[OwnKey]:
    """A page of the user's keys, the oldest first, or all of them when no page was asked for."""

    def total() -> int:
        found: int = work.run(_count, {"whose": user_id}).scalar_one()
        return found

    return _listing.page(work, asked, total, whose=user_id)


def find(work: Work, user_id: str, access_key: str) -> OwnKey | None:
    """The user's keys with this access key."""
    row = work.run(_named, {"whose": user_id, "named": access_key}).one_or_none()
    return None if row is None else _make(row)


def with_id(work: Work, user_id: str, key: str) -> OwnKey | None:
    """The user's keys that the store knows by this key."""
    row = work.run(_with_id, {"whose": user_id, "key": key}).one_or_none()
    return None if row is None else _make(row)


def by_sign_in(work: Work, user_id: str, application_id: str) -> Sequence[OwnKey]:
    """The keys that the user has signed in for, of one application."""
    return [_make(row) for row in work.run(_by_sign_in, {"whose": user_id, "of": application_id})]


def renew(work: Work, key: str, until: datetime) -> None:
    """Have keys be good until then: the user has just signed in for them."""
    work.run(_renew, {"key": key, "until": until, "at": work.now})


def remove(work: Work, key: str) -> None:
    """Make keys void."""
    work.run(_delete, {"key": key})
