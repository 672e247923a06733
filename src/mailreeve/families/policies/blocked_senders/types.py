"""The items and answers of the blocked sender endpoints (api.md section 3.2)."""

from __future__ import annotations

from msgspec import Struct, field

from mailreeve.policy.model.policies import BlockedOption
from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem


class WritePolicy(Struct, frozen=True):
    """A policy to create; with an `id`, the policy to change, as one large client does.

    `confirm_reach` is about a block of a whole organisation: true says that it is meant, false has it refused.
    Left out, the server's setting decides.
    """

    option: BlockedOption
    policy: PolicyItem
    id: str | None = None
    confirm_reach: bool | None = field(default=None, name="confirmReach")


class UpdatePolicy(Struct, frozen=True):
    """A policy to change: a policy object that names `from` and `to` replaces the whole, one that does not changes
    what it holds. `confirm_reach` as for one to create."""

    id: str
    option: BlockedOption
    policy: PolicyItem
    confirm_reach: bool | None = field(default=None, name="confirmReach")


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
