"""How many notices did an address have lately? The table and its queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Column, Index, Table, Text, delete, func, insert, select

from mailreeve.formats.addresses import Address
from mailreeve.store.keys import new_key
from mailreeve.store.records import given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work

DAY: Final = timedelta(days=1)

notice: Final = Table(
    "notice",
    metadata,
    account_column(),
    key_column(),
    Column("address", Text, nullable=False),
    Column("sent_at", Moment, nullable=False),
    Index(None, "account_id", "address", "sent_at"),
    Index(None, "account_id", "sent_at"),
)
"""The notices of the last day, each with the key of the address that was written to."""

_lately: Final = (
    select(func.count())
    .select_from(notice)
    .where(ours(notice), notice.c.address == given("whom"), notice.c.sent_at > given("since"))
)
_add: Final = insert(notice)
_forget: Final = delete(notice).where(ours(notice), notice.c.sent_at <= given("until"))


def lately(work: Work, address: Address) -> int:
    """How many notices an address had within a day."""
    found: int = work.run(_lately, {"whom": address.key, "since": work.now - DAY}).scalar_one()
    return found


def add(work: Work, address: Address) -> None:
    """Note that a notice is sent; those of days before are forgotten."""
    work.run(_forget, {"until": work.now - DAY})
    work.insert(_add, {"id": new_key(), "address": address.key, "sent_at": work.now})
