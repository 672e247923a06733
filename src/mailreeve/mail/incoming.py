"""A message content on its way in: made proper, measured, and kept in pieces. No I/O.

A stranger writes it, and may write 50 MB of carriage returns, of empty lines or of header. So the work is done
while it comes in, piece by piece, in steps that run in C and take a few milliseconds each; nothing is kept per
line, and of a message that will be refused nothing is kept at all.

A bare CR or LF ends no line in SMTP (RFC 5321 section 2.3.8), yet mail servers and readers differ in what they
take it for. Left alone, it would let a sender hide a header field, or the end of the message, from us and show
it to the next hop. So nobody behind us gets to see one, and we read what they will read:

- a line feed ends the line, whatever number of carriage returns stands before it, none included
- any other carriage return is a space in the header, so that none cuts a field or the header in two, and a
  line end in the body

The first, and the space, are what Postfix does (`smtpd_forbid_bare_newline`, `cleanup_replace_stray_cr_lf`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mailreeve.formats.line_lengths import LineLengths
from mailreeve.formats.message import Pieces
from mailreeve.policy.model.facts import MAX_HEADER_OCTETS
from mailreeve.policy.model.policy_types import SmtpReply

TOO_LARGE: Final = SmtpReply(552, "5.3.4", "Message too large")
HEADER_TOO_LARGE: Final = SmtpReply(552, "5.3.4", "Message header too large")
LINE_TOO_LONG: Final = SmtpReply(500, "5.6.0", "Line too long")

_STEP: Final = 1 << 18  # octets that are worked on at once: others wait for as long as that takes
_PIECE: Final = 1 << 16  # octets from which a piece stands for itself: smaller ones are put together

_SHORT_RUN: Final = (
    3  # carriage returns too many before a line feed, which are taken out one by one: that is quicker
)

# Looks at each run of carriage returns once, from its first: to try from every one would take the square of its
# length.
_LINE_END: Final = re.compile(rb"(?<!\r)\r\r+\n")
_HEADER_END: Final = re.compile(rb"(?:\A|\n)(\r*+\n)")


def _is_proper(data: bytes) -> bool:
    pairs = data.count(b"\r\n")
    return data.count(b"\n") == pairs and data.count(b"\r") == pairs


def _made_proper(data: bytes, carriage_return: bytes) -> bytes:
    """The text with every line end a CR LF, and something in place of other carriage returns."""
    if _is_proper(data):
        return data
    for _ in range(_SHORT_RUN):
        if b"\r\r\n" not in data:
            break
        data = data.replace(b"\r\r\n", b"\r\n")
    else:
        data = _LINE_END.sub(b"\n", data)
    return data.replace(b"\r\n", b"\n").replace(b"\r", carriage_return).replace(b"\n", b"\r\n")


class BodyLineEnds:
    """Makes every line end of a body a CR LF; the body comes in pieces, and where they end does not matter."""

    def __init__(self) -> None:
        self._returns = 0  # carriage returns at the end, about which the next octet decides
        self.was_proper = True  # whether every line end so far was a CR LF

    def proper(self, data: bytes) -> Iterator[bytes]:
        """What comes next, with proper line ends; the very same bytes where that is so already."""
        if self._returns:
            rest = data.lstrip(b"\r")
            self._returns += len(data) - len(rest)
            if not rest:
                return
            if rest.startswith(b"\n"):
                self.was_proper = self.was_proper and self._returns == 1
                self._returns = 0
                yield b"\r\n"
                rest = rest[1:]
            yield from self.end()
            data = rest
        text = data.rstrip(b"\r")
        self._returns = len(data) - len(text)
        if text:
            proper = _made_proper(text, b"\n")
            self.was_proper = self.was_proper and proper is text
            yield proper

    def end(self) -> Iterator[bytes]:
        """What was held back, now that no line feed follows. There may be millions."""
        self.was_proper = self.was_proper and not self._returns
        while self._returns:
            number = min(self._returns, _STEP)
            self._returns -= number
            yield b"\r\n" * number


class Incoming:
    """One content, from its first octet to its last. `max_size` and `max_line` are in octets; `utf8` says that the
    sender announced a header in UTF-8 (RFC 6531).

    `refusal` is why it cannot be taken, None while it can. What is kept is at most `max_size` octets, whatever
    comes: line ends that have to be made proper count as what they are made.
    """

    def __init__(self, *, max_size: int, max_line: int, utf8: bool = False) -> None:
        self.utf8 = utf8
        self._max_size = max_size
        self._line_ends = BodyLineEnds()
        self._line_lengths = LineLengths(max_line)
        self._header = bytearray()
        self._in_header = True
        self._searched = 0
        self._pieces: list[bytes] = []
        self._open = bytearray()  # what is too small to be a piece
        self._received = 0
        self._proper = 0
        self.refusal: SmtpReply | None = None
        self._header_was_proper = True

    @property
    def had_bare_ends(self) -> bool:
        """Whether a carriage return or a line feed stood alone, and was made proper."""
        return not (self._header_was_proper and self._line_ends.was_proper)

    @property
    def held(self) -> int:
        """The octets of it that are in memory."""
        return len(self._header) + self._proper if self.refusal is None else 0

    @property
    def size(self) -> int:
        """Its octets, with proper line ends as far as it was kept."""
        return self._received if self.refusal is not None else len(self._header) + self._proper

    @property
    def header_size(self) -> int:
        """The octets of the header as far as it was kept."""
        return len(self._header)

    @property
    def header(self) -> bytes:
        """The header, or all of it where no empty line ended that."""
        return bytes(self._header)

    @property
    def body(self) -> Pieces:
        """What follows the header, from the empty line on."""
        return (*self._pieces, bytes(self._open)) if self._open else tuple(self._pieces)

    def add(self, data: bytes) -> None:
        """Take what comes next."""
        self._received += len(data)
        if self._received > self._max_size:
            self.refuse(TOO_LARGE)
        for at in range(0, len(data), _STEP):
            if self.refusal is not None:
                return
            step = data[at : at + _STEP]
            if self._in_header:
                self._read_header(step)
            else:
                self._read_body(self._line_ends.proper(step))

    def end(self) -> None:
        """Nothing follows."""
        if self.refusal is not None:
            return
        if self._in_header:
            self._end_header(len(self._header))
        self._read_body(self._line_ends.end())

    def refuse(self, reply: SmtpReply) -> None:
        """Keep nothing of it, and only count what comes. What is too large is so whatever came before."""
        if self.refusal is None or reply is TOO_LARGE:
            self.refusal = reply
        self._header = bytearray()
        self._pieces = []
        self._open = bytearray()

    def _read_header(self, data: bytes) -> None:
        before = len(self._header)
        self._header += data
        if b"\n" in data:  # without one, no line is over, nor the header
            end = _HEADER_END.search(self._header, self._searched)
            if end is not None:
                self._end_header(end.start(1))
                return
            self._searched = before + data.rindex(b"\n")
        if len(self._header) > MAX_HEADER_OCTETS:
            self.refuse(HEADER_TOO_LARGE)

    def _end_header(self, end: int) -> None:
        self._in_header = False
        rest = bytes(self._header[end:])
        header = bytes(self._header[:end])
        proper = _made_proper(header, b" ")
        self._header_was_proper = proper is header
        self._header = bytearray(proper)
        if len(self._header) > MAX_HEADER_OCTETS:
            self.refuse(HEADER_TOO_LARGE)
        elif self._line_lengths.exceeded(bytes(self._header)):
            self.refuse(LINE_TOO_LONG)
        else:
            self._read_body(self._line_ends.proper(rest))

    def _read_body(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            self._proper += len(piece)
            if self.held > self._max_size:
                self.refuse(TOO_LARGE)
            elif self._line_lengths.exceeded(piece):
                self.refuse(LINE_TOO_LONG)
            if self.refusal is not None:
                return
            self._keep(piece)

    def _keep(self, data: bytes) -> None:
        if len(data) >= _PIECE and not self._open:
            self._pieces.append(data)
            return
        self._open += data
        if len(self._open) >= _PIECE:
            self._pieces.append(bytes(self._open))
            self._open = bytearray()
