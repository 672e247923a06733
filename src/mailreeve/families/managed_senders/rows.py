"""Which senders do an account's recipients permit and block? The table and its queries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)

from mailreeve.policy.model.policies import Changes, ManagedAction, ManagedSender
from mailreeve.store.changes import Name
from mailreeve.store.keys import new_key
from mailreeve.store.loading import KEYS, Loaded
from mailreeve.store.records import Records, given, ours
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
    UniqueConstraint("account_id", "recipient", "sender"),
    Index(None, "account_id", "sender"),
)
"""Personal lists, one entry per recipient and sender (D-19).

`recipient` is the key of the user's primary address, or of an internal address that is no user's. `sender` is an
address's key or a bare domain, `sender_shown` what was typed. `updated_at` is since when it has its action, and
`changed_in` since which revision, 0 for those from before revisions were kept.
"""


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


_records: Final = Records(managed_sender, ManagedSenderRow)
_of_recipient: Final = managed_sender.c.recipient == given("owner")
_between: Final = _records.where(_of_recipient, managed_sender.c.sender == given("from_whom"))
_list: Final = _records.where(_of_recipient, order_by=managed_sender.c.id)
_about: Final = _records.where(managed_sender.c.sender == given("about"), order_by=managed_sender.c.id)
_size: Final = select(func.count()).select_from(managed_sender).where(ours(managed_sender), _of_recipient)
_remove: Final = delete(managed_sender).where(
    ours(managed_sender), managed_sender.c.id.in_(bindparam("keys", expanding=True))
)
_hand_over: Final = update(managed_sender).where(ours(managed_sender), _of_recipient)


def find(work: Work, recipient: str, sender: str) -> ManagedSenderRow | None:
    """The entry of a recipient for a sender, or None."""
    return _between.one(work, owner=recipient, from_whom=sender)


def of_recipient(work: Work, recipient: str) -> list[ManagedSenderRow]:
    """The entries of a recipient."""
    return _list.every(work, owner=recipient)


def about_sender(work: Work, sender: str) -> list[ManagedSenderRow]:
    """The entries of all recipients for a sender, an address's key or a domain."""
    return _about.every(work, about=sender)


def replace(work: Work, row: ManagedSenderRow) -> ManagedSenderRow:
    """The entry for another sender. Its id and times stay."""
    return _records.replace(work, row)


def count(work: Work, recipient: str) -> int:
    """How many entries a recipient has."""
    number: int = work.run(_size, {"owner": recipient}).scalar_one()
    return number


def add(work: Work, recipient: str, sender: str, shown: str, action: ManagedAction) -> ManagedSenderRow:
    """A new entry."""
    now = work.now
    row = ManagedSenderRow(new_key(), recipient, sender, shown, action, now, now, work.revision + 1)
    return _records.insert(work, row)


def change(work: Work, old: ManagedSenderRow, action: ManagedAction) -> ManagedSenderRow:
    """The entry on the other list; its id stays."""
    new = msgspec.structs.replace(old, action=action, updated_at=work.now, changed_in=work.revision + 1)
    return _records.replace(work, new)


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
    key, recipient, sender, action = row
    if "@" not in recipient or not sender:
        raise ValueError("a recipient or a sender is no address")
    return ManagedSender(key, recipient, sender, _ACTIONS[action])


_ACTIONS: Final = {action.value: action for action in ManagedAction}
_columns: Final = managed_sender.c
_loaded: Final = Loaded(
    select(_columns.id, _columns.recipient, _columns.sender, _columns.action).where(ours(managed_sender)),
    _columns.id,
    _entry,
)
