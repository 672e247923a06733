"""Who is an address to the policies? The directory, prepared so that each address is looked up once.

An account may have tens of thousands of users, each in several nested groups. So whatever the directory says about
one address, user and groups and the groups above them, is kept as one value; a change of one membership makes that
one value anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.policy.addresses import Address, NullSender, Sender, without_tag
from mailreeve.policy.display_names import name_readings
from mailreeve.policy.facts import Directory, DirectoryChanges, HeaderFrom, User
from mailreeve.policy.keys import NULL_SENDER_KEYS, Keys, union, with_names
from mailreeve.policy.sharded import Sharded
from mailreeve.policy.targets import (
    EVERYONE_KEY,
    EXTERNAL_KEY,
    FREE_MAIL_KEY,
    INTERNAL_KEY,
    Target,
    TargetType,
    attribute_key,
    group_key,
)

_EXTERNAL: Final = (EVERYONE_KEY, EXTERNAL_KEY)
_INTERNAL: Final = (EVERYONE_KEY, INTERNAL_KEY)


class _Known(Struct, frozen=True, gc=False):
    """What the directory says about one address or domain: its user, and the keys of the targets that match it.
    For a domain only groups are kept, which the addresses in it are in as well."""

    user: User | None
    attributes: tuple[str, ...]
    keys: Keys


class Identities:
    """What one directory says about addresses, as target keys. Immutable for its readers."""

    __slots__ = ("_known", "_lineages", "_members", "directory")

    def __init__(self, directory: Directory) -> None:
        users, groups = Sharded(directory.users), Sharded(directory.groups)
        self.directory = replace(directory, users=users, groups=groups)
        held = {*directory.parents, *directory.parents.values(), *directory.group_names}.union(
            *directory.groups.values()
        )
        self._lineages: dict[str, tuple[str, ...]] = {group: self._lineage_keys(group) for group in held}
        self._members = Sharded(self._counted(groups.values()))
        self._known = Sharded(self._made({*directory.users, *directory.groups}))

    def changed(self, changes: DirectoryChanges) -> Identities:
        """The directory after these changes. A membership costs what one membership costs, however many policies
        name its group; only a group that moves below another, and a domain that becomes internal or ceases to be
        so, are looked for among all."""
        old = self.directory
        new: Identities = Identities.__new__(Identities)
        parents, names = old.parents, old.group_names
        moved: set[str] = set()
        if changes.groups:
            parents, names = dict(parents), dict(names)
            for group, place in changes.groups.items():
                parent = None if place is None else place.parent
                if parents.pop(group, None) != parent or group not in names:
                    moved.add(group)
                names.pop(group, None)
                if parent is not None:
                    parents[group] = parent
                if place is not None:
                    names[group] = place.name
        users, groups = Sharded.of(old.users), Sharded.of(old.groups)
        new.directory = replace(
            old,
            internal_domains=old.internal_domains
            if changes.internal_domains is None
            else changes.internal_domains,
            known_only=old.known_only if changes.known_only is None else changes.known_only,
            users=users.changed(changes.users),
            groups=groups.changed({member: held or None for member, held in changes.members.items()}),
            parents=parents,
            group_names=names,
        )
        new._lineages = self._lineages
        touched = {*changes.users, *changes.members}
        # A group that is told of only now may be above others already.
        roots = {group_key(group) for group in moved}
        below = (
            {group for group, above in self._lineages.items() if not roots.isdisjoint(above)} if roots else set()
        )
        anew = below | moved
        anew.update(*(held for held in changes.members.values() if any(id not in self._lineages for id in held)))
        if anew:
            new._lineages = self._lineages | {group: new._lineage_keys(group) for group in anew}
        if any(group_key(group) in self._members for group in below):
            touched |= {member for member, held in groups.items() if not below.isdisjoint(held)}
        new._members = self._recounted(new, touched)
        turned = new.directory.internal_domains ^ old.internal_domains
        if turned:
            touched.update(key for key in self._known if key.rpartition("@")[2] in turned)
        new._known = self._known.changed(dict[str, _Known | None].fromkeys(touched) | new._made(touched))
        return new

    def is_internal(self, sender: Sender) -> bool:
        """Whether the address is in one of the account's own domains; the null sender never is."""
        return type(sender) is not NullSender and sender.domain in self.directory.internal_domains

    def user(self, address: Address) -> User | None:
        """The user whom mail to this address reaches: by primary address or alias, with or without a tag."""
        known = self._known.get(address.key)
        user = None if known is None else known.user
        if user is None and "+" in address.key:
            known = self._known.get(without_tag(address).key)
            user = None if known is None else known.user
        return user

    def keys(self, sender: Sender) -> Keys:
        """The keys of all targets that match the address. Group members count for the groups above (D-03)."""
        if type(sender) is NullSender:  # quicker than `isinstance`, which asks the metaclass of structs
            return NULL_SENDER_KEYS
        key, domain = sender.key, sender.domain
        shards, mask = self._known.shards, self._known.mask
        known = shards[hash(key) & mask].get(key)
        by_domain = shards[hash(domain) & mask].get(domain)
        keys = Keys(self._names(key, domain, ())) if known is None else known.keys
        if "+" in key and (known is None or known.user is None):
            untagged = self._known.get(without_tag(sender).key)
            if untagged is not None and untagged.attributes:
                keys = Keys(keys.names + untagged.attributes, keys.groups)
        if by_domain is not None:
            keys = union((keys, by_domain.keys))
        return keys

    def _names(self, key: str, domain: str, attributes: tuple[str, ...]) -> tuple[str, ...]:
        """The keys of an address but for those of groups."""
        directory = self.directory
        fixed = _INTERNAL if domain in directory.internal_domains else _EXTERNAL
        if domain in directory.free_mail:
            attributes = (FREE_MAIL_KEY, *attributes)
        return (*fixed, domain, key, *attributes)

    def author_keys(self, authors: tuple[HeaderFrom, ...]) -> Keys:
        """The keys of all targets that match the From header; of several authors, any one counts.

        A missing header and an author without a usable address count as the null sender does
        (D-06): a sender must not slip past a policy for external addresses by garbling the header.
        """
        if not authors:
            return NULL_SENDER_KEYS
        several: list[Keys] = []
        for author in authors:
            keys = NULL_SENDER_KEYS if author.address is None else self.keys(author.address)
            several.append(named(keys, author))
        return several[0] if len(several) == 1 else union(several)

    def membership(self, address: Address, group: str) -> tuple[str, ...]:
        """The ids of the groups from the one that holds the address or its domain up to `group` (D-03)."""
        groups = self.directory.groups
        paths = []
        for held in (*groups.get(address.key, ()), *groups.get(address.domain, ())):
            lineage = tuple(self._lineage(held))
            if group in lineage:
                paths.append(lineage[: lineage.index(group) + 1])
        return min(paths, key=len, default=())

    def can_match(self, target: Target) -> bool:
        """Whether there can be any address at all that the target matches: a group that has no member, itself or
        through a group below, matches none."""
        return target.type is not TargetType.PROFILE_GROUP or target.key in self._members

    def _made(self, keys: Iterable[str]) -> dict[str, _Known]:
        """What there is to know about these addresses and domains; nothing for those in no group and nobody's."""
        users, groups, lineages = self.directory.users, self.directory.groups, self._lineages
        made: dict[str, _Known] = {}
        shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # attributes
        for key in keys:
            user, held = users.get(key), groups.get(key, ())
            if user is None and not held:
                continue
            attributes: tuple[str, ...] = ()
            if user is not None and user.attributes:
                attributes = tuple(attribute_key(id, value) for id, value in user.attributes.items())
                attributes = shared.setdefault(attributes, attributes)
            above = tuple(dict.fromkeys([key for group in held for key in lineages[group]]))
            domain = intern(key.rpartition("@")[2])  # one text for all of its addresses
            names = () if domain == key else self._names(key, domain, attributes)
            made[key] = _Known(user, attributes, Keys(names, above))
        return made

    def _counted(self, memberships: Iterable[tuple[str, ...]]) -> dict[str, int]:
        """From each group's key to how often a member counts for it."""
        direct: dict[str, int] = {}
        for held in memberships:
            for group in held:
                direct[group] = direct.get(group, 0) + 1
        counts: dict[str, int] = {}
        for group, count in direct.items():
            for key in self._lineages[group]:
                counts[key] = counts.get(key, 0) + count
        return counts

    def _recounted(self, new: Identities, touched: set[str]) -> Sharded[int]:
        """The counts of members once these members have changed."""
        before, after = self.directory.groups, new.directory.groups
        lost = self._counted(before.get(member, ()) for member in touched)
        won = new._counted(after.get(member, ()) for member in touched)
        return self._members.changed(
            {
                key: (self._members.get(key) or 0) + won.get(key, 0) - lost.get(key, 0) or None
                for key in {*lost, *won}
                if won.get(key, 0) != lost.get(key, 0)
            }
        )

    def _lineage_keys(self, group: str) -> tuple[str, ...]:
        return tuple(group_key(id) for id in self._lineage(group))

    def _lineage(self, group: str) -> Iterator[str]:
        """The group and all groups above it; a cycle is cut where it closes (D-03)."""
        seen: set[str] = set()
        next_: str | None = group
        while next_ is not None and next_ not in seen:
            seen.add(next_)
            yield next_
            next_ = self.directory.parents.get(next_)


def named(keys: Keys, author: HeaderFrom) -> Keys:
    """The keys of an author under the names that the From header gives, if any."""
    if not author.other_names:
        readings = author.display_name and name_readings(author.display_name)
        return with_names(keys, readings) if readings else keys
    names = dict.fromkeys(reading for name in author.names for reading in name_readings(name))
    return with_names(keys, names)
