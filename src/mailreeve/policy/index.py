"""Which policies of a type could apply to this message, without looking at every policy?

Policies are found by the key of their sender's side, then by that of their recipient's side
(`targets.Target.key`). An address has a handful of keys, so a look-up takes a handful of steps
however many policies there are. The index may yield too many policies, never too few: whether one
applies is for `evaluate` alone to say. Within each row it yields, the winner-to-be comes first.

One policy more or less makes a new index that shares all but a few hundred entries with the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, Generic, TypeAlias, cast

from mailreeve.policy.buckets import (
    SWEEPING,
    Bucket,
    Held,
    Row,
    Shelf,
    Turned,
    as_row,
    bucket,
    bucket_with,
    bucket_without,
    by_recipient,
    policy_of,
    shelf_with,
    shelf_without,
)
from mailreeve.policy.keys import Keys
from mailreeve.policy.matching import P, ScopedPolicy, reads_header
from mailreeve.policy.policies import BlockedOption, BlockedSenderPolicy, Changes, PermittedSenderPolicy
from mailreeve.policy.sharded import Sharded, V

NEAR: Final = 8
"""So many policies of each row are yielded as being about a sender."""


class ScopedIndex(Generic[P]):
    """All policies of one type, and the quick way to those that matter. Immutable for its readers.

    A bidirectional policy is entered twice, the second time with its targets exchanged (D-09).
    Disabled policies are kept apart, so that they can be explained, but are never candidates.
    Dates are left to the decision: a policy starts and ends at its instant, with no reload.
    """

    __slots__ = ("_buckets", "_by_effect", "_by_id", "_disabled", "reads_header")

    def __init__(self, policies: Iterable[P] = ()) -> None:
        by_id: dict[str, P] = {}
        # A single entry stands for itself, as in a bucket: for most of a million keys no list is made.
        enabled: dict[str, _Found[P]] = {}
        disabled: dict[str, _Found[P]] = {}
        readers: dict[str, list[P | Turned[P]]] = {}
        count = 0
        for policy in policies:
            count += 1
            by_id[policy.id] = policy
            scope = policy.scope
            found = enabled if scope.terms.enabled else disabled
            _collect(found, scope.from_.key, policy)
            if scope.terms.bidirectional:
                _collect(found, scope.to.key, Turned(policy))
            if scope.terms.enabled:
                if reads_header(scope, swapped=False):
                    readers.setdefault(effect_of(policy), []).append(policy)
                if scope.terms.bidirectional and reads_header(scope, swapped=True):
                    readers.setdefault(effect_of(policy), []).append(Turned(policy))
        if len(by_id) < count:  # of several with one id the last one counts
            self.__init__(by_id.values())  # type: ignore[misc]
            return
        self._by_id = Sharded(by_id)
        del by_id
        self._buckets = _shelf(enabled)
        self._disabled = _shelf(disabled)
        self._by_effect: dict[str, Shelf[Held[P]]] = {
            effect: by_recipient(entries) for effect, entries in readers.items()
        }
        self.reads_header = bool(self._by_effect)

    @property
    def policies(self) -> tuple[P, ...]:
        """All policies, in no particular order."""
        return tuple(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, key: str) -> P | None:
        """The policy with this id, or None."""
        return self._by_id.get(key)

    def changed(self, changes: Changes[P]) -> ScopedIndex[P]:
        """The index once these policies are as given and those others are gone."""
        if len(changes) * 4 > len(self):
            left = {policy.id: policy for policy in self.policies}
            left.update((policy.id, policy) for policy in changes.put)
            return ScopedIndex(policy for key, policy in left.items() if key not in changes.gone)
        put = {policy.id: policy for policy in changes.put}
        new: ScopedIndex[P] = ScopedIndex.__new__(ScopedIndex)
        new._by_id = self._by_id.changed(dict[str, P | None].fromkeys(changes.gone) | put)
        edit = _Edit(self._buckets, self._disabled, self._by_effect)
        for key in {*put, *changes.gone}:
            old = self._by_id.get(key)
            if old is not None:
                edit.remove(old)
        for policy in put.values():
            edit.add(policy)
        new._buckets, new._disabled, new._by_effect = edit.done()
        new.reads_header = bool(new._by_effect)
        return new

    def candidates(self, senders: Keys, recipient: Keys) -> list[Row[P]]:
        """Rows of enabled policies that could apply between addresses with these keys."""
        return _rows(self._buckets, senders, recipient)

    def about(self, senders: Keys, recipient: Keys) -> Iterator[P]:
        """Policies about one of the senders, a few of each kind: first candidates, then what would be one were it
        not switched off, then policies of the very sender for other recipients. For an explanation of an account
        that is too large to be looked through. A policy may come twice."""
        for shelf in (self._buckets, self._disabled):
            for row in _rows(shelf, senders, recipient):
                yield from map(policy_of, islice(row, NEAR))
        for key in senders:
            if key in SWEEPING:
                continue
            there = self._buckets.get(key)
            if isinstance(there, Shelf):
                for found in islice(there.values(), NEAR):
                    yield from map(policy_of, islice(as_row(found), NEAR))

    def header_readers(self, recipient: Keys) -> Iterator[tuple[str, Row[P]]]:
        """Rows of the policies that look at the header and could apply to the recipient.

        With each row comes the effect that all of its policies have.
        """
        for effect, shelf in self._by_effect.items():
            for held in _lookup(shelf, recipient):
                yield effect, as_row(held)


class _Edit(Generic[P]):
    """Several changes of one index, of which each key is written once."""

    def __init__(
        self,
        buckets: Shelf[Bucket[P]],
        disabled: Shelf[Bucket[P]],
        by_effect: Mapping[str, Shelf[Held[P]]],
    ) -> None:
        self._shelves = (disabled, buckets)
        self._written: tuple[dict[str, Bucket[P] | None], dict[str, Bucket[P] | None]] = ({}, {})
        self._by_effect = dict(by_effect)

    def add(self, policy: P) -> None:
        written, shelf = self._written[policy.scope.terms.enabled], self._shelves[policy.scope.terms.enabled]
        for key, entry in _entries(policy):
            written[key] = bucket_with(key, written[key] if key in written else shelf.get(key), entry)
            if _reads_header(policy, entry):
                effect = effect_of(policy)
                there = self._by_effect.get(effect)
                self._by_effect[effect] = by_recipient([entry]) if there is None else shelf_with(there, entry)

    def remove(self, policy: P) -> None:
        written, shelf = self._written[policy.scope.terms.enabled], self._shelves[policy.scope.terms.enabled]
        for key, entry in _entries(policy):
            written[key] = bucket_without(written[key] if key in written else shelf.get(key), entry)
            if _reads_header(policy, entry):
                effect = effect_of(policy)
                left = shelf_without(self._by_effect.pop(effect), entry)
                if len(left):
                    self._by_effect[effect] = left

    def done(self) -> tuple[Shelf[Bucket[P]], Shelf[Bucket[P]], dict[str, Shelf[Held[P]]]]:
        disabled, buckets = (
            shelf.changed(written) if written else shelf
            for shelf, written in zip(self._shelves, self._written, strict=True)
        )
        return buckets, disabled, self._by_effect


def _entries(policy: P) -> tuple[tuple[str, P | Turned[P]], ...]:
    """The sender's keys that a policy is entered under, with its entry for each."""
    scope = policy.scope
    if scope.terms.bidirectional:
        return (scope.from_.key, policy), (scope.to.key, Turned(policy))
    return ((scope.from_.key, policy),)


