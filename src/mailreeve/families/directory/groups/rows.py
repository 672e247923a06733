"""Which groups and members does an account have? Their tables and queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    update,
)

from mailreeve.families.directory.groups.types import Source
from mailreeve.families.machinery.pages import page_of
from mailreeve.store.counts import Counted
from mailreeve.store.keys import new_key
from mailreeve.store.loading import stream, stream_named
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
    ForeignKeyConstraint(["account_id", "group_id"], ["directory_group.account_id", "directory_group.id"]),
    UniqueConstraint("account_id", "group_id", "matched"),
    Index(None, "account_id", "matched"),
    Index(None, "account_id", "group_id", "id"),
)
"""Members. `matched` is an address's key or a bare domain, `shown` what was typed."""


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
_GROUP_COLUMNS: Final = (group.c.id, group.c.parent_id, group.c.name, group.c.source, group.c.system)
_MEMBER_COLUMNS: Final = (member.c.id, member.c.group_id, member.c.matched, member.c.shown, member.c.notes)


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


def every_group(work: Work) -> list[GroupRow]:
    """All groups, oldest first."""
    rows = work.execute(select(*_GROUP_COLUMNS).where(group.c.account_id == work.account_id).order_by(group.c.id))
    return list(work.read(group.name, rows, _group))


def some_groups(work: Work, keys: Sequence[str]) -> list[GroupRow]:
    """Those of these groups that exist."""
    query = select(*_GROUP_COLUMNS).where(group.c.account_id == work.account_id)
    return list(work.read(group.name, stream_named(work, query, group.c.id, keys), _group))


def page_of_groups(work: Work, asked: Asked, text: str, source: str | None) -> Page[GroupRow]:
    """A page of the groups whose name holds a text, in any case, and which come from a source, or from any; in the
    order of their keys.

    No index finds a part of a name: to find little, all names of the account are gone through in the database.
    """
    query = select(*_GROUP_COLUMNS).where(group.c.account_id == work.account_id)
    wanted = text.casefold()
    if wanted:
        query = query.where(func.instr(group.c.folded, wanted) > 0)
    if source is not None:
        query = query.where(group.c.source == source)

    def total() -> int:
        if not wanted and source is None:
            return count_groups(work)
        found: int = work.execute(query.with_only_columns(func.count(), maintain_column_froms=True)).scalar_one()
        return found

    return page_of(work, query, group.c.id, asked, _group, total)


def groups_below(work: Work, key: str, most: int) -> list[GroupRow]:
    """The first groups right below a group, in the order of their keys."""
    query = select(*_GROUP_COLUMNS).where(group.c.account_id == work.account_id, group.c.parent_id == key)
    return list(work.read(group.name, work.execute(query.order_by(group.c.id).limit(most)), _group))


def count_below(work: Work, keys: Sequence[str]) -> dict[str, int]:
    """From each of these groups to how many there are right below it; none where it is absent."""
    return _count_below.totals(work, keys)


def find_group(work: Work, key: str) -> GroupRow | None:
    """One group, or None."""
    row = work.execute(
        select(*_GROUP_COLUMNS).where(group.c.account_id == work.account_id, group.c.id == key)
    ).one_or_none()
    return work.read_one(group.name, row, _group)


def parent_of(work: Work, key: str) -> str | None:
    """The group right above a group, or None at the root."""
    found: str | None = work.execute(
        select(group.c.parent_id).where(group.c.account_id == work.account_id, group.c.id == key)
    ).scalar_one_or_none()
    return found


def height(work: Work, key: str, most: int) -> int:
    """How many groups lie one in another from this one downwards, itself included; of more than `most` so many and
    one more. Only groups that have others below them are read."""
    below = group.alias()
    inner = (
        select(group.c.id)
        .where(group.c.account_id == work.account_id)
        .where(
            select(below.c.id)
            .where(below.c.account_id == work.account_id, below.c.parent_id == group.c.id)
            .exists()
        )
    )
    level, height = [key], 1
    while level and height <= most:
        if not any(count_below(work, level).values()):
            break
        height += 1
        level = [row[0] for row in stream_named(work, inner, group.c.parent_id, level)]
    return height


def count_children(work: Work, key: str) -> int:
    """How many groups there are right below a group."""
    return _count_below.total(work, key)


def add_group(work: Work, name: str, parent_id: str | None, *, system: bool = False) -> GroupRow:
    """A new cloud group."""
    row = GroupRow(new_key(), parent_id, name, Source.CLOUD, system)
    work.execute(
        insert(group).values(
            account_id=work.account_id,
            id=row.id,
            parent_id=parent_id,
            name=name,
            source=row.source,
            system=system,
            created_at=work.now,
        )
    )
    return row


