"""Which groups and members does an account have? Their tables and queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
)

from mailreeve.families.directory.groups.types import Source
from mailreeve.families.machinery.pages import Listing
from mailreeve.store.counts import Counted
from mailreeve.store.keys import new_key
from mailreeve.store.loading import stream, stream_named
from mailreeve.store.records import Query, Records, given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page


def _folded(context: Any) -> str:
    """The name of a row to be inserted, without case."""
    name: str = context.get_current_parameters()["name"]
    return name.casefold()


group: Final = Table(
    "directory_group",
    metadata,
    account_column(),
    key_column(),
    Column("parent_id", KEY, nullable=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, default=_folded, server_default=""),
    Column("source", String(16), nullable=False),
    Column("system", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "parent_id"], ["directory_group.account_id", "directory_group.id"]),
    Index(None, "account_id", "parent_id", "id"),
    Index(None, "account_id", "id", "folded"),
)
"""Groups. `folded` is the name without case, in which names are searched."""

member: Final = Table(
    "directory_group_member",
    metadata,
    account_column(),
    key_column(),
    Column("group_id", KEY, nullable=False),
    Column("matched", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("until", Moment, nullable=True),
    ForeignKeyConstraint(["account_id", "group_id"], ["directory_group.account_id", "directory_group.id"]),
    UniqueConstraint("account_id", "group_id", "matched"),
    Index(None, "account_id", "matched"),
    Index(None, "account_id", "group_id", "id"),
)
"""Members. `matched` is an address's key or a bare domain, `shown` what was typed. `until` is when the membership
ends, absent where it does not."""


group_use: Final = Table(
    "directory_group_use",
    metadata,
    account_column(),
    Column("policy_id", KEY, primary_key=True),
    Column("group_id", KEY, primary_key=True),
    ForeignKeyConstraint(["account_id", "group_id"], ["directory_group.account_id", "directory_group.id"]),
    Index(None, "account_id", "group_id", "policy_id"),
)
"""Which policies, of any family, name which groups."""


_count_groups: Final = Counted(group)
_count_below: Final = Counted(group, "parent_id")
_count_members: Final = Counted(member, "group_id")


class GroupRow(Struct, frozen=True):
    """A group. `system` groups come with the account and cannot be changed through the API."""

    id: str
    parent_id: str | None
    name: str
    source: Source
    system: bool


class MemberRow(Struct, frozen=True):
    """One member of a group; a domain when `matched` holds no `@`."""

    id: str
    group_id: str
    matched: str
    shown: str
    notes: str
    until: datetime | None = None


_groups: Final = Records(group, GroupRow)
_members: Final = Records(member, MemberRow)
_all: Final = _groups.where(order_by=group.c.id)
_below: Final = _groups.where(group.c.parent_id == given("above"), order_by=group.c.id)
_first_below: Final = Query(group.name, _below.statement.limit(given("most")), _groups.make)
_named: Final = func.instr(group.c.folded, given("text")) > 0
_from_source: Final = group.c.source == given("origin")
_listings: Final = {
    (named, sourced): Listing(
        _groups.where(*((_named,) * named), *((_from_source,) * sourced)).statement, group.c.id, _groups.make
    )
    for named in (False, True)
    for sourced in (False, True)
}
_counts: Final = {
    (named, sourced): select(func.count())
    .select_from(group)
    .where(ours(group), *((_named,) * named), *((_from_source,) * sourced))
    for named, sourced in _listings
}
_parent: Final = select(group.c.parent_id).where(ours(group), group.c.id == given("key"))
_ids_below: Final = select(group.c.id).where(ours(group))
_under: Final = group.alias()
_with_others_below: Final = select(group.c.id).where(
    ours(group),
    select(_under.c.id)
    .where(_under.c.account_id == group.c.account_id, _under.c.parent_id == group.c.id)
    .exists(),
)
_in_group: Final = member.c.group_id == given("which")
_remove_members: Final = delete(member).where(ours(member), _in_group)
_matched: Final = select(member.c.matched).where(ours(member), _in_group)
_members_of: Final = Listing(_members.where(_in_group).statement, member.c.id, _members.make)
_every_member: Final = _members.where(_in_group, order_by=member.c.id)
_all_members: Final = Listing(_members.where().statement, member.c.id, _members.make)
_count_all_members: Final = select(func.count()).select_from(member).where(ours(member))
_membership: Final = _members.where(_in_group, member.c.matched == given("who"))
_of_member: Final = _members.where(member.c.matched == given("who"), order_by=member.c.id)
_memberships: Final = select(member.c.matched, member.c.group_id, member.c.id, member.c.until).where(ours(member))
_has_ended: Final = member.c.until <= given("instant")
_ended, _ended_in = (
    Query(
        member.name,
        _members.where(_has_ended, *condition, order_by=member.c.id).statement.limit(given("most")),
        _members.make,
    )
    for condition in ((), (_in_group,))
)
_forget_uses: Final = delete(group_use).where(ours(group_use), group_use.c.policy_id == given("policy"))
_add_uses: Final = insert(group_use)
_users_of: Final = select(group_use.c.policy_id).where(ours(group_use))
_any_user: Final = _users_of.where(group_use.c.group_id == given("which")).limit(1)


def every_group(work: Work) -> list[GroupRow]:
    """All groups, oldest first."""
    return _all.every(work)


def some_groups(work: Work, keys: Sequence[str]) -> list[GroupRow]:
    """Those of these groups that exist."""
    rows = stream_named(work, _groups.where().statement, group.c.id, keys)
    return list(work.read(group.name, rows, _groups.make))


def page_of_groups(work: Work, asked: Asked, text: str, source: str | None) -> Page[GroupRow]:
    """A page of the groups whose name holds a text, in any case, and which come from a source, or from any; in the
    order of their keys.

    No index finds a part of a name: to find little, all names of the account are gone through in the database.
    """
    which = bool(text), source is not None
    narrowed = {"text": text.casefold(), "origin": source}

    def total() -> int:
        if not any(which):
            return count_groups(work)
        found: int = work.run(_counts[which], narrowed).scalar_one()
        return found

    return _listings[which].page(work, asked, total, **narrowed)


def groups_below(work: Work, key: str, most: int) -> list[GroupRow]:
    """The first groups right below a group, in the order of their keys."""
    return _first_below.every(work, above=key, most=most)


def count_below(work: Work, keys: Sequence[str]) -> dict[str, int]:
    """From each of these groups to how many there are right below it; none where it is absent."""
    return _count_below.totals(work, keys)


def find_group(work: Work, key: str) -> GroupRow | None:
    """One group, or None."""
    return _groups.find(work, key)


def parent_of(work: Work, key: str) -> str | None:
    """The group right above a group, or None at the root."""
    found: str | None = work.run(_parent, {"key": key}).scalar_one_or_none()
    return found


def below(work: Work, key: str) -> list[str]:
    """A group and all groups below it, by their keys."""
    found, level = [key], [key]
    while level:
        level = [row[0] for row in stream_named(work, _ids_below, group.c.parent_id, level) if row[0] not in found]
        found += level
    return found


def height(work: Work, key: str, most: int) -> int:
    """How many groups lie one in another from this one downwards, itself included; of more than `most` so many and
    one more. Only groups that have others below them are read."""
    level, height = [key], 1
    while level and height <= most:
        if not any(count_below(work, level).values()):
            break
        height += 1
        level = [row[0] for row in stream_named(work, _with_others_below, group.c.parent_id, level)]
    return height


def count_children(work: Work, key: str) -> int:
    """How many groups there are right below a group."""
    return _count_below.total(work, key)


def add_group(
    work: Work, name: str, parent_id: str | None, *, system: bool = False, source: Source = Source.CLOUD
) -> GroupRow:
    """A new group."""
    row = GroupRow(new_key(), parent_id, name, source, system)
    return _groups.insert(work, row, folded=name.casefold(), created_at=work.now)


def insert_group(work: Work, row: GroupRow) -> None:
    """A group that was there before, with its id."""
    _groups.insert(work, row, folded=row.name.casefold(), created_at=work.now)


def change_group(work: Work, new: GroupRow) -> None:
    """Give a group another name and place."""
    _groups.replace(work, new, folded=new.name.casefold())


def remove_group(work: Work, key: str) -> None:
    """Remove a group with its members."""
    work.run(_remove_members, {"which": key})
    _groups.delete(work, key)


def members_of(work: Work, group_id: str) -> list[MemberRow]:
    """All members of a group, oldest first."""
    return _every_member.every(work, which=group_id)


def all_matched(work: Work, group_id: str) -> list[str]:
    """What all members of a group are matched by."""
    return list(work.run(_matched, {"which": group_id}).scalars())


def member_counts(work: Work, keys: Sequence[str]) -> dict[str, int]:
    """From each of these groups to how many members it has; none where it is absent."""
    return _count_members.totals(work, keys)


def count_members(work: Work, group_id: str) -> int:
    """How many members a group has."""
    return _count_members.total(work, group_id)


def count_groups(work: Work) -> int:
    """How many groups the account has."""
    return _count_groups.total(work)


def page_of_members(work: Work, group_id: str, asked: Asked) -> Page[MemberRow]:
    """A page of a group's members, in the order of their keys."""
    return _members_of.page(work, asked, lambda: count_members(work, group_id), which=group_id)


