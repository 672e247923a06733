"""The listening door: who may come in, and how it is closed again."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from anyio import CapacityLimiter
from structlog.typing import FilteringBoundLogger

from mailreeve.doors.line_budget import LineBudget
from mailreeve.formats.networks import IPAddress, Network, within
from mailreeve.mail.connection import Connection
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.outcome_lines import OutcomeLines, PolicyIds, no_ids
from mailreeve.mail.ports import UNMETERED, Meter, NextHop, PolicySource, Recorder
from mailreeve.mail.record_writer import RecordWriter
from mailreeve.mail.released import ReleaseMarks
from mailreeve.mail.scan import Scanner
from mailreeve.mail.smtp.announced import Speaker
from mailreeve.mail.smtp.retries import Retries
from mailreeve.mail.smtp.services import DoorServices, Places, SmtpSettings, crowded
from mailreeve.mail.smtp.session import Session

log: FilteringBoundLogger = structlog.get_logger()


BACKLOG: Final = 512  # connections that wait to be accepted
PLANNING: Final = 8
"""Threads that read headers and decide. More would be no quicker, and a hostile header takes a few MB while it is
read."""


class SmtpDoor:
    """An SMTP server that is listening. Made by `smtp_door`."""

    def __init__(self, services: DoorServices) -> None:
        self._services = services
        self._settings = services.settings
        self._sessions: dict[asyncio.Task[None], Connection] = {}
        self._places = Places(self._settings.max_connections_per_ip)
        self._servers: list[asyncio.Server] = []
        self._address: tuple[str, int] | None = None
        self._closing = False

    @property
    def address(self) -> tuple[str, int]:
        """The address and the port that it listens on, or listened on before it was closed."""
        if self._address is None:
            raise RuntimeError("the door was not opened yet")
        return self._address

    @property
    def connections(self) -> int:
        """How many clients there are."""
        return len(self._sessions)

    @property
    def records_waiting(self) -> int:
        """How many messages' records wait to be written."""
        return self._services.records.waiting

    async def open(self, listeners: Sequence[socket.socket] = ()) -> None:
        """Begin to listen: on these sockets, or without any where the settings say. Raises `OSError` if the
        address cannot be had."""
        create = partial(
            asyncio.get_running_loop().create_server, lambda: Connection(self._accept), backlog=BACKLOG
        )
        if listeners:
            self._servers = [await create(sock=listener) for listener in listeners]
        else:
            self._servers = [await create(self._settings.host, self._settings.port)]
        host, port = self._servers[0].sockets[0].getsockname()[:2]
        self._address = str(host), int(port)

    async def aclose(self) -> None:
        """Take no more connections, finish the messages under way, then close.

        Clients between two messages are sent away at once with 421; after `grace` seconds all are.
        """
        self._closing = True
        for server in self._servers:
            server.close()
        for connection in self._sessions.values():
            connection.interrupt()
        if self._sessions:
            _, late = await asyncio.wait(self._sessions, timeout=self._settings.grace)
            for task in late:
                log.warning("smtp.cut_off", source_ip=str(self._sessions[task].source_ip))
                self._sessions[task].abort()
                task.cancel()
            if late:
                await asyncio.wait(late)
        for server in self._servers:
            await server.wait_closed()
        self._services.lines.close()

    def _accept(self, connection: Connection) -> None:
        source_ip = connection.source_ip
        if source_ip is None:
            # Everything that is decided here begins with who is calling.
            if self._services.lines.admits("smtp.no_source", ""):
                log.info("smtp.no_source")
            connection.abort()
            return
        # Those of a listed host are for clients of whom it will say which: it may have every place until then.
        listed = within(source_ip, self._settings.xclient_hosts)
        counted = None if listed else source_ip
        refusal = self._crowded(counted)
        if refusal is not None:
            self._services.meter.turned_away()
            if self._services.lines.admits("smtp.crowded", str(source_ip)):
                log.info("smtp.crowded", source_ip=str(source_ip), reply=refusal)
            connection.say_and_close(refusal)
            return
        session = Session(connection, Speaker(source_ip, listed=listed), self._services, self._places)
        session.counted = counted
        task = asyncio.create_task(session.run())
        self._sessions[task] = connection
        task.add_done_callback(lambda done: self._ended(done, session))

    def _crowded(self, counted: IPAddress | None) -> str | None:
        if self._closing:
            return f"421 4.3.2 {self._settings.hostname} Shutting down, try again later"
        if len(self._sessions) >= self._settings.max_connections:
            return f"421 4.3.2 {self._settings.hostname} Too many connections, try again later"
        if not self._places.take(counted):
            return crowded(self._settings.hostname)
        return None

    def _ended(self, task: asyncio.Task[None], session: Session) -> None:
        del self._sessions[task]
        self._places.give_back(session.counted)
        problem = None if task.cancelled() else task.exception()
        if problem is not None and self._services.lines.admits("smtp.session_failed", session.source):
            log.error("smtp.session_failed", source_ip=session.source, exc_info=problem)


@asynccontextmanager
async def smtp_door(
    settings: SmtpSettings,
    *,
    policies: PolicySource,
    next_hop: NextHop,
    recorder: Recorder,
    tls: ssl.SSLContext | None = None,
    listeners: Sequence[socket.socket] = (),
    memory: MemoryBudget | None = None,
    clock: Callable[[], float] = time.time,
    meter: Meter = UNMETERED,
    policy_ids: PolicyIds = no_ids,
    relay_networks: Iterable[Network] = (),
    marks: ReleaseMarks | None = None,
    scanner: Scanner | None = None,
) -> AsyncIterator[SmtpDoor]:
    """An open SMTP door; it is closed gracefully at the end. It listens on `listeners`, or without any where the
    settings say. `memory` is for the contents of all messages together, perhaps with another door; without any it
    is as the settings say. `clock` gives POSIX seconds. `policy_ids` are for the log, in which mail from the
    `relay_networks` always has its lines. By `marks` copies are known that somebody released. Without a `scanner`
    no message is looked at by a spam engine."""
    memory = memory or MemoryBudget(settings.max_receiving)
    records, planning = RecordWriter(recorder), CapacityLimiter(PLANNING)
    lines = LineBudget()
    outcome_lines = OutcomeLines(lines, policy_ids, relay_networks)
    services = DoorServices(
        settings,
        policies,
        next_hop,
        records,
        Retries(),
        memory,
        clock,
        tls,
        lines,
        planning,
        meter,
        outcome_lines,
        marks,
        scanner,
    )
    door = SmtpDoor(services)
    await door.open(listeners)
    try:
        yield door
    finally:
        await door.aclose()


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The TLS settings for STARTTLS. Raises `OSError`, or `ssl.SSLError` if the files do not fit."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
