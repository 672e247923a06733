"""The functions about administrators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.administrators import operations, rows
from mailreeve.families.directory.administrators.rows import Administrator
from mailreeve.families.directory.administrators.types import (
    AdministratorAnswer,
    FindAdministrators,
    KeyUse,
    NewAdministrator,
    OneAdministrator,
    RoleSet,
    SetRole,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

EDIT: Final = Permission.DIRECTORIES_ROLES_EDIT
READ: Final = Permission.DIRECTORIES_ROLES_READ


@endpoint("ext/get-administrators", READ)
def get_administrators(call: Call, item: FindAdministrators) -> Page[AdministratorAnswer]:
    """List the users who have a role, with the last use of their keys."""
    page = rows.page(call.work, call.page)
    return page.showing(_shown(call, page.rows))


@endpoint("ext/add-administrator", EDIT, writes=True, prepare=operations.prepare, slow="password")
def add_administrator(call: Call, new: NewAdministrator) -> AdministratorAnswer:
    """Give a user a role; the user is made if there is none."""
    user = operations.add(call, new)
    return _shown(call, [rows.find(call.work, user.id)])[0]


@endpoint("ext/remove-administrator", EDIT, writes=True)
def remove_administrator(call: Call, item: OneAdministrator) -> RoleSet:
    """Take a user's role; the user stays."""
    user = operations.remove(call, item.email_address)
    return RoleSet(user.role or "", user.address)


@endpoint("ext/set-role", EDIT, writes=True)
def set_role(call: Call, item: SetRole) -> RoleSet:
    """Give a user or an application another role."""
    role, address, app_id = operations.set_role(call, item)
    return RoleSet(role, address or UNSET, app_id or UNSET)


def _shown(call: Call, found: Sequence[Administrator]) -> list[AdministratorAnswer]:
    keys = rows.keys_of(call.work, [one.id for one in found])
    return [
        AdministratorAnswer(
            id=call.seal(Kind.USER, one.id),
            email_address=one.address,
            name=one.name,
            role=one.role,
            account_locked=one.locked,
            account_disabled=one.disabled,
            local_password=one.password_changed_at is not None,
            keys=[
                KeyUse(
                    application=key.application,
                    access_key=key.access_key,
                    last_used=_moment(key.last_used_at),
                    last_used_from=key.last_used_from or UNSET,
                    expires=_moment(key.expires_at),
                )
                for key in keys.get(one.id, ())
            ],
        )
        for one in found
    ]


def _moment(value: datetime | None) -> str | UnsetType:
    return UNSET if value is None else fields.written(value)


ENDPOINTS: Final = (get_administrators, add_administrator, remove_administrator, set_role)
