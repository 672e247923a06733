"""The items and answers of the functions about roles. The Mimecast API has none of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.wire.items import Prose


class FindRoles(Struct, frozen=True):
    """Which roles to list: one, or all without a name."""

    role: str | None = None


class CreateRole(Struct, frozen=True):
    """A role to make of these permissions, by their published names."""

    name: str
    permissions: list[str]
    description: Prose | None = None


class UpdateRole(Struct, frozen=True):
    """A role to change; what is left out stays. `name` is a new name."""

    role: str
    name: str | None = None
    permissions: list[str] | None = None
    description: Prose | None = None


class OneRole(Struct, frozen=True):
    """A role, by its name."""

    role: str


class RoleAnswer(Struct, frozen=True, rename="camel"):
    """A role, and how many users and applications have it."""

    name: str
    description: str
    built_in: bool
    permissions: Sequence[Permission]
    users: int
    applications: int


class DeletedRole(Struct, frozen=True):
    """A role that was deleted."""

    role: str
    deleted: bool = True
