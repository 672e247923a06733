"""Whose turn is it? Calls that look at all policies or records are carried out one at a time.

They take seconds where others take milliseconds, and mail and other callers wait for the same processor.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mailreeve.wire.errors import BUSY, RequestRefused

RETRY_AFTER: Final = 1_000  # milliseconds that a caller is asked to wait

_turn: Final = threading.Lock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the turn. Raises `RequestRefused` where another call has it."""
    if not _turn.acquire(blocking=False):
        raise RequestRefused(BUSY, retry_after=RETRY_AFTER)
    try:
        yield
    finally:
        _turn.release()
