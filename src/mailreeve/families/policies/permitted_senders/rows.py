"""The permitted sender policies of an account: their table, what a row of it is to a decision, and the one that an
account starts with."""

from __future__ import annotations

from typing import Final

from mailreeve.families.policies.family import PolicyFamily, PolicyRow, new_members, policy_table
from mailreeve.policy.model.policies import PermittedSenderPolicy
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.keys import made_at
from mailreeve.store.transactions import Work
from mailreeve.wire.policy_object import BLOCKED_SENDERS, PolicyDocument
from mailreeve.wire.policy_target import TargetDocument

permitted_sender_policy: Final = policy_table(PolicyType.PERMITTED_SENDERS)


def _decided(key: str, document: PolicyDocument) -> PermittedSenderPolicy:
    return PermittedSenderPolicy(key, document.description, document.scope(), made_at(key))


PERMITTED: Final = PolicyFamily(
    PolicyType.PERMITTED_SENDERS,
    permitted_sender_policy,
    PolicyRow,
    BLOCKED_SENDERS,
    _decided,
)


def create_default(work: Work, permitted_group: str) -> None:
    """The policy that gives the account's group of permitted senders its meaning (D-14)."""
    document = PolicyDocument(
        "Default: permitted senders",
        TargetDocument(TargetType.PROFILE_GROUP, permitted_group),
        TargetDocument(TargetType.INTERNAL_ADDRESSES),
    )
    PERMITTED.create(work, PolicyRow(*new_members(work, document)))
