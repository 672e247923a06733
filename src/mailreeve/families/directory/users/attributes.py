"""Which attributes do users have? The tables of attribute types and values, and their queries.

The names of types are unique without regard to case. A user has at most one value of each type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)

from mailreeve.families.machinery.pages import Listing
from mailreeve.store.keys import new_key
from mailreeve.store.loading import stream, stream_named
from mailreeve.store.records import Records, given, maker, ours
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


_types: Final = Records(attribute_type, AttributeType)
_listing: Final = Listing(_types.where().statement, attribute_type.c.id, _types.make, all_at_once=True)
_named: Final = _types.where(attribute_type.c.folded == given("text"))
_count: Final = select(func.count()).select_from(attribute_type).where(ours(attribute_type))
_value: Final = attribute_value.c
_of_user: Final = _value.user_id == given("whose")
_one: Final = (ours(attribute_value), _of_user, _value.type_id == given("which"))
_values: Final = (
    select(_value.type_id, attribute_type.c.name, _value.value)
    .join(
        attribute_type,
        (_value.account_id == attribute_type.c.account_id) & (_value.type_id == attribute_type.c.id),
    )
    .where(ours(attribute_value), _of_user)
)
_values_of_users: Final = (
    select(_value.user_id, _value.type_id, attribute_type.c.name, _value.value)
    .join(
        attribute_type,
        (_value.account_id == attribute_type.c.account_id) & (_value.type_id == attribute_type.c.id),
    )
    .where(ours(attribute_value))
)
_values_in_order: Final = _values.order_by(_value.type_id)
_listing_of_values: Final = Listing(_values, _value.type_id, maker(AttributeValue), all_at_once=True)
_count_values: Final = select(func.count()).select_from(attribute_value).where(ours(attribute_value), _of_user)
_change: Final = update(attribute_value).where(*_one).values(value=given("new_value"))
_insert: Final = insert(attribute_value)
_remove: Final = delete(attribute_value).where(*_one)
_remove_all: Final = delete(attribute_value).where(ours(attribute_value), _of_user)
_matched: Final = (
    select(_value.user_id, _value.type_id, _value.value)
    .where(ours(attribute_value))
    .order_by(_value.user_id, _value.type_id)
)


def page_of_types(work: Work, asked: Asked) -> Page[AttributeType]:
    """A page of all attribute types in the order of their keys, or all of them when no page was asked for."""
    return _listing.page(work, asked, lambda: count_types(work))


def find_type(work: Work, *, key: str | None = None, name: str | None = None) -> AttributeType | None:
    """The attribute type with this key, or without one with this name, in any case; None if there is none."""
    return _named.one(work, text=(name or "").casefold()) if key is None else _types.find(work, key)


def count_types(work: Work) -> int:
    """How many attribute types the account has."""
    found: int = work.run(_count).scalar_one()
    return found


def add_type(work: Work, name: str) -> AttributeType:
    """A new attribute type."""
    row = AttributeType(new_key(), name)
    return _types.insert(work, row, folded=name.casefold(), created_at=work.now)


def values_of(work: Work, user_id: str) -> list[AttributeValue]:
    """A user's values, in the order of their types' keys."""
    return [AttributeValue(*row) for row in work.run(_values_in_order, {"whose": user_id})]


def values_of_users(work: Work, users: Sequence[str]) -> Iterator[tuple[str, AttributeValue]]:
    """The values of these users, each with the user's id."""
    for user_id, *row in stream_named(work, _values_of_users, _value.user_id, users):
        yield user_id, AttributeValue(*row)


def page_of_values(work: Work, user_id: str, asked: Asked) -> Page[AttributeValue]:
    """A page of a user's values in the order of their types' keys, or all of them when no page was asked for."""

    def total() -> int:
        found: int = work.run(_count_values, {"whose": user_id}).scalar_one()
        return found

    return _listing_of_values.page(work, asked, total, whose=user_id)


def put(work: Work, user_id: str, type_id: str, value: str) -> None:
    """Give a user a value, in place of the one there may be."""
    if work.run(_change, {"whose": user_id, "which": type_id, "new_value": value}).rowcount == 0:
        work.insert(_insert, {"user_id": user_id, "type_id": type_id, "value": value})


def remove(work: Work, user_id: str, type_id: str) -> None:
    """Take a value from a user, if there is one."""
    work.run(_remove, {"whose": user_id, "which": type_id})


def remove_all(work: Work, user_id: str) -> None:
    """Take all values from a user."""
    work.run(_remove_all, {"whose": user_id})


def matched_values(work: Work, users: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
    """From each user who has attributes to type ids and values without case: what decisions read (D-41). Of these
    users, or of all."""
    found: dict[str, dict[str, str]] = {}
    rows = stream(work, _matched) if users is None else stream_named(work, _matched, _value.user_id, users)
    for user_id, type_id, value in rows:
        found.setdefault(user_id, {})[type_id] = value.casefold()
    return found
