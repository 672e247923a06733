"""The items and answers of the functions about administrators. The Mimecast API has none of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType


class FindAdministrators(Struct, frozen=True):
    """Nothing is asked but for all of them."""


class AddAdministrator(Struct, frozen=True, rename="camel"):
    """A user to appoint, who is made if there is none with the address. Without a password the user keeps the one
    that there is, or has none."""

    email_address: str
    role: str
    name: str | None = None
    password: str | None = None
    force_password_change: bool = False


class NewAdministrator(Struct, frozen=True):
    """A user to appoint, with the password hashed."""

    item: AddAdministrator
    password_hash: str | None


class OneAdministrator(Struct, frozen=True, rename="camel"):
    """A user who has a role, by any address."""

    email_address: str


class SetRole(Struct, frozen=True, rename="camel"):
    """Who is to have another role: a user, by any address, or an application, by its id."""

    role: str
    email_address: str | None = None
    app_id: str | None = None


class KeyUse(Struct, frozen=True, rename="camel"):
    """A user's keys for an application, and when and from where they were used last."""

    application: str
    access_key: str
    last_used: str | UnsetType = UNSET
    last_used_from: str | UnsetType = UNSET
    expires: str | UnsetType = UNSET


class AdministratorAnswer(Struct, frozen=True, rename="camel"):
    """A user who has a role. Nobody calls as one who is locked or disabled."""

    id: str
    email_address: str
    name: str
    role: str
    account_locked: bool
    account_disabled: bool
    local_password: bool
    keys: Sequence[KeyUse]


class RoleSet(Struct, frozen=True, rename="camel"):
    """What role a user or an application has now; empty for none."""

    role: str
    email_address: str | UnsetType = UNSET
    app_id: str | UnsetType = UNSET
