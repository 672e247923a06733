"""The items and answers of signing in (api.md section 2.4), and of one's own keys."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType


class Discover(Struct, frozen=True, rename="camel"):
    """Who wants to know how to sign in."""

    email_address: str


class Region(Struct, frozen=True):
    """Where to call: `api` is scheme and host."""

    code: str
    api: str


class Discovered(Struct, frozen=True, rename="camel"):
    """How to sign in. It is alike for every address, whether there is such a user or not."""

    authenticate: Sequence[str]
    email_address: str
    email_token: str
    region: Region


class SignIn(Struct, frozen=True, rename="camel"):
    """A sign-in. Whose it is, the Authorization header says; clients repeat it under one name or the other. With
    `access_key` that key is good for longer, and no new one is made."""

    user_name: str | None = None
    username: str | None = None
    access_key: str | None = None


class SignedIn(Struct, frozen=True, rename="camel"):
    """Keys for the user and the application. They are good for `duration` milliseconds, and no longer for being
    used."""

    access_key: str
    secret_key: str
    binding_type: str
    duration: int
    extend_on_validate: bool
    last_user_token: str
    username: str


class SignOut(Struct, frozen=True, rename="camel"):
    """The access key to give back; without one, that of the call."""

    access_key: str | None = None


class SignedOut(Struct, frozen=True, rename="camel"):
    """A key that is void."""

    access_key: str


class ChangePassword(Struct, frozen=True, rename="camel"):
    """The password to have from now on."""

    new_password: str


class NewPassword(Struct, frozen=True):
    """The hash of a password to have from now on."""

    password_hash: str


class ChangedPassword(Struct, frozen=True, rename="camel"):
    """Whose password was changed, and when."""

    email_address: str
    changed: str


class MyKeys(Struct, frozen=True):
    """Nothing is asked but for all of them."""


class MyKey(Struct, frozen=True, rename="camel"):
    """The keys of the caller for an application. What is secret of them is not told again. `signed_in` is when the
    caller last signed in for them; keys that were made otherwise have none."""

    access_key: str
    app_id: str
    application: str
    created: str
    is_this: bool
    signed_in: str | UnsetType = UNSET
    expires: str | UnsetType = UNSET
    last_used: str | UnsetType = UNSET
    last_used_from: str | UnsetType = UNSET


class RevokeMyKey(Struct, frozen=True, rename="camel"):
    """A key of the caller that is to be void."""

    access_key: str
