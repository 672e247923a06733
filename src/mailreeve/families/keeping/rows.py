"""Which copies of a message did a door keep, that died before it could say so? The table and its queries.

A sender who had no answer sends the message again. What was held, or is on its way, is not kept a second time
then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import Column, Index, String, Table, Text, delete, insert, select

from mailreeve.store.keys import new_key
from mailreeve.store.records import given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

KEPT_FOR: Final = timedelta(hours=6)
"""For as long as a door remembers in the same case (`mail/smtp/retries`): whoever tries again later sends it
anew."""

kept_attempt: Final = Table(
    "kept_attempt",
    metadata,
    account_column(),
    key_column(),
    Column("at", Moment, nullable=False),
    Column("attempt", String(64), nullable=False),
    Column("recipient", Text, nullable=False),
    Index(None, "account_id", "attempt"),
    Index(None, "account_id", "at"),
)
"""For which recipients, as they were spelt, copies of messages are held or on their way. `attempt` is what a
message is recognised by when it is sent again."""

_c: Final = kept_attempt.c
_there: Final = select(_c.recipient).where(
    ours(kept_attempt), _c.attempt == given("which"), _c.id < given("before"), _c.at > given("since")
)
_add: Final = insert(kept_attempt)
_forget: Final = delete(kept_attempt).where(ours(kept_attempt), _c.at <= given("until"))


def kept_before(work: Work, attempt: str, began: str) -> frozenset[str]:
    """Of which recipients a copy of this message was kept lately, before the key `began` was made."""
    values = {"which": attempt, "before": began, "since": work.now - KEPT_FOR}
    return frozenset(work.run(_there, values).scalars())


def add(work: Work, attempt: str, recipients: Iterable[str]) -> None:
    """Note that copies are kept; what was noted long ago is forgotten."""
    made: list[dict[str, object]] = [
        {"account_id": work.account_id, "id": new_key(), "at": work.now, "attempt": attempt, "recipient": one}
        for one in recipients
    ]
    if made:
        work.run(_forget, {"until": work.now - KEPT_FOR})
        work.insert_many(_add, made)
