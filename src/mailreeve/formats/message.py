"""Where does the header of a message end, and what fields stand in it? Bytes in, the same bytes out.

Nothing here decodes or repairs: a message is split into fields and a body, and joining them gives the
message back byte for byte. What is no field (a line without a name) is kept as a nameless one.

The header ends at the first empty line and nowhere else. Some readers stop earlier, at the first line
that is no field; by reading on we see every field that any of them could see.

A body may be as large as the door allows, so it is held in pieces and never joined: every step that is
made of it is made piece by piece, and no copy of the whole is ever needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from mailreeve.formats.header_text import decoded_words, octets_read, printable

Pieces = tuple[bytes, ...]
"""Text that stands one piece after the other. Where a piece ends means nothing."""

MAX_FIELDS: Final = 2_000
"""More than any honest header has. `read_message` reads one more and leaves the rest together as the last one, and
`Transaction.end_of_message` refuses the message: each field is an object, which takes more than its octets."""

_FIELD_NAME: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")  # RFC 5322 sections 3.6.8 and 4.5
# A field or other line with its continuation lines, which begin with white space (RFC 5322 section 2.2.3).
# Nothing is taken back once it is read, or each line would be remembered until the end of its field.
_FIELD: Final = re.compile(rb"[^\n]*+(?:\n|\Z)(?:[ \t][^\n]*+(?:\n|\Z))*+")
# At each place it looks at few octets that no name has, and at each of them once: a header of nothing else is not
# to keep others waiting.
_HIDDEN_FROM: Final = re.compile(
    rb"""(?:\A | %(break)s) [^!-~\r\n\x0b\x0c\x1c-\x1e\x85]{0,16}+
    f %(unnamed)s r %(unnamed)s o %(unnamed)s m [^!-~\r\n]{0,16}+ :
    ((?:(?!%(break)s)[^\n] | \n[\ \t])*+)    # the value, up to what ends a line for such a reader"""
    % {b"break": rb"(?:[\x0b\x0c\x1c-\x1e\x85]|\xe2\x80[\xa8\xa9])", b"unnamed": rb"[^\ !-~\t\r\n]{0,16}+"},
    re.IGNORECASE | re.VERBOSE,
)
_HEADER_END: Final = re.compile(rb"(?:\A|\n)(\r?\n)")


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


class Content(Struct, frozen=True):
    """A message as it is handed on. `header` has its last line end, `body` begins with the empty line."""

    header: bytes
    body: Pieces = ()

    def pieces(self) -> Iterator[bytes]:
        """The text from its beginning to its end."""
        yield self.header
        yield from self.body

    def __bytes__(self) -> bytes:
        """The whole text at once, for who knows that it is small."""
        return b"".join(self.pieces())


class Message(Struct, frozen=True):
    """A message split where its header ends. `body` begins with the empty line, or is empty."""

    fields: tuple[Field, ...]
    body: Pieces
    size: int

    def named(self, name: str) -> Iterator[Field]:
        """The fields of that name, given in lower case, in their order."""
        return (field for field in self.fields if field.name == name)

    def authors(self) -> Iterator[str]:
        """The values of the From fields, and after each other field of what any reader could take for one in it.

        Nothing but a line feed ends a line here, and nothing but printable ASCII stands in a name (RFC 5322
        section 2.2). Some readers part lines at other control characters and at the line ends of Unicode as well,
        and some take what they cannot show out of a name.
        """
        for field in self.fields:
            if field.name == "from":
                yield field.value
            else:
                for hidden in _HIDDEN_FROM.finditer(field.raw):
                    yield hidden[1].decode("utf-8", "surrogateescape")

    def text(self, name: str, limit: int) -> str:
        """The first such field as a line of text for a record, decoded and cut; empty without one."""
        field = next(self.named(name), None)
        if field is None:
            return ""
        # Cut before decoding too: a stranger wrote it, and nobody needs more than the limit.
        return printable(decoded_words(octets_read(field.value[: limit * 12])), limit)


def header_length(content: bytes) -> int:
    """How many octets the header takes, without the empty line after it."""
    end = _HEADER_END.search(content)
    return end.start(1) if end else len(content)


def read_message(content: bytes, more: Pieces = ()) -> Message:
    """Split a message into its header fields and the body. Takes whatever bytes there are.

    `content` holds the whole header, and perhaps some of the body or all of it; `more` is what follows.
    """
    end = header_length(content)
    body = (content[end:], *more) if end < len(content) else more
    return Message(tuple(_fields(content[:end])), body, len(content) + sum(map(len, more)))


def _fields(header: bytes) -> Iterator[Field]:
    end = 0
    for found in islice(_FIELD.finditer(header), MAX_FIELDS):
        if found[0]:
            end = found.end()
            yield _read_field(found[0])
    if end < len(header):
        yield Field("", header[end:], 0)


def _read_field(raw: bytes) -> Field:
    name = _FIELD_NAME.match(raw)
    if name is None:
        return Field("", raw, 0)
    return Field(name[1].decode("ascii").lower(), raw, name.end())
