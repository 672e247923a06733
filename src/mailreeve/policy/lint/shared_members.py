"""Which equally narrow policies meet because their groups, or attribute values, have somebody in common?

Two groups may share a member though neither is part of the other, and nothing about the two policies shows it. So
the members are gone through: of each class of policies that could tie, each member leads to those that name it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Final, Generic

from msgspec import Struct

from mailreeve.policy.index.matching import P
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.rivals import ALIKE, Place
from mailreeve.policy.lint.scope_cover import Direction, may_meet
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.targets import Target, TargetType

_SHARING: Final = frozenset((TargetType.PROFILE_GROUP, TargetType.ADDRESS_ATTRIBUTE_VALUE))


class Meeting(Struct, Generic[P], frozen=True):
    """Two that tie, the winner first, and by whom: an address or a domain."""

    winner: Direction[P]
    loser: Direction[P]
    shared: str


class SharedMembers(Generic[P]):
    """The policies of one type that name a group or an attribute value."""

    def __init__(self, coverage: Coverage, at: float) -> None:
        self._coverage = coverage
        self._at = at
        self._classes: dict[tuple[Place, str, str], list[Direction[P]]] = {}

    def add(self, way: Direction[P]) -> None:
        """Take note of a policy, in one direction."""
        sides = way.sender, way.recipient
        if not _SHARING.isdisjoint(side.type for side in sides):
            # Whoever a single address stands for is met by policies about that one as well.
            for sender, recipient in product(*map(self._names, sides)):
                self._classes.setdefault((way.order[:ALIKE], sender, recipient), []).append(way)

    def _names(self, side: Target) -> Iterable[str]:
        return (side.type.value,) if side.type in _SHARING else self._coverage.kin(side)

    def meetings(self, stands: Callable[[Direction[P]], bool]) -> Iterator[Meeting[P]]:
        """For each policy that meets another one, of those that stand, one of its meetings: if possible with one
        that wins."""
        for ways in self._classes.values():
            if len(ways) < 2:
                continue
            ranked = sorted(filter(stands, ways), key=_order, reverse=True)
            named: set[str] = set()
            for meeting in self._among(ranked):
                named |= {meeting.winner.policy.id, meeting.loser.policy.id}
                yield meeting
            # Who wins all meetings may have been passed over for another winner.
            for meeting in self._among(reversed(ranked)):
                if meeting.winner.policy.id not in named:
                    named.add(meeting.winner.policy.id)
                    yield meeting

    def _among(self, ways: Iterable[Direction[P]]) -> Iterator[Meeting[P]]:
        """For each one that meets one before it, such a meeting."""
        seen: dict[str, list[Direction[P]]] = {}
        for way in ways:
            examples = self._coverage.examples(_grouping(way))
            found = next(
                ((other, e) for e in examples for other in seen.get(e, ()) if self._meet(way, other)), None
            )
            if found is not None:
                other, shared = found
                winner, loser = (way, other) if way.order > other.order else (other, way)
                yield Meeting(winner, loser, shared)
            for example in examples:
                seen.setdefault(example, []).append(way)

    def _meet(self, way: Direction[P], other: Direction[P]) -> bool:
        if way.policy.id == other.policy.id or not may_meet(way.policy.scope, other.policy.scope, self._at):
            return False
        for side, its in ((way.sender, other.sender), (way.recipient, other.recipient)):
            if side.type not in _SHARING:
                return side.key in self._coverage.kin(its) or its.key in self._coverage.kin(side)
        mine, theirs = (self._coverage.examples(one.recipient) for one in (way, other))
        return way.recipient.key == other.recipient.key or not set(mine).isdisjoint(theirs)


def _grouping(way: Direction[P]) -> Target:
    """The side that names several people; of two the sender's."""
    return way.sender if way.sender.type in _SHARING else way.recipient


def _order(way: Direction[P]) -> Order:
    return way.order
