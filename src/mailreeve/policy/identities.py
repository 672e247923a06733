"""Which targets does an address match? Every target has one key, every address a set of the keys it matches.

A policy's target matches an address when its key is in the address's set. The index looks policies
up by the very same keys, so that finding a policy and testing it cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from mailreeve.policy.addresses import Address, NullSender, Sender, without_tag
from mailreeve.policy.facts import Directory, HeaderFrom, User
from mailreeve.policy.targets import Target, TargetType, fold_display_name

# No address and no domain begins with an asterisk and holds no `@`, so these are nobody's own key.
EVERYONE_KEY: Final = "*"
INTERNAL_KEY: Final = "*internal"
EXTERNAL_KEY: Final = "*external"
FREE_MAIL_KEY: Final = "*free"
_GROUP: Final = "*group:"
_ATTRIBUTE: Final = "*attribute:"
_NAME: Final = "*name:"

_FIXED: Final[dict[TargetType, str]] = {
    TargetType.EVERYONE: EVERYONE_KEY,
    TargetType.INTERNAL_ADDRESSES: INTERNAL_KEY,
    TargetType.EXTERNAL_ADDRESSES: EXTERNAL_KEY,
    TargetType.FREE_MAIL_DOMAINS: FREE_MAIL_KEY,
}

NULL_SENDER_KEYS: Final = frozenset((EVERYONE_KEY, EXTERNAL_KEY))
"""The null sender matches everyone and external addresses only (behaviour.md D-06)."""


def target_key(target: Target) -> str:
    """The key that an address must have for the target to match it."""
    match target.type:
        case TargetType.INDIVIDUAL_EMAIL_ADDRESS | TargetType.EMAIL_DOMAIN:
            return target.value  # exact, subdomains are not covered (behaviour.md D-04)
        case TargetType.PROFILE_GROUP:
            return _GROUP + target.value
        case TargetType.ADDRESS_ATTRIBUTE_VALUE:
            return f"{_ATTRIBUTE}{target.attribute}\0{target.value}"
        case TargetType.HEADER_DISPLAY_NAME:
            return _NAME + target.value
        case _:
            return _FIXED[target.type]


class Identities:
    """What one directory says about addresses, as sets of target keys. Immutable for its readers."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        held = set(directory.parents).union(*directory.groups.values())
        self._groups = {group: tuple(_GROUP + id for id in self._lineage(group)) for group in held}

    def is_internal(self, sender: Sender) -> bool:
        """Whether the address is in one of the account's own domains; the null sender never is."""
        return not isinstance(sender, NullSender) and sender.domain in self.directory.internal_domains

    def user(self, address: Address) -> User | None:
        """The user whom mail to this address reaches: by primary address or alias, with or without a tag."""
        users = self.directory.users
        user = users.get(address.key)
        if user is None and "+" in address.key:
            user = users.get(without_tag(address).key)
        return user

    def keys(self, sender: Sender) -> frozenset[str]:
        """The keys of all targets that match the address. Group members count for the groups above (D-03)."""
        if isinstance(sender, NullSender):
            return NULL_SENDER_KEYS
        directory, key, domain = self.directory, sender.key, sender.domain
        internal = domain in directory.internal_domains
        keys = frozenset((EVERYONE_KEY, INTERNAL_KEY if internal else EXTERNAL_KEY, domain, key))
        if domain in directory.free_mail:
            keys |= {FREE_MAIL_KEY}
        for member in (key, domain):
            groups = directory.groups.get(member)
            if groups is not None:
                keys = keys.union(*[self._groups[group] for group in groups])
        user = self.user(sender)
        if user is not None and user.attributes:
            keys = keys.union([f"{_ATTRIBUTE}{id}\0{value}" for id, value in user.attributes.items()])
        return keys

    def author_keys(self, authors: tuple[HeaderFrom, ...]) -> frozenset[str]:
        """The keys of all targets that match the From header; of several authors, any one counts.

        A missing header and an author without a usable address count as the null sender does
        (D-06): a sender must not slip past a policy for external addresses by garbling the header.
        """
        keys: set[str] = set()
        for author in authors or (HeaderFrom(None),):
            keys |= NULL_SENDER_KEYS if author.address is None else self.keys(author.address)
            name = fold_display_name(author.display_name)
            if name:
                keys.add(_NAME + name)
        return frozenset(keys)

    def membership(self, address: Address, group: str) -> tuple[str, ...]:
        """The ids of the groups from the one that holds the address or its domain up to `group` (D-03)."""
        groups = self.directory.groups
        paths = []
        for held in (*groups.get(address.key, ()), *groups.get(address.domain, ())):
            lineage = tuple(self._lineage(held))
            if group in lineage:
                paths.append(lineage[: lineage.index(group) + 1])
        return min(paths, key=len, default=())

    @cached_property
    def populated(self) -> frozenset[str]:
        """The keys of all groups that hold any member, themselves or through a group below."""
        held = set[str]().union(*self.directory.groups.values())
        return frozenset(key for group in held for key in self._groups[group])

    def can_match(self, target: Target) -> bool:
        """Whether there can be any address at all that the target matches: an empty group has none."""
        return target.type is not TargetType.PROFILE_GROUP or target_key(target) in self.populated

    def _lineage(self, group: str) -> Iterator[str]:
        """The group and all groups above it; a cycle is cut where it closes (D-03)."""
        seen: set[str] = set()
        next_: str | None = group
        while next_ is not None and next_ not in seen:
            seen.add(next_)
            yield next_
            next_ = self.directory.parents.get(next_)
