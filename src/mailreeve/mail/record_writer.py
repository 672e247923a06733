"""Records of messages that come at the same time, kept together: they share one transaction and one sync.

While records are being written those of other sessions gather, and are written next, all at once. Each session
waits until its own are durable, so nothing is acknowledged sooner than if it wrote them itself (ADR 0037).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import anyio

from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.mail.ports import Recorder

MOST: Final = 100  # messages whose records are written at once


class RecordWriter:
    """Hands records to a recorder, in one worker thread at a time. For one event loop."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: list[tuple[Sequence[Outcome], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, outcomes: Sequence[Outcome]) -> None:
        """Keep the outcomes of a message: they are durable when this returns. Raises what the recorder raised."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((outcomes, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await kept

    async def try_to_write(self) -> None:
        """Raises if nothing could be kept now."""
        await anyio.to_thread.run_sync(self._recorder.record, ())

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            problems: Sequence[Exception | None]
            try:
                problems = await anyio.to_thread.run_sync(self._recorder.record, [one for one, _ in batch])
            except Exception as problem:
                problems = [problem] * len(batch)
            for (_, kept), one in zip(batch, problems, strict=True):
                if kept.done():  # Its session is gone.
                    continue
                if one is None:
                    kept.set_result(None)
                else:
                    kept.set_exception(one)
