"""How are very many policies under one pair of keys kept, so that a decision meets those that are in force?

Sorted by the order of precedence, in chunks, so that even among a hundred thousand a change copies a few hundred.
Blocks that end by themselves and are never removed pile up, and so do blocks of single networks: what is not in
force must not be looked at one by one. So each chunk knows when any of its entries is in force, and entries that
ask for a source address are found by that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import chain
from typing import Final, Generic, TypeAlias, final

from msgspec import Struct

from mailreeve.formats.networks import IPAddress
from mailreeve.policy.index.matching import P, policy_order
from mailreeve.policy.index.network_table import NetworkTable, network_keys
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.policies import Terms

CHUNK: Final = 512
"""So many policies at most are copied to put one among them."""


@final
class Reversed(Struct, Generic[P], frozen=True, gc=False):
    """A bidirectional policy as it is found with its targets exchanged (D-09)."""

    policy: P


Entries: TypeAlias = tuple[P | Reversed[P], ...]
"""Entries in order, the first the winner-to-be."""

Span: TypeAlias = tuple[float, float]
"""From when to when some entries are in force, the end exclusive, in POSIX seconds."""


def policy_of(entry: P | Reversed[P]) -> P:
    """The policy that an entry stands for."""
    return entry.policy if type(entry) is Reversed else entry


def entry_order(entry: P | Reversed[P]) -> Order:
    """The place of an entry in the order, as `policy_order` has it."""
    return policy_order(entry.policy, True) if type(entry) is Reversed else policy_order(entry)


def with_entry(ordered: Entries[P], entry: P | Reversed[P]) -> Entries[P]:
    """The entries and one more, in order."""
    at = _place(ordered, entry)
    return (*ordered[:at], entry, *ordered[at:])


def without_entry(ordered: Entries[P], entry: P | Reversed[P]) -> Entries[P]:
    """The entries but for the one that has the same place in the order."""
    at = _place(ordered, entry)
    if at == len(ordered) or entry_order(ordered[at]) != entry_order(entry):
        return ordered
    return ordered[:at] + ordered[at + 1 :]


class Ranked(Generic[P]):
    """Many entries in order. Immutable for its readers."""

    __slots__ = ("_bound", "_every", "_free")

    def __init__(self, entries: Entries[P]) -> None:
        """Of these, which are in order."""
        self._every = _Ordered.of(entries)
        self._free = self._every
        by_network: dict[str, list[P | Reversed[P]]] = {}
        for entry in entries:
            for key in _networks(entry):
                by_network.setdefault(key, []).append(entry)
        self._bound: NetworkTable[_Ordered[P]] = NetworkTable(
            {key: _Ordered.of(tuple(bound)) for key, bound in by_network.items()}
        )
        if by_network:
            self._free = _Ordered.of(tuple([entry for entry in entries if not _terms(entry).networks]))

    def __iter__(self) -> Iterator[P | Reversed[P]]:
        return iter(self._every)

    def __len__(self) -> int:
        return len(self._every)

    def in_force(self, at: float, source_ip: IPAddress | None) -> Iterator[P | Reversed[P]]:
        """The entries in order, but for most of those whose dates or networks leave out this time and source. One
        may come twice."""
        free = self._free.in_force(at)
        bound = None if source_ip is None else self._bound.holding(source_ip)
        if not bound:
            return free
        return merge(free, *[found.in_force(at) for found in bound], key=entry_order, reverse=True)

    def with_entry(self, entry: P | Reversed[P]) -> Ranked[P]:
        """With one entry more."""
        every, networks = self._every.with_entry(entry), _networks(entry)
        if not networks:
            return self._changed(every, every if self._free is self._every else self._free.with_entry(entry))
        bound: dict[str, _Ordered[P] | None] = {}
        for key in networks:
            there = self._bound.get(key)
            bound[key] = _Ordered.of((entry,)) if there is None else there.with_entry(entry)
        return self._changed(every, self._free, bound)

    def without(self, entry: P | Reversed[P]) -> Ranked[P]:
        """Without the entry that has the same place in the order."""
        every, networks = self._every.without(entry), _networks(entry)
        if not networks:
            return self._changed(every, every if self._free is self._every else self._free.without(entry))
        bound = {
            key: there.without(entry) or None for key in networks if (there := self._bound.get(key)) is not None
        }
        return self._changed(every, self._free, bound)

    def _changed(
        self, every: _Ordered[P], free: _Ordered[P], bound: Mapping[str, _Ordered[P] | None] | None = None
    ) -> Ranked[P]:
        new: Ranked[P] = Ranked.__new__(Ranked)
        new._every, new._free = every, free
        new._bound = self._bound if bound is None else self._bound.changed(bound)
        return new


class _Ordered(Generic[P]):
    """Entries in order, in chunks of which each knows its span. Immutable for its readers."""

    __slots__ = ("_chunks", "_count", "_spans")

    def __init__(self, chunks: tuple[Entries[P], ...], spans: tuple[Span, ...]) -> None:
        self._chunks = chunks
        self._spans = spans
        self._count = sum(map(len, chunks))

    @staticmethod
    def of(entries: Entries[P]) -> _Ordered[P]:
        """The entries, which are in order already."""
        step = CHUNK // 2
        chunks = tuple([entries[n : n + step] for n in range(0, len(entries), step)])
        return _Ordered(chunks, tuple(map(_span, chunks)))

    def __iter__(self) -> Iterator[P | Reversed[P]]:
        return chain.from_iterable(self._chunks)

    def __len__(self) -> int:
        return self._count

    def in_force(self, at: float) -> Iterator[P | Reversed[P]]:
        """The entries of the chunks that have one in force."""
        for chunk, (start, end) in zip(self._chunks, self._spans, strict=True):
            if start <= at < end:
                yield from chunk

    def with_entry(self, entry: P | Reversed[P]) -> _Ordered[P]:
        """With one entry more."""
        if not self._chunks:
            return _Ordered.of((entry,))
        at = self._chunk_for(entry)
        grown = with_entry(self._chunks[at], entry)
        return self._with(at, (grown,) if len(grown) <= CHUNK else (grown[: CHUNK // 2], grown[CHUNK // 2 :]))

    def without(self, entry: P | Reversed[P]) -> _Ordered[P]:
        """Without the entry that has the same place in the order."""
        if not self._chunks:
            return self
        at = self._chunk_for(entry)
        left = without_entry(self._chunks[at], entry)
        return self._with(at, (left,) if left else ())

    def _with(self, at: int, chunks: tuple[Entries[P], ...]) -> _Ordered[P]:
        """With these chunks in the place of one."""
        return _Ordered(
            (*self._chunks[:at], *chunks, *self._chunks[at + 1 :]),
            (*self._spans[:at], *map(_span, chunks), *self._spans[at + 1 :]),
        )

    def _chunk_for(self, entry: P | Reversed[P]) -> int:
        """Where the entry stands or would stand: the first chunk that ends with it or after it, else the last."""
        place = entry_order(entry)
        # Bisection wants them to rise, and they fall.
        after = bisect_left(self._chunks, True, key=lambda chunk: entry_order(chunk[-1]) <= place)
        return min(after, len(self._chunks) - 1)


def _place(ordered: Entries[P], entry: P | Reversed[P]) -> int:
    place = entry_order(entry)
    return bisect_left(ordered, True, key=lambda other: entry_order(other) <= place)


def _terms(entry: P | Reversed[P]) -> Terms:
    return policy_of(entry).scope.terms


def _span(chunk: Entries[P]) -> Span:
    terms = [_terms(entry) for entry in chunk]
    return min([one.starts for one in terms]), max([one.ends for one in terms])


def _networks(entry: P | Reversed[P]) -> set[str]:
    """By which keys the entry's networks are found."""
    return network_keys(_terms(entry).networks)
