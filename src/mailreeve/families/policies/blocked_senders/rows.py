"""The blocked sender policies of an account: their table, and what a row of it is to a decision."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, String

from mailreeve.families.policies.family import PolicyFamily, PolicyRow, policy_table
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store.keys import made_at
from mailreeve.wire.policy_object import BLOCKED_SENDERS, PolicyDocument

blocked_sender_policy: Final = policy_table(
    PolicyType.BLOCKED_SENDERS,
    Column("option", String(16), nullable=False),
    Column("immutable", Boolean, nullable=False),
)
"""The one `immutable` policy guards the relay (D-14)."""


class BlockedSenderRow(PolicyRow, frozen=True):
    """A blocked sender policy as the store keeps it."""

    option: BlockedOption
    immutable: bool


_OPTIONS: Final = {option.value: option for option in BlockedOption}


def _decided(key: str, document: PolicyDocument, option: str, immutable: bool) -> BlockedSenderPolicy:
    return BlockedSenderPolicy(
        key, document.description, document.scope(), _OPTIONS[option], made_at(key), immutable
    )


BLOCKED: Final = PolicyFamily(
    PolicyType.BLOCKED_SENDERS,
    blocked_sender_policy,
    BlockedSenderRow,
    BLOCKED_SENDERS,
    _decided,
    (blocked_sender_policy.c.option, blocked_sender_policy.c.immutable),
)
