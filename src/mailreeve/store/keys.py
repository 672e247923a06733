"""What are rows known by? Keys made by us and ordered by time, so that no database sequence is needed.

UUID version 7 (RFC 9562 section 5.7) as 32 hexadecimal digits. Python has it from 3.14 on.

Their order is that in which rows were made, whatever the clock did (behaviour.md D-50): within a process no key is
lower than one before it, and whoever writes says which key must be followed (`follow`).
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from typing import Final

_KEY: Final = re.compile("[0-9a-f]{12}7[0-9a-f]{19}")


class _Ticks:
    """Time in 4096ths of a millisecond, never the same twice and never going back."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """The time, or what follows the last answer if that is later."""
        now = time.time_ns() * 4096 // 1_000_000
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last

    def follow(self, ticks: int) -> None:
        """Give no answer up to this one any more."""
        with self._lock:
            self._last = max(self._last, ticks)


_ticks = _Ticks()


def new_key() -> str:
    """A new key, greater than every one before it in this process: rows made in one transaction keep their order.

    48 bits of milliseconds and 12 of their fraction (RFC 9562 section 6.2, method 3), then 62 random bits.
    """
    milliseconds, fraction = divmod(_ticks.next(), 4096)
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | fraction << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return f"{value:032x}"


def follow(key: str) -> None:
    """Make only greater keys from now on. An earlier process made this one, and the clock may have been set back
    since. What is none of our keys, as a row that was tampered with may have, is not followed."""
    if _KEY.fullmatch(key):
        _ticks.follow(_ticks_of(key))


def made_at(key: str) -> float:
    """When a key was made, in POSIX seconds by the clock of keys, which never goes back: a later key has no
    earlier time, whatever the computer's clock said."""
    return _ticks_of(key) / 4096 / 1000


def least_key(at: float) -> str:
    """A key that none made at or after this time, in POSIX seconds, is less than."""
    milliseconds, fraction = divmod(max(int(at * 1000 * 4096), 0), 4096)
    return f"{milliseconds & (2**48 - 1):012x}7{fraction:03x}{'0' * 16}"


def _ticks_of(key: str) -> int:
    return int(key[:12], 16) * 4096 + int(key[13:16], 16)
