"""How many bodies are in memory at once? As many as there is room for: small ones beside a large one, and large
ones one after another.

A message may be as large as the door allows, and to read one it is in memory in one piece. Who waits comes in the
order in which they asked, so that a large one has its turn as well.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ROOM: Final = 64 * 1024 * 1024
"""Octets of bodies that are in memory; one that is larger has all of the room."""


class Room:
    """So many octets, taken and given back by any number of threads."""

    def __init__(self, octets: int = ROOM) -> None:
        self._octets = octets
        self._taken = 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, octets: int) -> Iterator[None]:
        """Have room for so many octets, or all there is, while the block runs. It waits for that."""
        wanted = min(octets, self._octets)
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is me and self._taken + wanted <= self._octets)
                self._taken += wanted
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()
