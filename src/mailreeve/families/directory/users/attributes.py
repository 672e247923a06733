"""Which attributes do users have? The tables of attribute types and values, and their queries.

The names of types are unique without regard to case. A user has at most one value of each type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Select,
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
from mailreeve.store.keys import new_key
from mailreeve.store.loading import stream, stream_named
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

attribute_type: Final = Table(
    "attribute_type",
    metadata,
    account_column(),
    key_column(),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("account_id", "folded"),
)
"""Attribute types. `folded` is the name without case."""

attribute_value: Final = Table(
    "attribute_value",
    metadata,
    account_column(),
    Column("user_id", KEY, primary_key=True),
    Column("type_id", KEY, primary_key=True),
    Column("value", Text, nullable=False),
    ForeignKeyConstraint(["account_id", "user_id"], ["user.account_id", "user.id"]),
    ForeignKeyConstraint(["account_id", "type_id"], ["attribute_type.account_id", "attribute_type.id"]),
)
"""The values that users have, as typed."""


class AttributeType(Struct, frozen=True):
    """A kind of attribute, such as a department."""

    id: str
    name: str


class AttributeValue(Struct, frozen=True):
    """A user's value of an attribute."""

    type_id: str
    name: str
    value: str


def page_of_types(work: Work, asked: Asked) -> Page[AttributeType]:
    """A page of all attribute types in the order of their keys, or all of them when no page was asked for."""
    table = attribute_type.c
    query = select(table.id, table.name).where(table.account_id == work.account_id)
    return page_of(
        work,
        query,
        table.id,
        asked,
        lambda row: AttributeType(*row),
        lambda: count_types(work),
        all_at_once=True,
    )


def find_type(work: Work, *, key: str | None = None, name: str | None = None) -> AttributeType | None:
    """The attribute type with this key, or without one with this name, in any case; None if there is none."""
    wanted = attribute_type.c.folded == (name or "").casefold() if key is None else attribute_type.c.id == key
    row = work.execute(
        select(attribute_type.c.id, attribute_type.c.name).where(
            attribute_type.c.account_id == work.account_id, wanted
        )
    ).one_or_none()
    return work.read_one(attribute_type.name, row, lambda row: AttributeType(*row))


def count_types(work: Work) -> int:
    """How many attribute types the account has."""
    found: int = work.execute(
        select(func.count()).select_from(attribute_type).where(attribute_type.c.account_id == work.account_id)
    ).scalar_one()
    return found


def add_type(work: Work, name: str) -> AttributeType:
    """A new attribute type."""
    row = AttributeType(new_key(), name)
    work.execute(
        insert(attribute_type).values(
            account_id=work.account_id, id=row.id, name=name, folded=name.casefold(), created_at=work.now
        )
    )
    return row


def values_of(work: Work, user_id: str) -> list[AttributeValue]:
    """A user's values, in the order of their types' keys."""
    rows = work.execute(_values(work, user_id).order_by(attribute_value.c.type_id))
    return [AttributeValue(*row) for row in rows]


def page_of_values(work: Work, user_id: str, asked: Asked) -> Page[AttributeValue]:
    """A page of a user's values in the order of their types' keys, or all of them when no page was asked for."""
    table = attribute_value.c

    def total() -> int:
        found: int = work.execute(
            select(func.count())
            .select_from(attribute_value)
            .where(table.account_id == work.account_id, table.user_id == user_id)
        ).scalar_one()
        return found

    query = _values(work, user_id)
    return page_of(work, query, table.type_id, asked, lambda row: AttributeValue(*row), total, all_at_once=True)


def _values(work: Work, user_id: str) -> Select[Any]:
    return (
        select(attribute_value.c.type_id, attribute_type.c.name, attribute_value.c.value)
        .join(
            attribute_type,
            (attribute_value.c.account_id == attribute_type.c.account_id)
            & (attribute_value.c.type_id == attribute_type.c.id),
        )
        .where(attribute_value.c.account_id == work.account_id, attribute_value.c.user_id == user_id)
    )


def put(work: Work, user_id: str, type_id: str, value: str) -> None:
    """Give a user a value, in place of the one there may be."""
    ours = (
        attribute_value.c.account_id == work.account_id,
        attribute_value.c.user_id == user_id,
        attribute_value.c.type_id == type_id,
    )
    if work.execute(update(attribute_value).where(*ours).values(value=value)).rowcount == 0:
        work.execute(
            insert(attribute_value).values(
                account_id=work.account_id, user_id=user_id, type_id=type_id, value=value
            )
        )


def remove(work: Work, user_id: str, type_id: str) -> None:
    """Take a value from a user, if there is one."""
    work.execute(
        delete(attribute_value).where(
            attribute_value.c.account_id == work.account_id,
            attribute_value.c.user_id == user_id,
            attribute_value.c.type_id == type_id,
        )
    )


def matched_values(work: Work, users: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
    """From each user who has attributes to type ids and values without case: what decisions read (D-41). Of these
    users, or of all."""
    found: dict[str, dict[str, str]] = {}
    table = attribute_value.c
    query = (
        select(table.user_id, table.type_id, table.value)
        .where(table.account_id == work.account_id)
        .order_by(table.user_id, table.type_id)
    )
    for user_id, type_id, value in (
        stream(work, query) if users is None else stream_named(work, query, table.user_id, users)
    ):
        found.setdefault(user_id, {})[type_id] = value.casefold()
    return found
