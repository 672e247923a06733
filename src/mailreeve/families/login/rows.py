"""Which applications and bindings are there? Their tables and queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import (
    Column,
    Connection,
    ForeignKeyConstraint,
    LargeBinary,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
)

from mailreeve.access.permissions import Role
from mailreeve.families.directory.users.rows import user
from mailreeve.store.keys import new_key
from mailreeve.store.records import given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import ACCOUNT, Work

application: Final = Table(
    "application",
    metadata,
    account_column(),
    key_column(),
    Column("name", Text, nullable=False),
    Column("role", String(64), nullable=False),
    Column("app_id", String(64), nullable=False, unique=True),
    Column("app_key", LargeBinary, nullable=False),
    Column("client_id", String(64), nullable=False, unique=True),
    Column("client_secret", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""API applications. `app_key` is sealed; `client_secret` is the SHA-256 of many random bits, which need
no slow hash."""

binding: Final = Table(
    "binding",
    metadata,
    account_column(),
    key_column(),
    Column("application_id", KEY, nullable=False),
    Column("user_id", KEY, nullable=False),
    Column("access_key", String(255), nullable=False, unique=True),
    Column("secret_key", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=True),
    ForeignKeyConstraint(["account_id", "application_id"], ["application.account_id", "application.id"]),
    ForeignKeyConstraint(["account_id", "user_id"], ["user.account_id", "user.id"]),
)
"""The access and secret keys of a user for an application. `secret_key` is sealed."""


APPLICATION: Final = "application"
BINDING: Final = "binding"
"""What the audit log and the feed of changes call them."""


class ApplicationRow(Struct, frozen=True):
    """An application as authentication sees it."""

    account_id: str
    id: str
    name: str
    role: str
    app_key: bytes
    client_secret: str


class BindingRow(Struct, frozen=True):
    """A binding as authentication sees it, with its user."""

    id: str
    secret_key: bytes
    expires_at: datetime | None
    user_id: str
    address: str
    role: str | None
    locked: bool
    disabled: bool


_APPLICATION: Final = (
    application.c.account_id,
    application.c.id,
    application.c.name,
    application.c.role,
    application.c.app_key,
    application.c.client_secret,
)
_by_key: Final = select(*_APPLICATION).where(ours(application), application.c.id == given("key"))
_bound: Final = (
    select(
        binding.c.id,
        binding.c.secret_key,
        binding.c.expires_at,
        user.c.id,
        user.c.address,
        user.c.role,
        user.c.locked,
        user.c.disabled,
    )
    .join(user, and_(user.c.account_id == binding.c.account_id, user.c.id == binding.c.user_id))
    .where(ours(binding), binding.c.application_id == given("of"), binding.c.access_key == given("named"))
)


def find_application(connection: Connection, app_id: str) -> ApplicationRow | None:
    """The application behind an `x-mc-app-id`, of whichever account: the caller is not known yet."""
    row = connection.execute(select(*_APPLICATION).where(application.c.app_id == app_id)).one_or_none()
    return None if row is None else ApplicationRow(*row)


def find_client(connection: Connection, client_id: str) -> ApplicationRow | None:
    """The application behind an OAuth client id, of whichever account."""
    row = connection.execute(select(*_APPLICATION).where(application.c.client_id == client_id)).one_or_none()
    return None if row is None else ApplicationRow(*row)


def find_bearer(connection: Connection, account_id: str, application_id: str) -> ApplicationRow | None:
    """The application that an access token names."""
    row = connection.execute(_by_key, {ACCOUNT: account_id, "key": application_id}).one_or_none()
    return None if row is None else ApplicationRow(*row)


def find_binding(connection: Connection, of: ApplicationRow, access_key: str) -> BindingRow | None:
    """The binding with this access key to this application, with its user."""
    named = {ACCOUNT: of.account_id, "of": of.id, "named": access_key}
    row = connection.execute(_bound, named).one_or_none()
    return None if row is None else BindingRow(*row)


def others_sign_in(work: Work, but: str, roles: Sequence[Role]) -> bool:
    """Whether a user besides this one, with one of the roles, can sign in: neither locked nor disabled, and with a
    password or a key that has not expired."""
    bound = exists().where(
        binding.c.account_id == user.c.account_id,
        binding.c.user_id == user.c.id,
        or_(binding.c.expires_at.is_(None), binding.c.expires_at > work.now),
    )
    query = select(user.c.id).where(
        user.c.account_id == work.account_id,
        user.c.role.in_(roles),
        user.c.id != but,
        user.c.locked.is_(False),
        user.c.disabled.is_(False),
        or_(user.c.password_hash.is_not(None), bound),
    )
    return work.execute(query.limit(1)).first() is not None


def add_application(
    work: Work, name: str, role: str, app_id: str, app_key: bytes, client_id: str, client_secret: str
) -> str:
    """A new application; its key in the store."""
    key = new_key()
    work.execute(
        insert(application).values(
            account_id=work.account_id,
            id=key,
            name=name,
            role=role,
            app_id=app_id,
            app_key=app_key,
            client_id=client_id,
            client_secret=client_secret,
            created_at=work.now,
        )
    )
    return key


def add_binding(
    work: Work,
    application_id: str,
    user_id: str,
    access_key: str,
    secret_key: bytes,
    expires_at: datetime | None = None,
) -> None:
    """A new binding; without `expires_at` it never expires."""
    work.execute(
        insert(binding).values(
            account_id=work.account_id,
            id=new_key(),
            application_id=application_id,
            user_id=user_id,
            access_key=access_key,
            secret_key=secret_key,
            created_at=work.now,
            expires_at=expires_at,
        )
    )


def remove_bindings(work: Work, user_id: str) -> list[str]:
    """Take back all keys of a user; the ids of the bindings that are gone."""
    mine = binding.c.account_id == work.account_id, binding.c.user_id == user_id
    keys = list(work.execute(select(binding.c.id).where(*mine)).scalars())
    work.execute(delete(binding).where(*mine))
    return keys
