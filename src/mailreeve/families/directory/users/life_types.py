"""The items and answers of our own endpoints about users: who there is, another address, and a removal."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType


class RenameUser(Struct, frozen=True, rename="camel"):
    """A user who gets another primary address. The old one stays as an alias unless `keep_as_alias` is false."""

    email_address: str
    new_address: str
    keep_as_alias: bool = True


class RemoveUser(Struct, frozen=True, rename="camel"):
    """A user to remove. A user whom policies or definitions name is refused, unless these may stay: `force`."""

    email_address: str
    force: bool = False


class SearchUsers(Struct, frozen=True, rename="camel"):
    """Which users to list: those who fit everything that is given. `query` is a part of the name or of an address,
    in any case; a group has those in groups below it as well."""

    domain: str | None = None
    group_id: str | None = None
    locked: bool | None = None
    query: str | None = None


class RenamedUser(Struct, frozen=True, rename="camel"):
    """A user under the new address. `alias` is the old address, empty where it was not kept; `followed` says what
    followed, in words."""

    id: str
    email_address: str
    was: str
    alias: str
    followed: Sequence[str]


class RemovedUser(Struct, frozen=True, rename="camel"):
    """A user who is gone, with the aliases. `gone` says what went too, in words."""

    id: str
    email_address: str
    aliases: Sequence[str]
    gone: Sequence[str]
    deleted: bool = True


class FormerAnswer(Struct, frozen=True, rename="camel"):
    """A primary address that the user had before, and until when."""

    email_address: str
    until: str


class FoundUser(Struct, frozen=True, rename="camel"):
    """A user in a list, with the first twenty aliases and how many there are."""

    id: str
    email_address: str
    name: str
    role: str
    locked: bool
    disabled: bool
    aliases: Sequence[str]
    alias_count: int
    formerly: Sequence[FormerAnswer] | UnsetType = UNSET


class MembershipOf(Struct, frozen=True, rename="camel"):
    """A group that a user is in: by which member, an address or a domain, and until when if it ends."""

    group_id: str
    description: str
    member: str
    until: str | UnsetType = UNSET


class NamedValue(Struct, frozen=True):
    """A value that a user has of an attribute."""

    name: str
    value: str


class DescribedUser(FoundUser, frozen=True, rename="camel", kw_only=True):
    """A user, with groups, attributes, and what the capabilities keep for the user, in words."""

    groups: Sequence[MembershipOf]
    attributes: Sequence[NamedValue]
    kept: Sequence[str]
