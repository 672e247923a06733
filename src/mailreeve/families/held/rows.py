"""Which mail is held, for whom, and why? The table and its queries: a row for each recipient.

While a copy is held, its header stands in its row, compressed, and its body among the `bodies`. Once it was
decided about, both are gone from here: what was released is the outgoing copy's. The row says what was done, and
by whom.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    String,
    Table,
    Text,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    text,
    update,
)

from mailreeve.families.machinery.copies import Copy, KeptCopy, Routed
from mailreeve.families.machinery.copy_columns import envelope_columns, text_columns
from mailreeve.formats.addresses import parse_address, parse_sender
from mailreeve.formats.message import Content
from mailreeve.store.keys import least_key
from mailreeve.store.loading import stream_named
from mailreeve.store.records import Query, given, maker, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

KEPT_AFTER: Final = timedelta(days=30)
"""For how long it is known what became of a message that was held: as long as of any that was delivered."""

held_message: Final = Table(
    "held_message",
    metadata,
    account_column(),
    key_column(),
    Column("received_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("held_group", String(16), nullable=False),
    Column("owner_id", KEY, nullable=False),
    Column("route", String(16), nullable=False),
    *envelope_columns(),
    Column("header_from", Text, nullable=False),
    Column("header_from_name", Text, nullable=False),
    Column("header_to", Text, nullable=False),
    Column("header_to_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("has_attachments", Boolean, nullable=False),
    Column("is_private", Boolean, nullable=False, server_default=false()),
    Column("cause", String(32), nullable=False),
    Column("policy_id", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("source_ip", String(45), nullable=False),
    Column("is_utf8", Boolean, nullable=False),
    Column("decided_at", Moment, nullable=True),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", Moment, nullable=True),
    Column("asked_by", Text, nullable=False),
    Column("asked_why", Text, nullable=False),
    Column("octets", BigInteger, nullable=False),
    *text_columns(),
    Index(None, "account_id", "state", "id"),
    Index(None, "account_id", "state", "owner_id", "id"),
    Index(None, "account_id", "state", "octets"),
    Index(None, "account_id", "state", "expires_at"),
    Index(None, "account_id", "body"),
    Index("ix_held_message_asked", "account_id", "state", "asked_at", sqlite_where=text("asked_at IS NOT NULL")),
)
"""Copies that are or were held. `owner_id` is the user whom the mail is for, empty where it is nobody's; `cause`
the layer that had it held; `octets` what is taken to keep it, of a body that several share its part. `asked_…`
tell of a user who asks for its release, `decided_…` and `reason` of the decision. Of a copy that is held again,
since it was released and could not be delivered, or that is held only since it could not be, `decided_at` and
`reason` say when that was found, and what the next hop said. What lists do not show comes last: so they need not
read past it."""


class HeldState(StrEnum):
    """Where a copy stands."""

    HELD = "held"
    RELEASED = "released"
    REJECTED = "rejected"
    EXPIRED = "expired"


class HeldGroup(StrEnum):
    """Who decides about a copy (behaviour.md section 8.1): its recipient too; those only who may decide about
    everybody's, with the recipient knowing of it; or those alone, who alone see it."""

    USER = "user"
    MODERATOR = "moderator"
    ADMINISTRATOR = "administrator"


class HeldRow(Struct, frozen=True):
    """A copy that is or was held, without its text."""

    id: str
    received_at: datetime
    expires_at: datetime
    state: HeldState
    held_group: HeldGroup
    owner_id: str
    route: str
    decision_id: str
    sender: str
    recipient: str
    effective_recipient: str
    header_from: str
    header_from_name: str
    header_to: str
    header_to_name: str
    subject: str
    size: int
    has_attachments: bool
    is_private: bool
    cause: str
    policy_id: str
    description: str
    source_ip: str
    is_utf8: bool
    decided_at: datetime | None
    decided_by: str
    reason: str
    asked_at: datetime | None
    asked_by: str
    asked_why: str


class HeldText(Struct, frozen=True):
    """The text of a copy that is held: its header, and the key of its body."""

    header: bytes
    body: str


class Room(Struct, frozen=True):
    """How much an account holds: copies and octets."""

    copies: int
    octets: int


def insert_rows(work: Work, rows: Sequence[dict[str, object]]) -> None:
    """Keep copies, each as the columns of the table have it."""
    work.insert_many(_insert, rows)


def room_taken(work: Work) -> Room:
    """How much is held."""
    copies, octets = work.run(_room).one()
    return Room(copies, octets or 0)


def packed(header: bytes) -> bytes:
    """A header as it stands in a row."""
    return zlib.compress(header)


def find(work: Work, key: str) -> HeldRow | None:
    """One copy, held or decided about; None where there is none."""
    return _found.one(work, key=key)


def some(work: Work, keys: Sequence[str]) -> dict[str, HeldRow]:
    """Those of the copies with these keys that there are, by key."""
    found = stream_named(work, _rows, held_message.c.id, keys)
    return {row.id: row for row in work.read(held_message.name, found, _make)}


def text_of(work: Work, key: str) -> HeldText | None:
    """The text of a copy, None where it is not held any more."""
    row = work.run(_text, {"key": key}).one_or_none()
    return None if row is None else HeldText(zlib.decompress(row.header), row.body)


def kept_copy(row: HeldRow, kept: HeldText, account_id: str) -> KeptCopy:
    """The copy, for its recipient alone, as it was taken."""
    to = Routed(parse_address(row.recipient), parse_address(row.effective_recipient))
    sender = parse_sender(row.sender)
    copy = Copy(account_id, row.decision_id, sender, (to,), Content(kept.header), row.is_utf8)
    return KeptCopy(copy, kept.body, row.size)


