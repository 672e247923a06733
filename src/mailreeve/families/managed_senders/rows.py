"""Which senders do an account's recipients permit and block? The table and its queries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    false,
    func,
    select,
    text,
    type_coerce,
    update,
)

from mailreeve.policy.model.policies import Changes, ManagedAction, ManagedSender
from mailreeve.store.changes import Name
from mailreeve.store.counts import Counted
from mailreeve.store.keys import least_key, new_key
from mailreeve.store.loading import KEYS, Loaded
from mailreeve.store.records import Query, Records, given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

managed_sender: Final = Table(
    "managed_sender",
    metadata,
    account_column(),
    key_column(),
    Column("recipient", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("sender_shown", Text, nullable=False),
    Column("action", String(8), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("changed_in", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("set_by", Text, nullable=False, server_default=""),
    Column("expires_at", Moment, nullable=True),
    Column("is_auto", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("account_id", "recipient", "sender"),
    Index(None, "account_id", "recipient", "id"),
    Index(None, "account_id", "sender", "id"),
    Index(None, "account_id", "expires_at", sqlite_where=text("is_auto")),
)
"""Personal lists, one entry per recipient and sender (D-19).

`recipient` is the key of the user's primary address, or of an internal address that is no user's. `sender` is an
address's key or a bare domain, `sender_shown` what was typed. `updated_at` is since when it says what it says, and
`changed_in` since which revision, 0 for those from before revisions were kept. `set_by` names who had it say so,
as the audit log does; it is empty where that was before it was kept. From `expires_at` on it decides nothing.
`is_auto` says that nobody said it: the user wrote to that address (`auto_allow`).
"""

_count: Final = Counted(managed_sender)
_count_of: Final = Counted(managed_sender, "recipient")


class ManagedSenderRow(Struct, frozen=True):
    """An entry of a personal list as the store keeps it."""

    id: str
    recipient: str
    sender: str
    sender_shown: str
    action: ManagedAction
    created_at: datetime
    updated_at: datetime
    changed_in: int
    reason: str = ""
    set_by: str = ""
    expires_at: datetime | None = None
    is_auto: bool = False

    def is_over(self, at: datetime) -> bool:
        """Whether it has ended by then: the end is no part of it (D-12)."""
        return self.expires_at is not None and at >= self.expires_at


class Said(Struct, frozen=True):
    """What somebody says about a sender: what the entry is to do, why, and until when. Without a reason the one
    that the entry has for the same action stays; without an end it does not end."""

    action: ManagedAction
    reason: str | None = None
    expires_at: datetime | None = None


RECORDS: Final = Records(managed_sender, ManagedSenderRow)
_of_recipient: Final = managed_sender.c.recipient == given("owner")
_between: Final = RECORDS.where(_of_recipient, managed_sender.c.sender == given("from_whom"))
_list: Final = RECORDS.where(_of_recipient, order_by=managed_sender.c.id)
_about: Final = RECORDS.where(managed_sender.c.sender == given("about"), order_by=managed_sender.c.id)
_over: Final = RECORDS.where(
    _of_recipient, managed_sender.c.expires_at <= given("now"), order_by=managed_sender.c.id
)
_auto: Final = managed_sender.c.is_auto
_written_to: Final = RECORDS.where(
    _of_recipient, managed_sender.c.sender.in_(bindparam("several", expanding=True)), order_by=managed_sender.c.id
)
_longest_ago: Final = Query(
    managed_sender.name,
    RECORDS.where(_of_recipient, _auto, order_by=managed_sender.c.expires_at).statement.limit(given("most")),
    RECORDS.make,
)
_count_auto: Final = (
    select(func.count()).select_from(managed_sender).where(ours(managed_sender), _of_recipient, _auto)
)
_count_new: Final = _count_auto.where(managed_sender.c.id >= given("first"))
_auto_over: Final = Query(
    managed_sender.name,
    RECORDS.where(
        _auto, managed_sender.c.expires_at <= given("now"), order_by=managed_sender.c.expires_at
    ).statement.limit(given("most")),
    RECORDS.make,
)
_remove: Final = delete(managed_sender).where(
    ours(managed_sender), managed_sender.c.id.in_(bindparam("keys", expanding=True))
)
_hand_over: Final = update(managed_sender).where(ours(managed_sender), _of_recipient)


def get(work: Work, key: str) -> ManagedSenderRow | None:
    """The entry with this key, or None."""
    return RECORDS.find(work, key)


def find(work: Work, recipient: str, sender: str) -> ManagedSenderRow | None:
    """The entry of a recipient for a sender, or None."""
    return _between.one(work, owner=recipient, from_whom=sender)


def of_recipient(work: Work, recipient: str) -> list[ManagedSenderRow]:
    """The entries of a recipient."""
    return _list.every(work, owner=recipient)


def over(work: Work, recipient: str) -> list[ManagedSenderRow]:
    """The entries of a recipient that have ended."""
    return _over.every(work, owner=recipient, now=work.now)


def among(work: Work, recipient: str, senders: Sequence[str]) -> dict[str, ManagedSenderRow]:
    """The entries of a recipient for any of these senders, by sender."""
    return {row.sender: row for row in _written_to.every(work, owner=recipient, several=list(senders))}


def auto_longest_ago(work: Work, recipient: str, most: int) -> list[ManagedSenderRow]:
    """The automatic entries of a recipient that were renewed longest ago, at most so many."""
    return _longest_ago.every(work, owner=recipient, most=most)


def count_auto(work: Work, recipient: str, since: datetime | None = None) -> int:
    """How many automatic entries a recipient has, or has got since then."""
    parameters: dict[str, object] = {"owner": recipient}
    if since is None:
        found: int = work.run(_count_auto, parameters).scalar_one()
    else:
        found = work.run(_count_new, parameters | {"first": least_key(since.timestamp())}).scalar_one()
    return found


def auto_over(work: Work, most: int) -> list[ManagedSenderRow]:
    """The automatic entries of all recipients that have ended, at most so many."""
    return _auto_over.every(work, now=work.now, most=most)


def about_sender(work: Work, sender: str) -> list[ManagedSenderRow]:
    """The entries of all recipients for a sender, an address's key or a domain."""
    return _about.every(work, about=sender)


