"""Who may fetch a zone, and how is it sent? The zone door: UDP and TCP, for resolvers that are known.

It is no door for strangers. Whoever is not among the `clients` is not answered at all, and each of these has to
sign with a key of the account, but for those who need none. Nobody holds more than so many connections, and nobody
holds one for long without asking or without taking what was asked for.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol, cast

import dns.name
import dns.rcode
import dns.rdatatype
import structlog
from msgspec import Struct

from mailreeve.doors.line_budget import LineBudget
from mailreeve.formats.networks import IPAddress, Network, within
from mailreeve.web.dns import answers
from mailreeve.web.dns.answers import Keys, Question, Unreadable
from mailreeve.web.dns.peer import Peer, address_of
from mailreeve.web.dns.zone import WrittenZone, Zone

MAX_CONNECTIONS: Final = 100
MAX_PER_CLIENT: Final = 20
MAX_TRANSFERS: Final = 8  # at once; others wait for their turn
MAX_QUESTION: Final = 4_096  # octets; a signed one has some hundreds
MAX_QUESTIONS: Final = 100  # on one connection
UDP_PER_SECOND: Final = 500
IDLE: Final = 20.0  # seconds until a question has to be there
TAKEN_WITHIN: Final = 30.0  # seconds until a message has to be taken
SENT_WITHIN: Final = 600.0  # seconds for a whole transfer
READY_WITHIN: Final = 20.0  # seconds that one waits over TCP for a zone that is being made
READY_WITHIN_UDP: Final = 2.0

_log = structlog.get_logger(__name__)


class Access(Struct, frozen=True):
    """Who is answered: those of the `clients`, of whom the `keyless` need not sign."""

    clients: tuple[Network, ...]
    keyless: tuple[Network, ...] = ()


class ServedZone:
    """A zone as it is now. `keys` are those by which it may be fetched."""

    __slots__ = ("keys", "written", "zone")

    def __init__(self, zone: Zone, written: WrittenZone, keys: frozenset[dns.name.Name]) -> None:
        self.zone = zone
        self.written = written
        self.keys = keys


class Zones(Protocol):
    """The zones that are served."""

    @property
    def keys(self) -> Keys:
        """The keys of all accounts, by name."""

    async def find(self, name: dns.name.Name) -> ServedZone | None:
        """The zone of this name, once it is made; None where there is no such zone."""


class ZoneDoor:
    """Answers what comes over UDP and TCP. For one event loop."""

    def __init__(self, zones: Zones, access: Access) -> None:
        self._zones = zones
        self._access = access
        self._turns = asyncio.Semaphore(MAX_TRANSFERS)
        self._by_client: Counter[IPAddress] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines = LineBudget()
        self._closing = False
        self._second, self._datagrams = 0.0, 0

    @property
    def connections(self) -> int:
        """How many there are now."""
        return self._by_client.total()

    def close(self) -> None:
        """Let go of what is under way."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        self._lines.close()

    # ---- TCP

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first question to its last."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        client = address_of(writer.get_extra_info("peername"))
        try:
            if client is None or not self._may_connect(client):
                return
            self._by_client[client] += 1
            try:
                for _ in range(MAX_QUESTIONS):
                    if not await self._answer_one(client, reader, writer):
                        return
            finally:
                self._by_client[client] -= 1
                if not self._by_client[client]:
                    del self._by_client[client]
        except asyncio.CancelledError:
            # The door closes. Told any further, asyncio takes it for a failure of ours (Python 3.11).
            if not self._closing:
                raise
        except (TimeoutError, OSError, EOFError) as problem:
            # The other side went, or takes nothing. It asks again if it wants to.
            writer.transport.abort()
            _log.debug("zone connection ended", client=str(client), problem=type(problem).__name__)
        finally:
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    def _may_connect(self, client: IPAddress) -> bool:
        if not within(client, self._access.clients):
            self._refused("not among dns_clients", client)
            return False
        if self._by_client.total() >= MAX_CONNECTIONS or self._by_client[client] >= MAX_PER_CLIENT:
            self._refused("too many connections", client)
            return False
        return True

    async def _answer_one(
        self, client: IPAddress, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer the next question; whether there may be another one."""
        async with asyncio.timeout(IDLE):
            try:
                octets = int.from_bytes(await reader.readexactly(2), "big")
            except asyncio.IncompleteReadError:
                return False
            if not 0 < octets <= MAX_QUESTION:
                self._refused("no question", client)
                return False
            wire = await reader.readexactly(octets)
        try:
            question = answers.read(wire, self._zones.keys)
        except Unreadable as problem:
            self._refused("no question", client, str(problem))
            return False
        served, refusal = await self._served(question, client, READY_WITHIN)
        if served is None:
            await _send(writer, refusal)
            return True
        if question.type not in (dns.rdatatype.AXFR, dns.rdatatype.IXFR):
            await _send(writer, answers.short(question, served.zone))
            return True
        async with asyncio.timeout(SENT_WITHIN), self._turns:
            await self._transfer(question, served, client, writer)
        return True

    async def _transfer(
        self, question: Question, served: ServedZone, client: IPAddress, writer: asyncio.StreamWriter
    ) -> None:
        # From here on it is this serial, whatever comes.
        zone, started = served.zone, time.monotonic()
        messages, kind = self._messages(question, zone, served.written, client)
        octets = 0
        # The next message is written by a thread while others have their turn.
        while (message := await asyncio.to_thread(next, messages, None)) is not None:
            octets += len(message)
            await _send(writer, message)
        _log.info(
            "zone sent",
            zone=zone.name.to_text(),
            client=str(client),
            kind=kind,
            serial=zone.serial,
            octets=octets,
            seconds=round(time.monotonic() - started, 3),
        )

    def _messages(
        self, question: Question, zone: Zone, written: WrittenZone, client: IPAddress
    ) -> tuple[Iterator[bytes], str]:
        if question.type == dns.rdatatype.IXFR and question.serial is not None:
            if answers.is_current(question, zone):
                if question.serial != zone.serial:
                    # As after a backup was put back. It says so until somebody has the zone fetched anew.
                    name = zone.name.to_text()
                    _log.warning("a resolver has a newer zone", zone=name, client=str(client), serial=zone.serial)
                return iter([answers.short(question, zone)]), "up to date"
            difference = answers.difference(question, zone, written)
            if difference is not None:
                return difference, "difference"
        return answers.whole(question, zone, written), "whole"

    # ---- UDP

    def datagram(self, wire: bytes, peer: Peer, transport: asyncio.DatagramTransport) -> None:
        """A question came in one packet."""
        client = address_of(peer)
        if client is None or not within(client, self._access.clients):
            if client is not None:
                self._refused("not among dns_clients", client)
            return
        now = time.monotonic()
        if now - self._second >= 1.0:
            self._second, self._datagrams = now, 0
        self._datagrams += 1
        if self._datagrams > UDP_PER_SECOND or len(wire) > MAX_QUESTION:
            return
        task = asyncio.ensure_future(self._answer_datagram(wire, client, peer, transport))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_datagram(
        self, wire: bytes, client: IPAddress, peer: Peer, transport: asyncio.DatagramTransport
    ) -> None:
        try:
            question = answers.read(wire, self._zones.keys)
        except Unreadable as problem:
            self._refused("no question", client, str(problem))
            return
        served, refusal = await self._served(question, client, READY_WITHIN_UDP)
        if served is not None and question.type == dns.rdatatype.AXFR:
            refusal = answers.refusal(question, dns.rcode.FORMERR)  # it is for TCP (RFC 5936 section 4.2)
        elif served is not None:
            refusal = answers.short(question, served.zone)
        if not transport.is_closing():
            transport.sendto(refusal, peer)

    # ---- both

    async def _served(
        self, question: Question, client: IPAddress, wait: float
    ) -> tuple[ServedZone, bytes] | tuple[None, bytes]:
        """The zone that a question is about, or what is to be answered instead."""

        def no(rcode: dns.rcode.Rcode, why: str) -> tuple[None, bytes]:
            self._refused(why, client, question.name.to_text())
            return None, answers.refusal(question, rcode)

        if question.problem:
            return no(dns.rcode.NOTAUTH, question.problem)
        if question.key is None and not within(client, self._access.keyless):
            return no(dns.rcode.REFUSED, "not signed")
        if question.type not in (dns.rdatatype.SOA, dns.rdatatype.AXFR, dns.rdatatype.IXFR):
            return no(dns.rcode.REFUSED, "neither SOA nor a transfer")
        try:
            async with asyncio.timeout(wait):
                served = await self._zones.find(question.name)
        except TimeoutError:
            return no(dns.rcode.SERVFAIL, "the zone is not ready")
        if served is None:
            return no(dns.rcode.NOTAUTH, "no such zone")
        if question.key is not None and question.key.name not in served.keys:
            return no(dns.rcode.NOTAUTH, "the key is another account's")
        return served, b""

    def _refused(self, why: str, client: IPAddress, about: str = "") -> None:
        if self._lines.admits(why, str(client)):
            _log.warning("zone question refused", why=why, client=str(client), about=about[:300])


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(len(message).to_bytes(2, "big") + message)
    async with asyncio.timeout(TAKEN_WITHIN):
        await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, door: ZoneDoor) -> None:
        self._door = door
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asked for its class: uvloop's is none of asyncio's.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        if self._transport is not None:
            self._door.datagram(data, addr, self._transport)


@asynccontextmanager
async def zone_door(
    zones: Zones, access: Access, tcp: Sequence[socket.socket], udp: Sequence[socket.socket]
) -> AsyncIterator[ZoneDoor]:
    """A zone door on these sockets while the block runs."""
    door = ZoneDoor(zones, access)
    loop = asyncio.get_running_loop()
    servers = [await asyncio.start_server(door.connected, sock=one) for one in tcp]
    transports = [(await loop.create_datagram_endpoint(lambda: _Datagrams(door), sock=one))[0] for one in udp]
    try:
        yield door
    finally:
        for server in servers:
            server.close()
        for transport in transports:
            transport.close()
        door.close()
