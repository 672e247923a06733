"""How are policies kept under one key, so that the winner-to-be comes first and a change is cheap?

Most keys have one policy, which then stands for itself. A few policies are a tuple, in order. More than that are
told apart by the recipient's key (`TargetMap`). Very many under one pair of keys are a `Ranked` row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, Generic, TypeAlias

from mailreeve.policy.index.matching import P
from mailreeve.policy.index.ranked import Ranked, Reversed, entry_order, with_entry, without_entry
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.persistent_map import Sharded, V
from mailreeve.policy.model.targets import BELOW, EVERYONE_KEY, EXTERNAL_KEY, GROUP_KEY, INTERNAL_KEY

SMALL_BUCKET: Final = 8
"""Up to so many policies with one sender key are kept as a plain row: testing them is quicker than
looking for the recipient's keys, and a dictionary would take more room than the policies."""

SWEEPING: Final = frozenset((EVERYONE_KEY, INTERNAL_KEY, EXTERNAL_KEY))
"""Sender keys that nearly every message has. Their policies are always told apart by the recipient."""

LONG: Final = 64
"""A row of more policies is kept as a `Ranked` one."""

Row: TypeAlias = tuple[P | Reversed[P], ...] | Ranked[P]
"""Entries in order."""

Held: TypeAlias = P | Reversed[P] | tuple[P | Reversed[P], ...] | Ranked[P]
"""What stands under a pair of keys: one entry, or several in order."""


def count_wide(keys: Iterable[str]) -> int:
    """How many of the keys are of a domain with everything below it (`targets.BELOW`)."""
    return sum([1 for key in keys if key[:1] == BELOW])


def more_wide(before: Mapping[str, object], written: Mapping[str, object]) -> int:
    """How many such keys there are more once these entries are written; those that are None are gone."""
    return sum(
        [(written[key] is not None) - (key in before) for key in written if key[:1] == BELOW],
    )


class TargetMap(Generic[V]):
    """A map by target keys, those of groups apart: an address is in dozens of groups, and all of its groups are
    looked up in one step; and keys of domains with everything below them are looked up where there are any.
    Immutable for its readers."""

    __slots__ = ("groups", "names", "wide")

    def __init__(self, entries: dict[str, V]) -> None:
        """Of these entries, which are then the shelf's own: there may be a million."""
        self.groups: dict[str, V] = {key: value for key, value in entries.items() if key.startswith(GROUP_KEY)}
        for key in self.groups:
            del entries[key]
        self.names: Sharded[V] = Sharded(entries)
        self.wide = count_wide(entries)

    def get(self, key: str) -> V | None:
        """What stands under the key."""
        return self.groups.get(key) if key.startswith(GROUP_KEY) else self.names.get(key)

    def under(self, keys: Keys) -> list[V]:
        """What stands under these keys."""
        found = self.names.several(keys.names)
        if self.wide:
            found += self.names.several(keys.wide)
        groups = self.groups
        if groups:
            for key in keys.groups:
                if key in groups:
                    found.append(groups[key])
        return found

    def one_by_one(self, keys: Keys) -> Iterator[V]:
        """What stands under these keys, for those who may not ask for all of it."""
        shards, mask = self.names.shards, self.names.mask
        for key in keys.names + keys.wide if self.wide else keys.names:
            shard = shards[hash(key) & mask]
            if key in shard:
                yield shard[key]
        groups = self.groups
        if groups:
            for key in keys.groups:
                if key in groups:
                    yield groups[key]

    def __len__(self) -> int:
        return len(self.names) + len(self.groups)

    def values(self) -> Iterator[V]:
        """What stands under all keys."""
        return chain(self.groups.values(), self.names.values())

    def changed(self, entries: Mapping[str, V | None]) -> TargetMap[V]:
        """The map with these entries; those that are None are gone."""
        new: TargetMap[V] = TargetMap.__new__(TargetMap)
        named = {key: value for key, value in entries.items() if not key.startswith(GROUP_KEY)}
        new.names, new.groups = self.names.changed(named), self.groups
        new.wide = self.wide + more_wide(self.names, named)
        if len(named) < len(entries):
            new.groups = dict(self.groups)
            for key, value in entries.items():
                if key in named:
                    continue
                if value is None:
                    new.groups.pop(key, None)
                else:
                    new.groups[key] = value
        return new


