"""The functions of sign in. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class ChangedPassword(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"email_address": "emailAddress"}
):
    """Whose password was changed, and when."""

    email_address: str = ""
    changed: str = ""


class Discovered(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "email_token": "emailToken"},
):
    """How to sign in. It is alike for every address, whether there is such a user or not."""

    authenticate: tuple[str, ...] = ()
    email_address: str = ""
    email_token: str = ""
    region: Region = field(default_factory=lambda: Region())


class MyKey(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "access_key": "accessKey",
        "app_id": "appId",
        "is_this": "isThis",
        "signed_in": "signedIn",
        "last_used": "lastUsed",
        "last_used_from": "lastUsedFrom",
    },
):
    """The keys of the caller for an application. What is secret of them is not told again. `signed_in` is when
    the caller last signed in for them; keys that were made otherwise have none.
    """

    access_key: str = ""
    app_id: str = ""
    application: str = ""
    created: str = ""
    is_this: bool = False
    signed_in: str | None = None
    expires: str | None = None
    last_used: str | None = None
    last_used_from: str | None = None


class Region(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to call: `api` is scheme and host."""

    code: str = ""
    api: str = ""


class SignedIn(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "access_key": "accessKey",
        "secret_key": "secretKey",
        "binding_type": "bindingType",
        "extend_on_validate": "extendOnValidate",
        "last_user_token": "lastUserToken",
    },
):
    """Keys for the user and the application. They are good for `duration` milliseconds, and no longer for
    being used.
    """

    access_key: str = ""
    secret_key: str = ""
    binding_type: str = ""
    duration: int = 0
    extend_on_validate: bool = False
    last_user_token: str = ""
    username: str = ""


class SignedOut(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"access_key": "accessKey"}):
    """A key that is void."""

    access_key: str = ""


class SignInFunctions:
    """What can be asked about sign in."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def discover_authentication(self, *, email_address: str) -> Discovered:
        """Say how users sign in, and where to call."""
        return self._api.one_of(Discovered, "login/discover-authentication", {"emailAddress": email_address})

    def login(
        self, *, user_name: str | None = None, username: str | None = None, access_key: str | None = None
    ) -> SignedIn:
        """Get keys for a password, or more time for those there are."""
        return self._api.one_of(
            SignedIn, "login/login", {"userName": user_name, "username": username, "accessKey": access_key}
        )

    def logout(self, *, access_key: str | None = None) -> SignedOut:
        """Give keys back: those of the call, or others of the caller."""
        return self._api.one_of(SignedOut, "login/logout", {"accessKey": access_key})

    def change_password(self, *, new_password: str) -> ChangedPassword:
        """Change one's own password, the one of the Authorization header."""
        return self._api.one_of(ChangedPassword, "ext/change-password", {"newPassword": new_password})

    def get_my_keys(self, *, page_size: int | None = None) -> Iterator[MyKey]:
        """List the caller's own keys; nothing secret."""
        return self._api.every_of(MyKey, "ext/get-my-keys", {}, page_size=page_size)

    def revoke_my_key(self, *, access_key: str) -> SignedOut:
        """Make one of the caller's own keys void."""
        return self._api.one_of(SignedOut, "ext/revoke-my-key", {"accessKey": access_key})


class AsyncSignInFunctions:
    """What can be asked about sign in."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def discover_authentication(self, *, email_address: str) -> Discovered:
        """Say how users sign in, and where to call."""
        return await self._api.one_of(Discovered, "login/discover-authentication", {"emailAddress": email_address})

    async def login(
        self, *, user_name: str | None = None, username: str | None = None, access_key: str | None = None
    ) -> SignedIn:
        """Get keys for a password, or more time for those there are."""
        return await self._api.one_of(
            SignedIn, "login/login", {"userName": user_name, "username": username, "accessKey": access_key}
        )

    async def logout(self, *, access_key: str | None = None) -> SignedOut:
        """Give keys back: those of the call, or others of the caller."""
        return await self._api.one_of(SignedOut, "login/logout", {"accessKey": access_key})

    async def change_password(self, *, new_password: str) -> ChangedPassword:
        """Change one's own password, the one of the Authorization header."""
        return await self._api.one_of(ChangedPassword, "ext/change-password", {"newPassword": new_password})

    def get_my_keys(self, *, page_size: int | None = None) -> AsyncIterator[MyKey]:
        """List the caller's own keys; nothing secret."""
        return self._api.every_of(MyKey, "ext/get-my-keys", {}, page_size=page_size)

    async def revoke_my_key(self, *, access_key: str) -> SignedOut:
        """Make one of the caller's own keys void."""
        return await self._api.one_of(SignedOut, "ext/revoke-my-key", {"accessKey": access_key})
