"""Which parts does a message have, where do they lie, and what do they hold (RFC 2045, RFC 2046)?

A stranger wrote it. So no more is looked at than the limits below say, nothing nests without end, and what cannot
be read is left as it is: a part whose boundary never comes reaches to the end.
"""

from __future__ import annotations

import binascii
import re
import string
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from mailreeve.formats.header_text import decoded_words, octets_read, printable, text_of
from mailreeve.formats.html_text import text_of_html
from mailreeve.formats.message import Field, header_length, read_message
from mailreeve.formats.part_limits import MAX_DEPTH, MAX_PART_HEADER, MAX_PARTS

MOST_BEGUN: Final = 2 * MAX_PARTS  # with those that hold others
MAX_HEADERS: Final = 512 * 1024  # octets of all headers of parts; behind them no part begins
MAX_LINES: Final = 200_000  # lines that begin like a boundary, of which few are one
MAX_BOUNDARY_LINE: Final = 512
MAX_VALUE: Final = 4_096  # characters of a header field that are looked at
MAX_NAME: Final = 255

_TYPE: Final = re.compile(r"\s*([!-.0-~]{1,127})\s*/\s*([!-:<-~]{1,127})")
_PARAMETER: Final = re.compile(r';\s*+([^\s=;"]{1,64})\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;]*+))', re.DOTALL)
_EXTENDED: Final = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")


class Part(Struct, frozen=True):
    """A part that holds no others. `start` and `end` are its place in the body, in octets; `disposition` is
    `attachment`, `inline` or empty, `encoding` its Content-Transfer-Encoding in small letters."""

    number: int
    content_type: str
    name: str
    disposition: str
    content_id: str
    charset: str
    encoding: str
    start: int
    end: int

    @property
    def is_file(self) -> bool:
        """Whether readers show it as a file that is attached, or stands in the text."""
        return bool(self.name) or self.disposition == "attachment" or not self.content_type.startswith("text/")


class _Head(Struct, frozen=True):
    content_type: str
    parameters: dict[str, str]
    name: str
    disposition: str
    content_id: str
    encoding: str

    @property
    def boundary(self) -> bytes:
        """The line between its parts, empty where it has none."""
        boundary = self.parameters.get("boundary", "")
        if not self.content_type.startswith("multipart/") or not boundary:
            return b""
        return b"--" + boundary.encode("utf-8", "surrogateescape").rstrip()

    def part(self, number: int, start: int, end: int) -> Part:
        """What it is the header of."""
        charset = self.parameters.get("charset", "")[:64]
        return Part(
            number,
            self.content_type,
            self.name,
            self.disposition,
            self.content_id,
            charset,
            self.encoding,
            start,
            end,
        )


def read_parts(header: bytes, body: bytes) -> tuple[Part, ...]:
    """The parts of a message in their order, the first `MAX_PARTS`. `body` begins with the empty line."""
    head = _read_head(read_message(header).fields)
    start = _behind_empty_line(body)
    if not head.boundary:
        return (head.part(0, start, len(body)),) if body else ()
    return tuple(_Splitter(head.boundary, body).parts())


def content_of(part: Part, body: bytes, most: int | None = None) -> bytes:
    """What a part holds, its transfer encoding undone; the beginning of it, of about `most` octets. What is not
    encoded as it says is given as far as it can be read."""
    end = part.end
    if most is not None:
        end = min(end, part.start + most * {"base64": 2, "quoted-printable": 3}.get(part.encoding, 1))
    raw = body[part.start : end]
    if part.encoding == "base64":
        raw = _base64(raw)
    elif part.encoding == "quoted-printable":
        raw = binascii.a2b_qp(raw)
    return raw if most is None else raw[:most]


def text_in(parts: Sequence[Part], body: bytes, most: int) -> str:
    """What the message says to a reader: its texts, of HTML the words; about `most` octets of them."""
    left, found = most, []
    for part in parts:
        if left <= 0:
            break
        if part.is_file:
            continue
        octets = content_of(part, body, left)
        left -= len(octets)
        text = text_of(octets, part.charset or "utf-8")
        found.append(text_of_html(text) if part.content_type == "text/html" else text)
    return "\n".join(found)


