"""Which messages has the engine wanted to come again, and have they?

A memory of this process, not a store: after a restart, or at another worker, a message is put off once more. It is
known by what it says and who sent it, not by the server that brings it: large senders try again from another one.
"""

from __future__ import annotations

import hashlib
from typing import Final

from mailreeve.mail.scan import ScanRequest
from mailreeve.memory.bounded import Bounded

MAX_MESSAGES: Final = 50_000
HASHED: Final = 65_536  # octets of a body
MAX_AGE: Final = 2 * 86_400.0  # seconds


class PutOff:
    """The messages that were put off."""

    def __init__(self) -> None:
        self._since: Bounded[bytes, float] = Bounded(MAX_MESSAGES)

    def again(self, request: ScanRequest, now: float) -> bool:
        """Whether this message was put off before; from now on it was."""
        key = _key(request)
        since = self._since.get(key)
        if since is not None and 0 <= now - since <= MAX_AGE:
            return True
        self._since.keep(key, now)
        return False


def _key(request: ScanRequest) -> bytes:
    # Without the trace fields, which differ with every attempt; with the body, which does not.
    digest = hashlib.blake2b(request.sender.encode("utf-8", "surrogateescape"), digest_size=16)
    for name in sorted(request.recipients):
        digest.update(b"\0" + name.encode("utf-8", "surrogateescape"))
    digest.update(b"\n%d\n" % sum(map(len, request.body)))
    # Not all of a large one: this runs while others wait.
    left = HASHED
    for piece in request.body:
        digest.update(piece[:left])
        left -= len(piece)
        if left <= 0:
            break
    return digest.digest()
