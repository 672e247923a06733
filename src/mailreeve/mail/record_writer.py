"""Records of messages that come at the same time, kept together: they share one transaction and one sync.

Each session waits until its own are durable, so nothing is acknowledged sooner than if it wrote them itself
(ADR 0037).
"""

from __future__ import annotations

from typing import Final

import anyio

from mailreeve.doors.together import Together
from mailreeve.families.keeping.kept import Kept
from mailreeve.mail.ports import Recorder

MOST: Final = 100  # messages whose records are written at once


class RecordWriter:
    """Hands records to a recorder, in one worker thread at a time. For one event loop."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._together: Together[Kept, None] = Together(recorder.record, MOST)

    @property
    def waiting(self) -> int:
        """How many messages' records wait for those before them."""
        return self._together.waiting

    async def write(self, kept: Kept) -> None:
        """Keep what is kept of a message: it is durable when this returns. Raises what the recorder raised."""
        await self._together.do(kept)

    async def try_to_write(self) -> None:
        """Raises if nothing could be kept now."""
        await anyio.to_thread.run_sync(self._recorder.record, ())
