"""The functions of administrators. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AdministratorAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "email_address": "emailAddress",
        "account_locked": "accountLocked",
        "account_disabled": "accountDisabled",
        "local_password": "localPassword",
    },
):
    """A user who has a role. Nobody calls as one who is locked or disabled."""

    id: str = ""
    email_address: str = ""
    name: str = ""
    role: str = ""
    account_locked: bool = False
    account_disabled: bool = False
    local_password: bool = False
    keys: tuple[KeyUse, ...] = ()


class KeyUse(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"access_key": "accessKey", "last_used": "lastUsed", "last_used_from": "lastUsedFrom"},
):
    """A user's keys for an application, and when and from where they were used last."""

    application: str = ""
    access_key: str = ""
    last_used: str | None = None
    last_used_from: str | None = None
    expires: str | None = None


class RoleSet(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "app_id": "appId"},
):
    """What role a user or an application has now; empty for none."""

    role: str = ""
    email_address: str | None = None
    app_id: str | None = None


class AdministratorsFunctions:
    """What can be asked about administrators."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_administrators(self, *, page_size: int | None = None) -> Iterator[AdministratorAnswer]:
        """List the users who have a role, with the last use of their keys."""
        return self._api.every_of(AdministratorAnswer, "ext/get-administrators", {}, page_size=page_size)

    def add_administrator(
        self,
        *,
        email_address: str,
        role: str,
        name: str | None = None,
        password: str | None = None,
        force_password_change: bool | None = None,
    ) -> AdministratorAnswer:
        """Give a user a role; the user is made if there is none."""
        return self._api.one_of(
            AdministratorAnswer,
            "ext/add-administrator",
            {
                "emailAddress": email_address,
                "role": role,
                "name": name,
                "password": password,
                "forcePasswordChange": force_password_change,
            },
        )

    def remove_administrator(self, *, email_address: str) -> RoleSet:
        """Take a user's role; the user stays."""
        return self._api.one_of(RoleSet, "ext/remove-administrator", {"emailAddress": email_address})

    def set_role(self, *, role: str, email_address: str | None = None, app_id: str | None = None) -> RoleSet:
        """Give a user or an application another role."""
        return self._api.one_of(
            RoleSet, "ext/set-role", {"role": role, "emailAddress": email_address, "appId": app_id}
        )


class AsyncAdministratorsFunctions:
    """What can be asked about administrators."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def get_administrators(self, *, page_size: int | None = None) -> AsyncIterator[AdministratorAnswer]:
        """List the users who have a role, with the last use of their keys."""
        return self._api.every_of(AdministratorAnswer, "ext/get-administrators", {}, page_size=page_size)

    async def add_administrator(
        self,
        *,
        email_address: str,
        role: str,
        name: str | None = None,
        password: str | None = None,
        force_password_change: bool | None = None,
    ) -> AdministratorAnswer:
        """Give a user a role; the user is made if there is none."""
        return await self._api.one_of(
            AdministratorAnswer,
            "ext/add-administrator",
            {
                "emailAddress": email_address,
                "role": role,
                "name": name,
                "password": password,
                "forcePasswordChange": force_password_change,
            },
        )

    async def remove_administrator(self, *, email_address: str) -> RoleSet:
        """Take a user's role; the user stays."""
        return await self._api.one_of(RoleSet, "ext/remove-administrator", {"emailAddress": email_address})

    async def set_role(self, *, role: str, email_address: str | None = None, app_id: str | None = None) -> RoleSet:
        """Give a user or an application another role."""
        return await self._api.one_of(
            RoleSet, "ext/set-role", {"role": role, "emailAddress": email_address, "appId": app_id}
        )
