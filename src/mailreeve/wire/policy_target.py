"""Whom does one side of a policy object name, as it is written and as it is kept (api.md section 3.0.2)?

Targets come in a nested and in an old flat spelling. Groups and attributes are the store's; `References` looks
them up.
"""

from __future__ import annotations

from typing import Annotated, Final, Protocol

from msgspec import Meta, Struct

from mailreeve.formats.addresses import Domain
from mailreeve.formats.display_names import fold_display_name
from mailreeve.policy.model.targets import Target, TargetType, shared_target
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, NOT_ALLOWED, NULL, refused
from mailreeve.wire.items import AsWritten

WrittenType = Annotated[
    TargetType, Meta(extra={"also": {"email_address": TargetType.INDIVIDUAL_EMAIL_ADDRESS.value}})
]
"""A target type as clients write it: two of them call an individual address so. Answers have the proper name."""


class GroupObject(Struct, frozen=True, rename="camel"):
    """A group inside an answer about something else (api.md section 3.0.4)."""

    id: str
    description: str
    source: str
    parent_id: str
    user_count: int
    folder_count: int
    folders: tuple[GroupObject, ...] = ()


class References(Protocol):
    """The objects of other families that a policy names. All raise `ItemRefused` naming `field`."""

    def group_key(self, wire_id: str, field: str) -> str:
        """The store key of an existing group."""

    def group_id(self, key: str) -> str:
        """The wire id of a group."""

    def group(self, key: str) -> GroupObject:
        """A group with those right below it."""

    def attribute_key(self, wire_id: str | None, name: str | None, field: str) -> str:
        """The store key of an existing attribute, by id or by name."""

    def attribute_id(self, key: str) -> str:
        """The wire id of an attribute."""

    def attribute_name(self, key: str) -> str:
        """The name of an attribute."""

    def is_own(self, domain: Domain) -> bool:
        """Whether a domain is one of the account's own."""


class AttributeItem(Struct, frozen=True, omit_defaults=True):
    """A user attribute and the value it should equal."""

    value: AsWritten | None = None
    id: str | None = None
    name: str | None = None


class GroupItem(Struct, frozen=True):
    """A group as answers of web lists name it; of what they hold, the id counts."""

    id: str | None = None


class TargetItem(Struct, frozen=True, rename="camel"):
    """A policy target as clients write it. Members that its type does not need are ignored. A group may be named
    by `groupId` or, as it is read, by a `group` with its `id` (api.md section 3.0.2)."""

    type: WrittenType
    email_address: str | None = None
    email_domain: str | None = None
    group_id: str | None = None
    group: GroupItem | None = None
    attribute: AttributeItem | None = None
    header_display_name: AsWritten | None = None


class TargetDocument(Struct, frozen=True, omit_defaults=True):
    """A target as the store keeps it: `key` is what is matched, `shown` what the writer typed."""

    type: TargetType
    key: str = ""
    shown: str = ""
    attribute: str = ""

    def means(self, other: TargetDocument) -> bool:
        """Whether the other one is the same target, however each was typed (D-47)."""
        return (self.type, self.key, self.attribute) == (other.type, other.key, other.attribute)

    def target(self) -> Target:
        """The target as decisions see it. Raises `ValueError` for one that can match nothing."""
        if self.type is TargetType.INDIVIDUAL_EMAIL_ADDRESS and "@" not in self.key:
            raise ValueError("the address of a target is none")
        if self.type is TargetType.HEADER_DISPLAY_NAME:
            # Folded anew: what looks alike is a matter of Unicode's version, not of the day it was stored.
            return shared_target(self.type, fold_display_name(self.shown))
        return shared_target(self.type, self.key, self.attribute)


_WITHOUT_VALUE: Final = frozenset(
    (
        TargetType.EVERYONE,
        TargetType.INTERNAL_ADDRESSES,
        TargetType.EXTERNAL_ADDRESSES,
        TargetType.FREE_MAIL_DOMAINS,
    )
)


class Side(Struct, frozen=True):
    """One side of a scope as it was written: its target in the nested spelling, and which spelling it had."""

    path: str
    item: TargetItem | None
    flat: bool = False
    typeless: bool = False

    def name(self, member: str) -> str:
        """What the writer called a member of the target."""
        if not self.flat:
            return f"{self.path}.{member}"
        return f"{self.path}Type" if member == "type" else f"{self.path}Value"


def side(
    path: str,
    target: TargetItem | None,
    flat_type: TargetType | None,
    value: str | None,
    references: References,
    old: TargetDocument | None,
) -> Side:
    """The flat spelling counts where the nested one is absent (api.md section 3.2.1).

    It has no place for an attribute's id, so there it is about the attribute that the old policy names. A flat
    value without its type is of the type that the old policy has there, if that one has a value.
    """
    if target is None and flat_type is None and value is not None:
        if old is None or old.type in _WITHOUT_VALUE:
            return Side(path, None, flat=True, typeless=True)
        flat_type = old.type
    if target is not None or flat_type is None:
        return Side(path, target)
    same_kind = old is not None and old.type is flat_type is TargetType.ADDRESS_ATTRIBUTE_VALUE
    attribute = references.attribute_id(old.attribute) if old is not None and same_kind else None
    plain = None if value is None else value.strip()  # Names and values alone may have white space that counts.
    item = TargetItem(
        flat_type,
        email_address=plain,
        email_domain=plain,
        group_id=plain,
        attribute=AttributeItem(value=value, id=attribute),
        header_display_name=value,
    )
    return Side(path, item, flat=True)


def target(side: Side, types: frozenset[TargetType], references: References) -> TargetDocument:
    """The target that one side stands for, of one of the types that the family takes. Raises `ItemRefused`."""
    item, name = side.item or TargetItem(TargetType.EVERYONE), side.name
    if item.type not in types:
        names = ",".join(t for t in TargetType if t in types)
        raise refused(NOT_ALLOWED, name("type"), f"Field must be one of [{names}]")
    match item.type:
        case TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            text = _required(item.email_address, name("emailAddress"))
            address = fields.written_out(fields.address(text, name("emailAddress")), name("emailAddress"))
            return TargetDocument(item.type, address.key, text)
        case TargetType.EMAIL_DOMAIN:
            text = _required(item.email_domain, name("emailDomain")).removeprefix("@")
            return TargetDocument(item.type, fields.mail_domain(text, name("emailDomain"), references), text)
        case TargetType.PROFILE_GROUP:
            named = item.group_id if item.group is None else item.group_id or item.group.id
            text = _required(named, name("groupId"))
            return TargetDocument(item.type, references.group_key(text, name("groupId")))
        case TargetType.HEADER_DISPLAY_NAME:
            text = _required(item.header_display_name, name("headerDisplayName"))
            return TargetDocument(item.type, fold_display_name(text), text)
        case TargetType.ADDRESS_ATTRIBUTE_VALUE:
            attribute = item.attribute or AttributeItem()
            text = _required(attribute.value, name("attribute.value"))
            if attribute.id is None and attribute.name is None:
                raise refused(AT_LEAST_ONE, name("attribute.id"), "attribute.id or attribute.name is required")
            key = references.attribute_key(attribute.id, attribute.name, f"{side.path}.attribute")
            return TargetDocument(item.type, text.casefold(), text, key)
        case _:
            return TargetDocument(item.type)


def _required(text: str | None, path: str) -> str:
    if text is None:
        raise refused(NULL, path)
    return text
