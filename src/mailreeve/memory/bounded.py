"""A mapping that holds so much and no more: where something is too much, the oldest of it goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `most` entries. With `weigh`, which says what a value weighs, they weigh at most `room` together as
    well. What was kept first goes first; what is kept anew is the newest.

    Threads may share it: changes wait for each other, and a read waits for nothing and costs what that of a
    dictionary costs. Whoever reads and then keeps what depends on it does so under a lock of its own.
    """

    __slots__ = ("_entries", "_lock", "_most", "_room", "_weigh", "_weight", "get")

    get: Callable[[K], V | None]
    """The value of a key; None where there is none."""

    def __init__(self, most: int, room: int = 0, weigh: Callable[[V], int] | None = None) -> None:
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._most = most
        self._room = room
        self._weigh = weigh
        self._weight = 0
        self._lock = threading.Lock()
        # Bound here, since decisions look up several entries each and a method of ours would cost more than that.
        self.get = self._entries.get

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        """The keys there are now, the oldest first."""
        with self._lock:
            return iter(tuple(self._entries))

    def keep(self, key: K, value: V) -> V:
        """The value, which is the newest from now on. One that alone weighs more than `room` is not kept."""
        entries = self._entries
        with self._lock:
            if key in entries:
                self._lighten(entries.pop(key))
            entries[key] = value
            if self._weigh is not None:
                self._weight += self._weigh(value)
            while len(entries) > self._most or self._weight > self._room:
                self._lighten(entries.popitem(last=False)[1])
        return value

    def drop(self, key: K) -> None:
        """Forget an entry, if there is one."""
        with self._lock:
            if key in self._entries:
                self._lighten(self._entries.pop(key))

    def drop_while(self, gone: Callable[[V], bool]) -> None:
        """Forget the oldest entry for as long as its value is `gone`: for values that grow old in order."""
        entries = self._entries
        with self._lock:
            while entries and gone(entries[next(iter(entries))]):
                self._lighten(entries.popitem(last=False)[1])

    def _lighten(self, value: V) -> None:
        if self._weigh is not None:
            self._weight -= self._weigh(value)
