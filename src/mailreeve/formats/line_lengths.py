"""Is any line of a text too long? Watched piece by piece, in steps that run in C."""

from __future__ import annotations


class LineLengths:
    """Watches for a line of more than `limit` octets, without its line end, in a text with proper line ends."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begun = 0  # octets of the line that is not over

    def exceeded(self, data: bytes) -> bool:
        """Whether any line is too long with what comes next. No piece ends between CR and LF."""
        start = -self._begun
        while len(data) - start > self._limit:
            end = data.rfind(b"\n", max(start, 0), start + self._limit + 2)
            if end < 0:
                return True
            start = end + 1
        end = data.rfind(b"\n", max(start, 0))
        self._begun = len(data) - (start if end < 0 else end + 1)
        return False
