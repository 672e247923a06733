"""A mail server that asks a milter and does nothing else: as Postfix asks, but as fast as it is answered."""

from __future__ import annotations

import socket
import struct
import time

LAST = b"acdrty"  # what ends the answers to one event
NO_REPLY = {b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000, b"T": 0x10000, b"L": 0x80, b"N": 0x40000}
NO_REPLY |= {b"B": 0x80000}
OFFERED = (6, 0x1FF, 0x1FFFFF)


class Asking:
    """One connection."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._came = b""
        self._socket.sendall(_packet(b"O", struct.pack("!III", *OFFERED)))
        _, data = self._receive()
        self._steps = struct.unpack("!III", data[:12])[2]
        self._ask((b"C", b"client.test\x004\x9c\x40192.0.2.7\0"))
        self._ask((b"H", b"client.test\0"))

    def message(self, sender: str, recipient: str, content: bytes) -> float:
        """Ask about one message, which has to be taken. The seconds until it was."""
        head, _, body = content.partition(b"\r\n\r\n")
        fields = [line.partition(b":") for line in head.split(b"\r\n")]
        began = time.perf_counter()
        self._ask((b"M", f"<{sender}>".encode() + b"\0"))
        self._ask((b"R", f"<{recipient}>".encode() + b"\0"))
        rest = [(b"L", name + b"\0" + value + b"\0") for name, _, value in fields]
        answer = self._ask((b"T", b""), *rest, (b"N", b""), (b"B", body), (b"E", b""))
        taken = time.perf_counter() - began
        if answer not in b"ac":
            raise SystemExit(f"the milter said {answer!r}")
        self._socket.sendall(_packet(b"A"))
        return taken

    def _ask(self, *events: tuple[bytes, bytes]) -> bytes:
        """Send events, each with its macros as Postfix does. The answer to the last one, nothing where it has
        none."""
        answer, waiting = b"", b""
        for letter, data in events:
            if letter == b"T" and self._steps & 0x200:
                continue
            waiting += _packet(b"D", letter + b"i\x004ABC123\0") + _packet(letter, data)
            if self._steps & NO_REPLY.get(letter, 0):
                continue
            self._socket.sendall(waiting)
            waiting = b""
            while (answer := self._receive()[0]) not in LAST:
                pass
        self._socket.sendall(waiting)
        return answer

    def _receive(self) -> tuple[bytes, bytes]:
        while len(self._came) < 4 or len(self._came) < 4 + int.from_bytes(self._came[:4], "big"):
            part = self._socket.recv(65_536)
            if not part:
                raise SystemExit("the milter closed the connection")
            self._came += part
        end = 4 + int.from_bytes(self._came[:4], "big")
        packet, self._came = self._came[4:end], self._came[end:]
        return packet[:1], packet[1:]

    def close(self) -> None:
        """Leave."""
        self._socket.sendall(_packet(b"Q"))
        self._socket.close()


def _packet(letter: bytes, data: bytes = b"") -> bytes:
    return struct.pack("!I", len(data) + 1) + letter + data
