"""How is the API served? uvicorn on a socket of ours, with the bounds that it does not set by itself."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mailreeve.api.crowd import MAX_CONNECTIONS, MAX_PER_NETWORK, Crowd, Place
from mailreeve.api.whole_answers import AnswerWriter

MAX_HEAD: Final = 512 * 1024  # octets received before a request's headers are complete
HEAD_PIECE: Final = 512  # octets given to the parser at once, which may be thirty small requests
BODY_PIECE: Final = 16 * 1024  # the same where a body comes in, which ends somewhere in it
HEAD_TIME: Final = 30.0  # seconds from the first octet of a request to the end of its headers, and for a handshake
KEEP_ALIVE: Final = 75  # seconds between two requests of a connection
SEND_TIME: Final = 30.0  # seconds in which a client that is sent an answer takes some more of it
GRACE: Final = 20  # seconds that calls in flight have when the server stops
ACCEPT_PAUSE: Final = 1.0  # seconds

_log = structlog.get_logger(__name__)


class _Flow(FlowControl):
    """Reading and writing of a connection; nothing more is read while it holds what it has yet to work on."""

    holding = False

    def resume_reading(self) -> None:
        if not self.holding:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 that gives up on a stranger who sends headers without end, in size or in time, or does not read the
    answer, and on silent ones where their network has taken all the places it may have."""

    crowd: Crowd
    """That of the server whose protocol this is."""

    place: Place | None = None
    """Where it is given one before it begins, that is the connection's already."""

    _held: bytearray
    """What came and was not yet given to the parser."""

    _writer: AnswerWriter
    _answering: RequestResponseCycle | None = None
    _incoming = False
    _unanswered = 0
    _head_octets = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None
    _unsent = 0
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow: _Flow = _Flow(transport)
        self._held = bytearray()
        self._writer = AnswerWriter(transport)
        # Told of the first octet that the client does not take: an answer is given when nothing of it is left.
        transport.set_write_buffer_limits(high=1, low=0)
        if self.place is None:
            peer = transport.get_extra_info("peername")
            self.place = self.crowd.enter(peer[0] if isinstance(peer, tuple) else "", transport.abort)
        else:
            self.place.close = transport.abort
        if self.place is None or self.place.given_up:
            transport.abort()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        self._cancel_stalled()
        self._held.clear()
        # uvicorn tells the last request that came in; the one that is being answered may be another.
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        if self.place is not None:
            self.crowd.leave(self.place)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._held += data
        if len(self._held) == len(data):
            self._feed()
        else:
            self.flow.pause_reading()

    def _feed(self) -> None:
        """Have the parser read on, in small pieces, until there is a request behind one that is not yet answered.

        A packet may hold thousands of requests, each of which takes time to begin and memory while it waits.
        """
        held = self._held
        while held and self._unanswered <= 1 and not self.transport.is_closing():
            size = HEAD_PIECE if self._in_head else BODY_PIECE
            piece = bytes(held[:size])
            del held[:size]
            if self._in_head:
                self._head_octets += len(piece)
                if self._head_octets > MAX_HEAD:
                    self.transport.close()
                    break
            super().data_received(piece)
        if self.transport.is_closing():
            held.clear()
        elif held:
            # The rest of a head waits for us now, not for the client.
            self._cancel_deadline()
            self.flow.pause_reading()
        self.flow.holding = bool(held)

    def _feed_on(self) -> None:
        if not self._held or self._unanswered > 1:
            return
        if self._in_head and self._incoming:
            self._set_deadline()
        self._feed()
        if not self._held:
            self.flow.resume_reading()

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
        self._writer.flush()
        self._unanswered -= 1
        self._say_what_is_under_way()
        super().on_response_complete()
        if self._held:
            asyncio.get_running_loop().call_soon(self._feed_on)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()
        self._say_what_is_under_way()

    def resume_writing(self) -> None:
        self._cancel_stalled()
        super().resume_writing()
        self._say_what_is_under_way()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        cycle.transport = self._writer  # type: ignore[assignment] # it has what a cycle uses
        super()._start_asgi_task(cycle, app)

    def _say_what_is_under_way(self) -> None:
        if self.place is None:
            return
        # Requests may come one behind the other: the last is incoming while those before it are answered.
        if self._unanswered > self._incoming or self.flow.write_paused:
            self.crowd.works(self.place)
        elif self._incoming:
            self.crowd.begins(self.place)
        else:
            self.crowd.waits(self.place)

    def _expect_head(self) -> None:
        self._in_head = True
        self._head_octets = 0
        self._set_deadline()

    def _set_deadline(self) -> None:
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


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


class HttpServer(uvicorn.Server):
    """A uvicorn server that says when it is ready, leaves signals to its owner, and counts connections from when
    they stand, over TLS too. `per_network` is how many one network may have."""

    def __init__(
        self, app: ASGIApp, *, tls_cert: str = "", tls_key: str = "", per_network: int = MAX_PER_NETWORK
    ) -> None:
        self._crowd = Crowd(MAX_CONNECTIONS, per_network)
        super().__init__(
            uvicorn.Config(
                app,
                http=type("Protocol", (BoundedProtocol,), {"crowd": self._crowd}),
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
        self._accepting: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many connections stand."""
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self.config.ssl is None or sockets is None:
            await super().startup(sockets)
        else:
            # uvicorn hears of a connection only once the handshake is over, and some never finish it.
            await self.lifespan.startup()
            self.servers = []
            for listener in sockets:
                listener.setblocking(False)
                self._start(self._accept(listener, self.config.ssl))
            self.started = True
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        under_way = list(self._accepting)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await super().shutdown(sockets)

    async def _accept(self, listener: socket.socket, tls: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(listener)
            except ConnectionError:  # it was gone before we came to it
                continue
            except OSError as problem:
                # Out of descriptors or memory, which others have to give back first.
                _log.error("connections cannot be accepted", problem=str(problem))
                await asyncio.sleep(ACCEPT_PAUSE)
                continue
            self._start(self._shake_hands(connection, peer, tls))

    async def _shake_hands(self, connection: socket.socket, peer: object, tls: ssl.SSLContext) -> None:
        """Begin to serve a connection that has just been accepted. It has its place from now on."""
        handshake = asyncio.current_task()
        assert handshake is not None  # noqa: S101  a coroutine of a task
        address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        place = self._crowd.enter(address, partial(_cancel, handshake))
        if place is None:
            connection.close()
            return

        def protocol() -> asyncio.Protocol:
            made = self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            made.place = place  # type: ignore[attr-defined]
            return made

        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                protocol, connection, ssl=tls, ssl_handshake_timeout=HEAD_TIME
            )
        except (OSError, EOFError) as problem:  # TLS and time-out errors are kinds of OSError
            _log.debug("no handshake", address=place.network, problem=str(problem))
            self._crowd.leave(place)
            connection.close()
        except asyncio.CancelledError:
            self._crowd.leave(place)
            connection.close()
            raise

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, Any]:
        yield

    def stop(self) -> None:
        """Take no more connections, finish the calls in flight, and return from `serve`."""
        self.should_exit = True