def decide(work: Work, key: str, state: HeldState, by: str, reason: str = "") -> bool:
    """Have a copy held no more. Whether it was: only one of several who decide about it at once does."""
    values = {"key": key, "becomes": state, "now": work.now, "who": by, "why": reason}
    return work.run(_decide, values).rowcount == 1


def hold_again(work: Work, key: str, text: HeldText, octets: int, expires_at: datetime, why: str) -> bool:
    """Have a copy held again that was released. Whether it was."""
    values = {"key": key, "now": work.now, "then": expires_at, "why": why, "takes": octets}
    return work.run(_hold_again, values | {"text": packed(text.header), "whose": text.body}).rowcount == 1


def ask(work: Work, key: str, by: str, why: str) -> bool:
    """Note that somebody asks for its release. Whether it is held."""
    return work.run(_ask, {"key": key, "now": work.now, "who": by, "why": why}).rowcount == 1


def take_back(work: Work, key: str) -> bool:
    """Nobody asks for its release any more. Whether anybody did."""
    return work.run(_take_back, {"key": key}).rowcount == 1


def new_since(work: Work, owner: str, moment: datetime) -> list[HeldRow]:
    """What is held for a user, given by id, that came after this moment, the oldest first: those copies that the
    user may see."""
    return _new.every(work, whose=owner, after=least_key(moment.timestamp()))


def owners(work: Work) -> list[str]:
    """The ids of the users for whom something is held."""
    return [owner for owner in work.run(_owners).scalars() if owner]


def expired(work: Work, most: int) -> list[HeldRow]:
    """Copies that were held for as long as they may be, at most so many."""
    return _expired.every(work, now=work.now, most=most)


def forget(work: Work, most: int) -> int:
    """Remove what was decided about long ago, at most so many. How many."""
    keys = list(work.run(_old, {"before": work.now - KEPT_AFTER, "most": most}).scalars())
    if keys:
        work.run(_forget, {"keys": keys})
    return len(keys)


def of_owner(work: Work, owner_id: str) -> list[HeldRow]:
    """All that is held for a user."""
    return _of_owner.every(work, whose=owner_id)


def disown(work: Work, owner_id: str) -> int:
    """The user goes: what is held is the administrators' (behaviour.md D-45). How many copies."""
    return work.run(_disown, {"whose": owner_id}).rowcount


def summary(work: Work) -> list[tuple[str, str, int]]:
    """How many copies are held for each cause and description, the most first."""
    return [(cause, description, number) for cause, description, number in work.run(_summary)]


_columns: Final = held_message.c
_shown: Final = tuple(_columns[name] for name in HeldRow.__struct_fields__)
_make: Final = maker(HeldRow)
_rows: Final = select(*_shown).where(ours(held_message))
_held: Final = _columns.state == HeldState.HELD.value
_one: Final = (ours(held_message), _columns.id == given("key"))


def _query(statement: Any) -> Query[HeldRow]:
    return Query(held_message.name, statement, _make)


_found: Final = _query(_rows.where(_columns.id == given("key")))
_insert: Final = insert(held_message)
_room: Final = select(func.count(), func.sum(_columns.octets)).where(ours(held_message), _held)
_text: Final = select(_columns.header, _columns.body).where(*_one, _held)
_decide: Final = (
    update(held_message)
    .where(*_one, _held)
    .values(
        state=given("becomes"),
        decided_at=given("now"),
        decided_by=given("who"),
        reason=given("why"),
        header=b"",
        body="",
        octets=0,
    )
)
_hold_again: Final = (
    update(held_message)
    .where(*_one, _columns.state == HeldState.RELEASED.value)
    .values(
        state=HeldState.HELD.value,
        decided_at=given("now"),
        decided_by="",
        reason=given("why"),
        expires_at=given("then"),
        header=given("text"),
        body=given("whose"),
        octets=given("takes"),
        asked_at=None,
        asked_by="",
        asked_why="",
    )
)
_ask: Final = (
    update(held_message)
    .where(*_one, _held)
    .values(asked_at=given("now"), asked_by=given("who"), asked_why=given("why"))
)
_take_back: Final = (
    update(held_message)
    .where(*_one, _columns.asked_at.is_not(None))
    .values(asked_at=None, asked_by="", asked_why="")
)
_seen_by_owner: Final = _columns.held_group != HeldGroup.ADMINISTRATOR.value
_new: Final = _query(
    _rows.where(
        _held, _columns.owner_id == given("whose"), _columns.id >= given("after"), _seen_by_owner
    ).order_by(_columns.id)
)
_owners: Final = select(_columns.owner_id).where(ours(held_message), _held).distinct()
_expired: Final = _query(
    _rows.where(_held, _columns.expires_at <= given("now")).order_by(_columns.expires_at).limit(given("most"))
)
_of_owner: Final = _query(_rows.where(_held, _columns.owner_id == given("whose")).order_by(_columns.id))
_old: Final = (
    select(_columns.id)
    .where(
        ours(held_message),
        _columns.state.in_([state.value for state in HeldState if state is not HeldState.HELD]),
        _columns.decided_at < given("before"),
    )
    .limit(given("most"))
)
_forget: Final = delete(held_message).where(ours(held_message), _columns.id.in_(bindparam("keys", expanding=True)))
_disown: Final = (
    update(held_message)
    .where(ours(held_message), _columns.owner_id == given("whose"))
    .values(owner_id="", held_group=HeldGroup.ADMINISTRATOR.value)
)
_summary: Final = (
    select(_columns.cause, _columns.description, func.count())
    .where(ours(held_message), _held)
    .group_by(_columns.cause, _columns.description)
    .order_by(func.count().desc(), _columns.cause, _columns.description)
)
