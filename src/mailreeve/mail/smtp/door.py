"""The listening door: who may come in, and how it is closed again."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from anyio import CapacityLimiter
from structlog.typing import FilteringBoundLogger

from mailreeve.doors.line_budget import LineBudget
from mailreeve.formats.networks import IPAddress, Network, network_of
from mailreeve.mail.outcome_lines import OutcomeLines, PolicyIds, no_ids
from mailreeve.mail.ports import NextHop, PolicySource, Recorder
from mailreeve.mail.record_writer import RecordWriter
from mailreeve.mail.smtp.connection import Connection
from mailreeve.mail.smtp.memory_budget import MemoryBudget
from mailreeve.mail.smtp.retries import Retries
from mailreeve.mail.smtp.session import DoorServices, Session, SmtpSettings

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
        self._per_network: Counter[Network] = Counter()
        self._servers: list[asyncio.Server] = []
        self._address: tuple[str, int] | None = None
        self._closing = False

    @property
    def address(self) -> tuple[str, int]:
        """The address and the port that it listens on, or listened on before it was closed."""
        if self._address is None:
            raise RuntimeError("the door was not opened yet")
        return self._address

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
        refusal = self._crowded(source_ip)
        if refusal is not None:
            if self._services.lines.admits("smtp.crowded", str(source_ip)):
                log.info("smtp.crowded", source_ip=str(source_ip), reply=refusal)
            connection.say_and_close(refusal)
            return
        self._per_network[network_of(source_ip)] += 1
        session = Session(connection, source_ip, self._services)
        task = asyncio.create_task(session.run())
        self._sessions[task] = connection
        task.add_done_callback(lambda done: self._ended(done, source_ip))

    def _crowded(self, source_ip: IPAddress) -> str | None:
        if self._closing:
            return f"421 4.3.2 {self._settings.hostname} Shutting down, try again later"
        if len(self._sessions) >= self._settings.max_connections:
            return f"421 4.3.2 {self._settings.hostname} Too many connections, try again later"
        if self._per_network[network_of(source_ip)] >= self._settings.max_connections_per_ip:
            return f"421 4.7.0 {self._settings.hostname} Too many connections from your address"
        return None

    def _ended(self, task: asyncio.Task[None], source_ip: IPAddress) -> None:
        del self._sessions[task]
        network = network_of(source_ip)
        self._per_network[network] -= 1
        if not self._per_network[network]:
            del self._per_network[network]
        problem = None if task.cancelled() else task.exception()
        if problem is not None and self._services.lines.admits("smtp.session_failed", str(source_ip)):
            log.error("smtp.session_failed", source_ip=str(source_ip), exc_info=problem)


@asynccontextmanager
async def smtp_door(
    settings: SmtpSettings,
    *,
    policies: PolicySource,
    next_hop: NextHop,
    recorder: Recorder,
    tls: ssl.SSLContext | None = None,
    listeners: Sequence[socket.socket] = (),
    clock: Callable[[], float] = time.time,
    policy_ids: PolicyIds = no_ids,
    relay_networks: Iterable[Network] = (),
) -> AsyncIterator[SmtpDoor]:
    """An open SMTP door; it is closed gracefully at the end. It
    listens on `listeners`, or without any where the settings say. `clock` gives POSIX seconds. `policy_ids` are
    for the log, in which mail from the `relay_networks` always has its lines."""
    memory = MemoryBudget(settings.max_receiving)
    records, planning = RecordWriter(recorder), CapacityLimiter(PLANNING)
    lines = LineBudget()
    outcome_lines = OutcomeLines(lines, policy_ids, relay_networks)
    services = DoorServices(
        settings, policies, next_hop, records, Retries(), memory, clock, tls, lines, planning, outcome_lines
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