class _Splitter:
    """Finds the parts between boundaries."""

    def __init__(self, boundary: bytes, body: bytes) -> None:
        self._body = body
        self._open: list[bytes] = []
        self._lines: dict[bytes, tuple[int, bool]] = {}  # what each line means that parts the open ones
        self._begun = self._read = 0  # headers of parts, of those as well that hold others, and their octets
        self._enter(boundary)
        self._head: _Head | None = None
        self._start = 0
        self._found: list[Part] = []

    def parts(self) -> list[Part]:
        for line, before, after in _lines_like_boundaries(self._body):
            meant = self._lines.get(line)
            if meant is None:
                continue
            depth, closes = meant
            self._end_part(before)
            # Who opens parts without end that hold nothing has each header read as well.
            if len(self._found) >= MAX_PARTS or self._begun >= MOST_BEGUN or self._read >= MAX_HEADERS:
                return self._found
            self._leave(depth if closes else depth + 1)
            if not self._open:
                return self._found
            if not closes:
                self._begin_part(after)
        self._end_part(len(self._body))
        return self._found

    def _enter(self, boundary: bytes) -> None:
        self._open.append(boundary)
        self._note_lines()

    def _leave(self, depth: int) -> None:
        """Have no more than so many boundaries open."""
        if depth < len(self._open):
            del self._open[depth:]
            self._note_lines()

    def _note_lines(self) -> None:
        """Of equal boundaries the innermost is meant; a line that is one boundary, and the end of another, is what
        it is of the inner one."""
        self._lines = {}
        for depth, boundary in enumerate(self._open):
            self._lines[boundary + b"--"] = depth, True
            self._lines[boundary] = depth, False

    def _begin_part(self, at: int) -> None:
        text = self._body[at : at + MAX_PART_HEADER]
        length = 0 if _behind_empty_line(text) else header_length(text)
        self._begun += 1
        self._read += length
        head = _read_head(read_message(text[:length]).fields)
        start = at + length + _behind_empty_line(self._body[at + length : at + length + 2])
        if head.boundary and len(self._open) < MAX_DEPTH:
            self._enter(head.boundary)
            return
        self._head, self._start = head, start

    def _end_part(self, end: int) -> None:
        if self._head is not None:
            self._found.append(self._head.part(len(self._found), self._start, max(end, self._start)))
            self._head = None


def _lines_like_boundaries(body: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Lines that begin with two hyphens, without what follows them; where the line end before each begins, which
    belongs to it (RFC 2046 section 5.1.1), and where the line after it begins."""
    at = 0
    for _ in range(MAX_LINES):
        found = body.find(b"\n--", at)
        if found < 0:
            return
        end = body.find(b"\n", found + 1, found + 1 + MAX_BOUNDARY_LINE)
        at = found + 1
        if end < 0:
            if len(body) - found > MAX_BOUNDARY_LINE:
                continue
            end = len(body)
        before = found - 1 if found and body[found - 1] == 0x0D else found
        yield body[found + 1 : end].rstrip(), before, min(end + 1, len(body))


def _behind_empty_line(text: bytes) -> int:
    """How long the line end is that a text begins with; 0 without one."""
    return 2 if text.startswith(b"\r\n") else 1 if text.startswith(b"\n") else 0


def _read_head(fields: Sequence[Field]) -> _Head:
    first: dict[str, str] = {}
    for field in fields:
        if field.name.startswith("content-"):
            first.setdefault(field.name, field.value[:MAX_VALUE])
    kind = _TYPE.match(first.get("content-type", ""))
    parameters = _parameters(first.get("content-type", ""))
    disposition = first.get("content-disposition", "").partition(";")[0].strip().lower()
    name = _parameters(first.get("content-disposition", "")).get("filename") or parameters.get("name", "")
    return _Head(
        f"{kind[1]}/{kind[2]}".lower() if kind else "text/plain",
        parameters,
        printable(decoded_words(octets_read(name)), MAX_NAME),
        "attachment" if disposition == "attachment" else "inline" if disposition == "inline" else "",
        printable(first.get("content-id", "").strip().strip("<>"), MAX_NAME),
        first.get("content-transfer-encoding", "").strip().lower()[:32],
    )


def _parameters(value: str) -> dict[str, str]:
    """The parameters of a field, by name in small letters; those in pieces joined (RFC 2231)."""
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(value):
        quoted, bare = match[2], match[3]
        text = bare.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        extended = _EXTENDED.fullmatch(match[1].lower())
        if extended is None or not (extended[2] or extended[3]):
            found.setdefault(match[1].lower(), text)
        else:
            pieces.setdefault(extended[1], {}).setdefault(int(extended[2] or 0), (text, bool(extended[3])))
    for name, numbered in pieces.items():
        found[name] = _joined([numbered[number] for number in sorted(numbered)])
    return found


def _joined(pieces: Sequence[tuple[str, bool]]) -> str:
    charset, octets = "utf-8", b""
    for number, (text, encoded) in enumerate(pieces):
        rest = text
        if number == 0 and encoded and text.count("'") >= 2:
            charset, _, rest = text.split("'", 2)
        raw = rest.encode("utf-8", "surrogateescape")
        octets += unquote_to_bytes(raw) if encoded else raw
    return text_of(octets, charset or "utf-8")


_NO_BASE64: Final = bytes(set(range(256)).difference(string.ascii_letters.encode(), string.digits.encode(), b"+/"))


def _base64(raw: bytes) -> bytes:
    # Not a regular expression: over many pieces it takes seconds, in which no other thread runs.
    digits = raw.partition(b"=")[0].translate(None, _NO_BASE64)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
