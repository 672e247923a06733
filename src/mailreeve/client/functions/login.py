"""The functions of login. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class ApplicationAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"app_id": "appId", "client_id": "clientId", "last_used": "lastUsed", "last_used_from": "lastUsedFrom"},
):
    """An application, and the keys that users have for it. Its own last use is that of an access token."""

    app_id: str = ""
    name: str = ""
    role: str = ""
    client_id: str = ""
    created: str = ""
    keys: tuple[KeysOfUser, ...] = ()
    expires: str | None = None
    last_used: str | None = None
    last_used_from: str | None = None


class CreatedKey(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "account_code": "accountCode",
        "app_id": "appId",
        "app_key": "appKey",
        "access_key": "accessKey",
        "secret_key": "secretKey",
        "client_id": "clientId",
        "client_secret": "clientSecret",
    },
):
    """New keys in clear. They are told once."""

    account_code: str = ""
    app_id: str = ""
    app_key: str = ""
    access_key: str = ""
    secret_key: str = ""
    client_id: str = ""
    client_secret: str = ""
    user: str = ""
    name: str = ""
    role: str = ""
    expires: str | None = None


class KeysOfUser(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "access_key": "accessKey",
        "signed_in": "signedIn",
        "last_used": "lastUsed",
        "last_used_from": "lastUsedFrom",
    },
):
    """The keys of a user for an application. What is secret of them is not told again."""

    access_key: str = ""
    user: str = ""
    role: str = ""
    created: str = ""
    signed_in: str | None = None
    expires: str | None = None
    last_used: str | None = None
    last_used_from: str | None = None


class RevokedKey(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"app_id": "appId", "access_key": "accessKey"}
):
    """What was taken back: a user's keys, or without an `access_key` an application with all that it had."""

    app_id: str = ""
    access_key: str | None = None


class RotatedKey(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "app_id": "appId",
        "access_key": "accessKey",
        "secret_key": "secretKey",
        "app_key": "appKey",
        "client_id": "clientId",
        "client_secret": "clientSecret",
        "old_until": "oldUntil",
    },
):
    """New secrets in clear, told once: of a user's keys the secret key, of an application its key and the
    secret of its OAuth client. `old_until` is when the old ones end, if they have not ended.
    """

    app_id: str = ""
    access_key: str | None = None
    secret_key: str | None = None
    app_key: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    old_until: str | None = None


class LoginFunctions:
    """What can be asked about login."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_keys(self, *, page_size: int | None = None) -> Iterator[ApplicationAnswer]:
        """List the applications, and whose keys for them there are; nothing secret."""
        return self._api.every_of(ApplicationAnswer, "ext/get-keys", {}, page_size=page_size)

    def create_key(
        self,
        *,
        name: str | None = None,
        user: str | None = None,
        role: str | None = None,
        expires: str | None = None,
    ) -> CreatedKey:
        """Make an application with keys for a user. They are told once."""
        return self._api.one_of(
            CreatedKey, "ext/create-key", {"name": name, "user": user, "role": role, "expires": expires}
        )

    def rotate_key(self, *, id: str, grace: int | None = None) -> RotatedKey:
        """Exchange the secrets of an application, or of a user's keys. They are told once."""
        return self._api.one_of(RotatedKey, "ext/rotate-key", {"id": id, "grace": grace})

    def revoke_key(self, *, ids: Sequence[str]) -> list[RevokedKey]:
        """Take back applications and users' keys: all that are named, or none."""
        return self._api.all_of(RevokedKey, "ext/revoke-key", {"ids": ids})


class AsyncLoginFunctions:
    """What can be asked about login."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def get_keys(self, *, page_size: int | None = None) -> AsyncIterator[ApplicationAnswer]:
        """List the applications, and whose keys for them there are; nothing secret."""
        return self._api.every_of(ApplicationAnswer, "ext/get-keys", {}, page_size=page_size)

    async def create_key(
        self,
        *,
        name: str | None = None,
        user: str | None = None,
        role: str | None = None,
        expires: str | None = None,
    ) -> CreatedKey:
        """Make an application with keys for a user. They are told once."""
        return await self._api.one_of(
            CreatedKey, "ext/create-key", {"name": name, "user": user, "role": role, "expires": expires}
        )

    async def rotate_key(self, *, id: str, grace: int | None = None) -> RotatedKey:
        """Exchange the secrets of an application, or of a user's keys. They are told once."""
        return await self._api.one_of(RotatedKey, "ext/rotate-key", {"id": id, "grace": grace})

    async def revoke_key(self, *, ids: Sequence[str]) -> list[RevokedKey]:
        """Take back applications and users' keys: all that are named, or none."""
        return await self._api.all_of(RevokedKey, "ext/revoke-key", {"ids": ids})
