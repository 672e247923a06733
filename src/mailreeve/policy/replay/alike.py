"""Which messages are decided alike? Those whose addresses, time and source no policy tells apart.

Of a million messages most are from strangers whom no policy, list or definition names: what is decided about one
of them holds for all. So a message is given a key, made of what policies can see of it and of nothing else. Two
messages with one key fare alike by each of the policy sets that the keys were made for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain, count
from math import inf, isinf
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address, NullSender, Sender, fold_local, is_sender_routed
from mailreeve.formats.display_names import name_readings
from mailreeve.formats.networks import IPAddress, Network, unmapped
from mailreeve.memory.bounded import Bounded
from mailreeve.policy.index.matching import reads_header
from mailreeve.policy.index.personal import list_key
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.ranked import policy_of
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import ManagedSender, Scope, ScopedPolicy, Terms
from mailreeve.policy.model.targets import (
    EXTERNAL_KEY,
    INTERNAL_KEY,
    NAME_KEY,
    RANK,
    Target,
    TargetType,
    name_key,
)

Span = tuple[float, float]
"""The first and the last of some times, in POSIX seconds."""

KEPT: Final = 100_000
"""So many addresses, and as many sources, are remembered; what is forgotten is learnt anew."""

SMALL: Final = 100
"""Conditions of so many dates and ranges are copied, so that an address has but one of them."""

_SWEEPING: Final = RANK[TargetType.EXTERNAL_ADDRESSES]  # targets up to this rank are met by most mail


class Conditions:
    """The dates and source ranges of some policies, which tell when these are in force."""

    __slots__ = ("_moments", "_ranges")

    def __init__(self, moments: Iterable[float], ranges: Iterable[tuple[tuple[int, int], Iterable[int]]]) -> None:
        """Of these instants, and of these ranges: their first bits, by version and number of the other bits."""
        self._moments = sorted(set(moments))
        found: dict[tuple[int, int], set[int]] = {}
        for kind, starts in ranges:
            found.setdefault(kind, set()).update(starts)
        self._ranges = tuple(found.items())

    @staticmethod
    def of(several: Iterable[Terms], during: Span, networks: Iterable[Network] = ()) -> Conditions:
        """Those of some terms, and of networks besides. Of dates only those count that make a difference during
        some time."""
        moments: list[float] = []
        every = list(networks)
        for terms in several:
            moments += _moments(terms, during)
            every += terms.networks
        return Conditions(moments, [_range(network) for network in every])

    @staticmethod
    def together(several: Sequence[Conditions]) -> tuple[Conditions, ...]:
        """Several as one, but for those that are so large that another copy of them is too much."""
        if len(several) < 2:
            return tuple(several)
        small = [each for each in several if each.size <= SMALL]
        return (
            Conditions(
                chain.from_iterable(each._moments for each in small),
                chain.from_iterable(each._ranges for each in small),
            ),
            *(each for each in several if each.size > SMALL),
        )

    @property
    def size(self) -> int:
        """How many dates and ranges."""
        return len(self._moments) + sum(len(starts) for _, starts in self._ranges)

    def since(self, at: float) -> int:
        """Equal for times between which none of the policies starts or ends; a start counts, an end does not."""
        return bisect_right(self._moments, at) if self._moments else 0

    def within(self, source: IPAddress | None) -> Hashable:
        """Equal for sources that the same ranges hold. The source is as of `unmapped`."""
        if source is None or not self._ranges:
            return source is None
        version, number = source.version, int(source)
        return tuple(
            (shift, number >> shift)
            for (of, shift), starts in self._ranges
            if of == version and number >> shift in starts
        )


class Traits(Struct, frozen=True, gc=False):
    """What policies can see of one address in one place.

    All who are alike have one `number`. `conditions` are those of the policies that name the address; `spelled`
    says that definitions may rewrite it, so that its very spelling matters. `plain` is without either.
    """

    number: int
    conditions: tuple[Conditions, ...] = ()
    spelled: bool = False
    plain: bool = True


_NOBODY: Final = Traits(-1)
"""The null sender, and an author without an address."""

_NO_NAMES: Final[frozenset[str]] = frozenset()


class Alike:
    """The keys of messages, for policy sets of one account."""

    def __init__(
        self, *sets: PolicySet, during: Span = (-inf, inf), differing: frozenset[str] | None = None
    ) -> None:
        """The keys are good for messages of these times only: dates outside them are left out. `differing` are the
        ids of the policies and entries in which later sets differ from the first, if they are known."""
        self._sets = sets
        named = {INTERNAL_KEY, EXTERNAL_KEY}
        everywhere: list[Terms] = []
        somewhere: dict[str, list[Terms]] = {}
        for number, held in enumerate(sets):
            scopes, entries = _contents(held, differing if number else None)
            named.update(entry.sender for entry in entries)
            for scope in scopes:
                terms = scope.terms
                named.add(scope.from_.key)
                named.add(scope.to.key)
                if terms.unconditional or not (terms.networks or any(_moments(terms, during))):
                    continue
                keys = _met_through(scope)
                for found in [somewhere.setdefault(key, []) for key in keys] or [everywhere]:
                    found.append(terms)
        self._named = frozenset(named)
        relays = chain.from_iterable(held.relay_networks.networks for held in sets)
        self._everywhere = Conditions.of(everywhere, during, relays)
        self._somewhere = {key: Conditions.of(several, during) for key, several in somewhere.items()}
        self._connecting = tuple(held for held in sets if held.source_blocks.blocks)
        self._at_connect = Conditions.of(chain.from_iterable(map(_decide_at_connect, self._connecting)), during)
        patterns = (definition.original for held in sets for definition in held.definitions.every())
        self._patterns = frozenset((fold_local(pattern.local), pattern.domain) for pattern in patterns)
        self._names = frozenset(key for key in self._named if key.startswith(NAME_KEY))
        self._next_number = count()
        self._numbers: Bounded[Hashable, int] = Bounded(KEPT)
        self._named_names: Bounded[str, frozenset[str]] = Bounded(KEPT)
        self._senders: Bounded[str, Traits] = Bounded(KEPT)
        self._recipients: Bounded[str, Traits] = Bounded(KEPT)
        self._sources: Bounded[tuple[int, int], Hashable] = Bounded(KEPT)
        self._refusals: Bounded[Hashable, Hashable] = Bounded(KEPT)

    def key(self, facts: MessageFacts) -> Hashable:
        """The key of the message. Messages whose keys differ may be decided alike all the same."""
        at, source, authors = facts.at, facts.source_ip, facts.header_from
        sender = self._sender(facts.sender)
        recipient = self._recipients.get(facts.recipient.key) or self._recipient(facts.recipient)
        key: tuple[Hashable, ...] = (
            sender.number,
            recipient.number,
            authors is None,
            self._everywhere.since(at),
            None if source is None else self._source(source),
            facts.authenticated,
            facts.source_trusted,
        )
        seen = [sender, recipient]
        for author in authors or ():
            traits = _NOBODY if author.address is None else self._sender(author.address)
            seen.append(traits)
            key += (traits.number,)
            if self._names:
                # In any order and in however many names: all are looked up.
                key += (_NO_NAMES.union(*map(self._name, author.names)),)
        for traits in seen:
            if traits.plain:
                continue
            for conditions in traits.conditions:
                key += (conditions.since(at), conditions.within(None if source is None else unmapped(source)))
            if traits.spelled:
                key += (str(facts.sender), str(facts.recipient), tuple([str(a.address) for a in authors or ()]))
        return (*key, self._refusal(source, at)) if self._connecting else key

    def _sender(self, sender: Sender) -> Traits:
        """Of an envelope sender or an author."""
        if type(sender) is NullSender:
            return _NOBODY
        return self._senders.get(sender.key) or self._senders.keep(sender.key, self._learnt(sender))

    def _recipient(self, recipient: Address) -> Traits:
        extra: list[Hashable] = [is_sender_routed(recipient)]
        for held in self._sets:
            key = list_key(held.identities, recipient)
            extra.append(key if held.managed.of(key).entries else None)
            if recipient.domain in held.directory.known_only:
                extra.append(held.identities.user(recipient) is None)
        return self._recipients.keep(recipient.key, self._learnt(recipient, *extra))

    def _learnt(self, address: Address, *extra: Hashable) -> Traits:
        """What the sets say about an address, beside what was found out about it as a recipient."""
        seen: list[Hashable] = list(extra)
        found: set[str] = set()
        for held in self._sets:
            keys = self._named.intersection(held.identities.keys(address))
            seen.append(keys)
            found |= keys
        local, domain = address.key.removesuffix(f"@{address.domain}"), address.domain
        spelled = not self._patterns.isdisjoint(((local, domain), (local, ""), ("", domain)))
        likeness = tuple(seen)
        number = self._numbers.get(likeness)
        if number is None:
            number = self._numbers.keep(likeness, next(self._next_number))
        conditions = Conditions.together([self._somewhere[key] for key in sorted(found) if key in self._somewhere])
        return Traits(number, conditions, spelled, not conditions and not spelled)

    def _name(self, display_name: str) -> frozenset[str]:
        """Those readings of a display name that policies name."""
        found = self._named_names.get(display_name)
        if found is None:
            named = frozenset(text for text in name_readings(display_name) if name_key(text) in self._names)
            found = self._named_names.keep(display_name, named)
        return found

    def _source(self, source: IPAddress) -> Hashable:
        key = int(source), source.version
        found = self._sources.get(key)
        return self._sources.keep(key, self._everywhere.within(unmapped(source))) if found is None else found

    def _refusal(self, source: IPAddress | None, at: float) -> Hashable:
        """By which policies the source is refused at connect. That depends on who is exempt, even on exemptions
        that do not concern the message."""
        if source is None:
            return None
        source = unmapped(source)
        key = source, self._at_connect.since(at)
        found = self._refusals.get(key)
        if found is None:
            by = [held.source_blocks.refusing(held.identities, source, at) for held in self._connecting]
            found = self._refusals.keep(key, tuple([None if policy is None else policy.id for policy in by]))
        return found


def _contents(policies: PolicySet, ids: frozenset[str] | None) -> tuple[Iterator[Scope], Iterable[ManagedSender]]:
    """The scopes of the enabled policies of a set, and its personal entries; if ids are given, of those only."""
    parts: tuple[Iterable[ScopedPolicy | None], ...]
    entries: Iterable[ManagedSender | None]
    if ids is None:
        parts = tuple(index.policies for index in policies.scoped.values())
        entries = policies.managed.entries
    else:
        parts = tuple(map(index.get, ids) for index in policies.scoped.values())
        entries = map(policies.managed.get, ids)
    found = (policy.scope for policy in chain.from_iterable(parts) if policy is not None)
    return (scope for scope in found if scope.terms.enabled), (entry for entry in entries if entry is not None)


def _moments(terms: Terms, during: Span) -> list[float]:
    """When a policy starts or ends, after the first of these times and not after the last."""
    return [at for at in (terms.starts, terms.ends) if during[0] < at <= during[1] and not isinf(at)]


def _range(network: Network) -> tuple[tuple[int, int], tuple[int]]:
    shift = network.max_prefixlen - network.prefixlen
    return (network.version, shift), (int(network.network_address) >> shift,)


def _decide_at_connect(policies: PolicySet) -> Iterator[Terms]:
    blocks = policies.source_blocks
    for entry in chain(blocks.blocks, blocks.exemptions, blocks.overriding, blocks.everyone):
        yield policy_of(entry).scope.terms


def _met_through(scope: Scope) -> tuple[str, ...]:
    """Keys of which each message has one that the scope has a say about; none where too many messages have them.

    While the header is unknown, whoever looks at it has a say about all mail to the recipient.
    """
    sides: tuple[Target, ...]
    if reads_header(scope, is_reversed=False) or (
        scope.terms.bidirectional and reads_header(scope, is_reversed=True)
    ):
        sides = (scope.to, scope.from_) if scope.terms.bidirectional else (scope.to,)
    else:
        sides = (max(scope.from_, scope.to, key=_rank),)
    return () if any(side.rank <= _SWEEPING for side in sides) else tuple([side.key for side in sides])


def _rank(target: Target) -> int:
    return target.rank
