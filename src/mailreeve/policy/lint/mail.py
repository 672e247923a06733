"""Which mail policies can never win, win by a tie-break only, or come to nothing?

Rivals of a policy are found through the same index that decides: whatever matches all that the policy matches
names one of the keys that are sure of its targets. So a policy is held against a handful of rows, and of a long
row against those that `rivals` picks: the time grows with the number of policies, not with its square.

What is reported as never winning never wins. A policy that one other covers in each direction is always found
(`scope_cover.covers` says what that is); a shadow thrown by several policies together is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Generic, TypeAlias

from mailreeve.policy.explain.comparison import why_before, why_tied
from mailreeve.policy.index.buckets import Row
from mailreeve.policy.index.matching import P
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.findings import Finding, FindingKind, Subject
from mailreeve.policy.lint.rivals import Rivals
from mailreeve.policy.lint.scope_cover import Direction, direction_of, directions, is_in_force
from mailreeve.policy.lint.shared_members import SharedMembers
from mailreeve.policy.model.keys import keys_of
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import TargetType
from mailreeve.policy.model.wording import listed, quoted, target_words

Keypair: TypeAlias = tuple[str, str]
"""The keys of a sender's target and a recipient's."""


class MailLinter(Generic[P]):
    """The linter of one type of policy, at one time."""

    def __init__(self, index: ScopedIndex[P], kind: PolicyType, coverage: Coverage, at: float) -> None:
        self._index = index
        self._kind = kind
        self._coverage = coverage
        self._at = at
        self.rivals: Rivals[P] = Rivals(coverage, at, self._stands)
        self._sharing: SharedMembers[P] = SharedMembers(coverage, at)
        self._paired: set[frozenset[str]] = set()
        self._kin: dict[tuple[Keypair, Keypair], None] = {}

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
        ways = list(directions(policy))
        shadows = self._shadows(policy)
        if shadows:
            yield self._shadowed(ways, shadows)
        elif not policy.relay_guard:
            yield from self._ties(ways)

    def _dead(self, policy: P) -> Finding | None:
        scope, name = policy.scope, quoted(policy.description)
        if scope.terms.starts >= scope.terms.ends:
            why = f"{name} can match no message: it ends before it starts"
            return self._finding(FindingKind.NEVER_MATCHES, policy, why, "Correct its dates, or delete it.")
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
        domain = target.value.rpartition("@")[2]
        if domain not in self._coverage.directory.known_only or self._coverage.user_of(target.value) is not None:
            return
        name = quoted(policy.description)
        why = f"{name} is for {target.value}, whom {domain} does not know: mail for it is refused anyway"
        yield self._finding(
            FindingKind.UNKNOWN_RECIPIENT, policy, why, "Correct the address, or delete the policy."
        )

    def _shadows(self, policy: P) -> list[Direction[P]]:
        """For each direction one that covers it and comes first; empty if there is a direction without."""
        found: list[Direction[P]] = []
        for way in directions(policy):
            senders, recipients = self._coverage.sure_keys(way.sender), self._coverage.sure_keys(way.recipient)
            rows = self._index.candidates(senders, recipients)
            shadow = self.rivals.covering(rows, way, above=way.order)
            if shadow is None:
                return []
            found.append(shadow)
        return found

    def _stands(self, way: Direction[P]) -> bool:
        """Whether it means anything that a policy ties with this one: it may win, and is not the account's own."""
        return not way.policy.relay_guard and not self._shadows(way.policy)

    def _shadowed(self, ways: list[Direction[P]], shadows: list[Direction[P]]) -> Finding:
        policy, rivals = ways[0].policy, list({shadow.policy.id: shadow for shadow in shadows}.values())
        name, theirs = quoted(policy.description), listed(quoted(rival.policy.description) for rival in rivals)
        reasons = "; ".join(why_before(shadow.match, way.match) for way, shadow in zip(ways, shadows, strict=True))
        why = f"{name} can never win: wherever it applies, so does {theirs}, and {reasons}"
        harmless = all(rival.policy.effect == policy.effect for rival in rivals)
        if policy.relay_guard:
            advice = f"This is the account's own policy: consider whether {theirs} should reach so far."
        elif harmless:
            advice = "It changes nothing: delete it."
        else:
            advice = "Delete it; or, if it should have a say, give it override or a narrower target."
        return self._finding(
            FindingKind.SHADOWED, policy, why, advice, [rival.policy for rival in rivals], harmless
        )

    def _ties(self, ways: Iterable[Direction[P]]) -> Iterator[Finding]:
        """A policy that shares its place with another one, so that only their ages tell which wins. Of all that
        tie with a policy one is told, if possible one that it loses to."""
        for way in ways:
            self._sharing.add(way)
            own, *others = product(self._coverage.kin(way.sender), self._coverage.kin(way.recipient))
            self._kin |= dict.fromkeys((own, other) for other in others)
            rival = self.rivals.meeting(self._rows((way.sender.key, way.recipient.key)), way)
            if rival is not None:
                yield from self._tied(*((rival, way) if rival.order > way.order else (way, rival)))

    def last(self) -> Iterator[Finding]:
        """What is found once all policies have been looked at."""
        for meeting in self._sharing.meetings(lambda way: True):
            yield from self._tied(meeting.winner, meeting.loser, meeting.shared)
        # A policy about an alias or a tag meets those about whom it stands for, and each of these should be told.
        for own, other in self._kin:
            for mine, theirs in ((own, other), (other, own)):
                for way in self._between(mine):
                    rival = self.rivals.meeting(self._rows(theirs), way, recipient=theirs[1])
                    if rival is not None:
                        yield from self._tied(*((rival, way) if rival.order > way.order else (way, rival)))

    def _rows(self, keys: Keypair) -> list[Row[P]]:
        """The rows of policies that may be between these targets."""
        return self._index.candidates(keys_of(keys[:1]), keys_of(keys[1:]))

    def _between(self, keys: Keypair) -> Iterator[Direction[P]]:
        """The policies between these very targets that may win."""
        for way in (direction_of(entry) for row in self._rows(keys) for entry in row):
            named = (way.sender.key, way.recipient.key) == keys
            if named and is_in_force(way.policy.scope, self._at) and self._stands(way):
                yield way

    def _tied(self, winner: Direction[P], loser: Direction[P], shared: str = "") -> Iterator[Finding]:
        first, second = winner.policy, loser.policy
        pair = frozenset((first.id, second.id))
        if pair in self._paired:
            return
        self._paired.add(pair)
        name, other = quoted(second.description), quoted(first.description)
        reason = why_tied(winner.order, loser.order)
        both = f", both of {shared}" if shared else ""
        why = (
            f"{name} and {other} are equally narrow and can apply to one message{both}: {reason}, which is {other}"
        )
        harmless = first.effect == second.effect
        advice = (
            "They do the same, so nothing depends on it; one of them may do."
            if harmless
            else "Give the one that should win override or a narrower target, so that their ages do not decide."
        )
        yield self._finding(FindingKind.TIED, second, why, advice, [first], harmless)

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
