"""Which keys does an account have, and how are they taken back?

An application has an id and a key, an OAuth client of its own, and bindings: the access and secret keys of users.
What is secret of them is not told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import and_, delete, select

from mailreeve.families.directory.users.rows import user
from mailreeve.families.login.rows import APPLICATION, BINDING, application, binding
from mailreeve.store.changes import Part
from mailreeve.store.transactions import Work

SHORTEST: Final = 8  # characters of an access key that name it, where no other begins so


class UserKeys(Struct, frozen=True):
    """The keys of a user for an application."""

    access_key: str
    user: str
    created: datetime
    expires: datetime | None


class Application(Struct, frozen=True):
    """An application, with the keys that users have for it."""

    app_id: str
    name: str
    role: str
    client_id: str
    created: datetime
    keys: Sequence[UserKeys]


class Revoked(Struct, frozen=True):
    """What was taken back: a user's keys, or without an `access_key` an application with all that it had."""

    app_id: str
    access_key: str | None = None


class UnknownKeyError(ValueError):
    """Nothing goes by that name, or more than one does."""


def every(work: Work) -> list[Application]:
    """All applications, oldest first."""
    bound: dict[str, list[UserKeys]] = {}
    for key, *rest in work.execute(
        select(
            binding.c.application_id,
            binding.c.access_key,
            user.c.address,
            binding.c.created_at,
            binding.c.expires_at,
        )
        .join(user, and_(user.c.account_id == binding.c.account_id, user.c.id == binding.c.user_id))
        .where(binding.c.account_id == work.account_id)
        .order_by(binding.c.id)
    ):
        bound.setdefault(key, []).append(UserKeys(*rest))
    found = application.c
    return [
        Application(app_id, name, role, client_id, created, bound.get(key, ()))
        for key, app_id, name, role, client_id, created in work.execute(
            select(found.id, found.app_id, found.name, found.role, found.client_id, found.created_at)
            .where(found.account_id == work.account_id)
            .order_by(found.id)
        )
    ]


def revoke(work: Work, name: str) -> Revoked:
    """Take back an application, by its id or client id, or a user's keys, by the access key or its first letters.

    Raises `UnknownKeyError`.
    """
    found, mine = application.c, application.c.account_id == work.account_id
    row = work.execute(
        select(found.id, found.app_id).where(mine, (found.app_id == name) | (found.client_id == name))
    ).one_or_none()
    if row is not None:
        key, app_id = row
        work.execute(
            delete(binding).where(binding.c.account_id == work.account_id, binding.c.application_id == key)
        )
        work.execute(delete(application).where(mine, found.id == key))
        work.changed(Part.CREDENTIALS, "delete", APPLICATION, key, before={"app_id": app_id})
        return Revoked(app_id)
    keys = [
        tuple(row)
        for row in work.execute(
            select(binding.c.id, found.app_id, binding.c.access_key)
            .join(
                application, and_(found.account_id == binding.c.account_id, found.id == binding.c.application_id)
            )
            .where(binding.c.account_id == work.account_id)
        )
        if row.access_key == name or (len(name) >= SHORTEST and row.access_key.startswith(name))
    ]
    if not keys:
        raise UnknownKeyError(f"{name}: there is no such application or access key")
    if len(keys) > 1:
        raise UnknownKeyError(f"{name}: {len(keys)} access keys begin so")
    ((key, app_id, access_key),) = keys
    work.execute(delete(binding).where(binding.c.account_id == work.account_id, binding.c.id == key))
    work.changed(Part.CREDENTIALS, "delete", BINDING, key, before={"app_id": app_id})
    return Revoked(app_id, access_key)
