"""The zone door on real sockets, asked by dnspython: who gets a zone, who does not, and how changes are told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone
import pytest
import uvloop
from structlog.testing import capture_logs

from mailreeve.formats.networks import parse_network
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.web.dns import door as doors
from mailreeve.web.dns import notify
from mailreeve.web.dns.door import Access, ServedZone, zone_door
from mailreeve.web.dns.notify import Notifier, Target
from mailreeve.web.dns.records import Style
from mailreeve.web.dns.zone import WrittenZone, Zone

ORIGIN = dns.name.from_text("everyone.c1.rpz.mailreeve")
KEY = dns.tsig.Key("r1.c1.mailreeve", "c2VjcmV0IG9mIGEga2V5", "hmac-sha256")
FOREIGN = dns.tsig.Key("r1.c2.mailreeve", "YW5vdGhlciBzZWNyZXQ=", "hmac-sha256")
FORGED = dns.tsig.Key(KEY.name, FOREIGN.secret, "hmac-sha256")
HERE = (parse_network("127.0.0.0/8"),)
NOWHERE = (parse_network("192.0.2.0/24"),)
BOTH = 8  # blocked, with all below


class OneZone:
    """Serves one zone, which it changes when it is told."""

    def __init__(self, names: dict[str, int]) -> None:
        style = Style()
        zone = Zone(ORIGIN, 7, Sharded(names), style)
        self.keys = {KEY.name: KEY, FOREIGN.name: FOREIGN}
        self.served = ServedZone(zone, WrittenZone(style), frozenset({KEY.name}))
        self.ready = asyncio.Event()
        self.ready.set()

    async def find(self, name: dns.name.Name) -> ServedZone | None:
        await self.ready.wait()
        return self.served if name == ORIGIN else None

    def block(self, host: str) -> None:
        zone = self.served.zone
        changed = {host: (0, BOTH)}
        self.served.zone = zone.changed(zone.serial + 1, zone.names.changed({host: BOTH}), changed)


Steps = Callable[[OneZone, int], Awaitable[object]]


def served(steps: Steps, *, clients=HERE, keyless=(), names=None) -> object:
    """What comes of some steps while a zone is served, on a port."""

    async def run() -> object:
        zones = OneZone({"bad.test": BOTH} if names is None else names)
        with (
            closing(socket.create_server(("127.0.0.1", 0))) as tcp,
            closing(socket.socket(type=socket.SOCK_DGRAM)) as udp,
        ):
            udp.bind(tcp.getsockname())
            async with zone_door(zones, Access(clients, keyless), [tcp], [udp]), asyncio.timeout(30):
                return await steps(zones, tcp.getsockname()[1])

    return uvloop.run(run())


async def asked(port: int, type_="SOA", *, key=None, name=ORIGIN, over=dns.asyncquery.tcp) -> dns.message.Message:
    message = dns.message.make_query(name, type_)
    if key is not None:
        message.use_tsig(key)
    return await over(message, "127.0.0.1", timeout=5, port=port)


async def transfer(port: int, zone: dns.zone.Zone, key=None, serial=None) -> None:
    """Have the library bring a zone up to date."""
    query, _ = dns.xfr.make_query(zone, serial=serial, keyring=key)
    await dns.asyncquery.inbound_xfr("127.0.0.1", zone, query, port=port, timeout=5, lifetime=20)


@pytest.mark.parametrize("over", [dns.asyncquery.tcp, dns.asyncquery.udp])
@pytest.mark.parametrize(
    ("key", "keyless", "rcode"),
    [
        (KEY, (), dns.rcode.NOERROR),
        (None, (), dns.rcode.REFUSED),
        (None, HERE, dns.rcode.NOERROR),
        (FOREIGN, HERE, dns.rcode.NOTAUTH),
    ],
    ids=["signed", "unsigned", "needs-no-key", "of-another-account"],
)
def test_who_signs_is_answered(over, key, keyless, rcode):
    async def steps(zones, port):
        return await asked(port, key=key, over=over)

    answer = served(steps, keyless=keyless)
    assert answer.rcode() == rcode
    assert bool(answer.answer) is (rcode == dns.rcode.NOERROR)
    assert answer.had_tsig is (key is not None)


def test_a_forged_signature_is_refused_even_where_none_is_needed():
    async def steps(zones, port):
        message = dns.message.make_query(ORIGIN, "AXFR")
        message.use_tsig(FORGED)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wire = message.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        writer.close()
        return dns.message.from_wire(answer, keyring=False)

    answer = served(steps, keyless=HERE)
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOTAUTH, [])


@pytest.mark.parametrize("over", [dns.asyncquery.tcp, dns.asyncquery.udp])
def test_strangers_hear_nothing(over):
    async def steps(zones, port):
        message = dns.message.make_query(ORIGIN, "SOA")
        message.use_tsig(KEY)
        with pytest.raises((EOFError, dns.exception.Timeout, OSError)):
            await over(message, "127.0.0.1", timeout=0.5, port=port)

    served(steps, clients=NOWHERE)


@pytest.mark.parametrize(
    ("type_", "name", "over", "rcode"),
    [
        ("A", ORIGIN, dns.asyncquery.udp, dns.rcode.REFUSED),
        ("TXT", ORIGIN, dns.asyncquery.tcp, dns.rcode.REFUSED),
        ("SOA", "other.c1.rpz.mailreeve", dns.asyncquery.tcp, dns.rcode.NOTAUTH),
        ("SOA", "example.com", dns.asyncquery.udp, dns.rcode.NOTAUTH),
        ("AXFR", ORIGIN, dns.asyncquery.udp, dns.rcode.FORMERR),
    ],
)
def test_nothing_else_is_answered(type_, name, over, rcode):
    async def steps(zones, port):
        return await asked(port, type_, key=KEY, name=name, over=over)

    assert served(steps).rcode() == rcode


def test_a_zone_is_fetched_whole_and_then_by_differences():
    """The library applies them, and has what there is."""

    async def steps(zones, port):
        mine = dns.zone.Zone(ORIGIN)
        await transfer(port, mine, KEY)
        for host in ("worse.test", "worst.test"):
            zones.block(host)
        await transfer(port, mine, KEY, serial=7)
        again = dns.zone.Zone(ORIGIN)
        await transfer(port, again, KEY)
        return mine, again

    mine, again = served(steps, names={f"host{number}.test": BOTH for number in range(1_500)})
    assert mine == again
    assert len(mine.nodes) == 2 * 1_502 + 1
    assert mine.get_soa().serial == 9


def test_a_transfer_that_has_begun_is_of_one_serial(monkeypatch):
    async def steps(zones, port):
        send, sent = doors._send, []

        async def change_between(writer, message):
            sent.append(message)
            if len(sent) == 2:
                zones.block("new.test")
            await send(writer, message)

        monkeypatch.setattr(doors, "_send", change_between)
        mine = dns.zone.Zone(ORIGIN)
        await transfer(port, mine, KEY)
        return mine, len(sent)

    mine, messages = served(steps, names={f"host{number}.test": BOTH for number in range(3_000)})
    assert messages > 3
    assert mine.get_soa().serial == 7
    assert mine.get_node("new.test") is None


def test_a_zone_that_is_not_ready_is_put_off(monkeypatch):
    monkeypatch.setattr(doors, "READY_WITHIN", 0.05)

    async def steps(zones, port):
        zones.ready.clear()
        return await asked(port, key=KEY)

    assert served(steps).rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize("sent", [b"", b"\x00", b"\x00\x00", b"\xff\xff" + b"x" * 100, b"\x00\x04abcd"])
def test_whoever_asks_nothing_is_let_go(sent, monkeypatch):
    monkeypatch.setattr(doors, "IDLE", 0.05)

    async def steps(zones, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer

    assert served(steps) == b""


def test_connections_have_an_end(monkeypatch):
    monkeypatch.setattr(doors, "MAX_PER_CLIENT", 2)

    async def steps(zones, port):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in held:  # each is served, so each counts
            message = dns.message.make_query(ORIGIN, "SOA").to_wire()
            writer.write(len(message).to_bytes(2, "big") + message)
            await reader.readexactly(2)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        refused = await reader.read()
        held[0][1].close()
        for one in (writer, held[1][1]):
            one.close()
        return refused

    assert served(steps) == b""


def test_whoever_takes_nothing_is_dropped(monkeypatch):
    """A transfer to one who does not read ends, and the next one is served."""
    monkeypatch.setattr(doors, "TAKEN_WITHIN", 0.1)
    monkeypatch.setattr(doors, "MAX_TRANSFERS", 1)

    async def steps(zones, port):
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stuck.connect(("127.0.0.1", port))
        message = dns.message.make_query(ORIGIN, "AXFR")
        message.use_tsig(KEY)
        wire = message.to_wire()
        stuck.sendall(len(wire).to_bytes(2, "big") + wire)
        current = dns.message.make_query(ORIGIN, "IXFR")
        current.authority.append(zones.served.zone.soa())
        current.use_tsig(KEY)
        answer = await dns.asyncquery.tcp(current, "127.0.0.1", timeout=20, port=port)
        stuck.close()
        return answer.answer[0][0].serial

    assert served(steps, names={f"host{number}.test": BOTH for number in range(150_000)}) == 7


def test_notify_is_said_until_it_is_heard(monkeypatch):
    """A resolver that is deaf at first hears of the newest serial."""
    monkeypatch.setattr(notify, "WAITS", (0.05,) * 40)

    async def run():
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[tuple[bytes, object]] = asyncio.Queue()

        class Resolver(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, addr):
                heard.put_nowait((data, addr))

        transport, resolver = await loop.create_datagram_endpoint(Resolver, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        notifier = Notifier([Target("127.0.0.1", port)], "127.0.0.1")
        zone = Zone(ORIGIN, 7, Sharded({}), Style())
        notifier.tell(zone)
        async with asyncio.timeout(20):
            await heard.get()
            await heard.get()  # said again
            notifier.tell(zone.changed(8, zone.names, {}))
            while True:
                wire, peer = await heard.get()
                message = dns.message.from_wire(wire)
                if message.answer[0][0].serial == 8:
                    break
            resolver.transport.sendto(dns.message.make_response(message).to_wire(), peer)
            while notifier.is_telling:
                await asyncio.sleep(0)
        transport.close()
        return message

    message = uvloop.run(run())
    assert message.opcode() == dns.opcode.NOTIFY
    assert message.flags & dns.flags.AA
    assert message.question[0].name == ORIGIN


def test_notify_gives_up_and_says_so(monkeypatch):
    """Where nobody answers it ends."""
    monkeypatch.setattr(notify, "WAITS", (0.01, 0.01))

    async def run():
        with closing(socket.socket(type=socket.SOCK_DGRAM)) as deaf:
            deaf.bind(("127.0.0.1", 0))
            notifier = Notifier([Target("127.0.0.1", deaf.getsockname()[1])])
            notifier.tell(Zone(ORIGIN, 7, Sharded({}), Style()))
            async with asyncio.timeout(20):
                while notifier.is_telling:
                    await asyncio.sleep(0)

    with capture_logs() as said:
        uvloop.run(run())
    assert [one["event"] for one in said] == ["a resolver does not hear of changes"]
