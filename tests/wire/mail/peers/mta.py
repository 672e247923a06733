"""A mail server that asks a milter, as Postfix 3.7 does: what it sends, in which order, and what it makes of the
answers. It shares no code with the door."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WAIT = 10.0  # seconds until one gives up

OFFERED = (6, 0x1FF, 0x1FFFFF)  # version, actions, protocol steps, as Postfix offers them
OLD = (2, 0x3F, 0x7F)  # as of Sendmail 8.12: each event is answered, and the sender cannot be changed

NO_REPLY = {b"L": 0x80, b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000, b"N": 0x40000, b"B": 0x80000}
LEADING_SPACE = 0x100000
CHANGES = (b"+", b"-", b"e", b"i", b"h", b"m")


class HungUp(Exception):
    """The milter closed the connection."""


def packed(letter: bytes, data: bytes = b"") -> bytes:
    return struct.pack("!I", len(data) + 1) + letter + data


@dataclass
class Delivered:
    """What the server would deliver."""

    sender: str
    recipients: list[str]
    content: bytes


@dataclass
class Result:
    """What came of a message: the reply to each RCPT and to the content, and what the server delivers if anything.
    A reply is empty where the server uses its own."""

    to_sender: str = ""
    to_recipients: dict[str, str] = field(default_factory=dict)
    to_content: str = ""
    delivered: Delivered | None = None


class Mta:
    """One connection to a milter, on a path or at host and port."""

    def __init__(self, address: str | tuple[str, int], offered: tuple[int, int, int] = OFFERED) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(WAIT)
        self.socket.connect(address)
        self.buffer = b""
        self.offered = offered
        self.letters: list[bytes] = []  # of all that the milter sent

    def close(self) -> None:
        self.socket.close()

    # Packets.

    def send(self, letter: bytes, data: bytes = b"") -> None:
        self.socket.sendall(packed(letter, data))

    def receive(self) -> tuple[bytes, bytes]:
        while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack("!I", self.buffer[:4])[0]:
            data = self.socket.recv(65_536)
            if not data:
                raise HungUp
            self.buffer += data
        (length,) = struct.unpack("!I", self.buffer[:4])
        packet, self.buffer = self.buffer[4 : 4 + length], self.buffer[4 + length :]
        self.letters.append(packet[:1])
        return packet[:1], packet[1:]

    def ask(self, letter: bytes, data: bytes = b"") -> str:
        """Send an event. The reply that the milter wants given, empty where it wants none."""
        self.send(letter, data)
        if self.steps & NO_REPLY.get(letter, 0):
            return ""
        while (answer := self.receive())[0] in CHANGES:
            pass
        return self.said(*answer)

    def wait_for_end(self) -> None:
        """Read until the milter closes the connection."""
        while self.socket.recv(65_536):
            pass

    @staticmethod
    def said(letter: bytes, data: bytes) -> str:
        match letter:
            case b"c" | b"a" | b"d":
                return ""
            case b"y":
                assert data.find(b"\0") == len(data) - 1, data
                return data[:-1].decode("ascii").replace("%%", "%")
            case b"t":
                return "451 4.7.1 Service unavailable - try again later"
            case b"r":
                return "550 5.7.1 Command rejected"
        raise AssertionError(f"an answer {letter!r} {data!r}")

    def macros(self, letter: bytes, **values: str) -> None:
        text = b"".join(f"{name}\0{value}\0".encode() for name, value in values.items())
        self.send(b"D", letter + text)

    # A conversation.

    def negotiate(self) -> None:
        self.send(b"O", struct.pack("!III", *self.offered))
        letter, data = self.receive()
        assert letter == b"O", letter
        self.version, self.actions, self.steps = struct.unpack("!III", data[:12])
        self.named = data[12:]  # the macros that the milter wants
        for mine, taken in zip(self.offered[1:], (self.actions, self.steps), strict=True):
            assert not taken & ~mine, "what was not offered is used"

    def connect(self, ip: str = "127.0.0.1", name: str = "unknown", helo: str = "client.test") -> str:
        """Negotiate and name a client. The milter's reply to that client."""
        self.negotiate()
        self.macros(b"C", j="mx.test", **{"{daemon_name}": "smtpd"})
        family = b"6" if ":" in ip else b"4"
        reply = self.ask(b"C", name.encode() + b"\0" + family + struct.pack("!H", 40_000) + ip.encode() + b"\0")
        if not reply:
            self.macros(b"H")
            self.ask(b"H", helo.encode() + b"\0")
        return reply

    def message(
        self,
        sender: str,
        recipients: Sequence[str],
        content: bytes,
        *,
        parameters: Iterable[str] = (),
        notify: Mapping[str, str] = {},
        login: str = "",
        queue_id: str = "4ABC123",
    ) -> Result:
        """Ask about one message, and do what the milter says."""
        result = Result()
        self.macros(b"M", **({"{auth_authen}": login} if login else {}), **{"{mail_addr}": sender})
        path = f"<{sender}>".encode("utf-8", "surrogateescape")
        said = b"\0".join([path, *(text.encode() for text in parameters)]) + b"\0"
        result.to_sender = self.ask(b"M", said)
        if result.to_sender:
            self.send(b"A")
            return result
        taken = []
        for number, recipient in enumerate(recipients):
            # The first RCPT comes before there is a queue file, and with it an id.
            self.macros(b"R", **({"i": queue_id} if number else {}), **{"{rcpt_addr}": recipient})
            path = f"<{recipient}>".encode("utf-8", "surrogateescape")
            wish = f"NOTIFY={notify[recipient]}\0".encode() if recipient in notify else b""
            reply = self.ask(b"R", path + b"\0" + wish)
            result.to_recipients[recipient] = reply
            if not reply:
                taken.append(recipient)
        if taken:
            self._content(result, sender, taken, content, queue_id)
        self.send(b"A")
        return result

    def _content(self, result: Result, sender: str, recipients: list[str], content: bytes, queue_id: str) -> None:
        fields, body = split(content)
        if not self.steps & 0x200 and self.version > 3:
            self.macros(b"T", i=queue_id)
            self.ask(b"T")
        for name, value in fields:
            self.macros(b"L", i=queue_id)
            shown = value if self.steps & LEADING_SPACE else value.removeprefix(b" ")
            assert self.ask(b"L", name + b"\0" + shown + b"\0") == ""
        self.macros(b"N", i=queue_id)
        self.ask(b"N")
        for at in range(0, len(body), 65_535):
            self.macros(b"B", i=queue_id)
            self.ask(b"B", body[at : at + 65_535])
        self.macros(b"E", i=queue_id)
        self.send(b"E")
        made = Delivered(sender, list(recipients), b"")
        # The server's own field, which the milter was not shown.
        fields = [(b"Received", b" from client.test by mx.test"), *fields]
        while (answer := self.receive())[0] in CHANGES:
            self._change(made, fields, *answer)
        result.to_content = self.said(*answer)
        if answer[0] in b"ca" and made.recipients:
            head = b"".join(name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n" for name, value in fields)
            made.content = head + b"\r\n" + body
            result.delivered = made

    def _change(self, made: Delivered, fields: list[tuple[bytes, bytes]], letter: bytes, data: bytes) -> None:
        needed = {b"+": 4, b"-": 8, b"e": 0x40, b"i": 1, b"h": 1, b"m": 0x10}[letter]
        assert self.actions & needed, f"{letter!r} was not negotiated"
        match letter:
            case b"+" | b"-" | b"e":
                address = re.fullmatch(rb"<(.*)>\0", data)[1].decode("utf-8", "surrogateescape")
                if letter == b"e":
                    made.sender = address
                elif letter == b"+":
                    made.recipients.append(address)
                else:
                    assert address in made.recipients, f"{address} is no recipient"
                    made.recipients.remove(address)
            case b"i":
                (place,) = struct.unpack("!I", data[:4])
                fields.insert(place, self._field(data[4:]))
            case b"m":
                (number,) = struct.unpack("!I", data[:4])
                name, value = self._field(data[4:])
                places = [n for n, (other, _) in enumerate(fields) if other.lower() == name.lower()]
                assert number <= len(places), f"there is no {name!r} {number}"
                if value.strip():
                    fields[places[number - 1]] = fields[places[number - 1]][0], value
                else:
                    del fields[places[number - 1]]

    def _field(self, data: bytes) -> tuple[bytes, bytes]:
        name, value, nothing = data.split(b"\0")
        assert nothing == b""
        assert b"\r" not in value
        return name, value if self.steps & LEADING_SPACE else b" " + value

    def quit(self) -> None:
        self.send(b"A")
        self.send(b"Q")
        assert self.socket.recv(1) == b""


def split(content: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The fields of a proper message, values with line feeds alone, and its body behind the empty line."""
    head, _, body = content.partition(b"\r\n\r\n")
    fields = []
    for text in re.findall(rb"[^\n]+(?:\n[ \t][^\n]*)*", head.replace(b"\r\n", b"\n")):
        name, _, value = text.partition(b":")
        fields.append((name, value))
    return fields, body
