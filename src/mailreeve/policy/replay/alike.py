"""Which messages are decided alike? Those whose addresses, time and source no policy tells apart.

Of a million messages most are from strangers whom no policy, list or definition names: what is decided about one
of them holds for all. So a message is given a key, made of what decisions can see of it and of nothing else. Two
messages with one key fare alike by each of the policy sets that the keys were made for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import chain
from math import inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.addresses import Address, NullSender, Sender, is_sender_routed
from mailreeve.formats.display_names import name_readings
from mailreeve.formats.networks import IPAddress, unmapped
from mailreeve.memory.bounded import Bounded
from mailreeve.policy.index.matching import reads_header
from mailreeve.policy.index.personal import list_key
from mailreeve.policy.index.policy_set import PolicySet
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
from mailreeve.policy.replay.conditions import Conditions, Span, moments
from mailreeve.policy.replay.patterns import Patterns

KEPT: Final = 100_000
"""So many addresses or names are remembered; what is forgotten is learnt anew."""

_SWEEPING: Final = RANK[TargetType.EXTERNAL_ADDRESSES]  # targets up to this rank are met by most mail

_ALWAYS: Final[Span] = (-inf, inf)


class Traits(Struct, frozen=True, gc=False):
    """What decisions can see of one address in one place.

    What is `seen` is equal for all who are alike. `conditions` are those of the policies that name the address;
    `may_be_rewritten` says that definitions name it, so that its very spelling matters.
    """

    seen: Hashable
    conditions: tuple[Conditions, ...] = ()
    may_be_rewritten: bool = False


_NOBODY: Final = Traits(None)
"""The null sender, and an author without an address."""


class Alike:
    """The keys of messages, for policy sets of one account."""

    def __init__(self, *sets: PolicySet, during: Span = _ALWAYS, differing: frozenset[str] | None = None) -> None:
        """The keys are good for messages of these times only: dates outside them are left out. `differing` are the
        ids of the policies and entries in which later sets differ from the first, if they are known."""
        self._sets = sets
        named = {INTERNAL_KEY, EXTERNAL_KEY}
        everywhere: list[Terms] = []
        somewhere: dict[str, list[Terms]] = {}
        ending: dict[str, list[Terms]] = {}
        for number, held in enumerate(sets):
            ids = differing if number else None
            for entry in _entries(held, ids):
                named.add(entry.sender)
                if during[0] < entry.ends <= during[1] and entry.ends != inf:
                    ending.setdefault(entry.recipient, []).append(Terms(ends=entry.ends))
            for scope in _scopes(held, ids):
                named |= {scope.from_.key, scope.to.key}
                terms = scope.terms
                if not terms.unconditional and (terms.networks or moments(terms, during)):
                    keys = _met_through(scope)
                    for found in [somewhere.setdefault(key, []) for key in keys] or [everywhere]:
                        found.append(terms)
        self._named = frozenset(named)
        self._names = frozenset(key for key in named if key.startswith(NAME_KEY))
        relays = chain.from_iterable(held.relay_networks.values() for held in sets)
        self._everywhere = Conditions(everywhere, during, relays)
        self._somewhere = {key: Conditions(several, during) for key, several in somewhere.items()}
        # Of entries: by whose list it is, and of all for mail that alteration may have obey another list.
        self._ending = {owner: Conditions(several, during) for owner, several in ending.items()}
        self._all_ending = Conditions(chain.from_iterable(ending.values()), during)
        self._patterns = Patterns(chain.from_iterable(held.definitions.every() for held in sets))
        self._connecting = tuple(held for held in sets if held.source_blocks.blocks)
        self._alike: Bounded[tuple[Hashable, ...], tuple[Hashable, ...]] = Bounded(KEPT)
        self._readings: Bounded[str, frozenset[str]] = Bounded(KEPT)
        self._senders: Bounded[tuple[str, Hashable], Traits] = Bounded(KEPT)
        self._recipients: Bounded[tuple[str, Hashable], Traits] = Bounded(KEPT)

    def key(self, facts: MessageFacts) -> Hashable:
        """The key of the message. Messages whose keys differ may be decided alike all the same."""
        at, authors = facts.at, facts.header_from
        # Who is in which groups, and whether anybody is.
        ended = tuple([held.identities.number_ended(at) for held in self._sets])
        source = None if facts.source_ip is None else unmapped(facts.source_ip)
        key: list[Hashable] = [
            None if authors is None else len(authors),
            facts.authenticated,
            facts.source_trusted,
            _content(facts),
            ended,
            self._everywhere.met(at, source),
        ]
        traits = [self._sender(facts.sender, at, ended), self._recipient(facts.recipient, at, ended)]
        for author in authors or ():
            traits.append(_NOBODY if author.address is None else self._sender(author.address, at, ended))
            if self._names:
                # In any order and in however many names: all are looked up.
                key.append(frozenset[str]().union(*map(self._name, author.names)))
        to_the_letter = False
        for one in traits:
            key.append(one.seen)
            for conditions in one.conditions:
                key.append(conditions.met(at, source))
            to_the_letter |= one.may_be_rewritten
        if to_the_letter:
            addresses = facts.sender, facts.recipient, *(author.address for author in authors or ())
            key.append(tuple(map(str, addresses)))
            key.append(self._all_ending.met(at, None))
        if self._connecting and source is not None:
            key.append(self._refused_by(source, at))
        return tuple(key)

    def _sender(self, sender: Sender, at: float, ended: Hashable) -> Traits:
        """Of an envelope sender or an author."""
        if type(sender) is NullSender:
            return _NOBODY
        key = sender.key, ended
        return self._senders.get(key) or self._senders.keep(key, self._learnt(sender, at))

    def _recipient(self, recipient: Address, at: float, ended: Hashable) -> Traits:
        known = self._recipients.get((recipient.key, ended))
        if known is not None:
            return known
        also: list[Hashable] = [is_sender_routed(recipient)]
        ending: dict[str, Conditions] = {}
        for held in self._sets:
            key = list_key(held.identities, recipient)
            if key in self._ending:
                ending[key] = self._ending[key]
            also.append(key if held.managed.of(key).entries else None)
            if recipient.domain in held.directory.known_only:
                also.append(held.identities.user(recipient) is None)
        learnt = self._learnt(recipient, at, *also)
        if ending:
            learnt = replace(learnt, conditions=(*learnt.conditions, *ending.values()))
        return self._recipients.keep((recipient.key, ended), learnt)

    def _learnt(self, address: Address, at: float, *also: Hashable) -> Traits:
        """What the sets say about an address at an instant, and what was found out about it besides."""
        matching = [self._named.intersection(held.identities.at(at).keys(address)) for held in self._sets]
        seen = (*also, *matching)
        # The very same for all who are alike: that is compared at once.
        seen = self._alike.get(seen) or self._alike.keep(seen, seen)
        found = [key for key in frozenset[str]().union(*matching) if key in self._somewhere]
        return Traits(seen, tuple([self._somewhere[key] for key in sorted(found)]), address in self._patterns)

    def _name(self, display_name: str) -> frozenset[str]:
        """Those readings of a display name that policies name."""
        found = self._readings.get(display_name)
        if found is None:
            named = frozenset(text for text in name_readings(display_name) if name_key(text) in self._names)
            found = self._readings.keep(display_name, named)
        return found

    def _refused_by(self, source: IPAddress, at: float) -> Hashable:
        """The policies by which the source is refused at connect. That depends on who is exempt, even by policies
        that do not concern the message."""
        found = [held.source_blocks.refusing(held.identities.at(at), source, at) for held in self._connecting]
        return tuple([None if policy is None else policy.id for policy in found])


def _content(facts: MessageFacts) -> Hashable:
    """What decisions see of the content."""
    verdict = facts.spam
    if verdict is None:
        return facts.flaws
    return facts.flaws, verdict.action, verdict.score, verdict.virus, verdict.was_put_off


def _scopes(policies: PolicySet, ids: frozenset[str] | None) -> Iterator[Scope]:
    """The scopes of the enabled policies of a set; if ids are given, of those policies only."""
    for index in policies.scoped.values():
        found: Iterable[ScopedPolicy | None] = index.policies if ids is None else map(index.get, ids)
        for policy in found:
            if policy is not None and policy.scope.terms.enabled:
                yield policy.scope


def _entries(policies: PolicySet, ids: frozenset[str] | None) -> Iterable[ManagedSender]:
    """The personal entries of a set; if ids are given, those only."""
    if ids is None:
        return policies.managed.entries
    return [entry for key in ids if (entry := policies.managed.get(key)) is not None]


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


def _rank(target: Target) -> float:
    return target.rank
