"""How does a resolver hear at once that a zone changed? NOTIFY (RFC 1996), until it says that it heard.

A packet may be lost, and so may each of the next ones. Who never answers finds the change when it next asks, after
`REFRESH` seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdatatype
import structlog

from mailreeve.web.dns.peer import Peer
from mailreeve.web.dns.zone import Zone

WAITS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds for which an answer is waited for, after each attempt."""

_log = structlog.get_logger(__name__)


class Target(NamedTuple):
    """A resolver that is told."""

    host: str
    port: int


class Notifier:
    """Tells all of the `targets` of changed zones. Packets come from `source`, an address of ours, where that
    matters: resolvers take word from those whom they fetch from."""

    def __init__(self, targets: Sequence[Target], source: str = "") -> None:
        self._targets = tuple(targets)
        self._source = source
        self._telling: dict[tuple[Target, dns.name.Name], asyncio.Task[None]] = {}

    def tell(self, zone: Zone) -> None:
        """Say that the zone has this serial now. What was still to be said of an older one is not said any
        more."""
        for target in self._targets:
            place = (target, zone.name)
            before = self._telling.pop(place, None)
            if before is not None:
                before.cancel()
            task = asyncio.ensure_future(self._tell(target, zone))
            self._telling[place] = task
            task.add_done_callback(partial(self._over, place))

    @property
    def is_telling(self) -> bool:
        """Whether there is somebody who has not said that it heard."""
        return bool(self._telling)

    def close(self) -> None:
        """Say no more."""
        for task in self._telling.values():
            task.cancel()

    def _over(self, place: tuple[Target, dns.name.Name], done: asyncio.Task[None]) -> None:
        if self._telling.get(place) is done:
            del self._telling[place]

    async def _tell(self, target: Target, zone: Zone) -> None:
        where = f"{target.host}:{target.port}"
        message = dns.message.make_query(zone.name, dns.rdatatype.SOA)
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags = (message.flags & ~dns.flags.RD) | dns.flags.AA
        message.answer.append(zone.soa())
        wire = message.to_wire()
        problem = "no answer"
        for wait in WAITS:
            # A new socket each time: one that heard that nobody listens stays so.
            try:
                if await self._heard(target, wire, message, wait):
                    return
            except OSError as refused:
                problem = refused.strerror or str(refused)
                await asyncio.sleep(wait)
        name = zone.name.to_text()
        _log.warning("a resolver does not hear of changes", resolver=where, zone=name, problem=problem)

    async def _heard(self, target: Target, wire: bytes, asked: dns.message.Message, wait: float) -> bool:
        loop = asyncio.get_running_loop()
        is_alike = (":" in self._source) == (":" in target.host)  # both IPv4, or both IPv6
        heard: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Answers(asked, heard),
            local_addr=(self._source, 0) if self._source and is_alike else None,
            remote_addr=target,
        )
        try:
            transport.sendto(wire)
            async with asyncio.timeout(wait):
                await heard
            return True
        except TimeoutError:
            return False
        finally:
            transport.close()


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, asked: dns.message.Message, heard: asyncio.Future[None]) -> None:
        self._asked = asked
        self._heard = heard

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        try:
            answer = dns.message.from_wire(data, keyring=False)
        except (dns.exception.DNSException, ValueError, IndexError):
            return  # whoever sent it, it is no answer
        # Whatever it says, it heard: one who does not have the zone has nothing to fetch.
        if answer.id == self._asked.id and answer.flags & dns.flags.QR and not self._heard.done():
            self._heard.set_result(None)

    def error_received(self, exc: Exception) -> None:
        if not self._heard.done():
            self._heard.set_exception(exc)