def page_of_all_members(work: Work, asked: Asked) -> Page[MemberRow]:
    """A page of the members of all groups, in the order of their keys."""

    def total() -> int:
        found: int = work.run(_count_all_members).scalar_one()
        return found

    return _all_members.page(work, asked, total)


def find_member(work: Work, group_id: str, matched: str) -> MemberRow | None:
    """The membership of an address or domain in a group, or None."""
    return _membership.one(work, which=group_id, who=matched)


def memberships_of(work: Work, matched: str) -> list[MemberRow]:
    """The memberships of an address or domain, in whatever groups."""
    return _of_member.every(work, who=matched)


def ends_later(one: MemberRow, other: MemberRow) -> bool:
    """Whether a membership lasts at least as long as another one."""
    return one.until is None or (other.until is not None and one.until >= other.until)


def add_member(
    work: Work, group_id: str, matched: str, shown: str, notes: str, until: datetime | None = None
) -> MemberRow:
    """A new membership."""
    row = MemberRow(new_key(), group_id, matched, shown, notes, until)
    return _members.insert(work, row, created_at=work.now)


def insert_member(work: Work, row: MemberRow) -> None:
    """A membership that was there before, with its id."""
    _members.insert(work, row, created_at=work.now)


def membership(work: Work, key: str) -> MemberRow | None:
    """One membership, or None."""
    return _members.find(work, key)


