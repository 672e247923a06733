"""The items and answers of the anti-spoofing bypass endpoints (api.md section 3.4.4)."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.policy.model.policies import BypassOption
from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem


class CreateBypass(Struct, frozen=True):
    """A policy to create: mail within its scope is excepted from anti-spoofing (`enable_bypass`), or from a wider
    exception (`disable_bypass`). With `conditions.spfDomains` only where SPF passes for one of these domains."""

    option: BypassOption
    policy: PolicyItem


class UpdateBypass(Struct, frozen=True):
    """A policy to change: a policy object that names `from` and `to` replaces the whole, one that does not changes
    what it holds."""

    id: str
    policy: PolicyItem
    option: BypassOption | None = None


class OneBypass(Struct, frozen=True):
    """One policy, by id."""

    id: str


class SomeBypasses(Struct, frozen=True):
    """One policy by id, or all without one."""

    id: str | None = None


class BypassAnswer(Struct, frozen=True):
    """An anti-spoofing bypass policy."""

    option: BypassOption
    id: str
    policy: PolicyAnswer


class DeletedBypass(Struct, frozen=True):
    """A policy that is gone."""

    id: str
    deleted: bool = True
