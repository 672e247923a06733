"""How is the API served? uvicorn on a socket of ours, with the bounds that it does not set by itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 512 * 1024  # octets received before a request's headers are complete
HEAD_TIME: Final = 30.0  # seconds from the first octet of a request to the end of its headers
MAX_CONNECTIONS: Final = 2_000
KEEP_ALIVE: Final = 75  # seconds between two requests of a connection
GRACE: Final = 20  # seconds that calls in flight have when the server stops


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 that gives up on a stranger who sends headers without end, in size or in time."""

    _head_octets = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
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
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._cancel_deadline()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._in_head = True
        self._head_octets = 0
        self._cancel_deadline()
        self._deadline = asyncio.get_running_loop().call_later(HEAD_TIME, self._give_up)

    def _give_up(self) -> None:
        self.transport.close()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class HttpServer(uvicorn.Server):
    """A uvicorn server that says when it is ready and leaves signals to its owner."""

    def __init__(self, app: Starlette, *, tls_cert: str = "", tls_key: str = "") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MAX_CONNECTIONS,
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
