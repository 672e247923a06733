"""Which permitted sender policies does an account have? The table and its queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Table, Text, select

from mailreeve.policy.model.policies import PermittedSenderPolicy
from mailreeve.store.keys import made_at, new_key
from mailreeve.store.loading import Loaded
from mailreeve.store.records import Records, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.policy_object import PolicyDocument

permitted_sender_policy: Final = Table(
    "permitted_sender_policy",
    metadata,
    account_column(),
    key_column(),
    Column("document", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
"""Policies. `document` is a `PolicyDocument` as JSON."""


class PermittedSenderRow(Struct, frozen=True):
    """A permitted sender policy as the store keeps it."""

    id: str
    document: PolicyDocument
    created_at: datetime
    updated_at: datetime


_records: Final = Records(permitted_sender_policy, PermittedSenderRow)
_every: Final = _records.where(order_by=permitted_sender_policy.c.id)


def every(work: Work) -> list[PermittedSenderRow]:
    """All policies, oldest first."""
    return _every.every(work)


def add(work: Work, document: PolicyDocument) -> PermittedSenderRow:
    """A new policy."""
    return _records.insert(work, PermittedSenderRow(new_key(), document, work.now, work.now))


def _policy(row: Sequence[Any]) -> PermittedSenderPolicy:
    key, text = row
    document = _decode(text)
    return PermittedSenderPolicy(key, document.description, document.scope(), made_at(key))


_decode: Final = msgspec.json.Decoder(PolicyDocument).decode
_columns: Final = permitted_sender_policy.c
LOADED: Final = Loaded(
    select(_columns.id, _columns.document).where(ours(permitted_sender_policy)), _columns.id, _policy
)
"""The policies as decisions see them."""
