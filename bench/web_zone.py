"""What does it take to make a zone of a million names, to send it, and to send one change of it?

A reader on a real socket takes what comes, as fast as it comes, and counts. Meanwhile the event loop that sends is
asked again and again whether it still answers: the longest that it did not is the stall.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import threading
import time
from contextlib import closing

import dns.message
import dns.name
import structlog
import uvloop
from msgspec import Struct
from rig.report import Judged, show, show_targets

from mailreeve.formats.networks import parse_network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.policies import Changes, Scope, WebAction, WebEntry, WebEntryType, WebPolicy
from mailreeve.policy.zone.names import ZoneNames
from mailreeve.policy.zone.rules import ZoneRules
from mailreeve.web.dns.door import Access, ServedZone, zone_door
from mailreeve.web.dns.records import Style
from mailreeve.web.dns.zone import WrittenZone, Zone

ORIGIN = dns.name.from_text("everyone.c1.rpz.mailreeve")
LIST = 25_000  # entries of one list
ROOM = 220
HERE = (parse_network("127.0.0.0/8"),)


class Sent(Struct, frozen=True):
    """One transfer: seconds until all of it was there, octets, records."""

    seconds: float
    octets: int
    records: int


class OneZone:
    """Serves one zone to whoever asks."""

    def __init__(self, served: ServedZone) -> None:
        self.keys: dict[dns.name.Name, object] = {}
        self.served = served

    async def find(self, name: dns.name.Name) -> ServedZone:
        return self.served


def lists(count: int) -> list[WebPolicy]:
    """Lists with so many entries together: domains of two labels, and one in ten a name below another one."""
    entries = [
        WebEntry(
            f"e{n}",
            WebEntryType.DOMAIN,
            f"a{n % 97}.site{n - 1}.test" if n % 10 == 9 else f"site{n}.test",
            WebAction.ALLOW if n % 50 == 49 else WebAction.BLOCK,
        )
        for n in range(count)
    ]
    return [
        WebPolicy(f"p{at}", "a list", (Scope.of(),), tuple(entries[at : at + LIST]), float(at))
        for at in range(0, count, LIST)
    ]


def fetch(port: int, question: dns.message.Message) -> Sent:
    """Take a transfer to its end: the second SOA record of an AXFR, the third that is the newest of an IXFR. Only
    the numbers in the heads of messages are read, so that the reader is no part of what is measured."""
    wire = question.to_wire()
    began = time.perf_counter()
    octets = records = 0
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as reading:
        connection.sendall(len(wire).to_bytes(2, "big") + wire)
        connection.shutdown(socket.SHUT_WR)  # it is the only question, so the end of the answer is the end of all
        while head := reading.read(2):
            message = reading.read(int.from_bytes(head, "big"))
            octets += len(message)
            records += int.from_bytes(message[6:8], "big")
    return Sent(time.perf_counter() - began, octets, records)


async def watched(work: threading.Thread) -> float:
    """The longest that the loop did not answer while the thread worked, in seconds."""
    worst, before = 0.0, time.perf_counter()
    while work.is_alive():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        worst, before = max(worst, now - before - 0.001), now
    return worst


async def measure(count: int) -> list[tuple[str, float, str]]:
    """The rows of the table, and the figures that are judged."""
    found: list[tuple[str, float, str]] = []
    policies = PolicySet.build(account_id="a", revision=1, web=lists(count))
    cpu = time.process_time()
    names = ZoneNames(ZoneRules(policies, 0.0, (), ROOM))
    found.append(("made, CPU s", time.process_time() - cpu, f"{len(names.names):,} names"))
    style = Style()
    served = ServedZone(Zone(ORIGIN, 1, names.names, style), WrittenZone(style), frozenset())
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as tcp,
        closing(socket.socket(type=socket.SOCK_DGRAM)) as udp,
    ):
        udp.bind(tcp.getsockname())
        port = tcp.getsockname()[1]
        async with zone_door(OneZone(served), Access(HERE, HERE), [tcp], [udp]):
            for title in ("AXFR, first", "AXFR, again"):
                sent, stall, used = await timed(port, dns.message.make_query(ORIGIN, "AXFR"))
                size = f"{sent.records:,} records, {sent.octets / 1e6:.0f} MB"
                what = f"{size}, {used:.1f} s CPU, stall {stall * 1e3:.0f} ms"
                found.append((f"{title}, s", sent.seconds, what))
            before = served.zone
            entry = WebEntry("e", WebEntryType.DOMAIN, "new.test", WebAction.BLOCK)
            new = WebPolicy("new", "new", (Scope.of(),), (entry,), 1.0)
            began = time.perf_counter()
            after = policies.changed(revision=2, web=Changes([new]))
            indexed = time.perf_counter()
            changed = names.change(ZoneRules(after, 0.0, (), ROOM))
            served.zone = before.changed(2, names.names, changed)
            took = (time.perf_counter() - indexed) * 1e3
            found.append(("one change found, ms", took, f"policies {(indexed - began) * 1e3:.1f} ms"))
            question = dns.message.make_query(ORIGIN, "IXFR")
            question.authority.append(before.soa())
            several = [(await timed(port, question))[0] for _ in range(20)]
            times = sorted(one.seconds * 1e3 for one in several)
            what = f"worst of 20 {times[-1]:.1f} ms, {several[0].records} records"
            found.append(("IXFR of it, ms", times[len(times) // 2], what))
    return found


async def timed(port: int, question: dns.message.Message) -> tuple[Sent, float, float]:
    """A transfer, the stall of the loop meanwhile, and the CPU that both sides took."""
    found: list[Sent] = []
    work = threading.Thread(target=lambda: found.append(fetch(port, question)))
    used = time.process_time()
    work.start()
    stall = await watched(work)
    return found[0], stall, time.process_time() - used


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=1_000_000, help="entries of all lists")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows = uvloop.run(measure(given.names))
    show(
        f"A zone of {given.names:,} entries",
        "the reader is a thread of the same process; CPU is that of both",
        ("what", "figure", ""),
        [(title, f"{figure:.2f}", note) for title, figure, note in rows],
    )
    figures = {title: figure for title, figure, _ in rows}
    show_targets(
        f"A zone of {given.names:,} names",
        [
            Judged("AXFR, first", 30, figures["AXFR, first, s"], "s"),
            Judged("IXFR of one change", 50, figures["IXFR of it, ms"], "ms"),
        ],
    )


if __name__ == "__main__":
    main()
