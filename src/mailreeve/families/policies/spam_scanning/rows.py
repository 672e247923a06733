"""The spam scanning policies of an account: their table, what a row of it is to a decision, and the one that an
account starts with."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Column, Text

from mailreeve.families.policies.family import PolicyFamily, PolicyRow, new_members, policy_table
from mailreeve.policy.model.content import WITHOUT_POLICY, SpamOptions
from mailreeve.policy.model.policies import SpamPolicy
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.keys import made_at
from mailreeve.store.transactions import Work
from mailreeve.wire.policy_object import BLOCKED_SENDERS, PolicyDocument
from mailreeve.wire.policy_target import TargetDocument

spam_scanning_policy: Final = policy_table(PolicyType.SPAM_SCANNING, Column("options", Text, nullable=False))
"""`options` are `SpamOptions` as JSON."""


class SpamPolicyRow(PolicyRow, frozen=True):
    """A spam scanning policy as the store keeps it."""

    options: SpamOptions


_decode: Final = msgspec.json.Decoder(SpamOptions).decode


def _decided(key: str, document: PolicyDocument, options: str) -> SpamPolicy:
    return SpamPolicy(key, document.description, document.scope(), _decode(options), made_at(key))


SPAM: Final = PolicyFamily(
    PolicyType.SPAM_SCANNING,
    spam_scanning_policy,
    SpamPolicyRow,
    BLOCKED_SENDERS,
    _decided,
    (spam_scanning_policy.c.options,),
)


def create_default(work: Work) -> None:
    """The policy that says what holds without any, for whoever wants to see or to change it."""
    everyone = TargetDocument(TargetType.EVERYONE)
    document = PolicyDocument("Default: spam scanning", everyone, everyone)
    SPAM.create(work, SpamPolicyRow(*new_members(work, document), WITHOUT_POLICY))
