"""How is what is said of a name written, as records of a response policy zone?

The library writes a record in about a hundred microseconds, a zone of a million names in more than three minutes.
So the records of names, all of one shape, are written here; all that is around them is the library's (ADR 0072).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import Final, NamedTuple

from dns.rdataclass import IN
from dns.rdatatype import AAAA, CNAME, A
from msgspec import Struct

from mailreeve.formats.networks import IPAddress
from mailreeve.policy.zone.rules import ALLOW, BLOCK, NOTHING, Said, of_below, of_itself

TTL: Final = 60
"""Seconds for which a client may keep what a resolver answers from the zone."""

RUN_OCTETS: Final = 32_000
"""Octets of records that go into one message, about."""

ORIGIN: Final = 0xC00C
"""As the owner of a record, or the end of one: a pointer to the question, which is the name of the zone."""


class Run(NamedTuple):
    """Records that follow each other on the wire, and their number. They fit into any answer about the zone."""

    octets: bytes
    number: int


class _Data(NamedTuple):
    """The data of a record, as it is on the wire behind the owner's name, and as it is in a file."""

    wire: bytes
    text: str


class Style(Struct, frozen=True):
    """What becomes of blocked names: they do not exist, or are at these addresses, those of a block page."""

    block_page: tuple[IPAddress, ...] = ()

    @property
    def digest(self) -> str:
        """What the style is known by: zones of two styles are two zones."""
        return " ".join(map(str, self.block_page))


class Records:
    """Writes the records of names in one style."""

    def __init__(self, style: Style) -> None:
        blocks = [_address(address) for address in style.block_page] or [_data(CNAME, b"\x00", "CNAME .")]
        passes = [_data(CNAME, b"\x0crpz-passthru\x00", "CNAME rpz-passthru.")]
        self._of: Final[Mapping[int, list[_Data]]] = {NOTHING: [], ALLOW: passes, BLOCK: blocks}

    def wire(self, names: Iterable[tuple[str, Said]]) -> Iterator[Run]:
        """The records of names, in runs."""
        parts: list[bytes] = []
        size = 0
        for host, what in names:
            owner = _labels(host)
            for data in self._of[of_itself(what)]:
                parts.append(owner + data.wire)
                size += len(parts[-1])
            for data in self._of[of_below(what)]:
                parts.append(b"\x01*" + owner + data.wire)
                size += len(parts[-1])
            if size >= RUN_OCTETS:
                yield Run(b"".join(parts), len(parts))
                parts, size = [], 0
        if parts:
            yield Run(b"".join(parts), len(parts))

    def text(self, names: Iterable[tuple[str, Said]]) -> Iterator[str]:
        """The records of names, a line each, relative to the zone's name."""
        for host, what in names:
            yield from (f"{host} {data.text}\n" for data in self._of[of_itself(what)])
            below = f"*.{host}" if host else "*"
            yield from (f"{below} {data.text}\n" for data in self._of[of_below(what)])


def _labels(host: str) -> bytes:
    if not host:
        return b""  # what is below it is below the zone
    return b"".join([bytes((len(label),)) + label for label in host.encode("ascii").split(b".")])


def _address(address: IPAddress) -> _Data:
    if isinstance(address, IPv4Address):
        return _data(A, address.packed, f"A {address}")
    return _data(AAAA, address.packed, f"AAAA {address}")


def _data(type_: int, data: bytes, text: str) -> _Data:
    fixed = ORIGIN.to_bytes(2, "big") + type_.to_bytes(2, "big") + IN.to_bytes(2, "big") + TTL.to_bytes(4, "big")
    return _Data(fixed + len(data).to_bytes(2, "big") + data, text)
