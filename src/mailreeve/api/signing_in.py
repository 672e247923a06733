"""How many may sign in at once? Few: to hash a password takes a tenth of a second of a processor, and 64 MiB.

So sign-ins have threads of their own, and a queue that has an end, with so many places for each network. Users who
have signed in from their network before do not wait with strangers: those who fill the queue from many networks
keep out only whoever comes for the first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

import anyio
from anyio import CapacityLimiter

STRANGERS: Final = 2  # threads for those who come for the first time
FAMILIAR: Final = 1  # threads for the others
MOST_WAITING: Final = 64  # sign-ins of each sort that are there at once
PER_NETWORK: Final = 8  # of them from one network

T = TypeVar("T")


class Full(Exception):
    """There is no place in the queue."""


class SignInQueue:
    """The sign-ins that are under way. Used by one event loop alone, on which it is made."""

    def __init__(self) -> None:
        self._limiters = {False: CapacityLimiter(STRANGERS), True: CapacityLimiter(FAMILIAR)}
        self._places: Counter[bool] = Counter()
        self._networks: Counter[tuple[bool, str]] = Counter()

    async def run(self, work: Callable[[], T], network: str, *, is_familiar: bool) -> T:
        """What comes of the work, done in a thread when it is its turn. Raises `Full`."""
        place = is_familiar, network
        if self._places[is_familiar] >= MOST_WAITING or self._networks[place] >= PER_NETWORK:
            raise Full
        self._places[is_familiar] += 1
        self._networks[place] += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiters[is_familiar])
        finally:
            self._places[is_familiar] -= 1
            self._networks[place] -= 1
            if not self._networks[place]:
                del self._networks[place]
