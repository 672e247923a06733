"""Who wins a policy type, and who still could once the header is known (behaviour.md 2.7, D-07)?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct

from mailreeve.policy.index.buckets import Row
from mailreeve.policy.index.matching import HEADER_FROM, Case, Match, P, evaluate
from mailreeve.policy.index.ranked import Reversed, entry_order, policy_of
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.policies import Effect
from mailreeve.policy.model.targets import BELOW

E = TypeVar("E", bound=Hashable)


class Contest(Struct, Generic[P], frozen=True, gc=False):
    """The outcome for one policy type: the winning match, or None where no policy applies."""

    index: ScopedIndex[P]
    case: Case
    winner: Match[P] | None

    def possible(self, effect: Callable[[Match[P] | None], E]) -> set[E] | None:
        """Every effect that the type could have once the header is known, or None for "cannot say".

        The set may hold an effect that no header brings about, but lacks none that some header does.
        """
        effects = {effect(self.winner)}
        if self.case.header_known or not self.index.reads_header:
            return effects
        if self.winner is not None and _may_turn(self.winner, self.case):
            return None
        effects.update(effect(rival) for rival in self._rivals())
        return effects

    def is_settled(self, effect: Callable[[Match[P] | None], Hashable]) -> bool:
        """Whether the type has the same effect whatever the header will say: `possible` is one effect."""
        if self.case.header_known or not self.index.reads_header:
            return True
        if self.winner is not None and _may_turn(self.winner, self.case):
            return False
        now, floor = effect(self.winner), self._floor()
        case = self.case.with_any_header()
        for _, ranked in self.index.header_readers(case.recipient):
            rival = _first_rival(ranked, case, floor)
            if rival is not None and effect(rival) != now:
                return False
        return True

    def _floor(self) -> Order | None:
        """What a rival must not be below."""
        return None if self.winner is None else self.winner.order

    def _rivals(self) -> Iterator[Match[P]]:
        """Matches by the header that would win under some header; one for each effect is enough."""
        case, floor = self.case.with_any_header(), self._floor()
        seen: set[Effect] = set()
        for effect, ranked in self.index.header_readers(case.recipient):
            if effect in seen:
                continue
            rival = _first_rival(ranked, case, floor)
            if rival is not None:
                seen.add(effect)
                yield rival


def contest(index: ScopedIndex[P], case: Case) -> Contest[P]:
    """The contest as decided by the index's candidates only."""
    senders = case.senders if index.reads_header else case.envelope
    rows = index.candidates(senders, case.recipient)
    return Contest(index, case, _best(rows, case) if rows else None)


def possible_policies(index: ScopedIndex[P], case: Case) -> Iterator[P]:
    """The policies that could win with some header: those that the envelope meets, and those that look at the
    header and are for the recipient. Perhaps others as well; a policy may come twice."""
    for row in index.candidates(case.envelope, case.recipient):
        yield from map(policy_of, row)
    for _, row in index.header_readers(case.recipient):
        yield from map(policy_of, row)


def _best(rows: list[Row[P]], case: Case) -> Match[P] | None:
    """The match that wins among the rows, of each of which only the first one can."""
    recipient = case.recipient
    names, groups = recipient.names, recipient.groups
    best: Match[P] | None = None
    best_order: Order | None = None
    for row in rows:
        for entry in row if isinstance(row, tuple) else row.in_force(case.at, case.source_ip):
            if type(entry) is Reversed:
                policy, is_reversed = entry.policy, True
                wanted = policy.scope.from_.key
            else:
                policy, is_reversed = entry, False
                wanted = policy.scope.to.key
            # What `evaluate` would find in this direction, found out at once.
            if (
                wanted not in names
                and wanted not in groups
                and (wanted[:1] != BELOW or wanted not in recipient.wide)
            ):
                continue
            match = evaluate(policy, case)
            # A policy that applies both ways counts as written; that direction's entry is found too.
            if type(match) is not Match or match.is_reversed is not is_reversed:
                continue
            # The order is not asked for until two rows have a match: most messages meet one.
            if best is None:
                best = match
            else:
                if best_order is None:
                    best_order = best.order
                place = match.order
                if place > best_order:
                    best, best_order = match, place
            break  # the rest of the row comes later in the order
    return best


def _first_rival(ranked: Row[P], case: Case, floor: Order | None) -> Match[P] | None:
    """The first policy of the row that the header could make win over what has the order `floor`.

    The winner itself, met by the header instead, is among them.
    """
    for entry in ranked if isinstance(ranked, tuple) else ranked.in_force(case.at, case.source_ip):
        if floor is not None and entry_order(entry) < floor:
            return None  # so are all that follow
        match = evaluate(policy_of(entry), case)
        if type(match) is Match and match.part is HEADER_FROM:
            return match
    return None


def _may_turn(winner: Match[P], case: Case) -> bool:
    """Whether the header could turn the winner's direction, and with it its place in the order.

    Then some policy further down could win, which is not worth searching for: the decision waits.
    """
    return winner.policy.scope.terms.bidirectional and evaluate(winner.policy, case.with_any_header()) != winner
