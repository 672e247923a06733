"""Which policies of a type could apply to this message, without looking at every policy?

Policies are found by the key of their sender's side, then by that of their recipient's side
(`identities.target_key`). An address has a handful of keys, so a look-up takes a handful of steps
however many policies there are. The index may yield too many policies, never too few: whether one
applies is for `evaluate` alone to say. Within each list it yields, the winner-to-be comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, Generic

from mailreeve.policy.identities import target_key
from mailreeve.policy.matching import P, ScopedPolicy, policy_order, reads_header
from mailreeve.policy.policies import BlockedOption, BlockedSenderPolicy, PermittedSenderPolicy

SMALL_BUCKET: Final = 8
"""Up to so many policies with one sender key are kept as a plain row: testing them is quicker than
looking for the recipient's keys, and a dictionary would take more room than the policies."""


class ScopedIndex(Generic[P]):
    """All policies of one type, and the quick way to those that matter. Immutable for its readers.

    A bidirectional policy is entered twice, the second time with its targets exchanged (D-09).
    Disabled policies are in `policies`, so that they can be explained, but are never candidates.
    Dates are left to the decision: a policy starts and ends at its instant, with no reload.
    """

    def __init__(self, policies: Iterable[P] = ()) -> None:
        self.policies: tuple[P, ...] = tuple(policies)
        enabled = [policy for policy in self.policies if policy.scope.enabled]
        self._directions: tuple[_Direction[P], ...] = tuple(
            direction
            for direction in (
                _Direction(enabled, swapped=False),
                _Direction([policy for policy in enabled if policy.scope.bidirectional], swapped=True),
            )
            if direction
        )
        self.reads_header: Final = any(direction.by_effect for direction in self._directions)

    def candidates(
        self, senders: frozenset[str], recipient: frozenset[str]
    ) -> Iterator[tuple[bool, tuple[P, ...]]]:
        """Lists of policies, each in order, that could apply between addresses with these keys.

        With each list comes whether its policies were found with their targets exchanged.
        """
        for direction in self._directions:
            for ranked in direction.lists(senders, recipient):
                yield direction.swapped, ranked

    def header_readers(self, recipient: frozenset[str]) -> Iterator[tuple[bool, str, tuple[P, ...]]]:
        """Lists of the policies, each in order, that look at the header and could apply to the recipient.

        With each list comes whether its policies were found with their targets exchanged, and the
        effect that all of them have.
        """
        for direction in self._directions:
            for effect, buckets in direction.by_effect.items():
                for key in recipient & buckets.keys():
                    yield direction.swapped, effect, buckets[key]


class _Direction(Generic[P]):
    """The policies as seen in one direction: sender's side first."""

    def __init__(self, policies: list[P], *, swapped: bool) -> None:
        self.swapped = swapped
        self._buckets: dict[str, P | tuple[P, ...] | dict[str, tuple[P, ...]]] = {}
        self.by_effect: dict[str, dict[str, tuple[P, ...]]] = {}

        by_sender: defaultdict[str, list[P]] = defaultdict(list)
        readers: defaultdict[str, list[P]] = defaultdict(list)
        for policy in policies:
            by_sender[self._keys(policy)[0]].append(policy)
            if reads_header(policy.scope, swapped):
                readers[effect_of(policy)].append(policy)
        for key, found in by_sender.items():
            if len(found) == 1:
                self._buckets[key] = found[0]
            elif len(found) <= SMALL_BUCKET:
                self._buckets[key] = self._ranked(found)
            else:
                self._buckets[key] = self._by_recipient(found)
        for effect, found in readers.items():
            self.by_effect[effect] = self._by_recipient(found)

    def __bool__(self) -> bool:
        return bool(self._buckets)

    def lists(self, senders: frozenset[str], recipient: frozenset[str]) -> Iterator[tuple[P, ...]]:
        """The candidates for addresses with these keys, in lists of which each is in order."""
        buckets = self._buckets
        for key in senders:
            bucket = buckets.get(key)
            if bucket is None:
                continue
            if isinstance(bucket, tuple):
                yield bucket
            elif isinstance(bucket, dict):
                for shared in recipient & bucket.keys():
                    yield bucket[shared]
            else:
                yield (bucket,)

    def _keys(self, policy: P) -> tuple[str, str]:
        scope = policy.scope
        keys = target_key(scope.from_), target_key(scope.to)
        return (keys[1], keys[0]) if self.swapped else keys

    def _by_recipient(self, policies: list[P]) -> dict[str, tuple[P, ...]]:
        found: defaultdict[str, list[P]] = defaultdict(list)
        for policy in policies:
            found[self._keys(policy)[1]].append(policy)
        return {key: self._ranked(group) for key, group in found.items()}

    def _ranked(self, policies: list[P]) -> tuple[P, ...]:
        return tuple(sorted(policies, key=lambda policy: policy_order(policy, self.swapped), reverse=True))


RELAY_REFUSAL: Final = "block_sender as an open relay"
"""The effect of the account's fixed policy (D-14), whose refusal has a text of its own."""


def effect_of(policy: ScopedPolicy) -> str:
    """What the policy does when it wins, in a word or two. Equal effects change a decision equally."""
    if isinstance(policy, BlockedSenderPolicy):
        if policy.relay_guard and policy.option is BlockedOption.BLOCK_SENDER:
            return RELAY_REFUSAL
        return policy.option.value
    if isinstance(policy, PermittedSenderPolicy):
        return "permit"
    return f"set {policy.set_id}"
