"""Which policies of a row of the index apply wherever another one does, or may meet it? Without trying them all.

The policies of a long row name the same targets, so they differ in their conditions only: which sender address
they look at, source ranges, dates. They are kept by these, and of those that are alike one speaks for all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Final, Generic, TypeAlias

from mailreeve.formats.networks import Network
from mailreeve.policy.index.buckets import Row
from mailreeve.policy.index.matching import P
from mailreeve.policy.index.network_table import ANYWHERE, NetworkTable, network_keys
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.scope_cover import Direction, Q, covers, direction_of, is_in_force, may_meet
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, FromPart

LONG: Final = 64
"""Rows of more policies than that are prepared; of the others each policy is tried, which is quicker."""

ALIKE: Final = 6
"""How many leading elements of an `Order` admins see on a policy; the time of creation and the id follow."""

Place = tuple[float | str, ...]

ByPlace: TypeAlias = dict[Place, list[Direction[P]]]


class Rivals(Generic[P]):
    """The rows of one index, at one time. `stands` says of a policy whether it is worth mentioning that another
    one is as narrow."""

    def __init__(self, coverage: Coverage, at: float, stands: Callable[[Direction[P]], bool]) -> None:
        self._coverage = coverage
        self._at = at
        self._stands = stands
        self._prepared: dict[tuple[str, str], _LongRow[P]] = {}

    def covering(
        self, rows: Iterable[Row[P]], way: Direction[Q], above: Order | None = None, *, blocks: bool = False
    ) -> Direction[P] | None:
        """Of all that cover the way (`scope_cover.covers`) the one with the highest floor, if that is above the
        place `above`; with `blocks`, of those that block senders. None only if there is none."""
        best, limit = None, above
        for row in rows:
            for rival in self._may_cover(row, way, limit, blocks):
                if (limit is None or rival.floor > limit) and covers(self._coverage, rival, way, self._at):
                    best, limit = rival, rival.floor
        return best

    def meeting(
        self, rows: Iterable[Row[P]], way: Direction[P], recipient: str | None = None
    ) -> Direction[P] | None:
        """One that is for the same recipient, or for that given, stands, is as narrow and may be met in time and
        source: the first of those that come before the way, else one that comes after it. None only if there is
        none. The rows are those of senders that the way meets as well."""
        place, recipient = way.order, recipient or way.recipient.key
        weaker: Direction[P] | None = None
        for row in rows:
            for ordered in self._as_narrow(row, way, recipient):
                for rival in ordered:
                    if weaker is not None and rival.order < place:
                        break  # so do all that follow
                    other = rival.policy.id != way.policy.id
                    if other and may_meet(way.policy.scope, rival.policy.scope, self._at):
                        if rival.order > place:
                            return rival
                        weaker = rival
        return weaker

    def _may_cover(
        self, row: Row[P], way: Direction[Q], limit: Order | None, blocks: bool
    ) -> Iterator[Direction[P]]:
        if len(row) > LONG:
            yield from self._long(row).may_cover(way, limit, blocks)
            return
        for rival in map(direction_of, row):
            if limit is not None and rival.order <= limit:
                return  # so are all that follow, and a floor is no higher
            if not blocks or is_block(rival.policy):
                yield rival

    def _as_narrow(self, row: Row[P], way: Direction[P], recipient: str) -> Iterator[Iterable[Direction[P]]]:
        place = way.order[:ALIKE]
        if len(row) > LONG:
            yield from self._long(row).as_narrow(way.policy.scope.terms.networks, place, self._stands)
            return
        # A short row may hold policies for other recipients.
        yield (
            rival
            for rival in map(direction_of, row)
            if rival.order[:ALIKE] == place and rival.recipient.key == recipient and self._stands(rival)
        )

    def _long(self, row: Row[P]) -> _LongRow[P]:
        first = direction_of(next(iter(row)))
        keys = first.sender.key, first.recipient.key
        found = self._prepared.get(keys)
        if found is None:
            found = self._prepared[keys] = _LongRow(row, self._at)
        return found


class _LongRow(Generic[P]):
    """The policies of one row, by their conditions. All of them name the same two targets."""

    def __init__(self, row: Row[P], at: float) -> None:
        self._row = row
        self._at = at
        found: dict[str, dict[tuple[FromPart, bool], list[Direction[P]]]] = {}
        for rival in map(direction_of, row):
            policy, terms = rival.policy, rival.policy.scope.terms
            if policy.relay_guard or not is_in_force(policy.scope, at):
                continue
            for key in network_keys(terms.networks) or {ANYWHERE}:
                found.setdefault(key, {}).setdefault((terms.from_part, is_block(policy)), []).append(rival)
        lines = {key: {kind: _Line(some, at) for kind, some in kinds.items()} for key, kinds in found.items()}
        self._anywhere = lines.pop(ANYWHERE, {})
        self._bound = NetworkTable(lines)
        self._alike: tuple[ByPlace[P], NetworkTable[ByPlace[P]]] | None = None

    def may_cover(self, way: Direction[Q], limit: Order | None, blocks: bool) -> Iterator[Direction[P]]:
        """Those of which one covers the way if any of the row does, and the one with the highest floor."""
        networks, ends = way.policy.scope.terms.networks, way.policy.scope.terms.ends
        # Whatever covers all ranges covers the first.
        for lines in (self._anywhere, *(self._bound.around(networks[0]) if networks else ())):
            for part in FromPart:
                for blocking in (True,) if blocks else (True, False):
                    line = lines.get((part, blocking))
                    if line is None:
                        continue
                    if lines is self._anywhere or len(networks) == 1:
                        yield from line.first_until(ends)
                    else:
                        yield from line.above(limit, line.started)
                    yield from line.above(limit, line.later)

    def as_narrow(
        self, networks: Sequence[Network], place: Place, stands: Callable[[Direction[P]], bool]
    ) -> Iterator[Iterable[Direction[P]]]:
        """Those at the place that stand and share a source with the networks, in several parts, each in order."""
        if self._alike is None:
            self._alike = self._by_place(stands)
        anywhere, bound = self._alike
        if not networks:
            yield anywhere.get(place, ())
        for network in networks:
            for found in chain(bound.around(network), bound.inside(network)):
                yield found.get(place, ())

    def _by_place(self, stands: Callable[[Direction[P]], bool]) -> tuple[ByPlace[P], NetworkTable[ByPlace[P]]]:
        """Those that stand, first the ones without a network."""
        found: dict[str, ByPlace[P]] = {}
        for rival in map(direction_of, self._row):
            scope = rival.policy.scope
            if is_in_force(scope, self._at) and stands(rival):
                for key in network_keys(scope.terms.networks) or {ANYWHERE}:
                    found.setdefault(key, {}).setdefault(rival.order[:ALIKE], []).append(rival)
        return found.pop(ANYWHERE, {}), NetworkTable(found)


class _Line(Generic[P]):
    """Policies with the same targets, part and range, those with the highest floor first."""

    def __init__(self, rivals: list[Direction[P]], at: float) -> None:
        rivals.sort(key=_floor, reverse=True)
        self.started = [rival for rival in rivals if rival.policy.scope.terms.starts <= at]
        self.later = [rival for rival in rivals if rival.policy.scope.terms.starts > at]
        # The latest end so far: it only rises, so the first that lasts until some time is found by halves.
        self._ends = list(accumulate((rival.policy.scope.terms.ends for rival in self.started), max))

    def first_until(self, ends: float) -> Iterator[Direction[P]]:
        """The first of those that have started and last until that time."""
        number = bisect_left(self._ends, ends)
        yield from self.started[number : number + 1]

    @staticmethod
    def above(limit: Order | None, rivals: Iterable[Direction[P]]) -> Iterator[Direction[P]]:
        """Those whose floor is above the limit."""
        for rival in rivals:
            if limit is not None and rival.floor <= limit:
                return
            yield rival


def is_block(policy: object) -> bool:
    """Whether the policy refuses senders."""
    return isinstance(policy, BlockedSenderPolicy) and policy.option is BlockedOption.BLOCK_SENDER


def _floor(rival: Direction[P]) -> Order:
    return rival.floor