def _reads_header(policy: P, entry: P | Turned[P]) -> bool:
    return policy.scope.terms.enabled and reads_header(policy.scope, isinstance(entry, Turned))


_Found: TypeAlias = P | Turned[P] | list[P | Turned[P]]


def _collect(found: dict[str, _Found[P]], key: str, entry: P | Turned[P]) -> None:
    there = found.get(key)
    if there is None:
        found[key] = entry
    elif isinstance(there, list):
        there.append(entry)
    else:
        found[key] = [there, entry]


def _shelf(found: dict[str, _Found[P]]) -> Shelf[Bucket[P]]:
    for key, there in found.items():
        if isinstance(there, list):
            # In its place, as no key comes or goes: another dictionary would take as much room for a moment.
            cast("dict[str, Bucket[P]]", found)[key] = bucket(key, there)
    return Shelf(cast("dict[str, Bucket[P]]", found))


def _rows(shelf: Shelf[Bucket[P]], senders: Keys, recipient: Keys) -> list[Row[P]]:
    rows: list[Row[P]] = []
    for there in _lookup(shelf, senders):
        if isinstance(there, tuple):
            rows.append(there)
        elif isinstance(there, Shelf):
            rows += [as_row(held) for held in _lookup(there, recipient)]
        else:
            rows.append((there,))
    return rows


def _lookup(shelf: Shelf[V], keys: Keys) -> list[V]:
    """What stands under these keys."""
    names = shelf.names
    shards, mask = names.shards, names.mask
    if mask:
        found = [value for key in keys.names if (value := shards[hash(key) & mask].get(key)) is not None]
    else:
        get = shards[0].get
        found = [value for key in keys.names if (value := get(key)) is not None]
    if keys.groups and shelf.groups:
        groups = shelf.groups
        found += [groups[key] for key in groups.keys() & keys.groups]
    return found


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