def change_group(work: Work, key: str, name: str, parent_id: str | None) -> None:
    """Give a group another name and place."""
    work.execute(
        update(group)
        .where(group.c.account_id == work.account_id, group.c.id == key)
        .values(name=name, folded=name.casefold(), parent_id=parent_id)
    )


def remove_group(work: Work, key: str) -> None:
    """Remove a group with its members."""
    work.execute(delete(member).where(member.c.account_id == work.account_id, member.c.group_id == key))
    work.execute(delete(group).where(group.c.account_id == work.account_id, group.c.id == key))


def all_matched(work: Work, group_id: str) -> list[str]:
    """What all members of a group are matched by."""
    return list(
        work.execute(
            select(member.c.matched).where(member.c.account_id == work.account_id, member.c.group_id == group_id)
        ).scalars()
    )


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
    query = select(*_MEMBER_COLUMNS).where(member.c.account_id == work.account_id, member.c.group_id == group_id)
    return page_of(work, query, member.c.id, asked, _member, lambda: count_members(work, group_id))


def find_member(work: Work, group_id: str, matched: str) -> MemberRow | None:
    """The membership of an address or domain in a group, or None."""
    row = work.execute(
        select(*_MEMBER_COLUMNS).where(
            member.c.account_id == work.account_id, member.c.group_id == group_id, member.c.matched == matched
        )
    ).one_or_none()
    return work.read_one(member.name, row, _member)


def add_member(work: Work, group_id: str, matched: str, shown: str, notes: str) -> MemberRow:
    """A new membership."""
    row = MemberRow(new_key(), group_id, matched, shown, notes)
    work.execute(
        insert(member).values(
            account_id=work.account_id,
            id=row.id,
            group_id=group_id,
            matched=matched,
            shown=shown,
            notes=notes,
            created_at=work.now,
        )
    )
    return row


def remove_member(work: Work, key: str) -> None:
    """End a membership."""
    work.execute(delete(member).where(member.c.account_id == work.account_id, member.c.id == key))


def memberships(work: Work, members: Sequence[str] | None = None) -> Mapping[str, tuple[str, ...]]:
    """From each member, an address's key or a domain, to its groups: what decisions read. Of these, or of all."""
    found: dict[str, list[str]] = {}
    shared: dict[str, str] = {}  # one text for each group, however many members it has
    query = select(member.c.matched, member.c.group_id, member.c.id).where(member.c.account_id == work.account_id)
    rows: Iterable[Sequence[str]]
    if members is None:
        rows = stream(work, query.order_by(member.c.id))
    else:
        # Asked for an order, SQLite looks at all members of the account for the sake of it.
        rows = sorted(stream_named(work, query, member.c.matched, members), key=itemgetter(2))
    for matched, group_id, _ in rows:
        found.setdefault(matched, []).append(shared.setdefault(group_id, group_id))
    return {matched: tuple(ids) for matched, ids in found.items()}


def parents(groups: Sequence[GroupRow]) -> dict[str, str]:
    """From each group below another to that other."""
    return {row.id: row.parent_id for row in groups if row.parent_id is not None}


def use(work: Work, policy_id: str, group_ids: Iterable[str]) -> None:
    """Note that a policy names just these groups: what it names cannot be deleted."""
    mine = (group_use.c.account_id == work.account_id, group_use.c.policy_id == policy_id)
    work.execute(delete(group_use).where(*mine))
    rows: list[dict[str, object]] = [
        {"account_id": work.account_id, "policy_id": policy_id, "group_id": key} for key in group_ids
    ]
    work.insert_many(insert(group_use), rows)


def used_by(work: Work, group_ids: Iterable[str]) -> list[str]:
    """The ids of the policies, of any family, that name one of these groups."""
    query = select(group_use.c.policy_id).where(group_use.c.account_id == work.account_id).distinct()
    return [row[0] for row in stream_named(work, query, group_use.c.group_id, sorted(group_ids))]


def is_used(work: Work, group_id: str) -> bool:
    """Whether a policy names the group."""
    found = work.execute(
        select(group_use.c.policy_id)
        .where(group_use.c.account_id == work.account_id, group_use.c.group_id == group_id)
        .limit(1)
    )
    return found.first() is not None


def _group(row: Sequence[Any]) -> GroupRow:
    key, parent_id, name, source, system = row
    return GroupRow(key, parent_id, name, Source(source), system)


def _member(row: Sequence[Any]) -> MemberRow:
    return MemberRow(*row)
