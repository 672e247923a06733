"""The items and answers of the blocked sender endpoints (api.md section 3.2)."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.policy.policies import BlockedOption
from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem


class WritePolicy(Struct, frozen=True):
    """A policy to create; with an `id`, the policy to replace, as one large client does."""

    option: BlockedOption
    policy: PolicyItem
    id: str | None = None


class UpdatePolicy(Struct, frozen=True):
    """A policy to replace as a whole."""

    id: str
    option: BlockedOption
    policy: PolicyItem


class OnePolicy(Struct, frozen=True):
    """One policy, by id."""

    id: str


class SomePolicies(Struct, frozen=True):
    """One policy by id, or all without one."""

    id: str | None = None


class BlockedSenderAnswer(Struct, frozen=True):
    """A blocked sender policy."""

    option: BlockedOption
    id: str
    policy: PolicyAnswer


class DeletedPolicy(Struct, frozen=True):
    """A policy that is gone."""

    id: str
    deleted: bool = True
