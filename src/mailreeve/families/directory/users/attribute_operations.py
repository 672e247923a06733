"""What can be done with the attributes of users: validate, change, audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from mailreeve.families.directory.users import attributes, operations, rights
from mailreeve.families.directory.users.attributes import AttributeType, AttributeValue
from mailreeve.families.directory.users.errors import ATTRIBUTE_LIMIT, ATTRIBUTE_NOT_FOUND
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.directory.users.types import AttributeItem
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Part
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, refused
from mailreeve.wire.tokens import Kind

MAX_NAME: Final = 255
MAX_VALUE: Final = 1024
MAX_TYPES: Final = 1000


class Attributes(Struct, frozen=True):
    """A user's attributes, as the audit log has them."""

    address: str
    values: Sequence[AttributeValue]


def update(call: Call, text: str, items: Sequence[AttributeItem]) -> tuple[UserRow, list[AttributeValue]]:
    """The user, and its attributes once these are set. A new name with a value makes a new type, and an item
    without a value removes the user's. Raises `ItemRefused`."""
    user = operations.get(call.work, text, "emailAddress")
    rights.refuse_above(call, user, "emailAddress")
    before = attributes.values_of(call.work, user.id)
    for n, item in enumerate(items):
        _put(call, user, item, f"attributes[{n}]")
    after = attributes.values_of(call.work, user.id)
    if after != before:
        call.work.changed(
            Part.DIRECTORY,
            "update-attributes",
            Kind.USER,
            user.id,
            before=Attributes(user.address, before),
            after=Attributes(user.address, after),
        )
    return user, after


def _put(call: Call, user: UserRow, item: AttributeItem, field: str) -> None:
    value = fields.short(item.value or "", f"{field}.value", MAX_VALUE)
    kind = _type(call, item, field)
    if value:
        attributes.put(call.work, user.id, kind.id, value)
    else:
        attributes.remove(call.work, user.id, kind.id)


def _type(call: Call, item: AttributeItem, field: str) -> AttributeType:
    if item.id is not None:
        key = call.open(Kind.ATTRIBUTE, item.id, f"{field}.id")
        found = attributes.find_type(call.work, key=key)
        if found is None:
            raise refused(ATTRIBUTE_NOT_FOUND, f"{field}.id")
        return found
    if item.name is None:
        raise refused(AT_LEAST_ONE, f"{field}.id", "One of id and name is required")
    found = attributes.find_type(call.work, name=item.name)
    if found is not None:
        return found
    if item.value is None:
        raise refused(ATTRIBUTE_NOT_FOUND, f"{field}.name")
    fields.short(item.name, f"{field}.name", MAX_NAME)
    if attributes.count_types(call.work) >= MAX_TYPES:
        raise refused(ATTRIBUTE_LIMIT, f"{field}.name", f"{ATTRIBUTE_LIMIT.message}: {MAX_TYPES}")
    new = attributes.add_type(call.work, item.name)
    call.work.changed(Part.DIRECTORY, "create", Kind.ATTRIBUTE, new.id, after=new)
    return new