Bucket: TypeAlias = P | Reversed[P] | tuple[P | Reversed[P], ...] | TargetMap[Held[P]]
"""What stands under a sender's key: one entry, a few, or many by the recipient's key."""


def as_row(found: Held[P]) -> Row[P]:
    """What stands under a pair of keys, as a row even if it is one entry."""
    return found if isinstance(found, (tuple, Ranked)) else (found,)


def recipient_key(entry: P | Reversed[P]) -> str:
    """The key of the recipient's side."""
    return entry.policy.scope.from_.key if type(entry) is Reversed else entry.scope.to.key


def held(entries: list[P | Reversed[P]]) -> Held[P]:
    """These entries, at least one, as they stand under a pair of keys."""
    if len(entries) == 1:
        return entries[0]
    ordered = _in_order(entries)
    return ordered if len(ordered) <= LONG else Ranked(ordered)


def held_with(found: Held[P] | None, entry: P | Reversed[P]) -> Held[P]:
    """What stands under a pair of keys once there is one entry more."""
    if found is None:
        return entry
    if isinstance(found, Ranked):
        return found.with_entry(entry)
    grown = with_entry(found if isinstance(found, tuple) else (found,), entry)
    return grown if len(grown) <= LONG else Ranked(grown)


def held_without(found: Held[P] | None, entry: P | Reversed[P]) -> Held[P] | None:
    """What stands under a pair of keys once an entry is gone."""
    if isinstance(found, Ranked):
        left = found.without(entry)
        return left if len(left) else None
    if isinstance(found, tuple):
        rest = without_entry(found, entry)
        return rest if len(rest) > 1 else rest[0]
    return None


def bucket(key: str, entries: list[P | Reversed[P]]) -> Bucket[P]:
    """These entries, at least one, as they stand under a sender's key."""
    if len(entries) == 1:
        return entries[0]
    if len(entries) <= SMALL_BUCKET and key not in SWEEPING:
        return _in_order(entries)
    return by_recipient(entries)


def by_recipient(entries: Iterable[P | Reversed[P]]) -> TargetMap[Held[P]]:
    """These entries by the recipient's key."""
    found: dict[str, list[P | Reversed[P]]] = {}
    for entry in entries:
        found.setdefault(recipient_key(entry), []).append(entry)
    return TargetMap({key: held(group) for key, group in found.items()})


def bucket_with(key: str, found: Bucket[P] | None, entry: P | Reversed[P]) -> Bucket[P]:
    """What stands under a sender's key once there is one entry more."""
    if found is None:
        return entry
    if isinstance(found, TargetMap):
        return shelf_with(found, entry)
    return bucket(key, [*found, entry] if isinstance(found, tuple) else [found, entry])


def bucket_without(found: Bucket[P] | None, entry: P | Reversed[P]) -> Bucket[P] | None:
    """What stands under a sender's key once an entry is gone."""
    if isinstance(found, TargetMap):
        left = shelf_without(found, entry)
        return left if len(left) else None
    if isinstance(found, tuple):
        rest = without_entry(found, entry)
        return rest if len(rest) > 1 else rest[0]
    return None


def shelf_with(shelf: TargetMap[Held[P]], entry: P | Reversed[P]) -> TargetMap[Held[P]]:
    """The shelf with one entry more, under its recipient's key."""
    key = recipient_key(entry)
    return shelf.changed({key: held_with(shelf.get(key), entry)})


def shelf_without(shelf: TargetMap[Held[P]], entry: P | Reversed[P]) -> TargetMap[Held[P]]:
    """The shelf without the entry."""
    key = recipient_key(entry)
    return shelf.changed({key: held_without(shelf.get(key), entry)})


def _in_order(entries: Iterable[P | Reversed[P]]) -> tuple[P | Reversed[P], ...]:
    key: Callable[[P | Reversed[P]], Order] = entry_order
    return tuple(sorted(entries, key=key, reverse=True))
