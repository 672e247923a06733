"""The functions of roles. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DeletedRole(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A role that was deleted."""

    role: str = ""
    deleted: bool = False


class RoleAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"built_in": "builtIn"}):
    """A role, and how many users and applications have it."""

    name: str = ""
    description: str = ""
    built_in: bool = False
    permissions: tuple[str, ...] = ()
    users: int = 0
    applications: int = 0


class RolesFunctions:
    """What can be asked about roles."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_roles(self, *, role: str | None = None) -> list[RoleAnswer]:
        """List the roles, built-in ones first, or describe one."""
        return self._api.all_of(RoleAnswer, "ext/get-roles", {"role": role})

    def create_role(self, *, name: str, permissions: Sequence[str], description: str | None = None) -> RoleAnswer:
        """Make a role of permissions that the caller has."""
        return self._api.one_of(
            RoleAnswer, "ext/create-role", {"name": name, "permissions": permissions, "description": description}
        )

    def update_role(
        self,
        *,
        role: str,
        name: str | None = None,
        permissions: Sequence[str] | None = None,
        description: str | None = None,
    ) -> RoleAnswer:
        """Change a role; it holds at once for all who have it."""
        return self._api.one_of(
            RoleAnswer,
            "ext/update-role",
            {"role": role, "name": name, "permissions": permissions, "description": description},
        )

    def delete_role(self, *, role: str) -> DeletedRole:
        """Delete a role that nobody has."""
        return self._api.one_of(DeletedRole, "ext/delete-role", {"role": role})


class AsyncRolesFunctions:
    """What can be asked about roles."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get_roles(self, *, role: str | None = None) -> list[RoleAnswer]:
        """List the roles, built-in ones first, or describe one."""
        return await self._api.all_of(RoleAnswer, "ext/get-roles", {"role": role})

    async def create_role(
        self, *, name: str, permissions: Sequence[str], description: str | None = None
    ) -> RoleAnswer:
        """Make a role of permissions that the caller has."""
        return await self._api.one_of(
            RoleAnswer, "ext/create-role", {"name": name, "permissions": permissions, "description": description}
        )

    async def update_role(
        self,
        *,
        role: str,
        name: str | None = None,
        permissions: Sequence[str] | None = None,
        description: str | None = None,
    ) -> RoleAnswer:
        """Change a role; it holds at once for all who have it."""
        return await self._api.one_of(
            RoleAnswer,
            "ext/update-role",
            {"role": role, "name": name, "permissions": permissions, "description": description},
        )

    async def delete_role(self, *, role: str) -> DeletedRole:
        """Delete a role that nobody has."""
        return await self._api.one_of(DeletedRole, "ext/delete-role", {"role": role})
