"""Which permitted sender policies does an account have? The table and its queries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Row, Select, Table, Text, insert, select

from mailreeve.policy.model.policies import Changes, PermittedSenderPolicy
from mailreeve.store.changes import Name
from mailreeve.store.keys import made_at, new_key
from mailreeve.store.loading import changes, everything
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

_COLUMNS: Final = tuple(column for column in permitted_sender_policy.c if column.name != "account_id")
_decode: Final = msgspec.json.Decoder(PolicyDocument).decode


class PermittedSenderRow(Struct, frozen=True):
    """A permitted sender policy as the store keeps it."""

    id: str
    document: PolicyDocument
    created_at: datetime
    updated_at: datetime


def every(work: Work) -> list[PermittedSenderRow]:
    """All policies, oldest first."""
    table = permitted_sender_policy
    rows = work.execute(select(*_COLUMNS).where(table.c.account_id == work.account_id).order_by(table.c.id))
    return list(work.read(table.name, rows, _row))


def add(work: Work, document: PolicyDocument) -> PermittedSenderRow:
    """A new policy."""
    row = PermittedSenderRow(new_key(), document, work.now, work.now)
    work.execute(
        insert(permitted_sender_policy).values(
            account_id=work.account_id,
            id=row.id,
            document=msgspec.json.encode(document).decode(),
            created_at=work.now,
            updated_at=work.now,
        )
    )
    return row


def load(work: Work) -> Iterator[PermittedSenderPolicy]:
    """The policies as decisions see them."""
    return everything(work, _policies(work), permitted_sender_policy.c.id, _policy)


def load_some(work: Work, names: Collection[Name]) -> Changes[PermittedSenderPolicy]:
    """What has become of these policies."""
    return changes(work, _policies(work), permitted_sender_policy.c.id, names, _policy)


def _policies(work: Work) -> Select[Any]:
    table = permitted_sender_policy.c
    return select(table.id, table.document).where(table.account_id == work.account_id)


def _policy(row: Sequence[Any]) -> PermittedSenderPolicy:
    key, text = row
    document = _decode(text)
    return PermittedSenderPolicy(key, document.description, document.scope(), made_at(key))


def _row(row: Row[str, str, datetime, datetime]) -> PermittedSenderRow:
    key, document, created_at, updated_at = row
    return PermittedSenderRow(key, _decode(document), created_at, updated_at)