def replace(work: Work, row: ManagedSenderRow) -> ManagedSenderRow:
    """The entry for another sender. Its id and times stay."""
    return RECORDS.replace(work, row)


def count(work: Work, recipient: str) -> int:
    """How many entries a recipient has."""
    return _count_of.total(work, recipient)


def count_all(work: Work) -> int:
    """How many entries the account has."""
    return _count.total(work)


def add(work: Work, recipient: str, sender: str, shown: str, said: Said, by: str) -> ManagedSenderRow:
    """A new entry."""
    now = work.now
    row = ManagedSenderRow(
        id=new_key(),
        recipient=recipient,
        sender=sender,
        sender_shown=shown,
        action=said.action,
        created_at=now,
        updated_at=now,
        changed_in=work.revision + 1,
        reason=said.reason or "",
        set_by=by,
        expires_at=said.expires_at,
    )
    return RECORDS.insert(work, row)


def change(work: Work, old: ManagedSenderRow, said: Said, by: str) -> ManagedSenderRow:
    """The entry as somebody now has it; its id stays."""
    new = msgspec.structs.replace(
        old,
        action=said.action,
        updated_at=work.now,
        changed_in=work.revision + 1,
        reason=said.reason or "",
        set_by=by,
        expires_at=said.expires_at,
        is_auto=False,
    )
    return RECORDS.replace(work, new)


def remove(work: Work, keys: Sequence[str]) -> None:
    """End these entries."""
    for start in range(0, len(keys), KEYS):
        work.run(_remove, {"keys": keys[start : start + KEYS]})


def hand_over(work: Work, recipient: str, owner: str) -> None:
    """Make all entries of a recipient those of another, who has none for the same senders. Ids and times stay."""
    work.run(_hand_over.values(recipient=owner), {"owner": recipient})


def load(work: Work) -> Iterator[ManagedSender]:
    """The entries as decisions see them. Entries of one recipient share its key."""
    recipients: dict[str, str] = {}
    for entry in _loaded.every(work):
        shared = recipients.setdefault(entry.recipient, entry.recipient)
        yield entry if shared is entry.recipient else msgspec.structs.replace(entry, recipient=shared)


def load_some(work: Work, names: Collection[Name]) -> Changes[ManagedSender]:
    """What has become of these entries."""
    return _loaded.some(work, names)


def _entry(row: Sequence[Any]) -> ManagedSender:
    key, recipient, sender, action, ends, is_auto = row
    if "@" not in recipient or not sender.strip("."):
        raise ValueError("a recipient or a sender is no address")
    if ends is None:
        return ManagedSender(key, recipient, sender, _ACTIONS[action])
    if not 0 <= ends <= _LATEST:
        raise ValueError("an end is no time")
    return ManagedSender(key, recipient, sender, _ACTIONS[action], ends / 1_000_000, bool(is_auto))


_LATEST: Final = 253_402_300_799_000_000  # microseconds: the last second of the calendar
_ACTIONS: Final = {action.value: action for action in ManagedAction}
_columns: Final = managed_sender.c
_loaded: Final = Loaded(
    select(
        _columns.id,
        _columns.recipient,
        _columns.sender,
        _columns.action,
        type_coerce(_columns.expires_at, BigInteger),
        _columns.is_auto,
    ).where(ours(managed_sender)),
    _columns.id,
    _entry,
)
