"""The items and answers of the anti-spoofing endpoints. API 1.0 has none: these are ours, in the form of its
blocked sender endpoints."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.policy.model.policies import SpoofingOption
from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem


class CreateAntiSpoofing(Struct, frozen=True):
    """A policy to create: what becomes of mail from outside that claims an internal sender within its scope whom
    neither SPF, DKIM nor DMARC vouches for. Where the policy object does not say, the sender is looked for in the
    envelope and in the From header."""

    option: SpoofingOption
    policy: PolicyItem


class UpdateAntiSpoofing(Struct, frozen=True):
    """A policy to change: a policy object that names `from` and `to` replaces the whole, one that does not changes
    what it holds."""

    id: str
    policy: PolicyItem
    option: SpoofingOption | None = None


class OneAntiSpoofing(Struct, frozen=True):
    """One policy, by id."""

    id: str


class SomeAntiSpoofing(Struct, frozen=True):
    """One policy by id, or all without one."""

    id: str | None = None


class AntiSpoofingAnswer(Struct, frozen=True):
    """An anti-spoofing policy."""

    option: SpoofingOption
    id: str
    policy: PolicyAnswer


class DeletedAntiSpoofing(Struct, frozen=True):
    """A policy that is gone."""

    id: str
    deleted: bool = True
