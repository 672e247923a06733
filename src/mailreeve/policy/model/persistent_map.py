"""How is a map of a million entries changed without copying it? Many small dictionaries, of which one is copied.

A look-up costs one step more than in a plain dictionary. A change copies the one shard that holds the key, and the
row of shards; all else is shared between the old map and the new one, and whoever reads the old one never notices.
Shards split one at a time as they fill (extendible hashing), so that no change ever pays for the whole map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from itertools import chain
from typing import Final, TypeVar

V = TypeVar("V")

FULL: Final = 4_096
"""A shard with more entries is split in two. Each shard more that a look-up could need is likely out of the cache,
and each entry more is one to be copied for a change: this many take a tenth of a millisecond."""

FILLED: Final = 2_560
"""So many entries a shard holds at most, on average, when a map is made at once: dictionaries of up to 2,730
entries take the same room."""


_ONE_SHARD: Final = [0]  # for all small maps; a map that splits makes a row of its own


class Sharded(Mapping[str, V]):
    """A map from text to anything but None. Immutable for its readers; `changed` makes another one.

    `shards` and `mask` are for those who cannot afford a call: `shards[hash(key) & mask].get(key)`.
    Several places of `shards` may hold one and the same dictionary; `_depths` says by how many bits of the hash
    the keys of the dictionary at a place are told apart.
    """

    __slots__ = ("_count", "_depths", "mask", "shards")

    def __init__(self, entries: Mapping[str, V] | None = None) -> None:
        entries = entries or {}
        self._lay_out(len(entries))
        self._count = len(entries)
        shards, mask = self.shards, self.mask
        if not mask:
            shards[0].update(entries)
            return
        for key, value in entries.items():
            shards[hash(key) & mask][key] = value

    @staticmethod
    def of(entries: Mapping[str, V]) -> Sharded[V]:
        """The map itself if it is sharded, else a sharded copy."""
        return entries if isinstance(entries, Sharded) else Sharded(entries)

    def __getitem__(self, key: str) -> V:
        return self.shards[hash(key) & self.mask][key]

    # Mapping's own go through __getitem__ and an exception.
    def get(self, key: str, default: V | None = None) -> V | None:  # type: ignore[override]
        """The value of the key, or the default."""
        return self.shards[hash(key) & self.mask].get(key, default)

    def several(self, keys: tuple[str, ...]) -> list[V]:
        """What stands under those of the keys under which something does."""
        # Loops: a comprehension is a call of its own, and most often there is nothing to be found.
        found: list[V] = []
        shards, mask = self.shards, self.mask
        if mask:
            for key in keys:
                shard = shards[hash(key) & mask]
                if key in shard:
                    found.append(shard[key])
        else:
            shard = shards[0]
            for key in keys:
                if key in shard:
                    found.append(shard[key])
        return found

    def __contains__(self, key: object) -> bool:
        return key in self.shards[hash(key) & self.mask]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.distinct())

    def values(self) -> ValuesView[V]:
        """The values, in no particular order."""
        return _Values(self)

    def changed(self, entries: Mapping[str, V | None]) -> Sharded[V]:
        """The map with these entries; those that are None are gone."""
        if not entries:
            return self
        new: Sharded[V] = Sharded.__new__(Sharded)
        new.mask, new.shards, new._depths, new._count = self.mask, self.shards.copy(), self._depths, self._count
        own: set[int] = set()
        for key, value in entries.items():
            shard = new._own(hash(key) & new.mask, own)
            if value is None:
                if shard.pop(key, None) is not None:
                    new._count -= 1
            else:
                new._count += key not in shard
                shard[key] = value
                if len(shard) > FULL:
                    new._split(hash(key) & new.mask, own)
        return new

    def _lay_out(self, count: int) -> None:
        """Empty shards for so many entries."""
        bits = max(0, -(-count // FILLED) - 1).bit_length()
        self.mask = (1 << bits) - 1
        self.shards: list[dict[str, V]] = [{} for _ in range(1 << bits)]
        self._depths = [bits] * (1 << bits) if bits else _ONE_SHARD

    def distinct(self) -> Iterator[dict[str, V]]:
        """Each dictionary once: at the first of its places."""
        depths = self._depths
        return (shard for place, shard in enumerate(self.shards) if not place >> depths[place])

    def _own(self, place: int, own: set[int]) -> dict[str, V]:
        """The dictionary at the place, copied unless this change has done so."""
        shard = self.shards[place]
        if id(shard) not in own:
            shard = shard.copy()
            own.add(id(shard))
            self._put(place, self._depths[place], shard)
        return shard

    def _put(self, place: int, depth: int, shard: dict[str, V]) -> None:
        step = 1 << depth
        for other in range(place & (step - 1), len(self.shards), step):
            self.shards[other] = shard

    def _split(self, place: int, own: set[int]) -> None:
        """Tell the keys of the dictionary at the place apart by one bit more."""
        shard, depth = self.shards[place], self._depths[place]
        self._depths = self._depths.copy()
        if 1 << depth == len(self.shards):
            self.shards += self.shards
            self._depths += self._depths
            self.mask = len(self.shards) - 1
        bit = 1 << depth
        halves: tuple[dict[str, V], dict[str, V]] = {}, {}
        for key, value in shard.items():
            halves[1 if hash(key) & bit else 0][key] = value
        first = place & (bit - 1)
        for half, start in zip(halves, (first, first | bit), strict=True):
            own.add(id(half))
            self._put(start, depth + 1, half)
            for other in range(start, len(self.shards), bit << 1):
                self._depths[other] = depth + 1


class _Values(ValuesView[V]):
    """The values of a sharded map, without a look-up for each."""

    def __init__(self, owner: Sharded[V]) -> None:
        super().__init__(owner)
        self._owner = owner

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(shard.values() for shard in self._owner.distinct())
