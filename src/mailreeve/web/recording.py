"""Records of decisions are written in groups, while nobody waits for them.

What is not written yet is in memory, so much and no more, and can be looked at there. A server that is killed
loses the records of its last moments, never a verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

import anyio.to_thread
import structlog

from mailreeve.families.web_log.record import WebRecord
from mailreeve.policy.model.decisions import WebVerdict

WRITE_EVERY: Final = 0.2  # seconds between two looks for records that wait
AT_ONCE: Final = 200
"""Records in one group. The thread that makes their rows computes, and a loop that shares the interpreter with one
that computes has its turn only each few milliseconds: with large groups everybody who asks would wait."""

BETWEEN: Final = 0.01  # seconds between two groups, in which decisions have the interpreter to themselves
MOST_WAITING: Final = 50_000  # records; those beyond are counted and left out

_log = structlog.get_logger(__name__)

Write = Callable[[Sequence[tuple[str, WebRecord]]], None]


class RecordQueue:
    """Records that wait to be written, for `gate.WebGate`. Threads may add to it.

    `sample` says which part of the requests that pass is recorded, from 0 to 1: at 0.01 each hundredth.
    """

    def __init__(
        self,
        write: Write,
        new_key: Callable[[], str],
        wire_id: Callable[[str, str], str],
        sample: Callable[[], float],
    ) -> None:
        self._write = write
        self._new_key = new_key
        self._wire_id = wire_id
        self._sample = sample
        self._due = 0.0
        self._waiting: dict[str, tuple[str, WebRecord]] = {}
        self.left_out = 0
        """How many records found no room so far."""

    @property
    def waiting(self) -> int:
        """How many records wait to be written."""
        return len(self._waiting)

    def wants(self, verdict: WebVerdict) -> bool:
        """See `gate.Recorder`."""
        if verdict is WebVerdict.BLOCK:
            return True
        sample = self._sample()
        if not sample:
            return False
        self._due += sample
        if self._due < 1:
            return False
        self._due -= 1
        return True

    def new_key(self) -> str:
        """See `gate.Recorder`."""
        return self._new_key()

    def wire_id(self, account_id: str, key: str) -> str:
        """See `gate.Recorder`."""
        return self._wire_id(account_id, key)

    def record(self, account_id: str, record: WebRecord) -> None:
        """See `gate.Recorder`."""
        if len(self._waiting) >= MOST_WAITING:
            if not self.left_out:
                _log.warning("web requests are no longer recorded: too many wait to be written")
            self.left_out += 1
            return
        self._waiting[record.id] = (account_id, record)

    def fresh(self, key: str) -> WebRecord | None:
        """A record that waits to be written, or None."""
        found = self._waiting.get(key)
        return None if found is None else found[1]

    async def run(self) -> None:
        """Write what waits, again and again, until it is cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY)
            await self.write_waiting()

    async def write_waiting(self) -> None:
        """Write what waits now."""
        while self._waiting:
            batch = dict(islice(tuple(self._waiting.items()), AT_ONCE))
            try:
                await anyio.to_thread.run_sync(self._write, tuple(batch.values()))
            except Exception:
                # Whatever it was, to try the same again would keep all later ones waiting.
                _log.exception("web records were not written", number=len(batch))
            for key in batch:
                self._waiting.pop(key, None)
            if self._waiting:
                await asyncio.sleep(BETWEEN)
