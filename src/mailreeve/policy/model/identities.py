"""Who is an address to the policies? The directory, prepared so that each address is looked up once.

An address may stand for another one (behaviour.md D-53, D-18). An alias stands for its user's primary address. In
the account's own domains an address with a `+tag` stands for the address without it, whether that is anybody's or
not; an address that the directory names as it is, is nobody's tag; tags in other domains are part of the address.
Whatever matches the address that is stood for matches its stand-ins as well, never the other way round: a policy
that names an alias, a tag, or the domain of an alias is about that alone. But groups are lists of people: one that
holds a stand-in holds whom it stands for, and so all of that one's stand-ins.

A membership may end. The directory then holds it still, and what was said of `Identities` is so until the first
one ends; `Identities.at` gives what is so at a later instant. Whoever decides asks for that first.

All of this is in the keys of an address, made here and nowhere else: those of the address itself, and those of
whom it stands for.

An account may have tens of thousands of users, each in several groups. So whatever the directory says about one
address is kept as one value; a change makes the values anew of those whom it is about. What lies above their
groups is no part of that (`group_tree`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from math import inf
from operator import itemgetter
from sys import intern
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.addresses import Address, NullSender, Sender, without_tags
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.display_names import name_readings
from mailreeve.memory.bounded import Bounded
from mailreeve.policy.model.facts import Directory, DirectoryChanges, User
from mailreeve.policy.model.group_tree import GroupTree
from mailreeve.policy.model.keys import NO_KEYS, NULL_SENDER_KEYS, Keys, union, with_names
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.targets import (
    BELOW,
    EVERYONE_KEY,
    EXTERNAL_KEY,
    FREE_MAIL_KEY,
    INTERNAL_KEY,
    Target,
    TargetType,
    around,
    attribute_key,
    is_around,
)

_EXTERNAL: Final = (EVERYONE_KEY, EXTERNAL_KEY)
_INTERNAL: Final = (EVERYONE_KEY, INTERNAL_KEY)

_NO_ENDS: Final[Mapping[str, float]] = {}

KEPT: Final = 65_536
"""So many addresses are remembered with all of their keys."""


LATER_KEPT: Final = 4
"""So many later states of one directory are kept: that of now, and those that are asked about besides."""


class StandInKind(StrEnum):
    """How an address stands for another one."""

    ALIAS = "alias"
    TAG = "tag"


class StandIn(Struct, frozen=True, gc=False):
    """An address that stands for another one, both by their keys."""

    address: str
    kind: StandInKind
    of: str


class Membership(Struct, frozen=True, gc=False):
    """How somebody comes to be in a group: the member that the directory names, an address or a domain, and the
    ids of the groups from the one that holds it up to the one asked about (D-03). `until` is when that ends, in
    POSIX seconds, None where it does not."""

    member: str
    groups: tuple[str, ...]
    until: float | None = None


class Renamed(Struct, frozen=True, gc=False):
    """A user's primary address, and those that it was before, the newest last: all by their keys."""

    address: str
    former: tuple[str, ...]


class _Known(Struct, frozen=True, gc=False):
    """What the directory says about one address or domain.

    Of an address its user; its keys but for those of groups; the groups that hold whom it stands for under
    whatever address; and the domain of that one where it is another. Of a domain only groups.
    """

    user: User | None
    keys: Keys
    held: tuple[str, ...]
    elsewhere: str = ""


