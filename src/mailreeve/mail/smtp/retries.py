"""Who already has a message that its sender was told to try again?

Where some copies of a message were delivered and another then failed for the time being, neither plain
answer is right: 250 would lose the failed copy, and 4xx would bring a second copy to those who have
theirs. So the sender is told to try again, and this memory leaves out on the next try whoever is done.

What names no message by which it could be known again (`attempts`) is not remembered as delivered, and others are
for some hours: whoever tries again later delivers twice. What was held of it is remembered by its content alone.
The sender was told that nobody has it, so that copy is not yet one of a message that was taken; it is that of the
next one with the same content that is. So of each message that was taken one copy is held, whether its sender
tried again or wrote the same once more.

It is a memory, not a store: after a restart the retry delivers twice, as SMTP servers do in such a case
(RFC 5321 section 6.1). Nothing is lost either way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mailreeve.memory.bounded import Bounded

MAX_MESSAGES: Final = 10_000
MAX_RECIPIENTS: Final = 200_000  # of all these messages together
MAX_AGE: Final = 6 * 3_600.0
"""Seconds. A sender tries again after half an hour, later every two or three hours (RFC 5321 section 4.5.4.1)."""


class Retries:
    """The recipients who are done, by message. A message is known by its sender and its content.

    Recipients are known by how they are spelt: `Bob@` may not be `bob@` where the mail goes.
    """

    def __init__(self) -> None:
        self._done: Bounded[bytes, tuple[float, frozenset[str]]] = Bounded(
            MAX_MESSAGES, MAX_RECIPIENTS, weigh=lambda done: len(done[1])
        )
        self._owed: Bounded[bytes, tuple[float, frozenset[str]]] = Bounded(
            MAX_MESSAGES, MAX_RECIPIENTS, weigh=lambda owed: len(owed[1])
        )
        self._held: Bounded[bytes, tuple[float, frozenset[str]]] = Bounded(
            MAX_MESSAGES, MAX_RECIPIENTS, weigh=lambda held: len(held[1])
        )
        self.recording_failed = False
        """Whether the last outcomes could not be recorded. While that is so nothing is delivered: all of it would
        be put off and come again, and who has had a message without a name would have it with every try."""

    def __bool__(self) -> bool:
        return len(self._done) > 0

    def done(self, key: bytes | None, now: float) -> frozenset[str]:
        """The original recipients who have had this message."""
        return _remembered(self._done, key, now)

    def owed(self, key: bytes | None, now: float) -> frozenset[str]:
        """Those of `done` whose copy was to be kept in the archive and could not be."""
        return _remembered(self._owed, key, now)

    def owe(self, key: bytes | None, recipients: Iterable[str], now: float) -> None:
        """The copies of these could not be kept in the archive."""
        found = frozenset(recipients)
        if key is not None and found:
            self._owed.keep(key, (now, self.owed(key, now) | found))

    def paid(self, key: bytes | None) -> None:
        """All that was owed is kept."""
        if key is not None:
            self._owed.drop(key)

    def remember(self, key: bytes | None, recipients: Iterable[str], now: float) -> None:
        """These have had the message, and its sender was told to try again. A key of None is not remembered."""
        if key is not None:
            self._done.keep(key, (now, self.done(key, now) | frozenset(recipients)))

    def held(self, content: bytes | None, now: float) -> frozenset[str]:
        """The original recipients for whom a copy of this content is held, of which its sender does not know."""
        return _remembered(self._held, content, now)

    def remember_held(self, content: bytes | None, recipients: Iterable[str], now: float) -> None:
        """A copy is held for these, and its sender was told to try again. A content of None is not remembered."""
        found = frozenset(recipients)
        if content is not None and found:
            self._held.keep(content, (now, self.held(content, now) | found))

    def taken(self, content: bytes | None) -> None:
        """A message with this content was taken, or refused for good: what is held is its copy."""
        if content is not None:
            self._held.drop(content)

    def forget(self, key: bytes | None) -> None:
        """The message has its final answer."""
        if key is not None:
            self._done.drop(key)


def _remembered(
    memory: Bounded[bytes, tuple[float, frozenset[str]]], key: bytes | None, now: float
) -> frozenset[str]:
    found = None if key is None else memory.get(key)
    if found is None:
        return frozenset()
    since, recipients = found
    return recipients if 0 <= now - since <= MAX_AGE else frozenset()
