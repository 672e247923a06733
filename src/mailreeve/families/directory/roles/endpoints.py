"""The functions about roles."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.roles import operations, uses
from mailreeve.families.directory.roles.errors import ROLE_NOT_FOUND
from mailreeve.families.directory.roles.types import (
    CreateRole,
    DeletedRole,
    FindRoles,
    OneRole,
    RoleAnswer,
    UpdateRole,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import refused

EDIT: Final = Permission.DIRECTORIES_ROLES_EDIT
READ: Final = Permission.DIRECTORIES_ROLES_READ


@endpoint("ext/get-roles", READ)
def get_roles(call: Call, item: FindRoles) -> list[RoleAnswer]:
    """List the roles, built-in ones first, or describe one."""
    shown = _shown(call)
    if item.role is None:
        return shown
    found = [one for one in shown if one.name.casefold() == item.role.casefold()]
    if not found:
        raise refused(ROLE_NOT_FOUND, "role", f"{ROLE_NOT_FOUND.message}: {item.role}")
    return found


@endpoint("ext/create-role", EDIT, writes=True)
def create_role(call: Call, item: CreateRole) -> RoleAnswer:
    """Make a role of permissions that the caller has."""
    return _one(call, operations.create(call, item).name)


@endpoint("ext/update-role", EDIT, writes=True)
def update_role(call: Call, item: UpdateRole) -> RoleAnswer:
    """Change a role; it holds at once for all who have it."""
    return _one(call, operations.update(call, item).name)


@endpoint("ext/delete-role", EDIT, writes=True)
def delete_role(call: Call, item: OneRole) -> DeletedRole:
    """Delete a role that nobody has."""
    return DeletedRole(operations.delete(call, item.role).name)


def _shown(call: Call) -> list[RoleAnswer]:
    used = uses.counted(call.work)
    return [
        RoleAnswer(
            name=name,
            description=description,
            built_in=built_in,
            permissions=sorted(permissions),
            users=used.users.get(name, 0),
            applications=used.applications.get(name, 0),
        )
        for name, description, built_in, permissions in operations.every(call.work)
    ]


def _one(call: Call, name: str) -> RoleAnswer:
    return next(one for one in _shown(call) if one.name == name)


ENDPOINTS: Final = (get_roles, create_role, update_role, delete_role)
