"""What does a resolver that asks for a zone hear? Its question in, messages out; no I/O.

SOA, AXFR (RFC 5936), IXFR (RFC 1995): nothing else is answered, for this is no resolver. The library reads what
was asked, checks and makes signatures (RFC 8945), and writes all but the records of names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.renderer
import dns.rrset
import dns.tsig
from dns.rdataclass import IN
from dns.rdtypes.ANY.SOA import SOA
from msgspec import Struct

from mailreeve.policy.zone.serials import is_later
from mailreeve.web.dns.records import ORIGIN, RUN_OCTETS, Run
from mailreeve.web.dns.zone import WrittenZone, Zone

FUDGE: Final = 300
"""Seconds by which the clocks of the two sides may differ."""

LARGE: Final = 1_000
"""A difference of more names that is more than half of the zone is sent as the whole zone."""

_REFUSALS: Final = {
    dns.tsig.BadTime: "the clocks differ too much",
    dns.tsig.BadSignature: "the signature is wrong",
    dns.tsig.BadKey: "the key is wrong",
    dns.tsig.BadAlgorithm: "the algorithm of the signature is wrong",
    dns.message.UnknownTSIGKey: "the key is not known",
}


class Unreadable(ValueError):
    """What came is no question that could be answered; nothing is."""


class Question(Struct, frozen=True):
    """One question that could be read. `key` is what it is signed with, if it is; `problem` says why it is not
    taken for signed although it looks so; `serial` is that of the zone that the other side has (IXFR)."""

    message: dns.message.Message
    name: dns.name.Name
    type: dns.rdatatype.RdataType
    key: dns.tsig.Key | None
    serial: int | None = None
    problem: str = ""


Keys = dict[dns.name.Name, dns.tsig.Key]


def read(wire: bytes, keys: Keys) -> Question:
    """The question in a message. Raises `Unreadable`."""
    problem = ""
    try:
        message = dns.message.from_wire(wire, keyring=keys)
    except tuple(_REFUSALS) as refusal:
        problem = _REFUSALS.get(type(refusal), "the signature is wrong")
        message = _unsigned(wire)
    except (dns.exception.DNSException, ValueError, IndexError) as broken:
        raise Unreadable(str(broken) or type(broken).__name__) from broken
    if message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY or len(message.question) != 1:
        raise Unreadable("it is not one question")
    asked = message.question[0]
    if asked.rdclass != IN:
        raise Unreadable("it is of another class than IN")
    # With keys at hand the library has checked whatever is signed, or raised.
    signed_with = message.keyring if message.had_tsig else None
    key = signed_with if isinstance(signed_with, dns.tsig.Key) else None
    return Question(message, asked.name, asked.rdtype, key, _serial(message, asked.name), problem)


def _unsigned(wire: bytes) -> dns.message.Message:
    try:
        return dns.message.from_wire(wire, keyring=False)
    except (dns.exception.DNSException, ValueError, IndexError) as broken:
        raise Unreadable(str(broken) or type(broken).__name__) from broken


def _serial(message: dns.message.Message, name: dns.name.Name) -> int | None:
    for rrset in message.authority:
        if rrset.rdtype == dns.rdatatype.SOA and rrset.name == name and isinstance(rrset[0], SOA):
            return int(rrset[0].serial)
    return None


def refusal(question: Question, rcode: dns.rcode.Rcode) -> bytes:
    """The answer to a question that is not answered."""
    return _Answer(question, rcode).message([])


def short(question: Question, zone: Zone) -> bytes:
    """The zone's SOA record: what is asked over UDP, and how a resolver hears that it is up to date."""
    return _Answer(question).message([_one(zone.soa())])


def is_current(question: Question, zone: Zone) -> bool:
    """Whether an IXFR is asked for by somebody who has the zone as it is, or as it never was."""
    return question.serial is not None and not is_later(zone.serial, question.serial)


def difference(question: Question, zone: Zone, written: WrittenZone) -> Iterator[bytes] | None:
    """The messages of an incremental transfer; None where the whole zone has to be sent."""
    if question.serial is None:
        return None
    changed = zone.since(question.serial)
    if changed is None or len(changed) > max(LARGE, len(zone.names) // 2):
        return None
    gone, come = written.difference(changed)
    before, now = _one(zone.soa(question.serial)), _one(zone.soa())
    return _messages(question, [now, before, *gone, now, *come, now])


def whole(question: Question, zone: Zone, written: WrittenZone) -> Iterator[bytes]:
    """The messages of a transfer of the whole zone. Between two of them some milliseconds may pass."""

    def runs() -> Iterator[Run]:
        yield _one(zone.soa())
        yield _one(zone.head())
        for several in written.runs(zone.names):
            yield from several
        yield _one(zone.soa())

    return _messages(question, runs())


def _messages(question: Question, runs: Iterable[Run]) -> Iterator[bytes]:
    answer = _Answer(question)
    waiting: list[Run] = []
    size = 0
    for run in runs:
        if waiting and size + len(run.octets) > RUN_OCTETS:
            yield answer.message(waiting)
            waiting, size = [], 0
        waiting.append(run)
        size += len(run.octets)
    yield answer.message(waiting)


def _one(rrset: dns.rrset.RRset) -> Run:
    """A record of the zone itself, as it is in a message that asks for the zone."""
    data = rrset[0].to_wire()
    if data is None:
        raise AssertionError("the library returns what it is given no file for")
    return Run(struct.pack("!HHHIH", ORIGIN, rrset.rdtype, IN, rrset.ttl, len(data)) + data, 1)


class _Answer:
    """The messages that answer one question, each signed as the question was."""

    def __init__(self, question: Question, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> None:
        self._question = question
        self._context: object = None
        flags = dns.flags.QR | (question.message.flags & dns.flags.RD)
        if rcode == dns.rcode.NOERROR:
            flags |= dns.flags.AA
        self._flags = int(flags) | int(rcode)

    def message(self, runs: Iterable[Run]) -> bytes:
        """The next message, with these records."""
        question = self._question
        out = dns.renderer.Renderer(question.message.id, self._flags)
        out.add_question(question.name, question.type)
        for octets, number in runs:
            out.output.write(octets)
            out.counts[dns.renderer.ANSWER] += number
        out.write_header()
        if question.key is not None:
            key = question.key
            self._context = out.add_multi_tsig(
                self._context,
                key.name,
                key,
                FUDGE,
                question.message.id,
                dns.rcode.NOERROR,
                b"",
                question.message.mac,
                key.algorithm,
            )
        return bytes(out.get_wire())
