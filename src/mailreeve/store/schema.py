"""What do all tables share? One metadata, and the columns that bind a row to its account.

Each family declares its tables in its own `rows.py`. A row belongs to an account, and its primary key starts with
the account: a query that does not name one finds no index to work with.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

KEY: Final = String(32)


class Moment(TypeDecorator[datetime]):
    """A point in time, kept as whole microseconds since 1970 in UTC: ordered and exact on every engine."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        try:
            return _EPOCH + value * _MICROSECOND
        except (TypeError, OverflowError):
            return UNREADABLE_MOMENT


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = datetime.resolution


def microseconds(value: datetime) -> int:
    """A point in time as the database holds it: whole microseconds since 1970."""
    return (value - _EPOCH) // _MICROSECOND


UNREADABLE_MOMENT: Final = datetime.min.replace(tzinfo=UTC)
"""What is read where a number of microseconds should be and is none: no moment of ours is the first of the
calendar. `reading.made` leaves the row out."""


def account_column() -> Column[str]:
    """The account that a row belongs to, first part of its primary key."""
    return Column("account_id", KEY, ForeignKey("account.id"), primary_key=True)


def key_column() -> Column[str]:
    """A row's own key within its account."""
    return Column("id", KEY, primary_key=True)


account: Final = Table(
    "account",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("code", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("admin_email", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("key_fingerprint", String(32), nullable=True),
    Column("locked", Boolean, nullable=False, default=False, server_default=false()),
    Column("audit_head", String(64), nullable=False, default="", server_default=""),
)
"""The accounts. `revision` counts the account's commits and only ever grows. `key_fingerprint` is that of the key
which the account's secrets are sealed under, absent until the folder is opened for the first time. Calls of a
`locked` one are refused, and its mail is put off. `audit_head` is the digest of the newest row of its
audit log."""

audit_event: Final = Table(
    "audit_event",
    metadata,
    account_column(),
    key_column(),
    Column("at", Moment, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("application", Text, nullable=False, default="", server_default=""),
    Column("app_id", String(64), nullable=False, default="", server_default=""),
    Column("acting_for", Text, nullable=False),
    Column("source_ip", String(45), nullable=False),
    Column("request_id", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("object_kind", String(64), nullable=False),
    Column("object_id", KEY, nullable=False),
    Column("before", Text, nullable=True),
    Column("after", Text, nullable=True),
    Column("digest", String(64), nullable=False, default="", server_default=""),
    Index(None, "account_id", "object_id", "id"),
    Index(None, "account_id", "request_id", "id"),
)
"""The audit log: who did what, with the object before and after as JSON (behaviour.md D-38). Append-only.
`application` and `app_id` are those of the application that the actor used, empty where it was none. `digest`
chains the rows of an account, see `audit_chain`."""

change: Final = Table(
    "changes",
    metadata,
    account_column(),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("part", String(32), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("key", Text, nullable=False),
)
"""The feed of changes: a row for each object that a revision touched, see `changes`. Old rows are removed."""
