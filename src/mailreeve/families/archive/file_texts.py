"""What do the files of a message say? Texts among them, and messages that are attached, as far as they are read.

A stranger attached them. So it is the beginnings of so many files, for so long, and messages within messages are
followed a few steps. Formats that take a program of their own to read, such as PDF and those of office suites, are
not read at all: their names are all that is searched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from mailreeve.formats.header_text import decoded_words, octets_read, printable, text_of
from mailreeve.formats.html_text import text_of_html
from mailreeve.formats.message import header_length, read_message
from mailreeve.formats.mime import MAX_VALUE, Part, content_of, read_parts, text_in

READ: Final = frozenset({"text/plain", "text/html", "text/csv", "message/rfc822"})
"""Types of the files that are read, as the message says them to be."""

MOST_TEXT: Final = 64 * 1024  # octets of all files of a message
MOST_MESSAGE: Final = 1024 * 1024  # octets of an attached message that are looked through
MOST_FILES: Final = 50  # those of attached messages among them
MOST_STEPS: Final = 3  # from message to attached message
LONGEST: Final = 1.0  # seconds, after which no further file is begun

_SHOWN_FIELDS: Final = ("subject", "from", "to", "cc")


def file_texts(parts: Sequence[Part], body: bytes, clock: Callable[[], float] = time.monotonic) -> str:
    """What the files among the parts of a message say, in one line; empty where none is of a type that is read."""
    return _Reader(clock).text(parts, body)


class _Reader:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = clock() + LONGEST
        self._left = MOST_TEXT
        self._files = MOST_FILES
        self._found: list[str] = []

    def text(self, parts: Sequence[Part], body: bytes) -> str:
        self._read(parts, body, MOST_STEPS)
        return " ".join(" ".join(self._found).split())

    def _read(self, parts: Sequence[Part], body: bytes, steps: int) -> None:
        for part in parts:
            if not part.is_file or part.content_type not in READ:
                continue
            if self._left <= 0 or self._files <= 0 or self._clock() >= self._until:
                return
            self._files -= 1
            if part.content_type == "message/rfc822":
                if steps:
                    self._read_message(content_of(part, body, MOST_MESSAGE), steps - 1)
            else:
                octets = content_of(part, body, self._left)
                text = text_of(octets, part.charset or "utf-8")
                self._take(text_of_html(text) if part.content_type == "text/html" else text, len(octets))

    def _read_message(self, octets: bytes, steps: int) -> None:
        end = header_length(octets)
        header, body = octets[:end], octets[end:]
        for field in read_message(header).fields:
            if field.name in _SHOWN_FIELDS and self._left > 0:
                value = field.value[: min(MAX_VALUE, self._left)]
                self._take(printable(decoded_words(octets_read(value)), MAX_VALUE), len(value))
        parts = read_parts(header, body)
        self._found += [part.name for part in parts if part.name][:MOST_FILES]
        if self._left > 0:
            text = text_in(parts, body, self._left)
            self._take(text, len(text))
        self._read(parts, body, steps)

    def _take(self, text: str, octets: int) -> None:
        self._found.append(text)
        self._left -= octets
