"""Which outcomes are kept? The table and its queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Index, String, Table, Text, delete, func, insert, select

from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.policy.facts import HeaderFrom
from mailreeve.store.keys import new_key
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

message_outcome: Final = Table(
    "message_outcome",
    metadata,
    account_column(),
    key_column(),
    Column("at", Moment, nullable=False),
    Column("decision_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "account_id", "decision_id"),
    Index(None, "account_id", "at"),
)
"""Outcomes. `document` is the whole `Outcome` as JSON; the other columns are for finding it."""

READ_AT_ONCE: Final = 1_000  # rows that are fetched together


def add(work: Work, outcomes: Sequence[Outcome]) -> None:
    """Keep outcomes of this account."""
    rows: list[dict[str, object]] = [
        {
            "account_id": work.account_id,
            "id": new_key(),
            "at": datetime.fromtimestamp(outcome.at, UTC),
            "decision_id": outcome.decision_id,
            "state": outcome.state,
            "sender": outcome.sender,
            "recipient": outcome.recipient,
            "document": msgspec.json.encode(outcome).decode(),
        }
        for outcome in outcomes
    ]
    work.insert_many(insert(message_outcome), rows)


class Recorded(Struct, frozen=True, gc=False):
    """Of an outcome what a decision is made from, and what names it. Members as in `Outcome`."""

    decision_id: str
    at: float
    source_ip: str
    sender: str
    recipient: str
    header_from: tuple[HeaderFrom, ...] | None


_decode_recorded: Final = msgspec.json.Decoder(Recorded).decode


def recorded(work: Work, since: datetime, most: int | None = None) -> Iterator[Recorded]:
    """What was recorded since then, the newest first, read while it is asked for."""
    query = (
        select(message_outcome.c.id, message_outcome.c.document)
        .where(message_outcome.c.account_id == work.account_id, message_outcome.c.at >= since)
        .order_by(message_outcome.c.at.desc())
        .limit(most)
    )
    rows = work.execute(query.execution_options(yield_per=READ_AT_ONCE))
    yield from work.read(message_outcome.name, rows, lambda row: _decode_recorded(row[1]))


def count_recorded(work: Work, since: datetime) -> int:
    """How many outcomes there are since then."""
    table = message_outcome
    number: int = work.execute(
        select(func.count()).select_from(table).where(table.c.account_id == work.account_id, table.c.at >= since)
    ).scalar_one()
    return number


def forget(work: Work, refusals_before: datetime, others_before: datetime, most: int) -> int:
    """Remove what is old, at most so many: refusals go earlier, since strangers make them at will. The number."""
    refusal = message_outcome.c.state.in_((State.REJECTED, State.DEFERRED))
    account = message_outcome.c.account_id == work.account_id
    removed = 0
    for kind, before in ((refusal, refusals_before), (~refusal, others_before)):
        old = (
            select(message_outcome.c.id)
            .where(account, kind, message_outcome.c.at < before)
            .order_by(message_outcome.c.at)
            .limit(most - removed)
        )
        removed += work.execute(delete(message_outcome).where(account, message_outcome.c.id.in_(old))).rowcount
    return removed
