"""What of the web lists can a zone not say? Listed, neither dropped nor widened (behaviour.md D-27)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from mailreeve.formats.networks import Network
from mailreeve.formats.weburls import is_address
from mailreeve.policy.decide.web import SCOPE_RANK, USER_SCOPE
from mailreeve.policy.index.network_cover import networks_covered
from mailreeve.policy.index.web_index import list_entry
from mailreeve.policy.model.policies import Scope, Terms, WebEntry, WebPolicy
from mailreeve.policy.model.targets import EVERYONE_KEY, TargetType
from mailreeve.policy.zone.rules import ZoneRules, is_trigger

EXAMPLES: Final = 3


class Reason(StrEnum):
    """Why a target of a list, or an entry, is not in a zone."""

    USER = "user"
    GROUP = "group"
    SOURCE = "source"
    PATH = "path"
    ADDRESS = "address"
    TRIGGER = "trigger"
    LENGTH = "length"


WORDS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.USER: "for single users, whom a resolver does not know",
        Reason.GROUP: "for groups, domains or attributes of users, whom a resolver does not know",
        Reason.SOURCE: "for addresses that are no location, which a zone cannot tell apart",
        Reason.PATH: "about a part of a host, of which a resolver sees nothing",
        Reason.ADDRESS: "by IP address, for which no resolver is asked",
        Reason.TRIGGER: "by a name that has another meaning in a policy zone",
        Reason.LENGTH: "by a name too long for the zone",
    }
)
"""Each reason in words, after one or several targets or entries."""

OF_TARGETS: Final = frozenset((Reason.USER, Reason.GROUP, Reason.SOURCE))


class Unsaid(Struct, frozen=True):
    """Targets or entries of a list that a zone does not have: how many for this reason, some of the entries."""

    policy_id: str
    description: str
    reason: Reason
    count: int
    examples: Sequence[str] = ()


def unsaid(
    rules: ZoneRules, networks: tuple[Network, ...], locations: Sequence[tuple[Network, ...]]
) -> Iterator[Unsaid]:
    """What the zone of these networks does not say of the lists that hold, or will, list by list.

    `locations` are the networks of all locations: a target that is for some of these altogether is in their zones,
    so nothing of it is missing in another.
    """
    for policy in rules.policies.web.policies:
        found: dict[Reason, int] = {}
        said = False
        for scope in policy.scopes:
            if not _matters(scope, rules.at):
                continue
            reason = _why_not(scope, networks, locations)
            if reason is None:
                said = said or networks_covered(scope.terms.networks, networks)
            else:
                found[reason] = found.get(reason, 0) + 1
        for reason, count in found.items():
            yield Unsaid(policy.id, policy.description, reason, count)
        if said:
            yield from _entries(policy, rules)


def _entries(policy: WebPolicy, rules: ZoneRules) -> Iterator[Unsaid]:
    found: dict[Reason, list[str]] = {}
    for entry in policy.entries:
        reason = _why_no_name(policy, entry, rules.is_too_long)
        if reason is not None:
            found.setdefault(reason, []).append(entry.value)
    for reason, values in found.items():
        yield Unsaid(policy.id, policy.description, reason, len(values), values[:EXAMPLES])


def _matters(scope: Scope, at: float) -> bool:
    """Whether the target holds for anybody now or later."""
    terms = scope.terms
    return (
        terms.enabled
        and max(at, terms.starts) < terms.ends
        and scope.to.type is TargetType.EVERYONE
        and scope.from_.type is not TargetType.HEADER_DISPLAY_NAME
    )


def _why_not(
    scope: Scope, networks: tuple[Network, ...], locations: Sequence[tuple[Network, ...]]
) -> Reason | None:
    if scope.from_.key != EVERYONE_KEY:
        return Reason.USER if SCOPE_RANK[scope.from_.type] == USER_SCOPE else Reason.GROUP
    if networks_covered(scope.terms.networks, networks) or _is_elsewhere(scope.terms, locations):
        return None
    return Reason.SOURCE


def _is_elsewhere(terms: Terms, locations: Sequence[tuple[Network, ...]]) -> bool:
    """Whether all sources of a target are in locations that are its as wholes."""
    whole = [network for one in locations if one and networks_covered(terms.networks, one) for network in one]
    return bool(whole) and networks_covered(tuple(whole), terms.networks)


def _why_no_name(policy: WebPolicy, entry: WebEntry, is_too_long: Callable[[str], bool]) -> Reason | None:
    listed = list_entry(policy, entry)
    host = listed.base.partition("/")[0]
    if listed.is_part_of_host:
        return Reason.PATH
    if is_address(host):
        return Reason.ADDRESS
    if is_trigger(host):
        return Reason.TRIGGER
    return Reason.LENGTH if is_too_long(host) else None
