"""Does one target cover another? What is sure of every address that a target matches, as target keys.

Any address that matches a target has certain keys for sure (`targets.Target.key`): whoever is at a domain is
also internal or external, and in the groups that hold the domain. So whatever names one of those keys matches
as well. That is what makes it possible to say that a policy can never win without trying every message. Whoever
stands for somebody else has all keys of that one (`identities`), so that nobody else need be asked about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Final

from mailreeve.formats.addresses import Address, Domain
from mailreeve.policy.model.facts import Directory, User
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.keys import Keys, keys_of
from mailreeve.policy.model.targets import (
    BELOW,
    EVERYONE_KEY,
    EXTERNAL_KEY,
    FREE_MAIL_KEY,
    INTERNAL_KEY,
    Target,
    TargetType,
    attribute_key,
)

MAX_KEPT: Final = 10_000  # domains whose keys are kept; those of members and of the account are asked about often

_NOBODY: Final = " "  # a local part that no address has


class Coverage:
    """What one directory makes sure about targets. Answers are computed once and kept.

    With `lasting` it is about all that is to come: that is the directory once all memberships have ended that are
    to end, and what follows from one of these is not sure, though who is in a group by it is.
    """

    def __init__(self, identities: Identities, lasting: Identities | None = None) -> None:
        self._identities = identities
        self._lasting = lasting or identities
        self._sure: dict[Target, Keys] = {}
        self._domains: dict[str, Keys] = {}

    @property
    def directory(self) -> Directory:
        """The directory that the answers follow from."""
        return self._identities.directory

    def sure_keys(self, target: Target) -> Keys:
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
            found = self._sure[target] = keys_of(self._find(target) | {target.key, EVERYONE_KEY})
        return found

    def examples(self, target: Target) -> Sequence[str]:
        """Of a group or an attribute value the addresses and domains that have it, by their keys: two of them
        share somebody if they have one of these in common. Nothing for targets of other types."""
        if target.type is TargetType.PROFILE_GROUP:
            return self._members.get(target.key, ())
        if target.type is TargetType.ADDRESS_ATTRIBUTE_VALUE:
            return self._holders.get(target.key, ())
        return ()

    def at_domain(self, domain: str) -> Keys:
        """The keys that every address of the domain has, or every one of it and below it."""
        if domain[:1] == BELOW:
            return self._identities.below(domain)
        found = self._domains.get(domain)
        if found is None:
            key = f"{_NOBODY}@{domain}"
            keys = self._lasting.keys(Address(_NOBODY, Domain(domain), key))
            found = Keys(tuple(name for name in keys.names if name != key), keys.groups, keys.domains)
            if len(self._domains) < MAX_KEPT:
                self._domains[domain] = found
        return found

    def of_address(self, key: str) -> Keys:
        """The keys of the address with this key."""
        return self._lasting.keys(_address(key))

    def kin(self, target: Target) -> tuple[str, ...]:
        """The key of the target, and those of others of its type that somebody who meets it meets as well because
        of aliases and tags (D-53): addresses that it stands for, domains of users who have aliases in it."""
        if target.type is TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            steps = self._identities.way(_address(target.value))
            return (target.key, *(step.of for step in steps))
        if target.type is TargetType.EMAIL_DOMAIN:
            return (target.key, *sorted(self._led_to.get(target.value, ())))
        return (target.key,)

    def user_of(self, key: str) -> User | None:
        """The user whom mail to the address with this key reaches."""
        return self._identities.user(_address(key))

    def _groups_now(self, member: str) -> tuple[str, ...]:
        """The keys of the groups in which a member, an address or a domain, is for now."""
        if "@" in member:
            return self._identities.keys(_address(member)).groups
        return self._identities.keys(Address(_NOBODY, Domain(member), f"{_NOBODY}@{member}")).groups

    def _of_member(self, member: str) -> Keys:
        """The keys that all have for sure who are in a group by this member: those of whom it stands for, which
        all others who stand for that one have as well."""
        if "@" not in member:
            return self.at_domain(member)
        return self.of_address(self._identities.person(_address(member)))

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
                found = self._groups.get(target.key)
                # The groups above are sure also of those who are in it for a time.
                return frozenset() if found is None else found.union(self._identities.tree.above((target.value,)))
            case TargetType.ADDRESS_ATTRIBUTE_VALUE:
                return self._attributes.get(target.key, frozenset())
            case TargetType.EXTERNAL_ADDRESSES:
                return frozenset((EXTERNAL_KEY,))
            case _:
                return frozenset()

    def _common(self, domains: Iterable[str]) -> frozenset[str]:
        found: frozenset[str] | None = None
        for domain in domains:
            keys = frozenset(self.at_domain(domain))
            found = keys if found is None else found & keys
        return found or frozenset()

    @cached_property
    def _groups(self) -> dict[str, frozenset[str]]:
        """For the key of each group that has members, itself or below it: what all of them have in common."""
        common: dict[str, frozenset[str]] = {}
        for member in self.directory.groups:
            keys = frozenset(self._of_member(member))
            for key in self._groups_now(member):
                common[key] = common[key] & keys if key in common else keys
        return common

    @cached_property
    def _attributes(self) -> dict[str, frozenset[str]]:
        """As above for attribute values."""
        common: dict[str, frozenset[str]] = {}
        for address, user in self.directory.users.items():
            if not user.attributes:
                continue
            theirs = {attribute_key(id, value) for id, value in user.attributes.items()}
            keys = frozenset(self.of_address(address))
            for key in theirs:
                common[key] = common[key] & keys if key in common else keys
        return common

    @cached_property
    def _members(self) -> dict[str, list[str]]:
        """For the key of each group its members and those below it; also those whose domain is a member, or the
        domain of whom they stand for."""
        found: dict[str, list[str]] = {}
        # An alias may be in groups together that hold nobody else in common: by its domain and by its user's.
        groups, users = self.directory.groups, self.directory.users
        abroad = [
            key
            for key, user in users.items()
            if key != user.primary and key not in groups and key.rpartition("@")[2] in groups
        ]
        for member in chain(groups, abroad):
            for key in self._groups_now(member):
                found.setdefault(key, []).append(member)
        return found

    @cached_property
    def _led_to(self) -> dict[str, set[str]]:
        """From each domain with aliases to the other domains whose users have them."""
        found: dict[str, set[str]] = {}
        for address, user in self.directory.users.items():
            here, there = address.rpartition("@")[2], user.primary.rpartition("@")[2]
            if here != there:
                found.setdefault(here, set()).add(there)
        return found

    @cached_property
    def _holders(self) -> dict[str, list[str]]:
        """For each attribute value the users who have it."""
        found: dict[str, list[str]] = {}
        for address, user in self.directory.users.items():
            for id, value in user.attributes.items():
                found.setdefault(attribute_key(id, value), []).append(address)
        return found


def _address(key: str) -> Address:
    local, _, domain = key.rpartition("@")
    return Address(local, Domain(domain), key)
