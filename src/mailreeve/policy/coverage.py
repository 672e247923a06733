"""Does one target cover another? What is sure of every address that a target matches, as target keys.

Any address that matches a target has certain keys for sure (`targets.Target.key`): whoever is at a domain is
also internal or external, and in the groups that hold the domain. So whatever names one of those keys matches
as well. That is what makes it possible to say that a policy can never win without trying every message.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from mailreeve.policy.addresses import Address, Domain
from mailreeve.policy.facts import Directory
from mailreeve.policy.identities import Identities
from mailreeve.policy.targets import (
    EVERYONE_KEY,
    EXTERNAL_KEY,
    FREE_MAIL_KEY,
    GROUP_KEY,
    INTERNAL_KEY,
    Target,
    TargetType,
    attribute_key,
)

MAX_KEPT: Final = 10_000  # domains whose keys are kept; those of members and of the account are asked about often

_NOBODY: Final = " "  # a local part that no address has


class Coverage:
    """What one directory makes sure about targets. Answers are computed once and kept."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._sure: dict[Target, frozenset[str]] = {}
        self._domains: dict[str, frozenset[str]] = {}

    @property
    def directory(self) -> Directory:
        """The directory that the answers follow from."""
        return self._identities.directory

    def sure_keys(self, target: Target) -> frozenset[str]:
        """The keys that every address matching the target has; its own is among them.

        Where nobody can match (`impossible`) the answer is right but of no use. For a display name they are
        those of a From header that has it, whose address may be any or missing.
        """
        if target.type is TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            return self.of_address(target.value)  # rarely asked twice, and there may be a million
        if target.type is TargetType.EMAIL_DOMAIN:
            return self.at_domain(target.value)
        found = self._sure.get(target)
        if found is None:
            found = self._sure[target] = self._find(target) | {target.key, EVERYONE_KEY}
        return found

    def at_domain(self, domain: str) -> frozenset[str]:
        """The keys that every address of the domain has."""
        found = self._domains.get(domain)
        if found is None:
            key = f"{_NOBODY}@{domain}"
            found = frozenset(self._identities.keys(Address(_NOBODY, Domain(domain), key))) - {key}
            if len(self._domains) < MAX_KEPT:
                self._domains[domain] = found
        return found

    def of_address(self, key: str) -> frozenset[str]:
        """The keys of the address with this key."""
        local, _, domain = key.rpartition("@")
        return frozenset(self._identities.keys(Address(local, Domain(domain), key)))

    def impossible(self, target: Target) -> str:
        """Why no address at all can match the target; empty if one may."""
        directory = self.directory
        match target.type:
            case TargetType.INTERNAL_ADDRESSES if not directory.internal_domains:
                return "the account has no internal domain"
            case TargetType.FREE_MAIL_DOMAINS if not directory.free_mail:
                return "the free-mail list is empty"
            case TargetType.PROFILE_GROUP if target.value not in directory.group_names:
                return "the group does not exist"
            case TargetType.PROFILE_GROUP if target.key not in self._groups:
                return "the group has no members"
            case TargetType.ADDRESS_ATTRIBUTE_VALUE if target.key not in self._attributes:
                return "no user has that attribute value"
            case TargetType.HEADER_DISPLAY_NAME if not target.value:
                return "the display name is empty"
            case _:
                return ""

    def _find(self, target: Target) -> frozenset[str]:
        match target.type:
            case TargetType.INTERNAL_ADDRESSES:
                return self._common(self.directory.internal_domains) | {INTERNAL_KEY}
            case TargetType.FREE_MAIL_DOMAINS:
                return self._common(self.directory.free_mail) | {FREE_MAIL_KEY}
            case TargetType.PROFILE_GROUP:
                return self._groups.get(target.key, frozenset())
            case TargetType.ADDRESS_ATTRIBUTE_VALUE:
                return self._attributes.get(target.key, frozenset())
            case TargetType.EXTERNAL_ADDRESSES:
                return frozenset((EXTERNAL_KEY,))
            case _:
                return frozenset()

    def _common(self, domains: Iterable[str]) -> frozenset[str]:
        found: frozenset[str] | None = None
        for domain in domains:
            keys = self.at_domain(domain)
            found = keys if found is None else found & keys
        return found or frozenset()

    @cached_property
    def _groups(self) -> dict[str, frozenset[str]]:
        """For the key of each group that has members, itself or below it: what all of them have in common."""
        common: dict[str, frozenset[str]] = {}
        for member in self.directory.groups:
            keys = self.of_address(member) if "@" in member else self.at_domain(member)
            for key in keys:
                if key.startswith(GROUP_KEY):
                    common[key] = common[key] & keys if key in common else keys
        return common

    @cached_property
    def _attributes(self) -> dict[str, frozenset[str]]:
        """As above for attribute values. An address with a `+tag` has its user's values, but no group's."""
        common: dict[str, frozenset[str]] = {}
        for address, user in self.directory.users.items():
            if not user.attributes:
                continue
            theirs = {attribute_key(id, value) for id, value in user.attributes.items()}
            keys = self.at_domain(address.rpartition("@")[2]) | theirs
            for key in theirs:
                common[key] = common[key] & keys if key in common else keys
        return common
