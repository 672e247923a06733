"""May this caller call now? A fixed window of calls per caller (api.md section 1.7).

The headers count as the live service's do: `Reset` is in milliseconds until calls are returned, and failed calls
count too. Strangers are counted by their address and only for what they get wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

MAX_COUNTED: Final = 100_000  # callers remembered at once


class Standing(Struct, frozen=True):
    """Where a caller stands: calls per window, calls left, milliseconds to the next window."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The three headers that every answer carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.remaining)),
            "X-RateLimit-Reset": str(self.reset),
        }


class Quota:
    """Counts calls per caller in windows of `window` milliseconds, `limit` each. `clock` is in seconds and never
    goes back."""

    def __init__(self, limit: int, window: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._window = window / 1000
        self._clock = clock
        self._opened = clock()
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, caller: str) -> Standing:
        """Count one call. A negative `remaining` means that it is one too many."""
        return self._standing(caller, 1)

    def look(self, caller: str) -> Standing:
        """Where a caller stands, without counting."""
        return self._standing(caller, 0)

    def _standing(self, caller: str, calls: int) -> Standing:
        now = self._clock()
        with self._lock:
            # One window for all: forgetting it forgets everybody, so memory is bounded without a sweep.
            if now - self._opened >= self._window or len(self._counts) >= MAX_COUNTED:
                self._opened = now
                self._counts.clear()
            made = self._counts.get(caller, 0) + calls
            if calls:
                self._counts[caller] = made
            reset = int((self._opened + self._window - now) * 1000)
        return Standing(self.limit, self.limit - made, max(0, reset))
