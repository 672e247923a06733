"""Who is let in: nobody whose address is not known, and each network only so often."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from mailreeve.doors.line_budget import PER_NETWORK, LineBudget
from mailreeve.mail.connection import Connection
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.smtp.door import SmtpDoor
from mailreeve.mail.smtp.retries import Retries
from mailreeve.mail.smtp.services import DoorServices, SmtpSettings

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Transport:
    """A connection from this peer, which notes what is written and how it ends."""

    def __init__(self, peer: object) -> None:
        self.peer = peer
        self.written = b""
        self.ended = ""

    def get_extra_info(self, name):
        return self.peer if name == "peername" else None

    def write(self, data):
        self.written += data

    def close(self):
        self.ended = self.ended or "closed"

    def abort(self):
        self.ended = self.ended or "aborted"


class NextHopSession:
    async def reset(self):
        pass

    async def aclose(self):
        pass


class Surroundings:
    """A next hop, a policy source and a recorder of which nothing is asked for long."""

    def session(self):
        return NextHopSession()

    @property
    def at_hand(self):
        return self

    def all_policies(self):
        return []


@pytest.fixture
async def knock():
    """`knock(peer)`: the transport of a connection from there, once the door has seen it."""
    around = Surroundings()
    settings = SmtpSettings(hostname="gate.test", max_connections_per_ip=2, grace=5)
    lines = LineBudget(lambda: 0.0)
    memory = MemoryBudget(1)
    door = SmtpDoor(DoorServices(settings, around, around, around, Retries(), memory, lambda: 0.0, None, lines))
    connections: list[Connection] = []

    async def arrive(peer: object) -> Transport:
        transport = Transport(peer)
        connections.append(Connection(door._accept))
        connections[-1].connection_made(transport)
        return transport

    yield arrive
    for connection in connections:
        connection.connection_lost(None)
    await asyncio.wait_for(door.aclose(), 10)


@pytest.mark.parametrize("peer", [None, "", ("",), ("nonsense", 25), ("300.1.2.3", 25)])
async def test_a_connection_without_an_address_is_aborted(knock, peer):
    """As of one that was reset before it was accepted. Nothing is said, read or decided for it."""
    transport = await knock(peer)
    assert (transport.written, transport.ended) == (b"", "aborted")


async def test_an_ipv6_network_counts_as_one_client(knock):
    """The addresses of a /64 have one limit together; a neighbour has its own, and so has each IPv4 address."""
    for host in ("2001:db8::1", "2001:db8::2"):
        assert (await knock((host, 25, 0, 0))).ended == ""
    third = await knock(("2001:db8::ffff:3", 25, 0, 0))
    assert third.written.startswith(b"421 4.7.0 ")
    assert third.ended == "closed"
    for host in ("2001:db8:0:1::1", "192.0.2.1", "192.0.2.1", "192.0.2.2"):
        assert (await knock((host, 25, 0, 0))).ended == ""
    assert (await knock(("192.0.2.1", 25))).ended == "closed"


@pytest.mark.parametrize(("peer", "event"), [(("192.0.2.1", 1), "smtp.crowded"), (None, "smtp.no_source")])
async def test_connections_that_are_refused_do_not_fill_the_log(knock, peer, event):
    """Nor do those whose address is not known. A neighbour's first line comes all the same."""
    with capture_logs() as lines:
        for _ in range(100):
            await knock(peer)
        for _ in range(3):
            await knock(("192.0.2.2", 1))
    assert [line["event"] for line in lines].count(event) == PER_NETWORK + (event == "smtp.crowded")
    assert lines[-1]["source_ip"] == "192.0.2.2"
