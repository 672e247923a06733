"""One TCP connection as a pair of `read` and `write`, with back pressure, time-outs and STARTTLS.

It differs from the streams of the standard library in what a mail server needs: an upgrade to TLS leaves
no plaintext behind in a buffer, the end of input is no reason to stop answering, and a wait for input can
be called off when the server shuts down.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, cast

from mailreeve.formats.networks import IPAddress, parse_ip

_READ_HIGH: Final = 1 << 16  # octets waiting to be read, beyond which the sender has to wait


class ClosedByPeer(Exception):
    """The other side has gone, or has nothing more to say."""


class ReadTimeout(Exception):
    """The other side said nothing for too long."""


class Interrupted(Exception):
    """The wait for input was called off."""


class Connection(asyncio.Protocol):
    """One accepted connection. `accept` is called with it once it stands."""

    def __init__(self, accept: Callable[[Connection], None]) -> None:
        self._accept = accept
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._ended = False
        self._interrupted = False
        self._reading_paused = False
        self._waiting_reader: asyncio.Future[None] | None = None
        # When the wait for input is over. One timer serves wait after wait: to set one up and call it off each
        # time costs as much as reading what comes.
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.lost = asyncio.Event()
        self.tls = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports do not descend from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._accept(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _READ_HIGH and self._transport is not None and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        # Keep the way back open: a client may close its side and still wait for replies. TLS cannot.
        return not self.tls

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self.lost.set()
        self._may_write.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    # What a session calls.

    @property
    def source_ip(self) -> IPAddress | None:
        """The address of the other side. None where there is none to be had: over a Unix socket, or, with some
        event loops, once the other side has reset the connection, although what it said can still be read."""
        peer = self._open_transport().get_extra_info("peername")
        try:
            return parse_ip(peer[0]) if isinstance(peer, tuple) else None
        except ValueError:
            return None

    async def read(self, timeout: float, most: int, *, interruptible: bool = False) -> bytes:
        """What has come in, at most so many octets of it, waiting at most `timeout` seconds for it.

        What is done with it at once keeps all others waiting; where there is more, they are served first.

        Raises `ReadTimeout`, `ClosedByPeer`, or `Interrupted` where that is allowed.
        """
        if self._received:
            await asyncio.sleep(0)
        while not self._received:
            if self._ended:
                raise ClosedByPeer
            if interruptible and self._interrupted:
                raise Interrupted
            await self._wait_for_input(timeout)
        data = bytes(self._received[:most])
        del self._received[:most]
        if self._reading_paused and not self._received and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes, timeout: float) -> None:
        """Send; waits while the other side does not take it. To a side that has gone it does nothing."""
        if self.lost.is_set():
            return
        self._open_transport().write(data)
        if not self._may_write.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._may_write.wait()
            except TimeoutError as problem:
                raise ReadTimeout from problem

    async def start_tls(self, context: ssl.SSLContext, ready: bytes, timeout: float) -> None:
        """Say `ready` and turn the connection into a TLS one.

        Raises `ClosedByPeer` if the handshake fails. What came in before is dropped, and what comes
        in afterwards belongs to TLS.
        """
        plain = self._open_transport()
        plain.pause_reading()
        self._received.clear()
        plain.write(ready)
        try:
            secure = await self._loop.start_tls(
                plain, self, context, server_side=True, ssl_handshake_timeout=timeout
            )
        except (OSError, EOFError) as problem:  # TLS and time-out errors are kinds of OSError
            raise ClosedByPeer from problem
        if secure is None:
            raise ClosedByPeer
        self._transport = secure
        self._reading_paused = False
        self.tls = True

    def interrupt(self) -> None:
        """Call off the waits for input that allow it, now and from now on."""
        self._interrupted = True
        self._wake()

    def say_and_close(self, line: str) -> None:
        """Send one line and close, without waiting for anything."""
        self._open_transport().write(line.encode("ascii", "replace") + b"\r\n")
        self.close()

    def close(self) -> None:
        """Send what is still to be sent, and close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _open_transport(self) -> asyncio.Transport:
        if self._transport is None:
            raise RuntimeError("not connected yet")
        return self._transport

    async def _wait_for_input(self, timeout: float) -> None:
        self._waiting_reader = self._loop.create_future()
        self._due = self._loop.time() + timeout
        if self._timer is None or self._timer.when() > self._due:
            self._set_timer()
        try:
            await self._waiting_reader
        finally:
            self._waiting_reader = None

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._time_is_up)

    def _time_is_up(self) -> None:
        """Somebody waits for too long, unless that wait began after the timer was set, or is over."""
        self._timer = None
        if self._waiting_reader is None or self._waiting_reader.done():
            return
        if self._loop.time() < self._due:
            self._set_timer()
        else:
            self._waiting_reader.set_exception(ReadTimeout())

    def _wake(self) -> None:
        if self._waiting_reader is not None and not self._waiting_reader.done():
            self._waiting_reader.set_result(None)
