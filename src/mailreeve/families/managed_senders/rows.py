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
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)

from mailreeve.policy.model.policies import Changes, ManagedAction, ManagedSender
from mailreeve.store.changes import Name
from mailreeve.store.keys import new_key
from mailreeve.store.loading import KEYS, changes, everything
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
)
"""Personal lists, one entry per recipient and sender (D-19).

`recipient` is the key of the user's primary address, or of an internal address that is no user's. `sender` is an
address's key or a bare domain, `sender_shown` what was typed. `updated_at` is since when it has its action, and
`changed_in` since which revision, 0 for those from before revisions were kept.
"""

_ACTIONS: Final = {action.value: action for action in ManagedAction}
_COLUMNS: Final = tuple(column for column in managed_sender.c if column.name != "account_id")


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


def find(work: Work, recipient: str, sender: str) -> ManagedSenderRow | None:
    """The entry of a recipient for a sender, or None."""
    table = managed_sender
    row = work.execute(
        select(*_COLUMNS).where(
            table.c.account_id == work.account_id, table.c.recipient == recipient, table.c.sender == sender
        )
    ).one_or_none()
    return work.read_one(table.name, row, _row)


def of_recipient(work: Work, recipient: str) -> list[ManagedSenderRow]:
    """The entries of a recipient."""
    table = managed_sender
    found = work.execute(
        select(*_COLUMNS)
        .where(table.c.account_id == work.account_id, table.c.recipient == recipient)
        .order_by(table.c.id)
    )
    return list(work.read(table.name, found, _row))


def count(work: Work, recipient: str) -> int:
    """How many entries a recipient has."""
    table = managed_sender
    number: int = work.execute(
        select(func.count())
        .select_from(table)
        .where(table.c.account_id == work.account_id, table.c.recipient == recipient)
    ).scalar_one()
    return number


def add(work: Work, recipient: str, sender: str, shown: str, action: ManagedAction) -> ManagedSenderRow:
    """A new entry."""
    row = ManagedSenderRow(new_key(), recipient, sender, shown, action, work.now, work.now, work.revision + 1)
    work.execute(insert(managed_sender).values(account_id=work.account_id, **msgspec.structs.asdict(row)))
    return row


def change(work: Work, old: ManagedSenderRow, action: ManagedAction) -> ManagedSenderRow:
    """The entry on the other list; its id stays."""
    table = managed_sender
    work.execute(
        update(table)
        .where(table.c.account_id == work.account_id, table.c.id == old.id)
        .values(action=action, updated_at=work.now, changed_in=work.revision + 1)
    )
    return msgspec.structs.replace(old, action=action, updated_at=work.now, changed_in=work.revision + 1)


def remove(work: Work, keys: Sequence[str]) -> None:
    """End these entries."""
    table = managed_sender
    ours = delete(table).where(table.c.account_id == work.account_id)
    for start in range(0, len(keys), KEYS):
        work.execute(ours.where(table.c.id.in_(keys[start : start + KEYS])))


def hand_over(work: Work, recipient: str, owner: str) -> None:
    """Make all entries of a recipient those of another, who has none for the same senders. Ids and times stay."""
    table = managed_sender
    work.execute(
        update(table)
        .where(table.c.account_id == work.account_id, table.c.recipient == recipient)
        .values(recipient=owner)
    )


def load(work: Work) -> Iterator[ManagedSender]:
    """The entries as decisions see them. Entries of one recipient share its key."""
    recipients: dict[str, str] = {}
    for entry in everything(work, _entries(work), managed_sender.c.id, _entry):
        shared = recipients.setdefault(entry.recipient, entry.recipient)
        yield entry if shared is entry.recipient else msgspec.structs.replace(entry, recipient=shared)


def load_some(work: Work, names: Collection[Name]) -> Changes[ManagedSender]:
    """What has become of these entries."""
    return changes(work, _entries(work), managed_sender.c.id, names, _entry)


def _entries(work: Work) -> Select[Any]:
    table = managed_sender.c
    return select(table.id, table.recipient, table.sender, table.action).where(table.account_id == work.account_id)


def _entry(row: Sequence[Any]) -> ManagedSender:
    key, recipient, sender, action = row
    if "@" not in recipient or not sender:
        raise ValueError("a recipient or a sender is no address")
    return ManagedSender(key, recipient, sender, _ACTIONS[action])


def _row(row: Row[str, str, str, str, str, datetime, datetime, int]) -> ManagedSenderRow:
    key, recipient, sender, shown, action, created_at, updated_at, changed_in = row
    return ManagedSenderRow(
        key, recipient, sender, shown, ManagedAction(action), created_at, updated_at, changed_in
    )
