"""The anti-spoofing policies of an account: their table, and what a row of it is to a decision."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, String

from mailreeve.families.policies.family import PolicyFamily, PolicyRow, policy_table
from mailreeve.policy.model.policies import AntiSpoofingPolicy, SpoofingOption
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store.keys import made_at
from mailreeve.wire.policy_object import ANTI_SPOOFING, PolicyDocument

anti_spoofing_policy: Final = policy_table(PolicyType.ANTI_SPOOFING, Column("option", String(16), nullable=False))


class AntiSpoofingRow(PolicyRow, frozen=True):
    """An anti-spoofing policy as the store keeps it."""

    option: SpoofingOption


def _decided(key: str, document: PolicyDocument, option: str) -> AntiSpoofingPolicy:
    return AntiSpoofingPolicy(key, document.description, document.scope(), SpoofingOption(option), made_at(key))


SPOOFING: Final = PolicyFamily(
    PolicyType.ANTI_SPOOFING,
    anti_spoofing_policy,
    AntiSpoofingRow,
    ANTI_SPOOFING,
    _decided,
    (anti_spoofing_policy.c.option,),
)
