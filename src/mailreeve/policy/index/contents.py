"""What does a policy set hold, one thing after the other?

For whoever reads all of it: the linter, and explanations of one policy named by its id. Decisions find what they
need through the indexes instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailreeve.policy.index.matching import ScopedPolicy
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.policies import (
    AlterationPolicy,
    BlockedSenderPolicy,
    Definition,
    ManagedSender,
    PermittedSenderPolicy,
    WebPolicy,
)
from mailreeve.policy.model.policy_types import PolicyType


def blocked(policies: PolicySet) -> Iterable[BlockedSenderPolicy]:
    """The blocked sender policies, disabled ones included, in no particular order."""
    return policies.blocked.policies


def permitted(policies: PolicySet) -> Iterable[PermittedSenderPolicy]:
    """The permitted sender policies, as above."""
    return policies.permitted.policies


def alteration(policies: PolicySet) -> Iterable[AlterationPolicy]:
    """The address alteration policies, as above."""
    return policies.alteration.policies


def managed(policies: PolicySet) -> Iterable[ManagedSender]:
    """The entries of all personal lists."""
    return policies.managed.entries


def definitions(policies: PolicySet) -> Iterable[Definition]:
    """The address alteration definitions of all sets and of the root."""
    return policies.definitions.every()


def web(policies: PolicySet) -> Iterable[WebPolicy]:
    """The web lists."""
    return policies.web.policies


def scoped(policies: PolicySet, type_: PolicyType) -> Iterable[ScopedPolicy]:
    """The policies of a type whose policies have one scope each; none for personal lists."""
    match type_:
        case PolicyType.BLOCKED_SENDERS:
            return blocked(policies)
        case PolicyType.PERMITTED_SENDERS:
            return permitted(policies)
        case PolicyType.ADDRESS_ALTERATION:
            return alteration(policies)
        case PolicyType.MANAGED_SENDERS:
            return ()


def find_scoped(policies: PolicySet, type_: PolicyType, policy_id: str) -> ScopedPolicy | None:
    """One policy by its id, or None."""
    match type_:
        case PolicyType.BLOCKED_SENDERS:
            return policies.blocked.get(policy_id)
        case PolicyType.PERMITTED_SENDERS:
            return policies.permitted.get(policy_id)
        case PolicyType.ADDRESS_ALTERATION:
            return policies.alteration.get(policy_id)
        case PolicyType.MANAGED_SENDERS:
            return None


def find_entry(policies: PolicySet, entry_id: str) -> ManagedSender | None:
    """One entry of a personal list by its id, or None."""
    return policies.managed.get(entry_id)


def find_web(policies: PolicySet, wanted: str) -> WebPolicy | None:
    """One web list, by its own id or by that of one of its entries, or None."""
    found = policies.web.get(wanted)
    if found is not None:
        return found
    return next((policy for policy in web(policies) if any(entry.id == wanted for entry in policy.entries)), None)
