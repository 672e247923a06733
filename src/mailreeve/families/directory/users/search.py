"""Which users fit a question? They are listed by their primary addresses, in alphabetical order."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, bindparam, func, or_, select

from mailreeve.families.directory.groups.rows import member
from mailreeve.families.directory.users.rows import UserRow, address, count, user
from mailreeve.families.machinery.pages import Listing
from mailreeve.formats.addresses import Domain
from mailreeve.store.loading import stream_named
from mailreeve.store.records import given, maker, ours
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page


class Wanted(Struct, frozen=True):
    """What the users fit that are asked for; whatever is None, all do. `groups` are ids of which one is enough."""

    domain: Domain | None = None
    groups: Sequence[str] | None = None
    locked: bool | None = None
    text: str | None = None


_user_columns: Final = [user.c[name] for name in UserRow.__struct_fields__]
_its_user: Final = (address.c.account_id == user.c.account_id) & (address.c.user_id == user.c.id)
_other: Final = address.alias("other_address")
_theirs: Final = (_other.c.account_id == user.c.account_id) & (_other.c.user_id == user.c.id)
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "domain": address.c.domain == given("within"),
    # Whoever is in a group by an alias, or by a domain, is in it. The member is asked for by the address, in a
    # query of its own: joined, every user would be compared with every member.
    "groups": select(_other.c.key)
    .where(
        _theirs,
        select(member.c.id)
        .where(
            member.c.account_id == _other.c.account_id,
            member.c.group_id.in_(bindparam("any_group", expanding=True)),
            member.c.matched.in_((_other.c.key, _other.c.domain)),
            or_(member.c.until.is_(None), member.c.until > given("instant")),
        )
        .exists(),
    )
    .exists(),
    "locked": or_(user.c.locked, user.c.disabled) == given("kept_out"),
    "text": or_(
        func.instr(func.lower(user.c.name), given("sought")) > 0,
        select(_other.c.key).where(_theirs, func.instr(_other.c.key, given("sought")) > 0).exists(),
    ),
}


class _Search(Struct, frozen=True):
    listing: Listing[UserRow]
    count: Any


_make: Final = maker(UserRow)


def _search(names: tuple[str, ...]) -> _Search:
    conditions = ours(address), address.c.alias.is_(False), *(_CONDITIONS[name] for name in names)
    query = select(address.c.key, *_user_columns).join(user, _its_user).where(*conditions)
    total = select(func.count()).select_from(address).where(*conditions)
    if names != ("domain",):
        total = total.join(user, _its_user)
    return _Search(Listing(query, address.c.key, lambda row: _make(row[1:])), total)


_searches: Final[dict[tuple[str, ...], _Search]] = {}


def page(work: Work, asked: Asked, wanted: Wanted) -> Page[UserRow]:
    """A page of the users who fit. Of a text no index finds a part: all users are gone through in the database."""
    names = tuple(name for name in _CONDITIONS if getattr(wanted, name) is not None)
    search = _searches.get(names)
    if search is None:
        search = _searches[names] = _search(names)
    every: dict[str, dict[str, object]] = {
        "domain": {"within": wanted.domain},
        "groups": {"any_group": list(wanted.groups or ()), "instant": work.now},
        "locked": {"kept_out": wanted.locked},
        "text": {"sought": (wanted.text or "").casefold()},
    }
    given_: dict[str, object] = {}
    for name in names:
        given_ |= every[name]

    def total() -> int:
        if not names:
            return count(work)
        found: int = work.run(search.count, given_).scalar_one()
        return found

    return search.listing.page(work, asked, total, **given_)


_aliases: Final = select(address.c.user_id, address.c.key, address.c.shown).where(
    ours(address), address.c.alias.is_(True)
)


ALIASES: Final = 20
"""So many aliases of each user are listed; all are in `user/get-aliases`."""


class Aliases(Struct, frozen=True):
    """The first aliases of a user, as they were typed, in alphabetical order, and how many there are."""

    first: Sequence[str] = ()
    total: int = 0


def aliases(work: Work, users: Sequence[str]) -> dict[str, Aliases]:
    """The aliases of each of these users who has any."""
    found: dict[str, list[tuple[str, str]]] = {}
    for user_id, key, shown in stream_named(work, _aliases, address.c.user_id, users):
        found.setdefault(user_id, []).append((key, shown))
    return {
        user_id: Aliases([shown for _, shown in nsmallest(ALIASES, several)], len(several))
        for user_id, several in found.items()
    }
