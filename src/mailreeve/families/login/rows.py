"""Which applications and bindings are there? Their tables and queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Select,
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

from mailreeve.families.directory.roles.rows import role
from mailreeve.families.directory.users.rows import user
from mailreeve.store.keys import new_key
from mailreeve.store.records import given, ours
from mailreeve.store.schema import KEY, Moment, account, account_column, key_column, metadata
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
    Column("expires_at", Moment, nullable=True),
    Column("old_app_key", LargeBinary, nullable=True),
    Column("old_client_secret", String(64), nullable=True),
    Column("old_until", Moment, nullable=True),
    Column("last_used_at", Moment, nullable=True),
    Column("last_used_from", String(45), nullable=True),
)
"""API applications. `app_key` is sealed; `client_secret` is the SHA-256 of many random bits, which need
no slow hash. The `old` ones were exchanged and are good until `old_until`. `last_used` is about access tokens."""

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
    Column("old_secret_key", LargeBinary, nullable=True),
    Column("old_until", Moment, nullable=True),
    Column("last_used_at", Moment, nullable=True),
    Column("last_used_from", String(45), nullable=True),
    Column("signed_in_at", Moment, nullable=True),
    Index(None, "account_id", "application_id", "id"),
    Index(None, "account_id", "user_id", "id"),
    ForeignKeyConstraint(["account_id", "application_id"], ["application.account_id", "application.id"]),
    ForeignKeyConstraint(["account_id", "user_id"], ["user.account_id", "user.id"]),
)
"""The access and secret keys of a user for an application. `secret_key` is sealed, as is the one before it, which
is good until `old_until`. `signed_in_at` is when the user last signed in for them with a password; keys that were
made otherwise have none."""


APPLICATION: Final = "application"
BINDING: Final = "binding"
"""What the audit log and the feed of changes call them."""


class ApplicationRow(Struct, frozen=True):
    """An application as authentication sees it. `permissions` are those of its role, where that is a custom one;
    `locked` says whether its account is."""

    account_id: str
    id: str
    name: str
    role: str
    app_key: bytes
    client_secret: str
    app_id: str = ""
    permissions: str | None = None
    locked: bool = False
    expires_at: datetime | None = None
    old_app_key: bytes | None = None
    old_client_secret: str | None = None
    old_until: datetime | None = None


class BindingRow(Struct, frozen=True):
    """A binding as authentication sees it, with its user, and the permissions of a custom role of that."""

    id: str
    secret_key: bytes
    expires_at: datetime | None
    user_id: str
    address: str
    role: str | None
    locked: bool
    disabled: bool
    permissions: str | None = None
    old_secret_key: bytes | None = None
    old_until: datetime | None = None
    signed_in_at: datetime | None = None
    password_changed_at: datetime | None = None

    @property
    def is_outdated(self) -> bool:
        """Whether these keys were given for a password that is another now."""
        if self.signed_in_at is None or self.password_changed_at is None:
            return False
        return self.signed_in_at < self.password_changed_at


_APPLICATION: Final = (
    application.c.account_id,
    application.c.id,
    application.c.name,
    application.c.role,
    application.c.app_key,
    application.c.client_secret,
    application.c.app_id,
    role.c.permissions,
    account.c.locked,
    application.c.expires_at,
    application.c.old_app_key,
    application.c.old_client_secret,
    application.c.old_until,
)


def _applications(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The applications that meet the conditions, each with what its account and its role say about it."""
    return (
        select(*_APPLICATION)
        .join(account, account.c.id == application.c.account_id)
        .outerjoin(role, and_(role.c.account_id == application.c.account_id, role.c.name == application.c.role))
        .where(*conditions)
    )


_by_key: Final = _applications(ours(application), application.c.id == given("key"))
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
        role.c.permissions,
        binding.c.old_secret_key,
        binding.c.old_until,
        binding.c.signed_in_at,
        user.c.password_changed_at,
    )
    .join(user, and_(user.c.account_id == binding.c.account_id, user.c.id == binding.c.user_id))
    .outerjoin(role, and_(role.c.account_id == user.c.account_id, role.c.name == user.c.role))
    .where(ours(binding), binding.c.application_id == given("of"), binding.c.access_key == given("named"))
)


def find_application(connection: Connection, app_id: str) -> ApplicationRow | None:
    """The application behind an `x-mc-app-id`, of whichever account: the caller is not known yet."""
    row = connection.execute(_applications(application.c.app_id == app_id)).one_or_none()
    return None if row is None else ApplicationRow(*row)


def find_client(connection: Connection, client_id: str) -> ApplicationRow | None:
    """The application behind an OAuth client id, of whichever account."""
    row = connection.execute(_applications(application.c.client_id == client_id)).one_or_none()
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


def others_sign_in(work: Work, but: str, roles: Sequence[str]) -> bool:
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
    work: Work,
    name: str,
    role: str,
    app_id: str,
    app_key: bytes,
    client_id: str,
    client_secret: str,
    expires_at: datetime | None = None,
) -> str:
    """A new application; its key in the store. Without `expires_at` it never expires."""
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
            expires_at=expires_at,
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
    signed_in_at: datetime | None = None,
) -> str:
    """A new binding; without `expires_at` it never expires. Its key in the store."""
    key = new_key()
    work.execute(
        insert(binding).values(
            account_id=work.account_id,
            id=key,
            application_id=application_id,
            user_id=user_id,
            access_key=access_key,
            secret_key=secret_key,
            created_at=work.now,
            expires_at=expires_at,
            signed_in_at=signed_in_at,
        )
    )
    return key


def remove_bindings(work: Work, user_id: str) -> list[str]:
    """Take back all keys of a user; the ids of the bindings that are gone."""
    mine = binding.c.account_id == work.account_id, binding.c.user_id == user_id
    keys = list(work.execute(select(binding.c.id).where(*mine)).scalars())
    work.execute(delete(binding).where(*mine))
    return keys
