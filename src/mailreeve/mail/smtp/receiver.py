"""From the bytes that an SMTP client sends to command lines and message contents. No I/O.

Why not aiosmtpd, which is a fine server for tests: in the release we looked at (1.4.6) a line without an
end is kept in memory without limit, whatever the size limit says; an end of input cancels the handler,
even while it hands a message on; and the idle timer runs on during a delivery. At a door to the internet
each of these loses mail or memory.

`Receiver` takes bytes in pieces of any size and yields whole events, so pipelining (RFC 2920) needs no
further thought. Only CR LF dot CR LF ends a content (RFC 5321 section 4.1.1.4): a dot between bare line
feeds is text, which is what defeats message smuggling.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

MAX_COMMAND_OCTETS: Final = 2_048
"""RFC 5321 section 4.5.3.1.4 asks for 512; SMTPUTF8 addresses and parameters need more."""

_END: Final = b"\r\n.\r\n"


class CommandLine(Struct, frozen=True):
    """One line of the command kind. `verb` is in upper case; octets that are not UTF-8 become surrogates."""

    verb: str
    argument: str


class OverlongLine(Struct, frozen=True):
    """A command line over the limit, dropped up to its end."""


class ContentPart(Struct, frozen=True):
    """What comes next of a message content, dots unstuffed; `last` if the content ends with it."""

    data: bytes
    last: bool


Event = CommandLine | OverlongLine | ContentPart


class Receiver:
    """Reads command lines, and a message content after `expect_content`. It keeps no more than was fed last."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._dropping_line = False
        self._in_content = False
        self._before_content = 0

    def feed(self, data: bytes) -> None:
        """Take what came over the network."""
        self._buffer += data

    def expect_content(self) -> None:
        """DATA was answered with 354: a message content comes next."""
        self._in_content = True
        # The line end of the DATA command counts, so that a content of nothing but a dot ends as well.
        self._buffer[:0] = b"\r\n"
        self._before_content = 2

    @property
    def has_input(self) -> bool:
        """Whether there is something to be read that has come in."""
        return bool(self._buffer)

    def discard(self) -> bool:
        """Forget unread input, as STARTTLS demands (RFC 3207 section 4.2). Tells whether there was any."""
        had_input = bool(self._buffer)
        self._buffer.clear()
        self._dropping_line = False
        return had_input

    def next_event(self) -> Event | None:
        """The next event, or None if more bytes are needed first."""
        return self._next_content() if self._in_content else self._next_command()

    def _next_command(self) -> CommandLine | OverlongLine | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > MAX_COMMAND_OCTETS:
                self._dropping_line = True
            if self._dropping_line:
                self._buffer.clear()
            return None
        # Commands of clients that end lines with LF alone are understood: no message can hide in one.
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        if self._dropping_line or end >= MAX_COMMAND_OCTETS:
            self._dropping_line = False
            return OverlongLine()
        verb, _, argument = line.decode("utf-8", "surrogateescape").strip(" \t").partition(" ")
        return CommandLine(verb.upper(), argument.strip(" \t"))

    def _next_content(self) -> ContentPart | None:
        end = self._buffer.find(_END)
        last = end >= 0
        # The first line end of what ends the content belongs to it. What may be the beginning of an end waits, so
        # that no part ends within what unstuffing looks at.
        size = end + 2 if last else len(self._buffer) - self._begun_end()
        if not size:
            return None
        with memoryview(self._buffer) as received:
            data = bytes(received[:size])
        del self._buffer[: size + 3 if last else size]
        # Every line that begins with a dot has one too many (RFC 5321 section 4.5.2).
        data = data.replace(b"\r\n.", b"\r\n")[self._before_content :]
        self._before_content = 0
        self._in_content = not last
        return ContentPart(data, last)

    def _begun_end(self) -> int:
        """How many octets at the end of the buffer may be the beginning of what ends a content."""
        return next((n for n in range(len(_END) - 1, 0, -1) if self._buffer.endswith(_END[:n])), 0)
