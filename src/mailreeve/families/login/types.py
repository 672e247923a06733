"""The items and answers of the functions about applications and keys. The Mimecast API has none of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType


class FindKeys(Struct, frozen=True):
    """Nothing is asked but for all of them."""


class CreateKey(Struct, frozen=True):
    """An application to make, with keys for a user. `user` is by default the caller, `role` that of the user,
    who may have none: such keys open the user's mailbox and nothing else."""

    name: str | None = None
    user: str | None = None
    role: str | None = None
    expires: str | None = None


class RotateKey(Struct, frozen=True):
    """An application or an access key that is to get new secrets. The old ones are good for `grace`
    seconds yet."""

    id: str
    grace: int = 0


class RevokeKey(Struct, frozen=True):
    """Applications, and access keys, that are to be void: all of them, or none."""

    ids: list[str]


class KeysOfUser(Struct, frozen=True, rename="camel"):
    """The keys of a user for an application. What is secret of them is not told again."""

    access_key: str
    user: str
    role: str
    created: str
    signed_in: str | UnsetType = UNSET
    expires: str | UnsetType = UNSET
    last_used: str | UnsetType = UNSET
    last_used_from: str | UnsetType = UNSET


class ApplicationAnswer(Struct, frozen=True, rename="camel"):
    """An application, and the keys that users have for it. Its own last use is that of an access token."""

    app_id: str
    name: str
    role: str
    client_id: str
    created: str
    keys: Sequence[KeysOfUser]
    expires: str | UnsetType = UNSET
    last_used: str | UnsetType = UNSET
    last_used_from: str | UnsetType = UNSET


class CreatedKey(Struct, frozen=True, rename="camel"):
    """New keys in clear. They are told once."""

    account_code: str
    app_id: str
    app_key: str
    access_key: str
    secret_key: str
    client_id: str
    client_secret: str
    user: str
    name: str
    role: str
    expires: str | UnsetType = UNSET


class RotatedKey(Struct, frozen=True, rename="camel"):
    """New secrets in clear, told once: of a user's keys the secret key, of an application its key and the secret
    of its OAuth client. `old_until` is when the old ones end, if they have not ended."""

    app_id: str
    access_key: str | UnsetType = UNSET
    secret_key: str | UnsetType = UNSET
    app_key: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET
    old_until: str | UnsetType = UNSET


class RevokedKey(Struct, frozen=True, rename="camel"):
    """What was taken back: a user's keys, or without an `access_key` an application with all that it had."""

    app_id: str
    access_key: str | UnsetType = UNSET
