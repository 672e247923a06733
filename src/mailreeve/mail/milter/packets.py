"""How is the milter protocol written? Packets in, packets out; no I/O and no state but the bytes to come.

The protocol has no standard. It is what Sendmail's libmilter speaks (its `mfdef.h` names every letter and flag
below), in version 6, and what Postfix does (its `milter8.c`). A packet is its length in four octets, big-endian,
and as many octets: a letter and its data. Texts end with a null octet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntFlag
from typing import Final

VERSION: Final = 6
"""The newest version of the protocol, which Sendmail has spoken since 8.14 and Postfix since 2.6."""

MAX_PACKET: Final = 1 << 19
"""Octets of a packet. Contents come in pieces of 65,535 octets, of more where a filter asks for that, as we do
not; Postfix sends a header field in one packet, and takes 102,400 octets of header unless told otherwise."""


class ProtocolError(Exception):
    """What came is no milter protocol: nothing that follows can be understood."""


class Actions(IntFlag):
    """What a filter may do to a message (`SMFIF_`)."""

    ADD_HEADERS = 0x01
    ADD_RECIPIENTS = 0x04
    DELETE_RECIPIENTS = 0x08
    CHANGE_HEADERS = 0x10
    CHANGE_SENDER = 0x40
    NAME_MACROS = 0x100


class Steps(IntFlag):
    """What the server leaves out, what it wants no reply to, and what it leaves as it is (`SMFIP_`)."""

    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    NO_REPLY_HEADER = 0x80
    NO_REPLY_CONNECT = 0x1000
    NO_REPLY_HELO = 0x2000
    NO_REPLY_END_OF_HEADER = 0x40000
    NO_REPLY_BODY = 0x80000
    LEADING_SPACE = 0x100000


class PacketReader:
    """Cuts what comes in into packets, wherever it is cut on its way."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self.passed_over: frozenset[bytes] = frozenset()
        """The first two octets of packets that nobody wants to see."""

    @property
    def held(self) -> int:
        """Octets of a packet that has not come in wholly."""
        return len(self._waiting)

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Letter and data of each packet that is whole now. Raises `ProtocolError`."""
        waiting = self._waiting
        if waiting:
            waiting += data
            if len(waiting) < 4 or len(waiting) < 4 + _length(waiting, 0):
                return
            # Copied once for each packet that came in pieces, and no other one is touched twice.
            data = bytes(waiting)
            waiting.clear()
        at, size = 0, len(data)
        try:
            while size - at >= 4:
                end = at + 4 + _length(data, at)
                if size < end:
                    break
                start, at = at + 4, end
                if data[start : start + 2] not in self.passed_over:
                    yield data[start : start + 1], data[start + 1 : end]
        finally:
            waiting += data[at:]


_unpack_length: Final = struct.Struct("!I").unpack_from


def _length(data: bytes | bytearray, at: int) -> int:
    """How many octets the packet has that begins there, its own length not counted. Raises `ProtocolError`."""
    length: int = _unpack_length(data, at)[0]
    if not 1 <= length <= MAX_PACKET:
        raise ProtocolError(f"a packet of {length} octets")
    return length


def texts(data: bytes) -> list[bytes]:
    """The texts in a packet, the last one also where its null octet is missing."""
    found = data.split(b"\0")
    if not found[-1]:
        found.pop()
    return found


def packet(letter: bytes, data: bytes = b"") -> bytes:
    """A packet."""
    return struct.pack("!I", len(data) + 1) + letter + data


CONTINUE: Final = packet(b"c")
ACCEPT: Final = packet(b"a")
DISCARD: Final = packet(b"d")


def negotiated(version: int, actions: Actions, steps: Steps, macros: Iterable[tuple[int, bytes]] = ()) -> bytes:
    """The answer to what a server offers: what is used of it, and which macros are wanted at which stage."""
    named = b"".join(struct.pack("!I", stage) + names + b"\0" for stage, names in macros)
    return packet(b"O", struct.pack("!III", version, actions, steps) + named)


def reply(line: str) -> bytes:
    """The SMTP reply to be given instead of the server's own: a code of 4xx or 5xx, enhanced code, text.

    The text stands for a format in Sendmail, so a percent sign is doubled; both servers undo that.
    """
    text = line.replace("%", "%%").encode("ascii", "replace").replace(b"\0", b"?")
    return packet(b"y", text.translate(_ONE_LINE) + b"\0")


_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")


def add_recipient(path: bytes) -> bytes:
    """One more recipient, in angle brackets."""
    return packet(b"+", path + b"\0")


def delete_recipient(path: bytes) -> bytes:
    """One recipient less, written as it came."""
    return packet(b"-", path + b"\0")


def change_sender(path: bytes) -> bytes:
    """Another envelope sender, in angle brackets."""
    return packet(b"e", path + b"\0")


def insert_header(place: int, name: bytes, value: bytes) -> bytes:
    """A new field, above the one at this place among all, from 0."""
    return packet(b"i", struct.pack("!I", place) + name + b"\0" + value + b"\0")


def change_header(number: int, name: bytes, value: bytes) -> bytes:
    """Another value for the field with this number among those of its name, from 1. An empty one takes it out."""
    return packet(b"m", struct.pack("!I", number) + name + b"\0" + value + b"\0")
