"""The listening door: how many mail servers may come in, and how it is closed again.

On TCP a server that wants no reply to most events writes several small packets in a row, and its kernel holds the
second one back until the first is acknowledged (Nagle), which ours does after 40 ms (delayed ACK). So on each
connection acknowledgements are asked for at once, again after each read: the kernel forgets it. Over a Unix socket
there is no such thing.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog
from anyio import CapacityLimiter
from structlog.typing import FilteringBoundLogger

from mailreeve.doors.line_budget import LineBudget
from mailreeve.formats.networks import Network
from mailreeve.mail.connection import Connection
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.milter.services import MilterServices, MilterSettings
from mailreeve.mail.milter.session import Session
from mailreeve.mail.outcome_lines import OutcomeLines, PolicyIds, no_ids
from mailreeve.mail.ports import UNMETERED, Meter, PolicySource, Recorder
from mailreeve.mail.record_writer import RecordWriter
from mailreeve.mail.released import ReleaseMarks
from mailreeve.mail.scan import Scanner

log: FilteringBoundLogger = structlog.get_logger()

BACKLOG: Final = 512  # connections that wait to be accepted
PLANNING: Final = 8  # threads that read headers and decide
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)  # Linux has it


class PromptConnection(Connection):
    """A connection whose input is acknowledged at once, where it is one of TCP."""

    def __init__(self, accept: Callable[[Connection], None]) -> None:
        super().__init__(accept)
        self._socket: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        found = transport.get_extra_info("socket")
        if _QUICKACK is not None and found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            # The transport's own lets nobody set options; this one shares its descriptor and never closes it.
            self._socket = socket.socket(found.family, socket.SOCK_STREAM, fileno=found.fileno())
        super().connection_made(transport)
        self._acknowledge()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._acknowledge()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._socket is not None:
            self._socket.detach()
            self._socket = None
        super().connection_lost(exc)

    def _acknowledge(self) -> None:
        if self._socket is None or _QUICKACK is None:
            return
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        except OSError:
            # The other side is gone, which the next read says.
            self._socket.detach()
            self._socket = None


class MilterDoor:
    """A milter that is listening. Made by `milter_door`."""

    def __init__(self, services: MilterServices) -> None:
        self._services = services
        self._settings = services.settings
        self._sessions: dict[asyncio.Task[None], Connection] = {}
        self._servers: list[asyncio.Server] = []
        self._closing = False

    @property
    def connections(self) -> int:
        """How many connections there are: one for each client of the mail servers."""
        return len(self._sessions)

    @property
    def records_waiting(self) -> int:
        """How many messages' records wait to be written."""
        return self._services.records.waiting

    async def open(self, listeners: Sequence[socket.socket]) -> None:
        """Begin to listen on these sockets, of TCP or Unix ones."""
        loop = asyncio.get_running_loop()
        make = partial(PromptConnection, self._accept)
        for listener in listeners:
            create = loop.create_unix_server if listener.family == socket.AF_UNIX else loop.create_server
            self._servers.append(await create(make, sock=listener, backlog=BACKLOG))

    async def aclose(self) -> None:
        """Take no more connections, finish the messages under way, then close.

        Connections between two messages are closed at once; after `grace` seconds all are.
        """
        self._closing = True
        for server in self._servers:
            server.close()
        for connection in self._sessions.values():
            connection.interrupt()
        if self._sessions:
            _, late = await asyncio.wait(self._sessions, timeout=self._settings.grace)
            for task in late:
                log.warning("milter.cut_off")
                self._sessions[task].abort()
                task.cancel()
            if late:
                await asyncio.wait(late)
        for server in self._servers:
            await server.wait_closed()
        self._services.lines.close()

    def _accept(self, connection: Connection) -> None:
        if self._closing or len(self._sessions) >= self._settings.max_connections:
            self._services.meter.turned_away()
            if self._services.lines.admits("milter.crowded", ""):
                log.warning("milter.crowded", connections=len(self._sessions))
            connection.abort()
            return
        session = Session(connection, self._services)
        task = asyncio.create_task(session.run())
        self._sessions[task] = connection
        task.add_done_callback(lambda done: self._ended(done, session))

    def _ended(self, task: asyncio.Task[None], session: Session) -> None:
        del self._sessions[task]
        problem = None if task.cancelled() else task.exception()
        if problem is not None and self._services.lines.admits("milter.session_failed", session.source):
            log.error("milter.session_failed", source_ip=session.source, exc_info=problem)


@asynccontextmanager
async def milter_door(
    settings: MilterSettings,
    *,
    policies: PolicySource,
    recorder: Recorder,
    memory: MemoryBudget,
    listeners: Sequence[socket.socket],
    clock: Callable[[], float] = time.time,
    meter: Meter = UNMETERED,
    policy_ids: PolicyIds = no_ids,
    relay_networks: Iterable[Network] = (),
    marks: ReleaseMarks | None = None,
    scanner: Scanner | None = None,
) -> AsyncIterator[MilterDoor]:
    """An open milter door on these sockets; it is closed gracefully at the end. The `memory` is for the contents
    of all messages together, perhaps with another door. `clock` gives POSIX seconds. `policy_ids` are for the log,
    in which mail from the `relay_networks` always has its lines. By `marks` copies are known that somebody
    released. Without a `scanner` no message is looked at by a spam engine."""
    lines = LineBudget()
    services = MilterServices(
        settings,
        policies,
        RecordWriter(recorder),
        memory,
        clock,
        lines,
        CapacityLimiter(PLANNING),
        meter,
        OutcomeLines(lines, policy_ids, relay_networks),
        marks,
        scanner,
    )
    door = MilterDoor(services)
    await door.open(listeners)
    try:
        yield door
    finally:
        await door.aclose()
