"""Whom would a block hit? Its reach in words, and whether that is a whole organisation (behaviour.md section
11, 1).

Integrations have blocked whole companies by leaving an argument out. Here both targets are required; what is
left is the block that names everybody on purpose or by mistake, which this module tells from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from math import inf
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Domain
from mailreeve.formats.networks import Network
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.model.facts import Directory
from mailreeve.policy.model.policies import BlockedOption, FromPart, Scope
from mailreeve.policy.model.targets import EVERYONE_KEY, EXTERNAL_KEY, Target, TargetType
from mailreeve.policy.model.wording import domain_words, listed, target_words

_NAMING_MANY: Final = frozenset((TargetType.PROFILE_GROUP, TargetType.ADDRESS_ATTRIBUTE_VALUE))
_ADMINISTRATIVE: Final = frozenset(("abuse", "postmaster"))
_ALL_FOUR: Final = IPv4Network("0.0.0.0/0")
_ALL_SIX: Final = IPv6Network("2000::/3")  # all unicast addresses that are given out (RFC 4291 section 2.4)
# What no message from another network comes from (RFC 1122 section 3.2.1.3, RFC 1112 section 4).
_SENDING_NOTHING: Final = (IPv4Network("0.0.0.0/8"), IPv4Network("224.0.0.0/3"))

MOST_NAMED: Final = 3  # domains or ranges that a sentence names before it counts


class Reach(Struct, frozen=True):
    """What a blocking policy covers.

    `words` says which messages; `wide` whether they are those of a whole organisation: everything from
    everybody, or everything from outside, or all that a whole domain of the account sends, to everybody or to a
    whole domain of it.
    """

    words: str
    wide: bool


def reach(option: BlockedOption, scope: Scope, coverage: Coverage, at: float) -> Reach:
    """The reach of a policy with this option and scope, from the time `at` on.

    An exemption, a disabled and an expired policy block nothing. A condition on the source address narrows a
    policy to some servers, so it is never wide; unless its ranges together are all that anybody sends from, by
    IPv4 or by IPv6. Between outsiders it concerns relaying alone, which is refused anyway.
    """
    directory = coverage.directory
    words, terms = reach_words(scope, directory), scope.terms
    in_force = terms.enabled and terms.ends > max(at, terms.starts)
    if option is not BlockedOption.BLOCK_SENDER or not in_force or not _from_everywhere(terms.networks):
        return Reach(words, False)
    wholes = _whole(scope.from_, coverage), _whole(scope.to, coverage)
    outside = {EXTERNAL_KEY}
    return Reach(words, all(wholes) and wholes != (outside, outside))


def _whole(target: Target, coverage: Coverage) -> set[str]:
    """What the target covers entirely: everyone, all outsiders, domains of the account. Empty for anything
    less."""
    if target.type is TargetType.EVERYONE:
        return {EVERYONE_KEY}
    if target.type is TargetType.EXTERNAL_ADDRESSES:
        return {EXTERNAL_KEY}
    domains = coverage.directory.internal_domains
    whole: set[str] = {domain for domain in domains if target.key in coverage.at_domain(domain)}
    if target.type in _NAMING_MANY:
        whole |= _all_users(target, coverage, domains - whole)
    return whole


def _all_users(target: Target, coverage: Coverage, domains: frozenset[Domain]) -> set[str]:
    """Those of the domains whose users the target names one by one: all of them, and more than one. Nobody counts
    the two users that every domain has for its administration."""
    found: dict[str, int] = dict.fromkeys(domains, 0)
    for key, user in coverage.directory.users.items():
        local, _, domain = key.rpartition("@")
        if domain not in found or key != user.primary or local in _ADMINISTRATIVE:
            continue
        if target.key in coverage.of_address(key):
            found[domain] += 1
        else:
            del found[domain]
            if not found:
                break
    return {domain for domain, count in found.items() if count > 1}


def _from_everywhere(networks: Sequence[Network]) -> bool:
    """Whether the ranges leave out nobody: no condition, or together all addresses that anybody sends from."""
    if not networks:
        return True
    four = [network for network in networks if isinstance(network, IPv4Network)]
    six = [network for network in networks if isinstance(network, IPv6Network)]
    return (bool(four) and list(collapse_addresses([*four, *_SENDING_NOTHING])) == [_ALL_FOUR]) or any(
        network.supernet_of(_ALL_SIX) for network in collapse_addresses(six)
    )


def reach_words(scope: Scope, directory: Directory) -> str:
    """Which messages the scope is about."""
    names = directory.group_names
    recipients = _recipients(scope.to, directory)
    if scope.from_.type is TargetType.EVERYONE:
        text = f"every message to {recipients}"
    elif scope.from_.type is TargetType.EXTERNAL_ADDRESSES:
        text = f"every message from outside to {recipients}"
    elif scope.from_.type is TargetType.INTERNAL_ADDRESSES:
        text = f"every message from every user of {_own(directory)} to {recipients}"
    else:
        text = f"every message from {target_words(scope.from_, names)} to {recipients}"
    if scope.from_.type is not TargetType.EVERYONE and scope.terms.from_part is not FromPart.ENVELOPE_FROM:
        also = "as envelope sender or " if scope.terms.from_part is FromPart.BOTH else ""
        text += f" (named {also}in the From header)"
    if scope.terms.bidirectional:
        text += ", and the other way round"
    if scope.terms.networks:
        text += f", if it comes from {listed(map(str, scope.terms.networks), MOST_NAMED)}"
    if scope.terms.starts != -inf:
        text += f", from {_moment(scope.terms.starts)} on"
    if scope.terms.ends != inf:
        text += f", until {_moment(scope.terms.ends)}"
    return text


def _recipients(target: Target, directory: Directory) -> str:
    match target.type:
        case TargetType.EVERYONE:
            return f"everyone, that is every user of {_own(directory)} and all others"
        case TargetType.INTERNAL_ADDRESSES:
            return f"every user of {_own(directory)}"
        case TargetType.EXTERNAL_ADDRESSES:
            return "everyone outside"
        case TargetType.EMAIL_DOMAIN if target.value in directory.internal_domains:
            return f"every user of {target.value}"
        case TargetType.EMAIL_DOMAIN:
            return f"everyone at {domain_words(target.value)}"
        case TargetType.PROFILE_GROUP:
            return f"every member of {target_words(target, directory.group_names)}"
        case _:
            return target_words(target, directory.group_names)


def _own(directory: Directory) -> str:
    domains: list[str] = sorted(directory.internal_domains)
    return listed(domains, MOST_NAMED) if domains else "your domains, of which there are none yet"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes").replace("+00:00", " UTC")
