"""Who gets a digest when, and up to where was each user told? The tables and their queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Boolean, Column, Connection, Index, Table, Text, func, or_, select, text

from mailreeve.families.digest.schedule import Schedule
from mailreeve.policy.model.policy_types import Layer
from mailreeve.store.keys import new_key
from mailreeve.store.records import Records
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

definition: Final = Table(
    "digest_definition",
    metadata,
    account_column(),
    key_column(),
    Column("enabled", Boolean, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("group_id", KEY, nullable=True),
    Column("causes", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("handled_to", Moment, nullable=False),
    Column("asked_at", Moment, nullable=True),
    Column("updated_at", Moment, nullable=False),
)
"""The definition of an account's digest, one row. `schedule` and `causes` are JSON. Without a group all users get
one; `sender` is empty for the postmaster. Up to `handled_to` everything that was due was sent; `asked_at` is when
somebody asked for one besides."""

told: Final = Table(
    "digest_told",
    metadata,
    account_column(),
    key_column(),
    Column("listed_to", KEY, nullable=False),
    Column("sent_for", Moment, nullable=False),
    Column("asked_at", Moment, nullable=True),
    Index(None, "account_id", "asked_at", sqlite_where=text("asked_at IS NOT NULL")),
)
"""What each user, whose id is the row's, was told: the held messages up to the key `listed_to`, with the digest
that was due at `sent_for`. `asked_at` is when somebody asked for one for this user alone."""


class Causes(Struct, frozen=True):
    """Which causes of a hold are listed, by the layer that settled it; all of them where none is named."""

    layers: tuple[Layer, ...] = ()


class DefinitionRow(Struct, frozen=True):
    """The definition of an account's digest as the store keeps it."""

    id: str
    enabled: bool
    schedule: Schedule
    group_id: str | None
    causes: Causes
    sender: str
    handled_to: datetime
    asked_at: datetime | None
    updated_at: datetime


class ToldRow(Struct, frozen=True):
    """What a user was told. An empty `listed_to` is before every key."""

    id: str
    listed_to: str
    sent_for: datetime
    asked_at: datetime | None = None


NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

_definitions: Final = Records(definition, DefinitionRow)
_told: Final = Records(told, ToldRow)
_only: Final = _definitions.where()
_asked: Final = _told.where(told.c.asked_at.is_not(None), order_by=told.c.id)
_at_work: Final = select(
    definition.c.account_id, definition.c.updated_at, definition.c.handled_to, definition.c.asked_at
).where(or_(definition.c.enabled.is_(True), definition.c.asked_at.is_not(None)))
_asked_alone: Final = select(told.c.account_id, func.max(told.c.asked_at)).where(told.c.asked_at.is_not(None))


def find(work: Work) -> DefinitionRow | None:
    """The account's definition, None where nobody made one."""
    return _only.one(work)


def put(work: Work, row: DefinitionRow) -> DefinitionRow:
    """Keep a definition, the first or another one."""
    if find(work) is None:
        return _definitions.insert(work, row)
    return _definitions.replace(work, row)


def first(work: Work) -> DefinitionRow:
    """What holds where nobody made a definition: off, and as it is proposed."""
    return DefinitionRow(new_key(), False, Schedule(), None, Causes(), "", work.now, None, work.now)


def told_of(work: Work, user_id: str) -> ToldRow | None:
    """What a user was told, None where nothing was yet."""
    return _told.find(work, user_id)


def put_told(work: Work, row: ToldRow) -> ToldRow:
    """Keep what a user was told."""
    if told_of(work, row.id) is None:
        return _told.insert(work, row)
    return _told.replace(work, row)


def asked_for(work: Work) -> Sequence[ToldRow]:
    """The users for whom alone somebody asked for a digest."""
    return _asked.every(work)


def forget_user(work: Work, user_id: str) -> None:
    """Remove what a user was told, who goes."""
    _told.delete(work, user_id)


def accounts_at_work(connection: Connection) -> dict[str, tuple[datetime | None, ...]]:
    """The accounts, of all, with a digest that is on or asked for, each with what is another once there may be
    something new to do."""
    alone = dict(tuple(row) for row in connection.execute(_asked_alone.group_by(told.c.account_id)))
    found = {key: (*stamps, alone.get(key)) for key, *stamps in connection.execute(_at_work)}
    return {key: (None, None, None, asked) for key, asked in alone.items()} | found


def never(user_id: str) -> ToldRow:
    """What holds for a user who was not told of anything."""
    return ToldRow(user_id, "", NEVER)
