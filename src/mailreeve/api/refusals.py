"""Who was refused for bad credentials? A line of the log each, so that fail2ban and people can see it.

The lines are few, whoever is calling: nobody fills a disk by guessing. What is left out is counted, and told with
the first line of the next minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from mailreeve.formats.networks import counted_as

PER_NETWORK: Final = 10
"""Lines about one IPv4 address or /64 of IPv6 in a window: more than fail2ban wants to see before it acts."""

IN_ALL: Final = 300
WINDOW: Final = 60.0  # seconds
MAX_SHOWN: Final = 64  # characters of what a stranger says of itself

_log = structlog.get_logger(__name__)


class RefusalLog:
    """Logs refused credentials. `clock` is in seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._opened = clock()
        self._lines: dict[str, int] = {}
        self._said = 0
        self._left_out: dict[str, int] = {}
        self._left_out_in_all = 0

    def note(self, address: str, key: str, reason: str) -> None:
        """A call from `address` that named the key `key`, perhaps none, was refused with the code `reason`."""
        network = counted_as(address)
        with self._lock:
            left_out, before = self._turned()
            lines = self._lines.get(network, 0)
            if lines >= PER_NETWORK or self._said >= IN_ALL:
                self._left_out_in_all += 1
                if network in self._left_out or len(self._left_out) < IN_ALL:
                    self._left_out[network] = self._left_out.get(network, 0) + 1
                shown = False
            else:
                self._lines[network] = lines + 1
                self._said += 1
                shown = True
        if before:
            _log.warning("refused credentials were not logged", number=before, networks=left_out)
        if shown:
            # The address first: that is where filters look for it, and nothing that a stranger wrote comes before.
            _log.warning("credentials refused", address=address, reason=reason, key=key[:MAX_SHOWN])

    def _turned(self) -> tuple[str, int]:
        """What the last window left out, told once: the networks with the most of it, and the number in all."""
        now = self._clock()
        if now - self._opened < WINDOW:
            return "", 0
        most = sorted(self._left_out.items(), key=lambda item: -item[1])[:3]
        told = " ".join(f"{network}:{number}" for network, number in most), self._left_out_in_all
        self._opened, self._said, self._left_out_in_all = now, 0, 0
        self._lines.clear()
        self._left_out.clear()
        return told
