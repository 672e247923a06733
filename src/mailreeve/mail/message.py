"""Where does the header of a message end, and what fields stand in it? Bytes in, the same bytes out.

Nothing here decodes or repairs: a message is split into fields and a rest, and joining them gives the
message back byte for byte. What is no field (a line without a name) is kept as a nameless one.

The header ends at the first empty line and nowhere else. Some readers stop earlier, at the first line
that is no field; by reading on we see every field that any of them could see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from mailreeve.policy.header_text import decoded_words, printable

_FIELD_NAME: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")  # RFC 5322 sections 3.6.8 and 4.5
# A field or other line with its continuation lines, which begin with white space (RFC 5322 section 2.2.3).
_FIELD: Final = re.compile(rb"[^\n]*(?:\n|\Z)(?:[ \t][^\n]*(?:\n|\Z))*")
_HEADER_END: Final = re.compile(rb"(?:\A|\n)(\r?\n)")
_STRAY_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class Field(Struct, frozen=True):
    """One header field. `name` is in lower case, empty for a line that is no field.

    `raw` is the whole of it with its line ends, `value_at` where the value begins in it.
    """

    name: str
    raw: bytes
    value_at: int

    @property
    def value(self) -> str:
        """The value, folds included; octets that are not UTF-8 become lone surrogates."""
        return self.raw[self.value_at :].decode("utf-8", "surrogateescape")


class Message(Struct, frozen=True):
    """A message split where its header ends. `rest` begins with the empty line, or is empty."""

    fields: tuple[Field, ...]
    rest: bytes
    size: int

    def named(self, name: str) -> Iterator[Field]:
        """The fields of that name, given in lower case, in their order."""
        return (field for field in self.fields if field.name == name)

    def text(self, name: str, limit: int) -> str:
        """The first such field as a line of text for a record, decoded and cut; empty without one."""
        field = next(self.named(name), None)
        if field is None:
            return ""
        # Cut before decoding too: a stranger wrote it, and nobody needs more than the limit.
        return printable(decoded_words(field.value[: limit * 12]), limit)


def header_length(content: bytes) -> int:
    """How many octets the header takes, without the empty line after it."""
    end = _HEADER_END.search(content)
    return end.start(1) if end else len(content)


def read_message(content: bytes) -> Message:
    """Split a message into its header fields and the rest. Takes whatever bytes there are."""
    end = header_length(content)
    fields = tuple(_read_field(part) for part in _FIELD.findall(content[:end]) if part)
    return Message(fields, content[end:], len(content))


def _read_field(raw: bytes) -> Field:
    name = _FIELD_NAME.match(raw)
    if name is None:
        return Field("", raw, 0)
    return Field(name[1].decode("ascii").lower(), raw, name.end())


def with_proper_line_ends(content: bytes) -> bytes:
    """The content with every line end a CRLF; the very same bytes where that is so already.

    A bare CR or LF ends no line in SMTP (RFC 5321 section 2.3.8), yet many mail servers take it for
    one. Left alone, it would let a sender hide a header field, or the end of the message, from us and
    show it to the next hop. So we read what the next hop will read.
    """
    pairs = content.count(b"\r\n")
    if content.count(b"\n") == pairs and content.count(b"\r") == pairs:
        return content
    return _STRAY_LINE_END.sub(b"\r\n", content)


def has_line_over(content: bytes, limit: int) -> bool:
    """Whether any line, without its line end, is longer than `limit` octets. Line ends are CRLF."""
    start = 0
    while len(content) - start > limit + 2:
        end = content.rfind(b"\n", start, start + limit + 2)
        if end < start:
            return True
        start = end + 1
    return len(content) - start > limit and content.find(b"\r\n", start) < 0
