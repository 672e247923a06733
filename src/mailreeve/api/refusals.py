"""Who was refused for bad credentials? A line of the log each, so that fail2ban and people can see it."""

from __future__ import annotations

from typing import Final

import structlog

from mailreeve.doors.line_budget import LineBudget

MAX_SHOWN: Final = 64  # characters of what a stranger says of itself
EVENT: Final = "credentials refused"

_log = structlog.get_logger(__name__)


class RefusalLog:
    """Logs refused credentials, as many as the budget allows."""

    def __init__(self, lines: LineBudget | None = None) -> None:
        self._lines = LineBudget() if lines is None else lines

    def note(self, address: str, key: str, reason: str) -> None:
        """A call from `address` that named the key `key`, perhaps none, was refused with the code `reason`."""
        if self._lines.admits(EVENT, address):
            # The address first: that is where filters look for it, and nothing that a stranger wrote comes before.
            _log.warning(EVENT, address=address, reason=reason, key=key[:MAX_SHOWN])
