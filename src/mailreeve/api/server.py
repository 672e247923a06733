"""How is the API served? uvicorn on a socket of ours, with the bounds that it does not set by itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mailreeve.api.crowd import MAX_CONNECTIONS, Crowd, Place

MAX_HEAD: Final = 512 * 1024  # octets received before a request's headers are complete
HEAD_TIME: Final = 30.0  # seconds from the first octet of a request to the end of its headers
KEEP_ALIVE: Final = 75  # seconds between two requests of a connection
SEND_TIME: Final = 30.0  # seconds in which a client that is sent an answer takes some more of it
GRACE: Final = 20  # seconds that calls in flight have when the server stops


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 that gives up on a stranger who sends headers without end, in size or in time, or does not read the
    answer, and on silent ones where their network has taken all the places it may have."""

    crowd: Crowd
    """That of the server whose protocol this is."""

    _place: Place | None = None
    _incoming = False
    _unanswered = 0
    _head_octets = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None
    _unsent = 0
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        # Told of the first octet that the client does not take: an answer is given when nothing of it is left.
        transport.set_write_buffer_limits(high=1, low=0)
        self._place = self.crowd.enter(peer[0] if isinstance(peer, tuple) else "", transport.abort)
        if self._place is None:
            transport.abort()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        self._cancel_stalled()
        if self._place is not None:
            self.crowd.leave(self._place)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_octets += len(data)
            if self._head_octets > MAX_HEAD:
                self.transport.close()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        if not self._in_head:
            self._expect_head()
        self._incoming = True
        self._unanswered += 1
        self._say_what_is_under_way()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._cancel_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._incoming = False
        self._say_what_is_under_way()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._unanswered -= 1
        self._say_what_is_under_way()
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()
        self._say_what_is_under_way()

    def resume_writing(self) -> None:
        self._cancel_stalled()
        super().resume_writing()
        self._say_what_is_under_way()

    def _say_what_is_under_way(self) -> None:
        if self._place is None:
            return
        # Requests may come one behind the other: the last is incoming while those before it are answered.
        if self._unanswered > self._incoming or self.flow.write_paused:
            self.crowd.works(self._place)
        elif self._incoming:
            self.crowd.begins(self._place)
        else:
            self.crowd.waits(self._place)

    def _expect_head(self) -> None:
        self._in_head = True
        self._head_octets = 0
        self._cancel_deadline()
        self._deadline = asyncio.get_running_loop().call_later(HEAD_TIME, self._give_up)

    def _expect_reading(self) -> None:
        self._cancel_stalled()
        self._unsent = self.transport.get_write_buffer_size()
        self._stalled = asyncio.get_running_loop().call_later(SEND_TIME, self._look_whether_it_reads)

    def _look_whether_it_reads(self) -> None:
        if self.transport.get_write_buffer_size() >= self._unsent:
            # Closing would wait for the client to read on.
            self.transport.abort()
        else:
            self._expect_reading()

    def _give_up(self) -> None:
        self.transport.close()

    def _cancel_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class HttpServer(uvicorn.Server):
    """A uvicorn server that says when it is ready and leaves signals to its owner."""

    def __init__(self, app: ASGIApp, *, tls_cert: str = "", tls_key: str = "") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=type("Protocol", (BoundedProtocol,), {"crowd": Crowd()}),
                ws="none",
                lifespan="off",
                log_config=None,
                # What else it says is about what strangers send, without their address, as often as they like.
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                # The crowd keeps below it; this is for what it has closed and the loop has not yet.
                limit_concurrency=2 * MAX_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
                ssl_certfile=tls_cert or None,
                ssl_keyfile=tls_key or None,
            )
        )
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, Any]:
        yield

    def stop(self) -> None:
        """Take no more connections, finish the calls in flight, and return from `serve`."""
        self.should_exit = True
