"""Which copies wait to be handed to the next hop? The table and its queries: a row for each recipient.

A row is written in the transaction that decides that the copy goes, so that it goes once; it is gone when the next
hop has it, or has refused it for good.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from mailreeve.families.machinery.copies import Copy, KeptCopy, ReportWishes, Routed
from mailreeve.families.machinery.copy_columns import envelope_columns, text_columns
from mailreeve.families.machinery.elsewhere import WaitingCopy, WaitingPage
from mailreeve.families.machinery.latest import latest
from mailreeve.formats.addresses import parse_address, parse_sender
from mailreeve.formats.message import Content
from mailreeve.store.keys import least_key, new_key
from mailreeve.store.loading import stream_named
from mailreeve.store.records import given, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Page

GIVE_UP_AFTER: Final = timedelta(days=5)  # RFC 5321 section 4.5.4.1: at least 4 to 5 days
_LEVEL: Final = 1

outgoing_message: Final = Table(
    "outgoing_message",
    metadata,
    account_column(),
    key_column(),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("origin", String(16), nullable=False),
    *envelope_columns(),
    Column("is_utf8", Boolean, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("last_reply", Text, nullable=False),
    *text_columns(),
    Column("held_id", KEY, nullable=False, server_default=""),
    Column("reports", String(8), nullable=False, server_default=""),
    Column("envelope_id", Text, nullable=False, server_default=""),
    Index(None, "due_at"),
    Index(None, "account_id", "body"),
)
"""Copies on their way. `origin` says what sends them: `release`, `notice`, `digest` and so on. `due_at` is when
the next attempt is due, `attempts` how many were begun, `last_reply` what came of the last. `header` is
compressed, and holds the whole text where there is no key of a `body`. `held_id` is the row of what was held and
is released by this, empty where nothing was; `reports` and `envelope_id` are what the sender wants to hear of it
(`ReportWishes`). Of the indexes the first is for the one process that hands on the copies of all accounts."""

NEVER: Final = "never"
HEADERS: Final = "headers"
"""What `reports` may be; empty is the ordinary."""


class Waiting(Struct, frozen=True):
    """A copy that waits. `kept.copy` is for one recipient, and has no body where `kept.body` names it. `attempts`
    is how many were begun before."""

    key: str
    created_at: datetime
    attempts: int
    origin: str
    size: int
    kept: KeptCopy
    held_id: str = ""

    @property
    def to(self) -> Routed:
        """Whom it is for."""
        (to,) = self.kept.copy.recipients
        return to


def add(work: Work, copies: Sequence[KeptCopy], origin: str, held_id: str = "") -> list[str]:
    """Have copies handed to the next hop: they are on their way once the transaction is committed. `origin` says
    what sends them, in a word of 16 letters at most; `held_id` names the row of what was held and is released by
    it. The keys of their rows.

    The body of each is kept under its key before (`Bodies.put`). Of one whose key is empty, such as a notice that
    was written here, the whole `content` is kept in the row, so it should be small.
    """
    added: list[dict[str, object]] = []
    for kept in copies:
        copy = kept.copy
        text = copy.content.header if kept.body else bytes(copy.content)
        packed = zlib.compress(text, _LEVEL)
        size = kept.size
        if size is None:
            size = len(copy.content.header) + sum(map(len, copy.content.body))
        for one in copy.recipients:
            added.append(
                {
                    "account_id": work.account_id,
                    "id": new_key(),
                    "created_at": work.now,
                    "due_at": work.now,
                    "attempts": 0,
                    "origin": origin,
                    "decision_id": copy.decision_id,
                    "sender": str(copy.sender),
                    "recipient": str(one.original),
                    "effective_recipient": str(one.effective),
                    "is_utf8": copy.is_utf8,
                    "size": size,
                    "last_reply": "",
                    "body": kept.body,
                    "header": packed,
                    "held_id": held_id,
                    "reports": _wish(copy.reports, str(one.original)),
                    "envelope_id": copy.reports.envelope_id,
                }
            )
    work.insert_many(_insert, added)
    return [str(row["id"]) for row in added]


def due_accounts(connection: Connection, now: datetime) -> list[str]:
    """The accounts that have copies which are due: asked by the one process that hands them on."""
    return list(connection.execute(_due_accounts, {"now": now}).scalars())


def depth(connection: Connection) -> tuple[int, datetime | None]:
    """How many copies wait in all accounts, and since when the oldest one does."""
    number, oldest = connection.execute(_depth).one()
    return number, oldest


def due(work: Work, most: int, without: Collection[str] = ()) -> list[Waiting]:
    """Copies of the account that are due, at most so many, but those with these keys."""
    rows = work.run(_due, {"now": work.now, "most": most, "without": list(without) or [""]})
    return list(work.read(outgoing_message.name, rows, lambda row: _waiting(work.account_id, row)))


def listed(work: Work, which: WaitingPage) -> Page[WaitingCopy]:
    """A page of the copies of the account that wait."""
    within = select(_columns.id).where(*_came(which.since, which.until))
    page = latest(work, which.asked, _columns.id, within, oldest_first=which.oldest_first)
    rows = stream_named(work, _listed, _columns.id, page.rows)
    found = {row.key: row for row in work.read(outgoing_message.name, rows, lambda row: WaitingCopy(*row))}
    return page.showing([found[key] for key in page.rows if key in found])


def waiting_for(work: Work, since: datetime | None, until: datetime | None) -> Iterator[tuple[datetime, str]]:
    """When each copy of the account that waits came in, and whom it is for, within these bounds."""
    query = select(_columns.created_at, _columns.effective_recipient).where(*_came(since, until))
    return ((created, recipient) for created, recipient in work.run(query))


def _came(since: datetime | None, until: datetime | None) -> Iterator[ColumnElement[bool]]:
    """What holds for the rows of the account that came between these instants."""
    yield ours(outgoing_message)
    if since is not None:
        yield _columns.id >= least_key(since.timestamp())
    if until is not None:
        yield _columns.id < least_key(until.timestamp())


def begin(work: Work, key: str, due_at: datetime) -> bool:
    """Note that an attempt is begun; if nobody hears of it again, the next one is due then. Whether it is
    there."""
    return work.run(_begin, {"key": key, "then": due_at}).rowcount == 1


def put_off(work: Work, key: str, reply: str) -> None:
    """Note what the next hop said, which may say otherwise another time."""
    work.run(_put_off, {"key": key, "said": reply})


def remove(work: Work, key: str) -> bool:
    """The copy has arrived, or never will. Whether it was there."""
    return work.run(_remove, {"key": key}).rowcount == 1


def is_under_way(work: Work, key: str, attempts: int) -> bool:
    """Whether the copy waits, and so many attempts to hand it on were begun: then the last of them may be going on
    now."""
    return work.run(_under_way, {"key": key, "number": attempts}).first() is not None


def hurry(work: Work) -> None:
    """Have all that waits tried at once."""
    work.run(_hurry, {"now": work.now})


def _waiting(account_id: str, row: Sequence[Any]) -> Waiting:
    key, created_at, attempts, origin, decision_id, sender, original, effective, is_utf8, size, body, packed = row[
        :12
    ]
    held_id, reports, envelope_id = row[12:]
    never = frozenset({original}) if reports == NEVER else frozenset[str]()
    copy = Copy(
        account_id,
        decision_id,
        parse_sender(sender),
        (Routed(parse_address(original), parse_address(effective)),),
        Content(_unpacked(packed)),
        is_utf8,
        ReportWishes(never, reports == HEADERS, envelope_id),
    )
    return Waiting(key, created_at, attempts, origin, size, KeptCopy(copy, body), held_id)


def _wish(wishes: ReportWishes, recipient: str) -> str:
    if recipient in wishes.never:
        return NEVER
    return HEADERS if wishes.headers_only else ""


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error as problem:
        raise ValueError(str(problem)) from problem


_columns: Final = outgoing_message.c
_one: Final = (ours(outgoing_message), _columns.id == given("key"))
_insert: Final = insert(outgoing_message)
_due_accounts: Final = (
    select(_columns.account_id).where(_columns.due_at <= bindparam("now", type_=Moment)).distinct()
)
_depth: Final = select(func.count(), func.min(_columns.created_at)).select_from(outgoing_message)
_due: Final = (
    select(
        _columns.id,
        _columns.created_at,
        _columns.attempts,
        _columns.origin,
        _columns.decision_id,
        _columns.sender,
        _columns.recipient,
        _columns.effective_recipient,
        _columns.is_utf8,
        _columns.size,
        _columns.body,
        _columns.header,
        _columns.held_id,
        _columns.reports,
        _columns.envelope_id,
    )
    .where(
        ours(outgoing_message),
        _columns.due_at <= given("now"),
        _columns.id.not_in(bindparam("without", expanding=True)),
    )
    .order_by(_columns.due_at, _columns.id)
    .limit(given("most"))
)
_listed: Final = select(
    _columns.id,
    _columns.created_at,
    _columns.due_at,
    _columns.attempts,
    _columns.origin,
    _columns.decision_id,
    _columns.sender,
    _columns.recipient,
    _columns.effective_recipient,
    _columns.size,
    _columns.last_reply,
).where(ours(outgoing_message))
_begin: Final = update(outgoing_message).where(*_one).values(due_at=given("then"), attempts=_columns.attempts + 1)
_put_off: Final = update(outgoing_message).where(*_one).values(last_reply=given("said"))
_under_way: Final = select(_columns.id).where(*_one, _columns.attempts == given("number"))
_remove: Final = delete(outgoing_message).where(*_one)
_hurry: Final = (
    update(outgoing_message)
    .where(ours(outgoing_message), _columns.due_at > given("now"))
    .values(due_at=given("now"))
)
