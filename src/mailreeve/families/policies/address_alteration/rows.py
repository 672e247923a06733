"""Which sets, definitions and policies of address alteration does an account have? Tables and queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct, structs
from sqlalchemy import (
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
    or_,
    select,
    update,
)

from mailreeve.families.machinery.pages import Listing
from mailreeve.families.policies.family import PolicyFamily, PolicyRow, policy_table
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    Definition,
    Routing,
)
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store.counts import Counted
from mailreeve.store.keys import made_at, new_key
from mailreeve.store.loading import Loaded, stream_named
from mailreeve.store.records import Query, Records, given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.policy_object import ADDRESS_ALTERATION, PolicyDocument

alteration_set: Final = Table(
    "alteration_set",
    metadata,
    account_column(),
    key_column(),
    Column("parent_id", KEY, nullable=True),
    Column("name", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "parent_id"], ["alteration_set.account_id", "alteration_set.id"]),
    Index(None, "account_id", "parent_id", "id"),
)

alteration_definition: Final = Table(
    "alteration_definition",
    metadata,
    account_column(),
    key_column(),
    Column("set_id", KEY, nullable=False),
    Column("address_type", String(16), nullable=False),
    Column("routing", String(16), nullable=False),
    Column("original_local", Text, nullable=False),
    Column("original_domain", Text, nullable=False),
    Column("original_shown", Text, nullable=False),
    Column("new_local", Text, nullable=False),
    Column("new_domain", Text, nullable=False),
    Column("new_shown", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint(
        "account_id",
        "set_id",
        "original_local",
        "original_domain",
        "new_local",
        "new_domain",
        "address_type",
        "routing",
        name="uq_alteration_definition_rewrite",
    ),
    Index(None, "account_id", "original_domain", "original_local"),
    Index(None, "account_id", "new_domain"),
)
"""Definitions. An empty `set_id` is the root, an empty half of an address the asterisk. The halves are what is
matched, the original one without case; `..._shown` is what was typed, which terraform must get back unchanged."""

alteration_policy: Final = policy_table(
    PolicyType.ADDRESS_ALTERATION,
    Column("set_id", KEY, nullable=False),
    ForeignKeyConstraint(["account_id", "set_id"], ["alteration_set.account_id", "alteration_set.id"]),
)

_count_sets: Final = Counted(alteration_set)
_count_below: Final = Counted(alteration_set, "parent_id")


class SetRow(Struct, frozen=True):
    """A set of definitions, in the folder of another one or at the root."""

    id: str
    parent_id: str | None
    name: str


class Rewrite(Struct, frozen=True):
    """What a definition does. Two that are equal are the same definition."""

    address_type: AddressType
    routing: Routing
    original: AddressPattern
    new: AddressPattern


class DefinitionRow(Struct, frozen=True):
    """A definition as the store keeps it."""

    id: str
    set_id: str
    rewrite: Rewrite
    original_shown: str
    new_shown: str


class AlterationPolicyRow(PolicyRow, frozen=True):
    """An address alteration policy as the store keeps it."""

    set_id: str


def _definition(row: Sequence[Any]) -> DefinitionRow:
    key, set_id, kind, routing, original_local, original_domain, original, new_local, new_domain, new = row
    if not (original_local or original_domain):
        raise ValueError("the original address is empty")
    rewrite = Rewrite(
        AddressType(kind),
        Routing(routing),
        AddressPattern(original_local, original_domain),
        AddressPattern(new_local, new_domain),
    )
    return DefinitionRow(key, set_id, rewrite, original, new)


_sets: Final = Records(alteration_set, SetRow)
_roots: Final = Listing(
    _sets.where(alteration_set.c.parent_id.is_(None)).statement, alteration_set.c.id, _sets.make, all_at_once=True
)
_definitions: Final = select(
    *(column for column in alteration_definition.c if column.name not in ("account_id", "created_at"))
).where(ours(alteration_definition))
_in_order: Final = _definitions.order_by(alteration_definition.c.id)
_with_id: Final = Query(
    alteration_definition.name, _definitions.where(alteration_definition.c.id == given("key")), _definition
)
_count_definitions: Final = (
    select(func.count()).select_from(alteration_definition).where(ours(alteration_definition))
)
_add_definitions: Final = insert(alteration_definition)
_at_domain: Final = _in_order.where(
    or_(
        alteration_definition.c.original_domain == given("domain"),
        alteration_definition.c.new_domain == given("domain"),
    )
)
_change_new: Final = (
    update(alteration_definition)
    .where(ours(alteration_definition), alteration_definition.c.id == given("key"))
    .values(new_local=given("to_local"), new_domain=given("to_domain"), new_shown=given("to_shown"))
)
_remove_definition: Final = delete(alteration_definition).where(
    ours(alteration_definition), alteration_definition.c.id == given("key")
)


def page_of_sets(work: Work, asked: Asked) -> Page[SetRow]:
    """A page of the sets at the root in the order of their keys, or all of them when no page was asked for."""
    return _roots.page(work, asked, lambda: _count_below.total(work))


def sets_below(work: Work, keys: Sequence[str]) -> dict[str, list[SetRow]]:
    """From each of these sets that has others right below it to those, in the order of their keys."""
    table = alteration_set
    below: dict[str, list[SetRow]] = {}
    found = stream_named(work, _sets.where().statement, table.c.parent_id, keys)
    for row in work.read(table.name, found, _sets.make):
        below.setdefault(row.parent_id or "", []).append(row)
    for rows in below.values():
        rows.sort(key=lambda row: row.id)
    return below


def count_below(work: Work, keys: Sequence[str]) -> dict[str, int]:
    """From each of these sets to how many there are right below it; none where it is absent."""
    return _count_below.totals(work, keys)


def find_set(work: Work, key: str) -> SetRow | None:
    """One set, or None."""
    return _sets.find(work, key)


def count_sets(work: Work) -> int:
    """How many sets the account has."""
    return _count_sets.total(work)


def add_set(work: Work, name: str, parent_id: str | None) -> SetRow:
    """A new set."""
    return _sets.insert(work, SetRow(new_key(), parent_id, name), created_at=work.now)


def insert_set(work: Work, row: SetRow) -> None:
    """A set that was there before, with its id."""
    _sets.insert(work, row, created_at=work.now)


def change_set(work: Work, row: SetRow) -> None:
    """The set with another name or place."""
    _sets.replace(work, row)


def remove_set(work: Work, key: str) -> None:
    """Remove a set."""
    _sets.delete(work, key)


def count_definitions(work: Work) -> int:
    """How many definitions the account has, in all sets and at the root."""
    count: int = work.run(_count_definitions).scalar_one()
    return count


def definitions(
    work: Work,
    *,
    set_id: str | None = None,
    routing: Routing | None = None,
    original: AddressPattern | None = None,
    new_domain: str | None = None,
) -> list[DefinitionRow]:
    """The definitions that fit all that is given, or all of them, in the order of their keys. `original` is
    without case."""
    table = alteration_definition
    query = _in_order
    if set_id is not None:
        query = query.where(table.c.set_id == set_id)
    if routing is not None:
        query = query.where(table.c.routing == routing)
    if original is not None:
        query = query.where(table.c.original_domain == original.domain, table.c.original_local == original.local)
    if new_domain is not None:
        query = query.where(table.c.new_domain == new_domain)
    return list(work.read(table.name, work.run(query), _definition))


def held_rewrites(work: Work, set_id: str, asked: Sequence[Rewrite]) -> set[Rewrite]:
    """What the definitions of a set do that have an original in common with these: each of these that is there
    already is among them."""
    table = alteration_definition
    query = _definitions.where(table.c.set_id == set_id)
    locals_ = sorted({rewrite.original.local for rewrite in asked})
    return {_definition(row).rewrite for row in stream_named(work, query, table.c.original_local, locals_)}


def find_definition(work: Work, key: str) -> DefinitionRow | None:
    """One definition, or None."""
    return _with_id.one(work, key=key)


def add_definitions(work: Work, rows: Sequence[DefinitionRow]) -> None:
    """New definitions."""
    work.insert_many(
        _add_definitions,
        [
            {
                "account_id": work.account_id,
                "id": row.id,
                "set_id": row.set_id,
                "address_type": row.rewrite.address_type,
                "routing": row.rewrite.routing,
                "original_local": row.rewrite.original.local,
                "original_domain": row.rewrite.original.domain,
                "original_shown": row.original_shown,
                "new_local": row.rewrite.new.local,
                "new_domain": row.rewrite.new.domain,
                "new_shown": row.new_shown,
                "created_at": work.now,
            }
            for row in rows
        ],
    )


def involving(work: Work, pattern: AddressPattern) -> list[DefinitionRow]:
    """The definitions of which a half of either side is that of an address or domain: those that look for it and
    those that write it, in whatever case, and others at the same domain. In the order of their keys."""
    rows = work.run(_at_domain, {"domain": pattern.domain})
    return list(work.read(alteration_definition.name, rows, _definition))


def change_new(work: Work, old: DefinitionRow, new: AddressPattern, shown: str) -> DefinitionRow:
    """The definition with another new address; its id and its place among others stay."""
    work.run(
        _change_new,
        {"key": old.id, "to_local": new.local, "to_domain": new.domain, "to_shown": shown},
    )
    return DefinitionRow(old.id, old.set_id, structs.replace(old.rewrite, new=new), old.original_shown, shown)


def remove_definition(work: Work, key: str) -> None:
    """Remove a definition."""
    work.run(_remove_definition, {"key": key})


def _decided_definition(row: Sequence[Any]) -> Definition:
    kept = _definition(row)
    rewrite = kept.rewrite
    return Definition(kept.id, kept.set_id, rewrite.address_type, rewrite.original, rewrite.new, rewrite.routing)


def _decided_policy(key: str, document: PolicyDocument, set_id: str) -> AlterationPolicy:
    return AlterationPolicy(key, document.description, document.scope(), set_id, made_at(key))


LOADED_DEFINITIONS: Final = Loaded(_definitions, alteration_definition.c.id, _decided_definition)
"""The definitions as decisions see them."""

ALTERATION: Final = PolicyFamily(
    PolicyType.ADDRESS_ALTERATION,
    alteration_policy,
    AlterationPolicyRow,
    ADDRESS_ALTERATION,
    _decided_policy,
    (alteration_policy.c.set_id,),
)
