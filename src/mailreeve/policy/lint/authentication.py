"""Which policies about authentication come to nothing, or let past more than they should?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import NAMED, Finding, FindingKind, Subject
from mailreeve.policy.lint.scope_cover import is_in_force
from mailreeve.policy.model.authentication import PermitNeeds
from mailreeve.policy.model.policies import BypassOption, ScopedPolicy, SpoofingOption
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import BELOW, Target, TargetType, is_around
from mailreeve.policy.model.wording import listed, quoted

_ANYBODY: Final = (TargetType.EVERYONE, TargetType.EXTERNAL_ADDRESSES)
_WHOEVER_CLAIMS: Final = (TargetType.EVERYONE, TargetType.INTERNAL_ADDRESSES)


def lint_authentication(policies: PolicySet, at: float) -> Iterator[Finding]:
    """What is wrong from the time `at` on, in POSIX seconds."""
    rules = policies.authentication
    permits = [one for one in policies.permitted.policies if is_in_force(one.scope, at)]
    inside = [one for one in permits if not one.scope.terms.networks and _names_inside(policies, one.scope.from_)]
    if inside:
        yield Finding(
            FindingKind.INSIDE_PERMIT,
            _subjects(PolicyType.PERMITTED_SENDERS, inside),
            f"{_named(inside)} permits inside senders, whom anybody outside can claim to be",
            "From outside it counts only for mail that authenticates; remove it if it is not needed.",
            len(inside),
        )
    if not rules.is_judged:
        yield from _nothing_authenticates(policies, permits, at)
    for bypass in policies.bypass.policies:
        terms = bypass.scope.terms
        if (
            bypass.option is BypassOption.ENABLE
            and is_in_force(bypass.scope, at)
            and not terms.spf_domains
            and not terms.networks
            and bypass.scope.from_.type in _WHOEVER_CLAIMS
        ):
            yield Finding(
                FindingKind.BYPASS_FOR_ALL,
                _subjects(PolicyType.ANTI_SPOOFING_BYPASS, [bypass]),
                f"{quoted(bypass.description)} lets whoever claims to be from inside past anti-spoofing",
                "Give it spfDomains or sourceIPs, or name the sender who may.",
            )


def _nothing_authenticates(policies: PolicySet, permits: Iterable[ScopedPolicy], at: float) -> Iterator[Finding]:
    """What waits for results of SPF, DKIM and DMARC where nobody is asked for any."""
    advice = "Name the server in front that checks mail in the setting trusted_authserv_ids."
    waiting = [one for one in permits if not one.scope.terms.networks and one.scope.from_.type not in _ANYBODY]
    if policies.authentication.permits is PermitNeeds.ALWAYS and waiting:
        yield Finding(
            FindingKind.NOTHING_AUTHENTICATES,
            _subjects(PolicyType.PERMITTED_SENDERS, waiting),
            f"{_named(waiting)} never counts: permits always need authentication, and nobody is asked for any",
            advice,
            len(waiting),
        )
    acting = [
        one
        for one in policies.spoofing.policies
        if one.option is not SpoofingOption.NONE and is_in_force(one.scope, at)
    ]
    if acting:
        yield Finding(
            FindingKind.NOTHING_AUTHENTICATES,
            _subjects(PolicyType.ANTI_SPOOFING, acting),
            f"{_named(acting)} never acts: nobody is asked whether mail authenticates",
            advice,
            len(acting),
        )


def _names_inside(policies: PolicySet, target: Target) -> bool:
    own = policies.directory.internal_domains
    match target.type:
        case TargetType.INTERNAL_ADDRESSES:
            return True
        case TargetType.EMAIL_DOMAIN:
            value = target.value
            return value in own or (value[:1] == BELOW and any(is_around(value, one) for one in own))
        case TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            return target.value.rpartition("@")[2] in own
        case _:
            return False


def _subjects(kind: PolicyType, several: Sequence[ScopedPolicy]) -> tuple[Subject, ...]:
    return tuple(Subject(kind, one.id, one.description) for one in several[:NAMED])


def _named(several: Sequence[ScopedPolicy]) -> str:
    return listed((quoted(one.description) for one in several), 3)
