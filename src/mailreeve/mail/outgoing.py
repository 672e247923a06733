"""Who hands copies to the next hop that were acknowledged before? One runner, in one process, as their time comes.

It wakes at once when something was committed, and looks for itself now and then. What could be handed over but not
noted is remembered, so that a database that cannot be written does not send the same copy again and again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Protocol

import anyio.to_thread
import structlog
from structlog.typing import FilteringBoundLogger

from mailreeve.families.outgoing.queue import CannotRead, OutgoingQueue
from mailreeve.families.outgoing.rows import Waiting
from mailreeve.formats.message import Content
from mailreeve.mail.next_hop.queue_id import queue_id
from mailreeve.mail.outcomes import LOCAL_FAULT
from mailreeve.mail.ports import NextHop, NextHopSession, is_taken
from mailreeve.mail.released import HandedOn
from mailreeve.policy.model.policy_types import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

CANNOT_READ: Final = SmtpReply(451, "4.3.0", "The text of the message is damaged or gone")

AT_ONCE: Final = 4  # copies that are handed over side by side; each is in memory meanwhile
TAKEN_TOGETHER: Final = 50
LOOK_EVERY: Final = 1.0  # seconds between two looks for what nobody told of
AGAIN_AFTER: Final = 5.0  # seconds until another attempt where the database could not be read or written


class Marked(Protocol):
    """Gives a copy the marks by which our own doors know it again, for the attempt that has just begun."""

    def __call__(self, one: Waiting, content: Content) -> HandedOn: ...


def unmarked(one: Waiting, content: Content) -> HandedOn:
    """The copy as it is, for a next hop that never brings it back."""
    return HandedOn(content, "")


class OutgoingRunner:
    """Hands copies on, until it is stopped. For one event loop."""

    def __init__(self, queue: OutgoingQueue, next_hop: NextHop, marked: Marked = unmarked) -> None:
        self._queue = queue
        self._next_hop = next_hop
        self._marked = marked
        self._wake = asyncio.Event()
        self._stopping = False
        # What the next hop said of copies whose rows could not be brought up to date.
        self._unwritten: dict[str, tuple[Waiting, SmtpReply | None]] = {}

    def wake(self) -> None:
        """There may be something to do. To be called in the event loop."""
        self._wake.set()

    def stop(self) -> None:
        """Have `run` return once what is being handed over has been."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Hand on what is due, again and again, until `stop`."""
        began = False
        while not self._stopping:
            pause = LOOK_EVERY
            try:
                if not began:
                    await anyio.to_thread.run_sync(self._queue.hurry)
                    began = True
                self._wake.clear()
                if await self._hand_on_some():
                    continue
            except Exception:
                # Whatever it was, the copies are still there, and the next attempt may do better.
                log.exception("outgoing.failed")
                pause = AGAIN_AFTER
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _hand_on_some(self) -> bool:
        """Hand on what is due now, some of it. Whether any was begun."""
        for one, reply in list(self._unwritten.values()):
            await self._write(one, reply)
        due = await anyio.to_thread.run_sync(self._queue.due, TAKEN_TOGETHER, tuple(self._unwritten))
        waiting = asyncio.Queue[Waiting]()
        for one in due:
            waiting.put_nowait(one)
        begun = await asyncio.gather(*(self._work_off(waiting) for _ in range(min(AT_ONCE, len(due)))))
        return any(begun)

    async def _work_off(self, waiting: asyncio.Queue[Waiting]) -> int:
        session = self._next_hop.session()
        begun = 0
        try:
            while not waiting.empty() and not self._stopping:
                begun += await self._hand_on(session, waiting.get_nowait())
        finally:
            await session.aclose()
        return begun

    async def _hand_on(self, session: NextHopSession, one: Waiting) -> bool:
        """Hand a copy over. Whether that was begun. It raises nothing: others are under way."""
        copy = one.kept.copy
        try:
            made = await anyio.to_thread.run_sync(self._prepared, one)
        except CannotRead:
            # It may be there again another time: it is given up like any that is put off.
            log.exception("outgoing.not_begun", decision=copy.decision_id, body=one.kept.body)
            await self._write(one, CANNOT_READ)
            return False
        except Exception:
            # Nothing can be written: it stays, and is told of each time.
            log.exception("outgoing.not_begun", decision=copy.decision_id, body=one.kept.body)
            return False
        if made is None:
            return False
        try:
            (reply,) = await session.deliver(
                copy.sender, copy.recipients, made.content, utf8=copy.is_utf8, envelope_id=made.envelope_id
            )
        except Exception:
            # A fault of ours must not stop the other copies.
            log.exception("outgoing.delivery_failed", decision=copy.decision_id)
            reply = LOCAL_FAULT
        await self._write(one, reply)
        return True

    def _prepared(self, one: Waiting) -> HandedOn | None:
        content = self._queue.begin(one)
        return None if content is None else self._marked(one, content)

    async def _write(self, one: Waiting, reply: SmtpReply | None) -> None:
        """Note what the next hop said, now or with the next attempt to."""
        self._unwritten[one.key] = one, reply
        try:
            await anyio.to_thread.run_sync(self._note, one, reply)
        except Exception:
            log.exception("outgoing.not_noted", decision=one.kept.copy.decision_id, reply=str(reply))
        else:
            del self._unwritten[one.key]

    def _note(self, one: Waiting, reply: SmtpReply | None) -> None:
        if is_taken(reply):
            said = "" if reply is None else str(reply)
            self._queue.delivered(one, said, queue_id(said))
        elif reply is not None and reply.code >= 500:
            self._queue.refused(one, str(reply))
        else:
            self._queue.put_off(one, str(reply))
