"""The local socket where helpers in other processes ask, and go on asking."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from mailreeve.doors.line_budget import LineBudget
from mailreeve.web.frames import (
    HEAD,
    MAX_FRAME,
    MAX_HELLO,
    VERSION,
    Answers,
    FrameError,
    Told,
    Welcome,
    length_of,
    read_batch,
    read_hello,
    written,
)
from mailreeve.web.gate import WebGate
from mailreeve.web.requests import WebRequest

MAX_CONNECTIONS: Final = 500
HELLO_WITHIN: Final = 5.0  # seconds that a helper has to say who it is
MOST_UNREAD: Final = 4 * 1024 * 1024  # octets of answers that a helper may leave unread before its batches wait
BACKLOG: Final = 128

AccountOf = Callable[[str], str | None]
"""From an account's code, empty for the only one, to its id; None where there is none, or several. May wait."""

_log = structlog.get_logger(__name__)


class WebDoor:
    """A socket that is listening. Made by `web_door`."""

    def __init__(self, gate: WebGate, account_of: AccountOf) -> None:
        self._gate = gate
        self._account_of = account_of
        self._lines = LineBudget()
        self._servers: list[asyncio.Server] = []
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._closing = False

    @property
    def connections(self) -> int:
        """How many helpers are connected."""
        return len(self._sessions)

    async def open(self, listeners: Sequence[socket.socket]) -> None:
        """Begin to listen on these sockets, of TCP or Unix ones."""
        for listener in listeners:
            start = asyncio.start_unix_server if listener.family == socket.AF_UNIX else asyncio.start_server
            self._servers.append(await start(self._accept, sock=listener, backlog=BACKLOG))

    async def aclose(self) -> None:
        """Take no more connections and close those there are. What it has no answer to a helper asks again."""
        self._closing = True
        for server in self._servers:
            server.close()
        for task in tuple(self._sessions):
            task.cancel()
        if self._sessions:
            await asyncio.wait(self._sessions)
        for server in self._servers:
            await server.wait_closed()
        self._lines.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closing or len(self._sessions) >= MAX_CONNECTIONS:
            if self._lines.admits("web.crowded", ""):
                _log.warning("web.crowded", connections=len(self._sessions))
            writer.transport.abort()
            return
        writer.transport.set_write_buffer_limits(MOST_UNREAD)
        task = asyncio.create_task(self._serve(reader, writer))
        self._sessions[task] = writer
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sessions.pop(task).close()
        problem = None if task.cancelled() else task.exception()
        if problem is not None and self._lines.admits("web.session_failed", ""):
            _log.error("web.session_failed", exc_info=problem)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                hello = read_hello(await _frame(reader, MAX_HELLO))
            account_id = None
            why = f"this server speaks version {VERSION} of the protocol, not {hello.version}"
            if hello.version == VERSION:
                account_id = await asyncio.to_thread(self._account_of, hello.account)
                why = (
                    "" if account_id else f"there is no account {hello.account}" if hello.account else _NO_ACCOUNT
                )
            writer.write(written(Welcome(account_id is not None, why)))
            await writer.drain()
            if account_id is None:
                return
            while True:
                batch = read_batch(await _frame(reader))
                await self._gate.ready(account_id)
                told = []
                for ask in batch.asks:
                    request = WebRequest(ask.url, ask.method, ask.user, ask.client, hello.door, ask.host_only)
                    answer = self._gate.decide(account_id, request)
                    told.append(Told(answer.verdict.value, answer.sentence, answer.decision_id))
                writer.write(written(Answers(batch.number, told)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the helper is gone
        except (FrameError, TimeoutError) as problem:
            if self._lines.admits("web.not_spoken", ""):
                _log.warning("web.not_spoken", problem=str(problem) or "no hello")


_NO_ACCOUNT: Final = "there are several accounts: the helper has to name one"


async def _frame(reader: asyncio.StreamReader, most: int = MAX_FRAME) -> bytes:
    return await reader.readexactly(length_of(await reader.readexactly(HEAD), most))


@asynccontextmanager
async def web_door(
    gate: WebGate, account_of: AccountOf, listeners: Sequence[socket.socket]
) -> AsyncIterator[WebDoor]:
    """An open door on these sockets; it is closed at the end."""
    door = WebDoor(gate, account_of)
    await door.open(listeners)
    try:
        yield door
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await door.aclose()
