"""The anti-spoofing bypass policies of an account: their table, and what a row of it is to a decision."""

from __future__ import annotations

from typing import Final

from msgspec import structs
from sqlalchemy import Column, String

from mailreeve.families.policies.family import PolicyFamily, PolicyRow, policy_table
from mailreeve.formats.addresses import parse_domain
from mailreeve.policy.model.policies import AntiSpoofingBypassPolicy, BypassOption, Scope
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store.keys import made_at
from mailreeve.wire.policy_object import BLOCKED_SENDERS, PolicyDocument

anti_spoofing_bypass_policy: Final = policy_table(
    PolicyType.ANTI_SPOOFING_BYPASS, Column("option", String(16), nullable=False)
)


class BypassRow(PolicyRow, frozen=True):
    """An anti-spoofing bypass policy as the store keeps it."""

    option: BypassOption


def _decided(key: str, document: PolicyDocument, option: str) -> AntiSpoofingBypassPolicy:
    scope = document.scope()
    domains = frozenset(map(parse_domain, document.spf_domains))
    terms = structs.replace(scope.terms, spf_domains=domains)
    return AntiSpoofingBypassPolicy(
        key, document.description, Scope(scope.from_, scope.to, terms), BypassOption(option), made_at(key)
    )


BYPASS: Final = PolicyFamily(
    PolicyType.ANTI_SPOOFING_BYPASS,
    anti_spoofing_bypass_policy,
    BypassRow,
    BLOCKED_SENDERS,
    _decided,
    (anti_spoofing_bypass_policy.c.option,),
)
