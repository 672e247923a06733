"""May this line about a stranger be logged? So many of a kind for each network and for all together.

Whoever connects can cause lines, and nobody may fill a disk with them. So each network gets its first ones at
once, enough for fail2ban and for people to act on; what is beyond is counted, and the numbers are told in one line
for each kind when the next window begins. Both doors that strangers knock at, SMTP and HTTP, ask here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from mailreeve.formats.networks import counted_as

PER_NETWORK: Final = 10
"""Lines of one kind about one IPv4 address or /64 of IPv6 in a window: more than fail2ban wants to see before it
acts."""

IN_ALL: Final = 300  # lines of one kind in a window, and networks that are remembered for each
WINDOW: Final = 60.0  # seconds

_MOST_NAMED: Final = 3  # networks that a line of numbers names

_log = structlog.get_logger(__name__)


class _Kind:
    """What one window has seen of one kind of line."""

    __slots__ = ("by_network", "left_out", "left_out_in_all", "said")

    def __init__(self) -> None:
        self.said = 0
        self.by_network: dict[str, int] = {}
        self.left_out: dict[str, int] = {}
        self.left_out_in_all = 0

    def admits(self, network: str) -> bool:
        lines = self.by_network.get(network, 0)
        if lines < PER_NETWORK and self.said < IN_ALL:
            self.by_network[network] = lines + 1
            self.said += 1
            return True
        self.left_out_in_all += 1
        if network in self.left_out or len(self.left_out) < IN_ALL:
            self.left_out[network] = self.left_out.get(network, 0) + 1
        return False


class LineBudget:
    """The lines of one door about strangers. `clock` is in seconds and never goes back.

    It may be asked from several threads. What it remembers grows with the kinds of lines, which the program names,
    and not with the number of strangers.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._opened = clock()
        self._kinds: dict[str, _Kind] = {}

    def admits(self, event: str, address: str) -> bool:
        """Whether one more line `event` may be logged about `address`; if not, it is counted.

        Logs first what the window before has left out, if this call is the first after it.
        """
        with self._lock:
            over: dict[str, _Kind] = {}
            now = self._clock()
            if now - self._opened >= WINDOW:
                self._opened = now
                over, self._kinds = self._kinds, {}
            admitted = self._kinds.setdefault(event, _Kind()).admits(counted_as(address))
        _tell(over)
        return admitted

    def close(self) -> None:
        """Log what was left out and not yet told: the door is closed, and no next window begins."""
        with self._lock:
            over, self._kinds = self._kinds, {}
        _tell(over)


def _tell(over: dict[str, _Kind]) -> None:
    for event, kind in over.items():
        if kind.left_out_in_all:
            most = sorted(kind.left_out.items(), key=lambda item: -item[1])[:_MOST_NAMED]
            networks = " ".join(f"{network}:{number}" for network, number in most)
            _log.warning("lines left out", of=event, number=kind.left_out_in_all, networks=networks)
