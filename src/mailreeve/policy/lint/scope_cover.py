"""Does one policy apply wherever another one does? Scopes held against each other, each in one direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from msgspec import Struct

from mailreeve.policy.index.matching import Match, P, policy_order
from mailreeve.policy.index.network_cover import MAX_PAIRS as MAX_PAIRS
from mailreeve.policy.index.network_cover import networks_covered as networks_covered
from mailreeve.policy.index.ranked import Reversed, policy_of
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.policies import FromPart, Scope, ScopedPolicy
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import Target, TargetType

Q = TypeVar("Q", bound=ScopedPolicy)

_PERMITS: Final = PolicyType.PERMITTED_SENDERS


class Direction(Struct, Generic[P], frozen=True, gc=False):
    """A policy as written, or with its targets exchanged (D-09)."""

    policy: P
    is_reversed: bool

    @property
    def sender(self) -> Target:
        """Whom the policy names on the sender's side."""
        return self.policy.scope.to if self.is_reversed else self.policy.scope.from_

    @property
    def recipient(self) -> Target:
        """Whom the policy names on the recipient's side."""
        return self.policy.scope.from_ if self.is_reversed else self.policy.scope.to

    @property
    def order(self) -> Order:
        """The place of a match in this direction."""
        return policy_order(self.policy, self.is_reversed)

    @property
    def floor(self) -> Order:
        """The lowest place that the policy can have where it applies in this direction: it may apply in the other
        one as well, and then counts as written."""
        if not self.policy.scope.terms.bidirectional:
            return self.order
        return min(policy_order(self.policy), policy_order(self.policy, True))

    @property
    def match(self) -> Match[P]:
        """A match in this direction, for comparing."""
        part = FromPart.HEADER_FROM if _reads_header(self) else FromPart.ENVELOPE_FROM
        return Match(self.policy, part, self.is_reversed)


def direction_of(entry: P | Reversed[P]) -> Direction[P]:
    """The direction that an entry of the index stands for."""
    return Direction(policy_of(entry), type(entry) is Reversed)


def directions(policy: P) -> Iterator[Direction[P]]:
    """The directions in which the policy could match: a recipient has no display name (D-02)."""
    for is_reversed in (False, True) if policy.scope.terms.bidirectional else (False,):
        direction = Direction(policy, is_reversed)
        if direction.recipient.type is not TargetType.HEADER_DISPLAY_NAME:
            yield direction


def covers(coverage: Coverage, wide: Direction[P], narrow: Direction[Q], at: float) -> bool:
    """Whether `wide` applies to every message from the time `at` on that `narrow` applies to in its direction.

    True is certain; False may also mean that it cannot be told. Policies of different types may be compared.
    """
    ours, theirs = wide.policy.scope.terms, narrow.policy.scope.terms
    if not ours.enabled or wide.policy.relay_guard:
        return False  # the guard lets bounces from relay networks pass
    return (
        ours.starts <= max(at, theirs.starts)
        and ours.ends >= theirs.ends
        and wide.recipient.key in coverage.sure_keys(narrow.recipient)
        and _sender_covered(coverage, wide, narrow)
        and networks_covered(ours.networks, theirs.networks)
        and (not ours.spf_domains or (bool(theirs.spf_domains) and theirs.spf_domains <= ours.spf_domains))
        and _as_readily_permits(wide, narrow)
    )


def may_meet(one: Scope, other: Scope, at: float) -> bool:
    """Whether conditions and dates let both apply to one message from the time `at` on."""
    first, second = one.terms, other.terms
    if max(at, first.starts, second.starts) >= min(first.ends, second.ends):
        return False
    ours, theirs = first.networks, second.networks
    if not ours or not theirs:
        return True
    if len(ours) * len(theirs) > MAX_PAIRS:
        return not set(ours).isdisjoint(theirs)
    return any(a.version == b.version and a.overlaps(b) for a in ours for b in theirs)


def is_in_force(scope: Scope, at: float) -> bool:
    """Whether the scope is in force at the time `at`, or will be."""
    return scope.terms.enabled and scope.terms.ends > max(at, scope.terms.starts)


def _reads_envelope(direction: Direction[P]) -> bool:
    named = direction.sender.type is TargetType.HEADER_DISPLAY_NAME
    return direction.policy.scope.terms.from_part is not FromPart.HEADER_FROM and not named


def _reads_header(direction: Direction[P]) -> bool:
    named = direction.sender.type is TargetType.HEADER_DISPLAY_NAME
    return direction.policy.scope.terms.from_part is not FromPart.ENVELOPE_FROM or named


def _sender_covered(coverage: Coverage, wide: Direction[P], narrow: Direction[Q]) -> bool:
    """Whether the wide one matches by whichever sender address makes the narrow one match."""
    by_envelope, by_header = _reads_envelope(wide), _reads_header(wide)
    if wide.sender.type is TargetType.EVERYONE and by_envelope and wide.policy.type is not _PERMITS:
        return (
            True  # there always is an envelope sender, if only the null sender; but it may not count for a permit
        )
    if wide.sender.key not in coverage.sure_keys(narrow.sender):
        return False
    return (by_envelope or not _reads_envelope(narrow)) and (by_header or not _reads_header(narrow))


def _as_readily_permits(wide: Direction[P], narrow: Direction[Q]) -> bool:
    """Whether a permit counts wherever the narrow one applies: one that names no network waits for authentication,
    unless it is for anybody, or the narrow one waits for the same."""
    if wide.policy.type is not _PERMITS or wide.policy.scope.terms.networks:
        return True
    theirs = narrow.policy
    return theirs.type is _PERMITS and not theirs.scope.terms.networks
