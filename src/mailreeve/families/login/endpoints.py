"""The functions about applications and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from mailreeve.access.permissions import Permission
from mailreeve.families.login import keys, operations
from mailreeve.families.login.types import (
    ApplicationAnswer,
    CreatedKey,
    CreateKey,
    FindKeys,
    KeysOfUser,
    RevokedKey,
    RevokeKey,
    RotatedKey,
    RotateKey,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

EDIT: Final = Permission.SERVICES_API_APPLICATIONS_EDIT
READ: Final = Permission.SERVICES_API_APPLICATIONS_READ


@endpoint("ext/get-keys", READ)
def get_keys(call: Call, item: FindKeys) -> Page[ApplicationAnswer]:
    """List the applications, and whose keys for them there are; nothing secret."""
    page = keys.page(call.work, call.page)
    bound = keys.bound_to(call.work, [row.id for row in page.rows])
    return page.showing(
        [
            ApplicationAnswer(
                app_id=row.app_id,
                name=row.name,
                role=row.role,
                client_id=row.client_id,
                created=fields.written(row.created_at),
                keys=[
                    KeysOfUser(
                        access_key=one.access_key,
                        user=one.address,
                        role=one.role or "",
                        created=fields.written(one.created_at),
                        signed_in=_moment(one.signed_in_at),
                        expires=_moment(one.expires_at),
                        last_used=_moment(one.last_used_at),
                        last_used_from=one.last_used_from or UNSET,
                    )
                    for one in bound.get(row.id, ())
                ],
                expires=_moment(row.expires_at),
                last_used=_moment(row.last_used_at),
                last_used_from=row.last_used_from or UNSET,
            )
            for row in page.rows
        ]
    )


@endpoint("ext/create-key", EDIT, writes=True, most=50)
def create_key(call: Call, item: CreateKey) -> CreatedKey:
    """Make an application with keys for a user. They are told once."""
    made = operations.create(call, item)
    return CreatedKey(
        account_code=made.account_code,
        app_id=made.keys.app_id,
        app_key=made.keys.app_key,
        access_key=made.keys.access_key,
        secret_key=made.keys.secret_key,
        client_id=made.keys.client_id,
        client_secret=made.keys.client_secret,
        user=made.user,
        name=made.name,
        role=made.role,
        expires=_moment(made.expires),
    )


@endpoint("ext/rotate-key", EDIT, writes=True, most=50)
def rotate_key(call: Call, item: RotateKey) -> RotatedKey:
    """Exchange the secrets of an application, or of a user's keys. They are told once."""
    made = operations.rotate(call, item)
    return RotatedKey(
        app_id=made.application.app_id,
        access_key=made.access_key or UNSET,
        secret_key=made.secret_key or UNSET,
        app_key=made.app_key or UNSET,
        client_id=made.application.client_id if made.client_secret else UNSET,
        client_secret=made.client_secret or UNSET,
        old_until=_moment(made.old_until),
    )


@endpoint("ext/revoke-key", EDIT, writes=True)
def revoke_key(call: Call, item: RevokeKey) -> list[RevokedKey]:
    """Take back applications and users' keys: all that are named, or none."""
    return [RevokedKey(one.app_id, one.access_key or UNSET) for one in operations.revoke(call, item)]


def _moment(value: datetime | None) -> str | UnsetType:
    return UNSET if value is None else fields.written(value)


ENDPOINTS: Final = (get_keys, create_key, rotate_key, revoke_key)