class Identities:
    """What one directory says about addresses, as target keys. Immutable for its readers."""

    __slots__ = (
        "_counts",
        "_ends",
        "_filled",
        "_kept",
        "_known",
        "_later",
        "_stand_ins",
        "_tagged",
        "_wide",
        "directory",
        "first_end",
        "tree",
    )

    def __init__(self, directory: Directory) -> None:
        users, groups = Sharded(directory.users), Sharded(directory.groups)
        self.tree = GroupTree(directory.parents, directory.group_names)
        self.directory = replace(
            directory,
            users=users,
            groups=groups,
            ends=Sharded(directory.ends),
            parents=self.tree.parents,
            group_names=self.tree.names,
        )
        self._schedule()
        counts: dict[str, int] = {}
        for held in groups.values():
            for group in held:
                counts[group] = counts.get(group, 0) + 1
        # From each group to how many members it has itself.
        self._counts = Sharded(counts)
        # The members that are domains with everything below them.
        self._wide = frozenset([key for key in groups if key[:1] == BELOW])
        self._filled: dict[str, bool] = {}
        self._kept: Bounded[str, Keys] = Bounded(KEPT)
        tagged: dict[str, list[str]] = {}
        stand_ins: dict[str, list[str]] = {}
        for key in groups:
            if "+" in key:
                tagged.setdefault(_shortest(key), []).append(key)
        for key in {*users, *(key for several in tagged.values() for key in several)}:
            person = self._person(key)
            if person != key:
                stand_ins.setdefault(person, []).append(key)
        # From an address without its tags to the members of groups that are this address with a tag.
        self._tagged = Sharded({key: frozenset(found) for key, found in tagged.items()})
        # From an address to those of the directory that stand for it, in order.
        self._stand_ins = Sharded({key: tuple(sorted(found)) for key, found in stand_ins.items()})
        made = self._made({*directory.users, *directory.groups, *stand_ins})
        self._known = Sharded({key: known for key, known in made.items() if known is not None})

    def changed(self, changes: DirectoryChanges) -> Identities:
        """The directory after these changes. A membership costs what one membership costs, however many policies
        name its group, and a group that moves costs the same, however many lie above it and below it; only a
        domain that becomes internal or ceases to be so is looked for among all."""
        old = self.directory
        new: Identities = Identities.__new__(Identities)
        new.tree = self.tree.changed(changes.groups)
        new.directory = replace(
            old,
            internal_domains=old.internal_domains
            if changes.internal_domains is None
            else changes.internal_domains,
            known_only=old.known_only if changes.known_only is None else changes.known_only,
            users=Sharded.of(old.users).changed(changes.users),
            groups=Sharded.of(old.groups).changed({key: held or None for key, held in changes.members.items()}),
            ends=Sharded.of(old.ends).changed({key: changes.ends.get(key) or None for key in changes.members}),
            parents=new.tree.parents,
            group_names=new.tree.names,
        )
        if old.ends.keys().isdisjoint(changes.members) and not changes.ends:
            new._ends, new.first_end, new._later = self._ends, self.first_end, Bounded(LATER_KEPT)
        else:
            new._schedule()
        new._counts = self._recounted(changes.members)
        new._wide = self._wide
        written = [key for key in changes.members if key[:1] == BELOW]
        if written:
            new._wide = (self._wide - set(written)) | {key for key in written if changes.members[key]}
        new._filled = {} if changes.members or changes.groups else self._filled
        new._kept = Bounded(KEPT)
        new._tagged = self._retagged(changes.members)
        touched = {*changes.users, *changes.members}
        for key in changes.users:
            if "@" in key:
                touched |= self._tagged.get(_shortest(key)) or frozenset()
        persons: set[str] = set()
        turned = new.directory.internal_domains ^ old.internal_domains
        if turned:
            touched.update(key for key in self._known if _domain(key) in turned)
            persons.update(key for key in self._stand_ins if _domain(key) in turned)
        before = {key: self._person(key) for key in touched if self._names(key)}
        after = {key: new._person(key) for key in touched if new._names(key)}
        new._stand_ins = self._rearranged(before, after)
        persons.update(before.values(), after.values())
        for person in persons:
            touched.add(person)
            touched.update(new._stand_ins.get(person) or ())
        new._known = self._known.changed(new._made(touched))
        return new

    def at(self, when: float) -> Identities:
        """What is so at an instant, in POSIX seconds: without the memberships that have ended by then. Asked of
        what is so at an earlier one it is right as well."""
        return self if when < self.first_end or not self._ends else self._at_later(when)

    def lasting(self) -> Identities:
        """What is so once every membership that is to end has ended."""
        return self.at(inf)

    def ended(self, when: float) -> Iterator[tuple[str, str, float]]:
        """The memberships that have ended at an instant and that the directory holds still: member, group, and
        when it ended, the earliest first."""
        return ((member, group, end) for end, member, group in self._ends[: self.number_ended(when)])

    def number_ended(self, when: float) -> int:
        """How many memberships have ended at an instant: as many as at another one, and the same is so."""
        if when < self.first_end:
            return 0
        return bisect_right(self._ends, when, key=itemgetter(0))

    def _at_later(self, when: float) -> Identities:
        number = self.number_ended(when)
        found = self._later.get(number)
        if found is not None:
            return found
        groups, ends = self.directory.groups, self.directory.ends
        ended = {member for _, member, _ in self._ends[:number]}
        left = {member: {group: end for group, end in ends[member].items() if end > when} for member in ended}
        held = {
            member: tuple([g for g in groups[member] if g not in ends[member] or g in left[member]])
            for member in ended
        }
        return self._later.keep(number, self.changed(DirectoryChanges(members=held, ends=left)))

    def _schedule(self) -> None:
        """Note when which membership ends."""
        self._ends: list[tuple[float, str, str]] = sorted(
            (end, member, group) for member, held in self.directory.ends.items() for group, end in held.items()
        )
        # Until then all is as it is here, see `at`.
        self.first_end = self._ends[0][0] if self._ends else inf
        self._later: Bounded[int, Identities] = Bounded(LATER_KEPT)

    def is_internal(self, sender: Sender) -> bool:
        """Whether the address is in one of the account's own domains; the null sender never is."""
        return type(sender) is not NullSender and sender.domain in self.directory.internal_domains

    def user(self, address: Address) -> User | None:
        """The user whom mail to this address reaches: by primary address or alias, with or without a tag."""
        key = address.key
        known = self._known.get(key)
        if known is None and "+" in key:
            known = self._known.get(self._untagged(key))
        return None if known is None else known.user

    def person(self, address: Address) -> str:
        """The key of the address that this one stands for in the end: its own, if it stands for none."""
        return self._person(address.key)

    def way(self, address: Address) -> tuple[StandIn, ...]:
        """By which steps the address stands for another one; none where it stands for itself."""
        return self.way_of(address.key)

    def way_of(self, key: str) -> tuple[StandIn, ...]:
        """As `way`, of the address with this key."""
        users = self.directory.users
        steps: list[StandIn] = []
        if key not in users:
            untagged = self._untagged(key)
            if untagged != key:
                steps.append(StandIn(key, StandInKind.TAG, untagged))
                key = untagged
        user = users.get(key)
        if user is not None and user.primary != key:
            steps.append(StandIn(key, StandInKind.ALIAS, user.primary))
        return tuple(steps)

    def keys(self, sender: Sender) -> Keys:
        """The keys of all targets that match the address. Group members count for the groups above (D-03)."""
        if type(sender) is NullSender:  # quicker than `isinstance`, which asks the metaclass of structs
            return NULL_SENDER_KEYS
        key, domain = sender.key, sender.domain
        shards, mask = self._known.shards, self._known.mask
        if key in shards[hash(key) & mask] or ("+" in key and domain in self.directory.internal_domains):
            return self._kept.get(key) or self._found(key, domain)
        by_domain = shards[hash(domain) & mask].get(domain)
        names = self._own(key, domain, ())
        if self._wide:
            held = self._held_around(domain) if by_domain is None else by_domain.held + self._held_around(domain)
            return Keys(names, self.tree.above(held) if held else (), (domain,))
        return Keys(names, () if by_domain is None else self.tree.above(by_domain.held), (domain,))

    def below(self, key: str) -> Keys:
        """The keys that every address has at the domain of this key or anywhere below it (`targets.BELOW`)."""
        shorter = around(key[1:])
        names = (EVERYONE_KEY, *shorter)
        if not any(is_around(key, domain) for domain in self.directory.internal_domains):
            names = (*names, EXTERNAL_KEY)
        groups = self.directory.groups
        held = tuple(group for each in shorter for group in groups.get(each, ()))
        return Keys(names, self.tree.above(held)) if held else Keys(names)

    def _held_around(self, domain: str) -> tuple[str, ...]:
        """The groups that hold domains around this one, with everything below them."""
        held: tuple[str, ...] = ()
        for key in around(domain):
            if key in self._wide:
                held += self.directory.groups[key]
        return held

    def _found(self, key: str, domain: str) -> Keys:
        """The keys of an address that the directory names, or that stands for another one; they are kept."""
        known = self._known.get(key) or self._with_tag(key, domain)
        held = known.held
        for each in (domain, known.elsewhere) if known.elsewhere else (domain,):
            by_domain = self._known.get(each)
            if by_domain is not None:
                held += by_domain.held
            if self._wide:
                held += self._held_around(each)
        keys = Keys(known.keys.names, self.tree.above(held), known.keys.domains) if held else known.keys
        return self._kept.keep(key, keys)

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

    def membership(self, address: Address, group: str) -> Membership | None:
        """The shortest way by which the address, or whom it stands for, comes to be in the group, if it is."""
        groups, person = self.directory.groups, self._person(address.key)
        domains = (address.domain, _domain(person))
        wide = (key for domain in domains for key in around(domain))
        members = (address.key, domains[0], person, *(self._stand_ins.get(person) or ()), domains[1], *wide)
        best: Membership | None = None
        for member in dict.fromkeys(members):
            for held in groups.get(member, ()):
                lineage = tuple(self.tree.lineage(held))
                if group in lineage:
                    until = self.directory.ends.get(member, _NO_ENDS).get(held)
                    found = Membership(member, lineage[: lineage.index(group) + 1], until)
                    if best is None or len(found.groups) < len(best.groups):
                        best = found
        return best

    def stand_ins(self, key: str) -> tuple[str, ...]:
        """The addresses of the directory that stand for the address with this key: aliases, and members of groups
        that are it with a tag."""
        return self._stand_ins.get(key) or ()

    def renamed(self, key: str) -> tuple[Renamed, ...]:
        """What the address with this key was before, if it is the primary one of a user who had others."""
        user = self.directory.users.get(key)
        return (Renamed(key, user.former),) if user is not None and user.former and user.primary == key else ()

    def can_match(self, target: Target) -> bool:
        """Whether there can be any address at all that the target matches: a group that has no member, itself or
        through a group below, matches none."""
        if target.type is not TargetType.PROFILE_GROUP:
            return True
        group = target.value
        filled = self._filled.get(group)
        if filled is None:
            filled = self._filled[group] = any(below in self._counts for below in self.tree.below(group))
        return filled

    def _names(self, key: str) -> bool:
        """Whether the directory names the address."""
        return "@" in key and (key in self.directory.users or key in self.directory.groups)

    def _untagged(self, key: str) -> str:
        """The address without its tag, or with a shorter one if that is somebody's address; itself in domains of
        others."""
        if _domain(key) not in self.directory.internal_domains:
            return key
        shorter = key
        for shorter in without_tags(key):
            if shorter in self.directory.users:
                break
        return shorter

    def _person(self, key: str) -> str:
        """As `person`, from key to key."""
        users = self.directory.users
        user = users.get(key)
        if user is None and "+" in key:
            key = self._untagged(key)
            user = users.get(key)
        return key if user is None else user.primary

    def _own(self, key: str, domain: str, attributes: tuple[str, ...]) -> tuple[str, ...]:
        """The keys of an address by itself, but for those of groups."""
        directory = self.directory
        fixed = _INTERNAL if domain in directory.internal_domains else _EXTERNAL
        if domain in directory.free_mail:
            attributes = (FREE_MAIL_KEY, *attributes)
        return (*fixed, domain, key, *attributes)

    def _with_tag(self, key: str, domain: str) -> _Known:
        """What is known of an address with a tag that the directory does not name."""
        untagged = self._untagged(key)
        names = self._own(key, domain, ())
        known = None if untagged == key else self._known.get(untagged)
        if known is not None:
            keys = Keys(_joined(names, known.keys.names), (), _joined((domain,), known.keys.domains))
            return _Known(known.user, keys, known.held, known.elsewhere)
        return _Known(None, Keys(names if untagged == key else (*names, untagged), (), (domain,)), ())

    def _made(self, keys: Iterable[str]) -> dict[str, _Known | None]:
        """What there is to know about these addresses and domains; None for those in no group and nobody's."""
        groups, stand_ins = self.directory.groups, self._stand_ins
        made: dict[str, _Known | None] = {}
        shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # attributes and domains
        for key in keys:
            if "@" not in key:
                made[key] = _Known(None, NO_KEYS, groups[key]) if key in groups else None
            elif self._names(key) or key in stand_ins:
                made[key] = self._made_address(key, shared)
            else:
                made[key] = None
        return made

    def _made_address(self, key: str, shared: dict[tuple[str, ...], tuple[str, ...]]) -> _Known:
        users, groups = self.directory.users, self.directory.groups
        user, untagged = users.get(key), key
        if user is None and "+" in key:
            untagged = self._untagged(key)
            user = users.get(untagged)
        attributes: tuple[str, ...] = ()
        if user is not None and user.attributes:
            attributes = tuple(attribute_key(id, value) for id, value in user.attributes.items())
            attributes = shared.setdefault(attributes, attributes)
        domain = intern(_domain(key))  # one text for all of its addresses
        names = self._own(key, domain, attributes)
        person = untagged if user is None else user.primary
        domains: tuple[str, ...] = (domain,)
        for other in (untagged, person):
            if other != key:
                names = _joined(names, self._own(other, _domain(other), ()))
                domains = _joined(domains, (_domain(other),))
        domains = shared.setdefault(domains, domains)
        held = groups.get(person, ())
        for stand_in in self._stand_ins.get(person) or ():
            held += groups.get(stand_in, ())
        elsewhere = _domain(person)
        return _Known(user, Keys(names, (), domains), held, "" if elsewhere == domain else intern(elsewhere))

    def _recounted(self, members: Mapping[str, tuple[str, ...]]) -> Sharded[int]:
        """How many members each group has once these members are in these groups."""
        more: dict[str, int] = {}
        for member, held in members.items():
            for group in self.directory.groups.get(member, ()):
                more[group] = more.get(group, 0) - 1
            for group in held:
                more[group] = more.get(group, 0) + 1
        return self._counts.changed(
            {group: (self._counts.get(group) or 0) + number or None for group, number in more.items() if number}
        )

    def _retagged(self, members: Mapping[str, tuple[str, ...]]) -> Sharded[frozenset[str]]:
        """The members with a tag once these members are in these groups."""
        written: dict[str, frozenset[str] | None] = {}
        for member, held in members.items():
            if "+" in member:
                base = _shortest(member)
                there = (written.get(base) if base in written else self._tagged.get(base)) or frozenset()
                written[base] = (there | {member} if held else there - {member}) or None
        return self._tagged.changed(written)

    def _rearranged(self, before: Mapping[str, str], after: Mapping[str, str]) -> Sharded[tuple[str, ...]]:
        """Who stands for whom once addresses stand for others than before."""
        written: dict[str, set[str]] = {}
        for key in {*before, *after}:
            was, is_ = before.get(key, key), after.get(key, key)
            if was == is_:
                continue
            for person in (was, is_):
                if person != key and person not in written:
                    written[person] = set(self._stand_ins.get(person) or ())
            if was != key:
                written[was].discard(key)
            if is_ != key:
                written[is_].add(key)
        return self._stand_ins.changed({person: tuple(sorted(keys)) or None for person, keys in written.items()})


def _domain(key: str) -> str:
    return key.rpartition("@")[2]


def _shortest(key: str) -> str:
    """The address without any of its tags."""
    return [key, *without_tags(key)][-1]


def _joined(names: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """The names, and those others that are not among them."""
    return names + tuple([name for name in more if name not in names])


def named(keys: Keys, author: HeaderFrom) -> Keys:
    """The keys of an author under the names that the From header gives, if any."""
    if not author.other_names:
        readings = author.display_name and name_readings(author.display_name)
        return with_names(keys, readings) if readings else keys
    names = dict.fromkeys(reading for name in author.names for reading in name_readings(name))
    return with_names(keys, names)
