"""Which policies of a type could apply to this message, without looking at every policy?

Policies are found by the keys of their two sides (`targets.Target.key`, `by_sender`). An address has a handful
of keys, so a look-up takes a handful of steps however many policies there are. The index may yield too many
policies, never too few: whether one applies is for `evaluate` alone to say. Within each row it yields, the
winner-to-be comes first.

One policy more or less makes a new index that shares with the old one all but a few thousand of a million entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Final, Generic

from mailreeve.policy.index.buckets import (
    Held,
    Row,
    TargetMap,
    as_row,
    by_recipient,
    shelf_with,
    shelf_without,
)
from mailreeve.policy.index.by_sender import BySender, Found, collect
from mailreeve.policy.index.matching import P, reads_header
from mailreeve.policy.index.ranked import Reversed, policy_of
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.policies import Changes, Effect

NEAR: Final = 8
"""So many policies of each row are yielded as being about a sender."""


class ScopedIndex(Generic[P]):
    """All policies of one type, and the quick way to those that matter. Immutable for its readers.

    A bidirectional policy is entered twice, the second time with its targets exchanged (D-09).
    Disabled policies are kept apart, so that they can be explained, but are never candidates.
    Dates are left to the decision: a policy starts and ends at its instant, with no reload.
    """

    __slots__ = ("_by_effect", "_by_id", "_disabled", "_enabled", "reads_header")

    def __init__(self, policies: Iterable[P] = ()) -> None:
        by_id: dict[str, P] = {}
        enabled: dict[str, Found[P]] = {}
        disabled: dict[str, Found[P]] = {}
        readers: dict[Effect, list[P | Reversed[P]]] = {}
        count = 0
        for policy in policies:
            count += 1
            by_id[policy.id] = policy
            scope = policy.scope
            terms = scope.terms
            found = enabled if terms.enabled else disabled
            collect(found, scope.from_.key, policy)
            if terms.bidirectional:
                collect(found, scope.to.key, Reversed(policy))
            if terms.enabled:
                if reads_header(scope, is_reversed=False):
                    readers.setdefault(policy.effect, []).append(policy)
                if terms.bidirectional and reads_header(scope, is_reversed=True):
                    readers.setdefault(policy.effect, []).append(Reversed(policy))
        if len(by_id) < count:  # of several with one id the last one counts
            self.__init__(by_id.values())  # type: ignore[misc]
            return
        self._by_id = Sharded(by_id)
        del by_id
        self._enabled = BySender(enabled)
        self._disabled = BySender(disabled)
        self._by_effect: dict[Effect, TargetMap[Held[P]]] = {
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
        gone = [old for key in {*put, *changes.gone} if (old := self._by_id.get(key)) is not None]
        new: ScopedIndex[P] = ScopedIndex.__new__(ScopedIndex)
        new._by_id = self._by_id.changed(dict[str, P | None].fromkeys(changes.gone) | put)
        new._enabled = self._enabled.changed(_entries(gone, enabled=True), _entries(put.values(), enabled=True))
        new._disabled = self._disabled.changed(
            _entries(gone, enabled=False), _entries(put.values(), enabled=False)
        )
        new._by_effect = _other_readers(self._by_effect, gone, put.values())
        new.reads_header = bool(new._by_effect)
        return new

    def candidates(self, senders: Keys, recipient: Keys) -> list[Row[P]]:
        """Rows of enabled policies that could apply between addresses with these keys."""
        return self._enabled.rows(senders, recipient)

    def about(self, senders: Keys, recipient: Keys) -> Iterator[P]:
        """Policies about one of the senders, a few of each kind: first candidates, then what would be one were it
        not switched off, then policies of the very sender for other recipients. For an explanation of an account
        that is too large to be looked through. A policy may come twice."""
        rows = chain(
            self._enabled.rows(senders, recipient),
            self._disabled.rows(senders, recipient),
            self._enabled.of_senders(senders, NEAR),
        )
        for row in rows:
            yield from map(policy_of, islice(row, NEAR))

    def header_readers(
        self, recipient: Keys, wanted: Callable[[Effect], bool] | None = None
    ) -> Iterator[tuple[Effect, Row[P]]]:
        """Rows of the policies that look at the header and could apply to the recipient; of those effects that
        are wanted, if that is said.

        With each row comes the effect that all of its policies have.
        """
        for effect, shelf in self._by_effect.items():
            if wanted is None or wanted(effect):
                for held in shelf.one_by_one(recipient):
                    yield effect, as_row(held)


def _entries(policies: Iterable[P], *, enabled: bool) -> list[tuple[str, P | Reversed[P]]]:
    """The entries of those policies that are enabled, or of those that are not, with the sender's key of each."""
    entries: list[tuple[str, P | Reversed[P]]] = []
    for policy in policies:
        scope = policy.scope
        if scope.terms.enabled is enabled:
            entries.append((scope.from_.key, policy))
            if scope.terms.bidirectional:
                entries.append((scope.to.key, Reversed(policy)))
    return entries


def _other_readers(
    by_effect: Mapping[Effect, TargetMap[Held[P]]], gone: Iterable[P], new: Iterable[P]
) -> dict[Effect, TargetMap[Held[P]]]:
    """The policies that look at the header, once some are gone and others are new."""
    changed = dict(by_effect)
    for policy in gone:
        for _, entry in _entries([policy], enabled=True):
            if reads_header(policy.scope, isinstance(entry, Reversed)):
                effect = policy.effect
                left = shelf_without(changed.pop(effect), entry)
                if len(left):
                    changed[effect] = left
    for policy in new:
        for _, entry in _entries([policy], enabled=True):
            if reads_header(policy.scope, isinstance(entry, Reversed)):
                effect = policy.effect
                there = changed.get(effect)
                changed[effect] = by_recipient([entry]) if there is None else shelf_with(there, entry)
    return changed
