"""The items and answers of the user endpoints (api.md section 3.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType


class CreateUser(Struct, frozen=True, rename="camel"):
    """A user to create. Without a password nobody logs in as that user."""

    email_address: str
    name: str | None = None
    password: str | None = None
    force_password_change: bool = False
    account_code: str | None = None


class UpdateUser(Struct, frozen=True, rename="camel"):
    """A user to change. What is left out stays, so that an address alone asks for the settings."""

    email_address: str
    name: str | None = None
    password: str | None = None
    force_password_change: bool | None = None
    password_never_expires: bool | None = None
    account_locked: bool | None = None
    account_disabled: bool | None = None
    allow_smtp: bool | None = None
    allow_pop: bool | None = None
    archive_start_date: str | None = None


class NewUser(Struct, frozen=True):
    """A user to create, with the password hashed."""

    item: CreateUser
    password_hash: str | None


class ChangedUser(Struct, frozen=True):
    """A user to change, with the password hashed. Without a hash the password stays."""

    item: UpdateUser
    password_hash: str | None


class FindUsers(Struct, frozen=True):
    """Which users to list: those of one domain, or all."""

    domain: str | None = None


class OneUser(Struct, frozen=True, rename="camel"):
    """One user, by any address."""

    email_address: str


class ProfileOf(Struct, frozen=True, rename="camel"):
    """One user, or without an address the caller. There are no avatars to show."""

    email_address: str | None = None
    show_avatar: bool = False


class WriteAlias(Struct, frozen=True, rename="camel"):
    """An alias to give to a user."""

    alias: str
    alias_for: str


class RemoveAlias(Struct, frozen=True, rename="camel"):
    """An alias to remove. With `alias_for`, it has to be that user's."""

    alias: str
    alias_for: str | None = None


class AttributeItem(Struct, frozen=True):
    """A value to set, of a type named by id or by name; without a value, the one there is goes."""

    id: str | None = None
    name: str | None = None
    value: str | None = None


class UpdateAttributes(Struct, frozen=True, rename="camel"):
    """Attributes of a user to set."""

    email_address: str
    attributes: list[AttributeItem]


class Nothing(Struct, frozen=True):
    """An item of which nothing is read."""


class CreatedUser(Struct, frozen=True, rename="camel"):
    """A user just created."""

    id: str
    email_address: str


class UserSettings(Struct, frozen=True, rename="camel"):
    """What can be set for a user, as it is now."""

    id: str
    email_address: str
    name: str
    force_password_change: bool
    password_never_expires: bool
    account_locked: bool
    account_disabled: bool
    allow_smtp: bool
    allow_pop: bool
    archive_start_date: str | UnsetType = UNSET


class ListedUser(Struct, frozen=True, rename="camel"):
    """An address in the list of users: a user's primary one, or an alias."""

    name: str
    email_address: str
    domain: str
    alias: bool
    address_type: str
    source: str


class UsersAnswer(Struct, frozen=True, rename="camel"):
    """A page of addresses. `user_count` counts those on every page."""

    users: Sequence[ListedUser]
    user_count: int


class Link(Struct, frozen=True):
    """Another call about the same user."""

    name: str
    method: str
    uri: str


class ProfileAnswer(Struct, frozen=True, rename="camel"):
    """A user's profile. `role` is empty for a user without one."""

    id: str
    name: str
    email_address: str
    account_code: str
    company_name: str
    role: str
    admin: bool
    local_password: bool
    change_password: bool
    external: bool
    editable: bool
    attributes: Mapping[str, str]
    links: Sequence[Link] = ()
    server_time_zone: str = "UTC"


class AliasAnswer(Struct, frozen=True, rename="camel"):
    """An alias and whose it is."""

    alias: str
    alias_display_name: str
    alias_for: str
    domain: str
    is_internal: bool
    type: str


class AttributeAnswer(Struct, frozen=True):
    """A value that a user has."""

    id: str
    name: str
    value: str


class AttributesAnswer(Struct, frozen=True, rename="camel"):
    """The attributes of a user."""

    email_address: str
    attributes: Sequence[AttributeAnswer]


class AttributeTypeAnswer(Struct, frozen=True):
    """A kind of attribute."""

    id: str
    name: str


class AttributeTypesAnswer(Struct, frozen=True, rename="camel"):
    """The kinds of attribute that users can have."""

    attribute_types: Sequence[AttributeTypeAnswer]
