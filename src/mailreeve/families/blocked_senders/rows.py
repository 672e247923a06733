"""Which blocked sender policies does an account have? The table and its queries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Boolean, Column, Select, String, Table, Text, delete, insert, select, update

from mailreeve.families.machinery.pages import page_of
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, Changes
from mailreeve.store.changes import Name
from mailreeve.store.counts import Counted
from mailreeve.store.keys import made_at, new_key
from mailreeve.store.loading import changes, everything
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.policy_object import PolicyDocument

blocked_sender_policy: Final = Table(
    "blocked_sender_policy",
    metadata,
    account_column(),
    key_column(),
    Column("option", String(16), nullable=False),
    Column("document", Text, nullable=False),
    Column("immutable", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
"""Policies. `document` is a `PolicyDocument` as JSON. The one `immutable` policy guards the relay (D-14)."""

_count: Final = Counted(blocked_sender_policy)
_COLUMNS: Final = tuple(column for column in blocked_sender_policy.c if column.name != "account_id")
_OPTIONS: Final = {option.value: option for option in BlockedOption}
_decode: Final = msgspec.json.Decoder(PolicyDocument).decode


class BlockedSenderRow(Struct, frozen=True):
    """A blocked sender policy as the store keeps it."""

    id: str
    option: BlockedOption
    document: PolicyDocument
    immutable: bool
    created_at: datetime
    updated_at: datetime


def page(work: Work, asked: Asked) -> Page[BlockedSenderRow]:
    """A page of all policies in the order of their keys, or all of them when no page was asked for."""
    table = blocked_sender_policy
    query = select(*_COLUMNS).where(table.c.account_id == work.account_id)
    return page_of(work, query, table.c.id, asked, _row, lambda: _count.total(work), all_at_once=True)


def find(work: Work, key: str) -> BlockedSenderRow | None:
    """One policy, or None."""
    table = blocked_sender_policy
    row = work.execute(
        select(*_COLUMNS).where(table.c.account_id == work.account_id, table.c.id == key)
    ).one_or_none()
    return work.read_one(table.name, row, _row)


def add(
    work: Work, option: BlockedOption, document: PolicyDocument, *, immutable: bool = False
) -> BlockedSenderRow:
    """A new policy."""
    row = BlockedSenderRow(new_key(), option, document, immutable, work.now, work.now)
    work.execute(
        insert(blocked_sender_policy).values(
            account_id=work.account_id,
            id=row.id,
            option=option,
            document=msgspec.json.encode(document).decode(),
            immutable=immutable,
            created_at=work.now,
            updated_at=work.now,
        )
    )
    return row


def replace(
    work: Work, old: BlockedSenderRow, option: BlockedOption, document: PolicyDocument
) -> BlockedSenderRow:
    """The policy with other contents; id and creation time stay."""
    table = blocked_sender_policy
    work.execute(
        update(table)
        .where(table.c.account_id == work.account_id, table.c.id == old.id)
        .values(option=option, document=msgspec.json.encode(document).decode(), updated_at=work.now)
    )
    return msgspec.structs.replace(old, option=option, document=document, updated_at=work.now)


def remove(work: Work, key: str) -> None:
    """Remove a policy."""
    table = blocked_sender_policy
    work.execute(delete(table).where(table.c.account_id == work.account_id, table.c.id == key))


def load(work: Work) -> Iterator[BlockedSenderPolicy]:
    """The policies as decisions see them."""
    return everything(work, _policies(work), blocked_sender_policy.c.id, _policy)


def load_some(work: Work, names: Collection[Name]) -> Changes[BlockedSenderPolicy]:
    """What has become of these policies."""
    return changes(work, _policies(work), blocked_sender_policy.c.id, names, _policy)


def _policies(work: Work) -> Select[Any]:
    table = blocked_sender_policy.c
    return select(table.id, table.option, table.document, table.immutable).where(
        table.account_id == work.account_id
    )


def _policy(row: Sequence[Any]) -> BlockedSenderPolicy:
    key, option, text, immutable = row
    document = _decode(text)
    return BlockedSenderPolicy(
        key, document.description, document.scope(), _OPTIONS[option], made_at(key), immutable
    )


def _row(row: Sequence[Any]) -> BlockedSenderRow:
    key, option, document, immutable, created_at, updated_at = row
    return BlockedSenderRow(key, BlockedOption(option), _decode(document), immutable, created_at, updated_at)
