"""What is a zone at one serial, and how did it come to be what it is?

A zone is a value: whoever sends it to somebody goes on with what it was, whatever becomes of it meanwhile. Its
records are written shard by shard, and those of a shard stay as long as nothing in it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
from dns.rdataclass import IN
from msgspec import Struct
from msgspec.structs import replace

from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.zone.names import Changed
from mailreeve.policy.zone.rules import UNSAID, Said
from mailreeve.web.dns.records import TTL, Records, Run, Style

REFRESH: Final = 60
RETRY: Final = 10
EXPIRE: Final = 30 * 86_400
"""Seconds for which resolvers go on with what they have while nobody answers them."""

JOURNAL_STEPS: Final = 1_000
JOURNAL_NAMES: Final = 100_000
"""So many changes, and so many names in them, are remembered for resolvers that have an older zone."""


class Step(Struct, frozen=True, gc=False):
    """A change: from which serial on, and what was said of names before and after."""

    since: int
    changed: Changed


class Zone(Struct, frozen=True):
    """One zone at one serial. `journal` leads up to it, the oldest step first."""

    name: dns.name.Name
    serial: int
    names: Sharded[Said]
    style: Style
    journal: tuple[Step, ...] = ()

    def changed(self, serial: int, names: Sharded[Said], changed: Changed) -> Zone:
        """The zone at a later serial."""
        steps = [*self.journal, Step(self.serial, changed)][-JOURNAL_STEPS:]
        total = sum(len(step.changed) for step in steps)
        dropped = 0
        while dropped < len(steps) and total > JOURNAL_NAMES:
            total -= len(steps[dropped].changed)
            dropped += 1
        return replace(self, serial=serial, names=names, journal=tuple(steps[dropped:]))

    def since(self, serial: int) -> Mapping[str, tuple[Said, Said]] | None:
        """What became of names since a serial, all steps in one; None where that is not known any more."""
        for place, step in enumerate(self.journal):
            if step.since == serial:
                return _joined(step.changed for step in self.journal[place:])
        return None

    def soa(self, serial: int | None = None) -> dns.rrset.RRset:
        """The record of the zone at its serial, or at another one."""
        number = self.serial if serial is None else serial
        text = f"localhost. hostmaster.invalid. {number} {REFRESH} {RETRY} {EXPIRE} {TTL}"
        return _rrset(self.name, "SOA", text)

    def head(self) -> dns.rrset.RRset:
        """What a zone needs beside its `soa`, and nobody looks at."""
        return _rrset(self.name, "NS", "localhost.")


class WrittenZone:
    """Writes a zone as it is at any time, and keeps what is written."""

    def __init__(self, style: Style) -> None:
        self._records = Records(style)
        # By the shard's id, which is another's once the shard is gone: so the shard is kept.
        self._written: dict[int, tuple[dict[str, Said], list[Run]]] = {}

    def runs(self, names: Sharded[Said]) -> Iterator[list[Run]]:
        """The records of all names, shard by shard. Each takes some milliseconds, or none where it is as it
        was."""
        used: dict[int, tuple[dict[str, Said], list[Run]]] = {}
        for shard in names.distinct():
            known = self._written.get(id(shard)) or (shard, list(self._records.wire(shard.items())))
            self._written[id(shard)] = used[id(shard)] = known
            yield known[1]
        self._written = used

    def difference(self, changed: Changed) -> tuple[list[Run], list[Run]]:
        """The records that are gone, and those that are new."""
        gone = self._records.wire((host, before) for host, (before, _) in changed.items() if before != UNSAID)
        come = self._records.wire((host, after) for host, (_, after) in changed.items() if after != UNSAID)
        return list(gone), list(come)


def lines(zone: Zone) -> Iterator[str]:
    """The zone as a file, in the form that every resolver reads (RFC 1035 section 5)."""
    soa = zone.soa()[0].to_text()
    yield f"$ORIGIN {zone.name.to_text()}\n$TTL {TTL}\n@ SOA {soa}\n@ NS localhost.\n"
    yield from Records(zone.style).text((host, zone.names[host]) for host in sorted(zone.names))


def _joined(steps: Iterable[Changed]) -> Changed:
    found: dict[str, tuple[Said, Said]] = {}
    for changed in steps:
        for host, (before, after) in changed.items():
            first = found[host][0] if host in found else before
            found[host] = (first, after)
    return {host: (before, after) for host, (before, after) in found.items() if before != after}


def _rrset(name: dns.name.Name, type_: str, text: str) -> dns.rrset.RRset:
    return dns.rrset.from_text(name, TTL, IN, type_, text)
