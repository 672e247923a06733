"""How often may a password be wrong? So often for each user and network, and for each network (ADR 0079).

What is counted is what one network gets wrong about one user, so nobody is locked out by what others do from
elsewhere. A network is counted as a whole besides, so that it does not try one password on everybody; users who
have signed in from there are not kept out by that. An attempt counts when it begins, and no more once it was
right: those that are under way at the same time are no way around the limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from msgspec import Struct

from mailreeve.memory.bounded import Bounded

PER_USER: Final = 10  # wrong passwords of one user from one network
PER_NETWORK: Final = 100  # wrong passwords from one network
WINDOW: Final = 900.0  # seconds from the first of them until they are forgotten
REMEMBERED: Final = 50_000  # of each sort

K = TypeVar("K")
Pair = tuple[str, str]
"""What the caller says the user is called, and the network."""


class _Counted(Struct, frozen=True):
    """How many attempts there were since a moment, in seconds of the clock."""

    since: float
    made: int


class Attempts:
    """The attempts of late. Threads may share it. `clock` is in seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pairs: Bounded[Pair, _Counted] = Bounded(REMEMBERED)
        self._networks: Bounded[str, _Counted] = Bounded(REMEMBERED)
        self._familiar: Bounded[Pair, float] = Bounded(REMEMBERED)
        self._lock = threading.Lock()

    def begin(self, name: str, network: str) -> int:
        """Count an attempt. 0 where it may go on, or in how many milliseconds it may be tried again: it is not
        counted then."""
        pair = name, network
        with self._lock:
            of_pair = self._counted(self._pairs, pair)
            of_network = self._counted(self._networks, network)
            is_familiar = self._familiar.get(pair) is not None
            waits = [self._wait(of_pair)] if of_pair.made >= PER_USER else []
            if of_network.made >= PER_NETWORK and not is_familiar:
                waits.append(self._wait(of_network))
            if waits:
                return max(waits)
            self._pairs.keep(pair, _Counted(of_pair.since, of_pair.made + 1))
            if not is_familiar:
                self._networks.keep(network, _Counted(of_network.since, of_network.made + 1))
            return 0

    def succeeded(self, name: str, network: str) -> None:
        """The attempt that was begun was right: what that user got wrong from there is forgotten."""
        pair = name, network
        with self._lock:
            self._pairs.drop(pair)
            if self._familiar.get(pair) is None:
                counted = self._counted(self._networks, network)
                self._networks.keep(network, _Counted(counted.since, max(0, counted.made - 1)))
            self._familiar.keep(pair, self._clock())

    def remember(self, name: str, network: str) -> None:
        """This user, under another name, has signed in from this network."""
        with self._lock:
            self._familiar.keep((name, network), self._clock())

    def is_familiar(self, name: str, network: str) -> bool:
        """Whether this user has signed in from this network, as far as that is remembered."""
        return self._familiar.get((name, network)) is not None

    def _counted(self, kept: Bounded[K, _Counted], key: K) -> _Counted:
        now = self._clock()
        found = kept.get(key)
        return found if found is not None and now - found.since < WINDOW else _Counted(now, 0)

    def _wait(self, counted: _Counted) -> int:
        return max(1, int((counted.since + WINDOW - self._clock()) * 1000))
