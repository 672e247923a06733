"""How is an answer written? Header and body in one piece: each is a system call, which costs a tenth of a read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

MOST_JOINED: Final = 64 * 1024  # octets: to copy more than that costs more than another call


class AnswerWriter:
    """Stands before a connection's transport for what answers requests. What is written is held until `flush`,
    called by whoever knows that an answer is complete, or until the event loop goes on."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport: Final = transport
        self._held: list[bytes] = []
        self.is_closing: Callable[[], bool] = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write, soon."""
        if len(data) > MOST_JOINED:
            self.flush()
            self._transport.write(data)
            return
        if not self._held:
            asyncio.get_running_loop().call_soon(self.flush)
        self._held.append(data)

    def flush(self) -> None:
        """Write what is held, now."""
        if self._held:
            held = b"".join(self._held)
            self._held.clear()
            self._transport.write(held)

    def close(self) -> None:
        """Close the connection once all is written."""
        self.flush()
        self._transport.close()
