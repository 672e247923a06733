"""Who already has a message that its sender was told to try again?

Where some copies of a message were delivered and another then failed for the time being, neither plain
answer is right: 250 would lose the failed copy, and 4xx would bring a second copy to those who have
theirs. So the sender is told to try again, and this memory leaves out on the next try whoever is done.

It is a memory, not a store: after a restart the retry delivers twice, as SMTP servers do in such a case
(RFC 5321 section 6.1). Nothing is lost either way.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from mailreeve.policy.addresses import Sender

MAX_MESSAGES: Final = 10_000
MAX_AGE: Final = 5 * 86_400.0  # seconds; RFC 5321 section 4.5.4.1: a sender gives up after four to five days


class Retries:
    """The recipients who are done, by message. A message is known by its sender and its content.

    Recipients are known by how they are spelt: `Bob@` may not be `bob@` where the mail goes.
    """

    def __init__(self) -> None:
        self._done: OrderedDict[bytes, tuple[float, frozenset[str]]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._done)

    def done(self, key: bytes, now: float) -> frozenset[str]:
        """The original recipients who have had this message."""
        since, recipients = self._done.get(key, (now, frozenset[str]()))
        return recipients if now - since <= MAX_AGE else frozenset()

    def remember(self, key: bytes, recipients: Iterable[str], now: float) -> None:
        """These have had the message, and its sender was told to try again."""
        self._done[key] = (now, self.done(key, now) | frozenset(recipients))
        self._done.move_to_end(key)
        while len(self._done) > MAX_MESSAGES:
            self._done.popitem(last=False)

    def forget(self, key: bytes) -> None:
        """The message has its final answer."""
        self._done.pop(key, None)


def message_key(sender: Sender, content: bytes) -> bytes:
    """What a message is recognised by when the same server sends it again."""
    digest = hashlib.blake2b(str(sender).encode(), digest_size=20)
    digest.update(b"\0")
    digest.update(content)
    return digest.digest()
