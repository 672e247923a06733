"""Which mail policies can never win, win by a tie-break only, or come to nothing?

Rivals of a policy are found through the same index that decides: whatever matches all that the policy matches
names one of the keys that are sure of its targets. So a policy is held against a handful of rows, and against
at most `TRIED` policies of each: the time grows with the number of policies, not with its square. What is
reported as never winning never wins; a shadow thrown by several policies together, or by one far down a long
row, is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Generic

from mailreeve.policy.buckets import Row
from mailreeve.policy.comparison import why_before
from mailreeve.policy.coverage import Coverage
from mailreeve.policy.findings import Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.index import ScopedIndex, effect_of
from mailreeve.policy.keys import keys_of
from mailreeve.policy.matching import P
from mailreeve.policy.order import tie_breaker
from mailreeve.policy.policies import BlockedSenderPolicy
from mailreeve.policy.scope_cover import Direction, covers, direction_of, directions, may_meet
from mailreeve.policy.targets import TargetType
from mailreeve.policy.wording import listed, quoted, target_words

TRIED: Final = 64
"""So many policies of one row are tried as rivals of a policy, the strongest first."""

_NARROW: Final = 6
"""How many leading elements of an `Order` admins see on a policy; the time of creation and the id follow."""


class MailLinter(Generic[P]):
    """The linter of one type of policy, at one time."""

    def __init__(self, index: ScopedIndex[P], kind: SubjectKind, coverage: Coverage, at: float) -> None:
        self._index = index
        self._kind = kind
        self._coverage = coverage
        self._at = at
        self._paired: set[frozenset[str]] = set()

    def look_at(self, policy: P) -> Iterator[Finding]:
        """What is wrong with one policy. A disabled one is nobody's concern."""
        scope = policy.scope
        if not scope.terms.enabled:
            return
        if scope.terms.ends <= self._at:
            yield self._finding(
                FindingKind.EXPIRED,
                policy,
                f"{quoted(policy.description)} has expired",
                "Delete it, or give it a later end.",
            )
            return
        dead = self._dead(policy)
        if dead is not None:
            yield dead
            return
        if scope.terms.starts > self._at:
            yield self._finding(
                FindingKind.NOT_STARTED,
                policy,
                f"{quoted(policy.description)} has not started yet",
                "Nothing, if that is meant.",
            )
        yield from self._unknown_recipient(policy)
        ways = [(way, self._rows(way)) for way in directions(policy)]
        shadows = [self._shadow(way, rows) for way, rows in ways]
        if all(shadow is not None for shadow in shadows):
            yield self._shadowed([way for way, _ in ways], [shadow for shadow in shadows if shadow is not None])
        else:
            yield from self._ties(ways)

    def _dead(self, policy: P) -> Finding | None:
        scope, name = policy.scope, quoted(policy.description)
        if not any(directions(policy)):
            why = f"{name} can match no message: a recipient has no display name in the envelope"
            return self._finding(FindingKind.NEVER_MATCHES, policy, why, "Name the recipient by address.")
        for side, target in (("sender", scope.from_), ("recipient", scope.to)):
            reason = self._coverage.impossible(target)
            if not reason:
                continue
            words = target_words(target, self._coverage.directory.group_names)
            why = f"{name} can match no message: on the {side} side it names {words}, and {reason}"
            empty = (
                target.type is TargetType.PROFILE_GROUP and target.value in self._coverage.directory.group_names
            )
            kind = FindingKind.EMPTY_GROUP if empty else FindingKind.NEVER_MATCHES
            advice = (
                "Add members to the group when there are any." if empty else "Name somebody else, or delete it."
            )
            return self._finding(kind, policy, why, advice)
        return None

    def _unknown_recipient(self, policy: P) -> Iterator[Finding]:
        target = policy.scope.to
        if target.type is not TargetType.INDIVIDUAL_EMAIL_ADDRESS or policy.scope.terms.bidirectional:
            return
        directory = self._coverage.directory
        local, _, domain = target.value.rpartition("@")
        if domain not in directory.known_only:
            return
        if target.value in directory.users or f"{local.partition('+')[0]}@{domain}" in directory.users:
            return
        name = quoted(policy.description)
        why = f"{name} is for {target.value}, whom {domain} does not know: mail for it is refused anyway"
        yield self._finding(
            FindingKind.UNKNOWN_RECIPIENT, policy, why, "Correct the address, or delete the policy."
        )

    def _rows(self, way: Direction[P]) -> list[Row[P]]:
        """The rows of those that name a key which is sure on either side, each in order."""
        coverage = self._coverage
        senders, recipients = coverage.sure_keys(way.sender), coverage.sure_keys(way.recipient)
        return self._index.candidates(keys_of(senders), keys_of(recipients))

    @staticmethod
    def _rivals(way: Direction[P], rows: list[Row[P]], lowest: tuple[float | str, ...]) -> Iterator[Direction[P]]:
        """The others in these rows, down to the place `lowest`."""
        for row in rows:
            for rival in map(direction_of, islice(row, TRIED)):
                if rival.order < lowest:
                    break  # so are all that follow
                if rival.policy.id != way.policy.id:
                    yield rival

    def _shadow(self, way: Direction[P], rows: list[Row[P]]) -> Direction[P] | None:
        place = way.order
        for rival in self._rivals(way, rows, place):
            if rival.floor > place and covers(self._coverage, rival, way, self._at):
                return rival
        return None

    def _shadowed(self, ways: list[Direction[P]], shadows: list[Direction[P]]) -> Finding:
        policy, rivals = ways[0].policy, list({shadow.policy.id: shadow for shadow in shadows}.values())
        name, theirs = quoted(policy.description), listed(quoted(rival.policy.description) for rival in rivals)
        reasons = "; ".join(why_before(shadow.match, way.match) for way, shadow in zip(ways, shadows, strict=True))
        why = f"{name} can never win: wherever it applies, so does {theirs}, and {reasons}"
        harmless = all(effect_of(rival.policy) == effect_of(policy) for rival in rivals)
        if isinstance(policy, BlockedSenderPolicy) and policy.relay_guard:
            advice = f"This is the account's own policy: consider whether {theirs} should reach so far."
        elif harmless:
            advice = "It changes nothing: delete it."
        else:
            advice = "Delete it; or, if it should have a say, give it override or a narrower target."
        return self._finding(
            FindingKind.SHADOWED, policy, why, advice, [rival.policy for rival in rivals], harmless
        )

    def _ties(self, ways: Sequence[tuple[Direction[P], list[Row[P]]]]) -> Iterator[Finding]:
        """A policy that shares its place with another one, so that only their ages tell which wins."""
        for way, rows in ways:
            place = way.order
            for rival in self._rivals(way, rows, place[:_NARROW]):
                pair = frozenset((way.policy.id, rival.policy.id))
                if rival.order[:_NARROW] != place[:_NARROW] or pair in self._paired:
                    continue
                if rival.order < place and self._names_keys_of(way, rival):
                    continue  # told when the weaker one's turn comes, unless that is shadowed
                if not self._meet(way, rival):
                    continue
                self._paired.add(pair)
                yield self._tied(*((rival, way) if rival.order > place else (way, rival)))
                break

    def _meet(self, way: Direction[P], rival: Direction[P]) -> bool:
        first, second = way.policy.scope, rival.policy.scope
        return (
            not any(isinstance(p, BlockedSenderPolicy) and p.relay_guard for p in (way.policy, rival.policy))
            and may_meet(first, second, self._at)
            and self._names_keys_of(rival, way)
        )

    def _names_keys_of(self, wide: Direction[P], narrow: Direction[P]) -> bool:
        """Whether the wide one's targets match whatever the narrow one's match."""
        coverage = self._coverage
        by_sender = wide.sender.key in coverage.sure_keys(narrow.sender)
        return by_sender and wide.recipient.key in coverage.sure_keys(narrow.recipient)

    def _tied(self, winner: Direction[P], loser: Direction[P]) -> Finding:
        first, second = winner.policy, loser.policy
        name, other = quoted(second.description), quoted(first.description)
        reason = tie_breaker(winner.order, loser.order)
        why = f"{name} and {other} are equally narrow and can apply to one message: {reason}, which is {other}"
        harmless = effect_of(first) == effect_of(second)
        advice = (
            "They do the same, so nothing depends on it; one of them may do."
            if harmless
            else "Give the one that should win override or a narrower target, so that their ages do not decide."
        )
        return self._finding(FindingKind.TIED, second, why, advice, [first], harmless)

    def _finding(
        self,
        kind: FindingKind,
        policy: P,
        why: str,
        advice: str,
        others: Iterable[P] = (),
        harmless: bool = False,
    ) -> Finding:
        subjects = tuple(Subject(self._kind, p.id, p.description) for p in (policy, *others))
        return Finding(kind, subjects, why, advice, harmless=harmless)