def change_member(work: Work, new: MemberRow) -> MemberRow:
    """The membership of another member, or with another end. Its id stays."""
    return _members.replace(work, new)


def ended_members(work: Work, group_id: str | None, most: int) -> list[MemberRow]:
    """The first memberships that have ended, of one group or of all, in the order of their keys."""
    if group_id is None:
        return _ended.every(work, instant=work.now, most=most)
    return _ended_in.every(work, which=group_id, instant=work.now, most=most)


def remove_member(work: Work, key: str) -> None:
    """End a membership."""
    _members.delete(work, key)


class Memberships(Struct, frozen=True):
    """What decisions read of memberships: from each member, an address's key or a domain, to its groups; and where
    some of these end, to when, in POSIX seconds."""

    held: Mapping[str, tuple[str, ...]]
    ends: Mapping[str, Mapping[str, float]]


def memberships(work: Work, members: Sequence[str] | None = None) -> Memberships:
    """The memberships of these members, or of all."""
    found: dict[str, list[str]] = {}
    ends: dict[str, dict[str, float]] = {}
    shared: dict[str, str] = {}  # one text for each group, however many members it has
    rows: Iterable[Sequence[Any]]
    if members is None:
        rows = stream(work, _memberships.order_by(member.c.id))
    else:
        # Asked for an order, SQLite looks at all members of the account for the sake of it.
        rows = sorted(stream_named(work, _memberships, member.c.matched, members), key=itemgetter(2))
    for matched, group_id, _, until in rows:
        found.setdefault(matched, []).append(shared.setdefault(group_id, group_id))
        if until is not None:
            ends.setdefault(matched, {})[group_id] = until.timestamp()
    return Memberships({matched: tuple(ids) for matched, ids in found.items()}, ends)


def parents(groups: Sequence[GroupRow]) -> dict[str, str]:
    """From each group below another to that other."""
    return {row.id: row.parent_id for row in groups if row.parent_id is not None}


def use(work: Work, policy_id: str, group_ids: Iterable[str]) -> None:
    """Note that a policy names just these groups: what it names cannot be deleted."""
    work.run(_forget_uses, {"policy": policy_id})
    rows: list[dict[str, object]] = [
        {"account_id": work.account_id, "policy_id": policy_id, "group_id": key} for key in group_ids
    ]
    work.insert_many(_add_uses, rows)


def used_by(work: Work, group_ids: Iterable[str]) -> list[str]:
    """The ids of the policies, of any family, that name one of these groups."""
    query = _users_of.distinct()
    return [row[0] for row in stream_named(work, query, group_use.c.group_id, sorted(group_ids))]


def is_used(work: Work, group_id: str) -> bool:
    """Whether a policy names the group."""
    return work.run(_any_user, {"which": group_id}).first() is not None
