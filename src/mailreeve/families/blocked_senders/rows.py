"""Which blocked sender policies does an account have? The table and its queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Boolean, Column, String, Table, Text, select

from mailreeve.families.machinery.pages import Listing
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy
from mailreeve.store.counts import Counted
from mailreeve.store.keys import made_at, new_key
from mailreeve.store.loading import Loaded
from mailreeve.store.records import Records, ours
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


class BlockedSenderRow(Struct, frozen=True):
    """A blocked sender policy as the store keeps it."""

    id: str
    option: BlockedOption
    document: PolicyDocument
    immutable: bool
    created_at: datetime
    updated_at: datetime


_records: Final = Records(blocked_sender_policy, BlockedSenderRow)
_listing: Final = Listing(_records.where().statement, blocked_sender_policy.c.id, _records.make, all_at_once=True)


def page(work: Work, asked: Asked) -> Page[BlockedSenderRow]:
    """A page of all policies in the order of their keys, or all of them when no page was asked for."""
    return _listing.page(work, asked, lambda: _count.total(work))


def find(work: Work, key: str) -> BlockedSenderRow | None:
    """One policy, or None."""
    return _records.find(work, key)


def add(
    work: Work, option: BlockedOption, document: PolicyDocument, *, immutable: bool = False
) -> BlockedSenderRow:
    """A new policy."""
    return _records.insert(work, BlockedSenderRow(new_key(), option, document, immutable, work.now, work.now))


def replace(
    work: Work, old: BlockedSenderRow, option: BlockedOption, document: PolicyDocument
) -> BlockedSenderRow:
    """The policy with other contents; id and creation time stay."""
    new = msgspec.structs.replace(old, option=option, document=document, updated_at=work.now)
    return _records.replace(work, new)


def remove(work: Work, key: str) -> None:
    """Remove a policy."""
    _records.delete(work, key)


def _policy(row: Sequence[Any]) -> BlockedSenderPolicy:
    key, option, text, immutable = row
    document = _decode(text)
    return BlockedSenderPolicy(
        key, document.description, document.scope(), _OPTIONS[option], made_at(key), immutable
    )


_OPTIONS: Final = {option.value: option for option in BlockedOption}
_decode: Final = msgspec.json.Decoder(PolicyDocument).decode
_columns: Final = blocked_sender_policy.c
LOADED: Final = Loaded(
    select(_columns.id, _columns.option, _columns.document, _columns.immutable).where(ours(blocked_sender_policy)),
    _columns.id,
    _policy,
)
"""The policies as decisions see them."""
