"""Which sets, definitions and policies of address alteration does an account have? Tables and queries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Select,
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

from mailreeve.families.machinery.pages import page_of
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    Changes,
    Definition,
    Routing,
)
from mailreeve.store.changes import Name
from mailreeve.store.counts import Counted
from mailreeve.store.keys import made_at, new_key
from mailreeve.store.loading import changes, everything, stream_named
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.policy_object import PolicyDocument

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

alteration_policy: Final = Table(
    "alteration_policy",
    metadata,
    account_column(),
    key_column(),
    Column("set_id", KEY, nullable=False),
    Column("document", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "set_id"], ["alteration_set.account_id", "alteration_set.id"]),
)
"""Policies. `document` is a `PolicyDocument` as JSON."""

_count_sets: Final = Counted(alteration_set)
_count_below: Final = Counted(alteration_set, "parent_id")
_count_policies: Final = Counted(alteration_policy)
_SET_COLUMNS: Final = (alteration_set.c.id, alteration_set.c.parent_id, alteration_set.c.name)
_DEFINITION_COLUMNS: Final = tuple(
    column for column in alteration_definition.c if column.name not in ("account_id", "created_at")
)
_POLICY_COLUMNS: Final = tuple(column for column in alteration_policy.c if column.name != "account_id")
_decode: Final = msgspec.json.Decoder(PolicyDocument).decode


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


class AlterationPolicyRow(Struct, frozen=True):
    """An address alteration policy as the store keeps it."""

    id: str
    set_id: str
    document: PolicyDocument
    created_at: datetime
    updated_at: datetime


def page_of_sets(work: Work, asked: Asked) -> Page[SetRow]:
    """A page of the sets at the root in the order of their keys, or all of them when no page was asked for."""
    table = alteration_set
    query = select(*_SET_COLUMNS).where(table.c.account_id == work.account_id, table.c.parent_id.is_(None))
    return page_of(
        work,
        query,
        table.c.id,
        asked,
        lambda row: SetRow(*row),
        lambda: _count_below.total(work),
        all_at_once=True,
    )


def sets_below(work: Work, keys: Sequence[str]) -> dict[str, list[SetRow]]:
    """From each of these sets that has others right below it to those, in the order of their keys."""
    table = alteration_set
    query = select(*_SET_COLUMNS).where(table.c.account_id == work.account_id)
    below: dict[str, list[SetRow]] = {}
    for row in work.read(table.name, stream_named(work, query, table.c.parent_id, keys), lambda row: SetRow(*row)):
        below.setdefault(row.parent_id or "", []).append(row)
    for rows in below.values():
        rows.sort(key=lambda row: row.id)
    return below


def count_below(work: Work, keys: Sequence[str]) -> dict[str, int]:
    """From each of these sets to how many there are right below it; none where it is absent."""
    return _count_below.totals(work, keys)


def find_set(work: Work, key: str) -> SetRow | None:
    """One set, or None."""
    table = alteration_set
    row = work.execute(
        select(*_SET_COLUMNS).where(table.c.account_id == work.account_id, table.c.id == key)
    ).one_or_none()
    return work.read_one(table.name, row, lambda row: SetRow(*row))


def count_sets(work: Work) -> int:
    """How many sets the account has."""
    return _count_sets.total(work)


def add_set(work: Work, name: str, parent_id: str | None) -> SetRow:
    """A new set."""
    row = SetRow(new_key(), parent_id, name)
    work.execute(
        insert(alteration_set).values(
            account_id=work.account_id, id=row.id, parent_id=parent_id, name=name, created_at=work.now
        )
    )
    return row


def count_definitions(work: Work) -> int:
    """How many definitions the account has, in all sets and at the root."""
    table = alteration_definition
    count: int = work.execute(
        select(func.count()).select_from(table).where(table.c.account_id == work.account_id)
    ).scalar_one()
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
    query = select(*_DEFINITION_COLUMNS).where(table.c.account_id == work.account_id).order_by(table.c.id)
    if set_id is not None:
        query = query.where(table.c.set_id == set_id)
    if routing is not None:
        query = query.where(table.c.routing == routing)
    if original is not None:
        query = query.where(table.c.original_domain == original.domain, table.c.original_local == original.local)
    if new_domain is not None:
        query = query.where(table.c.new_domain == new_domain)
    return list(work.read(table.name, work.execute(query), _definition))


def held_rewrites(work: Work, set_id: str, asked: Sequence[Rewrite]) -> set[Rewrite]:
    """What the definitions of a set do that have an original in common with these: each of these that is there
    already is among them."""
    table = alteration_definition
    query = select(*_DEFINITION_COLUMNS).where(table.c.account_id == work.account_id, table.c.set_id == set_id)
    locals_ = sorted({rewrite.original.local for rewrite in asked})
    return {_definition(row).rewrite for row in stream_named(work, query, table.c.original_local, locals_)}


def find_definition(work: Work, key: str) -> DefinitionRow | None:
    """One definition, or None."""
    table = alteration_definition
    row = work.execute(
        select(*_DEFINITION_COLUMNS).where(table.c.account_id == work.account_id, table.c.id == key)
    ).one_or_none()
    return work.read_one(table.name, row, _definition)


def add_definitions(work: Work, rows: Sequence[DefinitionRow]) -> None:
    """New definitions."""
    work.insert_many(
        insert(alteration_definition),
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


def remove_definition(work: Work, key: str) -> None:
    """Remove a definition."""
    table = alteration_definition
    work.execute(delete(table).where(table.c.account_id == work.account_id, table.c.id == key))


def page_of_policies(work: Work, asked: Asked) -> Page[AlterationPolicyRow]:
    """A page of all policies in the order of their keys, or all of them when no page was asked for."""
    table = alteration_policy
    query = select(*_POLICY_COLUMNS).where(table.c.account_id == work.account_id)
    return page_of(work, query, table.c.id, asked, _policy, lambda: _count_policies.total(work), all_at_once=True)


def find_policy(work: Work, key: str) -> AlterationPolicyRow | None:
    """One policy, or None."""
    table = alteration_policy
    row = work.execute(
        select(*_POLICY_COLUMNS).where(table.c.account_id == work.account_id, table.c.id == key)
    ).one_or_none()
    return work.read_one(table.name, row, _policy)


def add_policy(work: Work, set_id: str, document: PolicyDocument) -> AlterationPolicyRow:
    """A new policy."""
    row = AlterationPolicyRow(new_key(), set_id, document, work.now, work.now)
    work.execute(
        insert(alteration_policy).values(
            account_id=work.account_id,
            id=row.id,
            set_id=set_id,
            document=msgspec.json.encode(document).decode(),
            created_at=work.now,
            updated_at=work.now,
        )
    )
    return row


def replace_policy(
    work: Work, old: AlterationPolicyRow, set_id: str, document: PolicyDocument
) -> AlterationPolicyRow:
    """The policy with other contents; id and creation time stay."""
    table = alteration_policy
    work.execute(
        update(table)
        .where(table.c.account_id == work.account_id, table.c.id == old.id)
        .values(set_id=set_id, document=msgspec.json.encode(document).decode(), updated_at=work.now)
    )
    return msgspec.structs.replace(old, set_id=set_id, document=document, updated_at=work.now)


def remove_policy(work: Work, key: str) -> None:
    """Remove a policy."""
    table = alteration_policy
    work.execute(delete(table).where(table.c.account_id == work.account_id, table.c.id == key))


def load_definitions(work: Work) -> Iterator[Definition]:
    """The definitions as decisions see them."""
    return everything(work, _decided_definitions(work), alteration_definition.c.id, _decided_definition)


def load_some_definitions(work: Work, names: Collection[Name]) -> Changes[Definition]:
    """What has become of these definitions."""
    return changes(work, _decided_definitions(work), alteration_definition.c.id, names, _decided_definition)


def _decided_definitions(work: Work) -> Select[Any]:
    return select(*_DEFINITION_COLUMNS).where(alteration_definition.c.account_id == work.account_id)


def _decided_definition(row: Any) -> Definition:
    kept = _definition(row)
    rewrite = kept.rewrite
    return Definition(kept.id, kept.set_id, rewrite.address_type, rewrite.original, rewrite.new, rewrite.routing)


def load_policies(work: Work) -> Iterator[AlterationPolicy]:
    """The policies as decisions see them."""
    return everything(work, _decided_policies(work), alteration_policy.c.id, _decided_policy)


def load_some_policies(work: Work, names: Collection[Name]) -> Changes[AlterationPolicy]:
    """What has become of these policies."""
    return changes(work, _decided_policies(work), alteration_policy.c.id, names, _decided_policy)


def _decided_policies(work: Work) -> Select[Any]:
    table = alteration_policy.c
    return select(table.id, table.set_id, table.document).where(table.account_id == work.account_id)


def _decided_policy(row: Sequence[Any]) -> AlterationPolicy:
    key, set_id, text = row
    document = _decode(text)
    return AlterationPolicy(key, document.description, document.scope(), set_id, made_at(key))


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


def _policy(row: Sequence[Any]) -> AlterationPolicyRow:
    key, set_id, document, created_at, updated_at = row
    return AlterationPolicyRow(key, set_id, _decode(document), created_at, updated_at)
