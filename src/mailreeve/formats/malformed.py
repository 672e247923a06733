"""What is broken in the form of a message? Bytes in, a few words out; whatever comes, it never raises.

Parsers disagree about broken mail, and that is its danger: what one reader takes for text another takes for an
attachment. So nothing here says what a message *means*, and no verdict rests on its structure alone: it says that
readers may disagree. What readers agree on, such as a preamble before the first boundary, is not broken.

The work is bounded: so many parts, so deep, so many encoded words; who writes more gets `TOO_MANY_PARTS` or
`DEEP`. Each octet is looked at a few times, by searches that run in C, whatever stands there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from mailreeve.formats.header_text import can_decode
from mailreeve.formats.line_lengths import LineLengths
from mailreeve.formats.message import Field, Pieces
from mailreeve.formats.part_limits import MAX_DEPTH, MAX_PART_HEADER, MAX_PARTS

MAX_WORDS: Final = 200
"""So many encoded words of a header are tried."""
MAX_SEARCHED: Final = 8 * 1024 * 1024
"""Octets of a body up to which its parts are looked at: a larger one would have to be copied for it."""
MAX_DELIMITERS: Final = 5_000
"""So many places are looked at that might be a delimiter."""
MAX_LINE: Final = 998
"""Octets of a line without its end (RFC 5322 section 2.1.1)."""


class Flaw(StrEnum):
    """What is broken.

    - `duplicate_field`: a field that may stand there once stands there again (RFC 5322 section 3.6, RFC 2045)
    - `broken_boundary`: a multipart without a boundary, or whose boundary nowhere stands
    - `no_terminator`: a multipart that does not end
    - `eight_bit_header`: raw octets in a header that was not announced as UTF-8 (RFC 6532)
    - `bare_line_end`: a CR or LF on its own, which was made proper when the message came in
    - `null_octet`: a null octet in the body
    - `undecodable_word`: an encoded word that cannot be decoded (RFC 2047)
    - `long_line`: a line of more than 998 octets
    - `unknown_encoding`: a content transfer encoding that no standard knows (RFC 2045 section 6)
    - `deep`: parts nested deeper than is looked at
    - `too_many_parts`: more parts than are looked at
    - `no_field`: a line of the header that is no field
    """

    DUPLICATE_FIELD = "duplicate_field"
    BROKEN_BOUNDARY = "broken_boundary"
    NO_TERMINATOR = "no_terminator"
    EIGHT_BIT_HEADER = "eight_bit_header"
    BARE_LINE_END = "bare_line_end"
    NULL_OCTET = "null_octet"
    UNDECODABLE_WORD = "undecodable_word"
    LONG_LINE = "long_line"
    UNKNOWN_ENCODING = "unknown_encoding"
    DEEP = "deep"
    TOO_MANY_PARTS = "too_many_parts"
    NO_FIELD = "no_field"


_SINGLE: Final = frozenset(
    (
        "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
        "date", "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id",
    )
)  # fmt: skip
_OF_PARTS: Final = frozenset(("content-type", "content-transfer-encoding", "content-disposition", "content-id"))
_ENCODINGS: Final = frozenset(("7bit", "8bit", "binary", "quoted-printable", "base64", "x-uuencode", "x-uue"))
_WORD: Final = re.compile(r"=\?[^?\s]*\?[^?\s]*\?[^?]*\?=")
_BOUNDARY: Final = re.compile(
    r';\s*boundary\s*=\s*(?:"((?:[^"\\\n]|\\.){0,300})"|([^\s;"]{1,300}))', re.IGNORECASE
)
_COMMENT: Final = re.compile(r"\([^()]*\)")
_UNFOLD: Final = re.compile(r"\r?\n(?=[ \t])")
# At the beginning of a line alone, and nothing is taken back: a line without end that has no colon is read once.
_PART_FIELD: Final = re.compile(
    rb"^([!-9;-~]{1,100}+)[ \t]*+:((?:[^\n]*+(?:\n|\Z))(?:[ \t][^\n]*+(?:\n|\Z))*+)", re.MULTILINE
)
_EMPTY_LINE: Final = re.compile(rb"(?:\A|\n)\r?\n")

Field_ = tuple[str, str]  # the name in lower case, and the value


def flaws_of(
    fields: Sequence[Field], body: Pieces, *, utf8: bool = False, had_bare_ends: bool = False
) -> tuple[Flaw, ...]:
    """What is broken, each kind once, in the order of `Flaw`.

    `utf8` says that the sender announced a header in UTF-8; `had_bare_ends` that line ends were made proper.
    """
    found: set[Flaw] = set()
    if had_bare_ends:
        found.add(Flaw.BARE_LINE_END)
    named: list[Field_] = []
    for field in fields:
        _look_at_raw(field.raw, found, utf8=utf8)
        if not field.name:
            found.add(Flaw.NO_FIELD)
        elif field.name in _SINGLE:
            named.append((field.name, field.value))
        elif b"=?" in field.raw:
            _try_words(field.value, found)
    _look_at_fields(named, _SINGLE, found)
    for piece in body:
        if b"\0" in piece:
            found.add(Flaw.NULL_OCTET)
            break
    lengths = LineLengths(MAX_LINE)
    if any(lengths.exceeded(piece) for piece in body):
        found.add(Flaw.LONG_LINE)
    boundary = _multipart(named, found)
    if boundary is not None and sum(map(len, body)) <= MAX_SEARCHED:
        _look_at_parts(boundary, b"".join(body), found)
    return tuple([flaw for flaw in Flaw if flaw in found]) if found else ()


def _look_at_raw(raw: bytes, found: set[Flaw], *, utf8: bool) -> None:
    if not raw.isascii():
        if not utf8:
            found.add(Flaw.EIGHT_BIT_HEADER)
        else:
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                found.add(Flaw.EIGHT_BIT_HEADER)
    if len(raw) > MAX_LINE and LineLengths(MAX_LINE).exceeded(raw):
        found.add(Flaw.LONG_LINE)


def _look_at_fields(named: Sequence[Field_], single: frozenset[str], found: set[Flaw]) -> None:
    """What is said of a header, that of the message or of a part."""
    counts = Counter(name for name, _ in named)
    if any(number > 1 and name in single for name, number in counts.items()):
        found.add(Flaw.DUPLICATE_FIELD)
    for name, value in named:
        if "=?" in value:
            _try_words(value, found)
        if name == "content-transfer-encoding" and _plain(value).lower() not in _ENCODINGS:
            found.add(Flaw.UNKNOWN_ENCODING)


def _try_words(value: str, found: set[Flaw]) -> None:
    for number, word in enumerate(_WORD.finditer(value)):
        if number == MAX_WORDS or Flaw.UNDECODABLE_WORD in found:
            return
        if not can_decode(word[0]):
            found.add(Flaw.UNDECODABLE_WORD)


def _plain(value: str) -> str:
    """The value without comments and folds."""
    return _COMMENT.sub("", value[:1_000]).strip()


def _multipart(named: Sequence[Field_], found: set[Flaw]) -> bytes | None:
    """The boundary, where the fields say that there are parts."""
    for name, value in named:
        if name != "content-type" or value.lstrip()[:10].lower() != "multipart/":
            continue
        boundary = _BOUNDARY.search(_UNFOLD.sub("", value[:4_000]))
        text = "" if boundary is None else (boundary[1] or boundary[2] or "")
        if not text.strip():
            found.add(Flaw.BROKEN_BOUNDARY)
            return None
        return re.sub(r"\\(.)", r"\1", text).rstrip().encode("utf-8", "surrogateescape")
    return None


def _look_at_parts(boundary: bytes, text: bytes, found: set[Flaw]) -> None:
    """Look through the parts. What stands between two delimiters is looked at in place, never copied."""
    todo: list[tuple[bytes, int, int, int]] = [(boundary, 0, len(text), 1)]
    parts = looked_at = 0
    while todo:
        boundary, start, end, depth = todo.pop()
        if depth > MAX_DEPTH:
            found.add(Flaw.DEEP)
            continue
        part: int | None = None
        delimiters, ended = 0, False
        for at, after, kind in _delimiters(boundary, text, start, end):
            looked_at += 1
            if looked_at > MAX_DELIMITERS or parts > MAX_PARTS:
                found.add(Flaw.TOO_MANY_PARTS)
                return
            if kind is None:
                continue
            delimiters += 1
            if part is not None:
                parts += 1
                inner = _look_at_part(text, part, at, found)
                if inner is not None:
                    todo.append((*inner, at, depth + 1))
            part, ended = after, kind
            if ended:
                break
        if not ended:
            found.add(Flaw.NO_TERMINATOR if delimiters else Flaw.BROKEN_BOUNDARY)


def _delimiters(boundary: bytes, text: bytes, start: int, end: int) -> Iterator[tuple[int, int, bool | None]]:
    """Each place that might be a delimiter of the boundary: where it begins, where the line after it does, and
    whether it is the last one; None where it is none at all."""
    delimiter = b"--" + boundary
    at = start
    while (at := text.find(delimiter, at, end)) >= 0:
        after = at + len(delimiter)
        if at == start or text[at - 1 : at] == b"\n":
            line_end = text.find(b"\n", after, min(end, after + 200))
            line_end = min(end, after + 200) if line_end < 0 else line_end + 1
            rest = text[after:line_end].strip()
            if rest in (b"", b"--"):
                yield at, line_end, rest == b"--"
                at = line_end
                continue
        yield at, after, None
        at = after


def _look_at_part(text: bytes, start: int, end: int, found: set[Flaw]) -> tuple[bytes, int] | None:
    """Look at the header of a part; the boundary of its own parts and where they begin, None where it has none."""
    window = text[start : min(end, start + MAX_PART_HEADER)]
    over = _EMPTY_LINE.search(window)
    header = window if over is None else window[: over.start()]
    named = [
        (one[1].decode("ascii").lower(), one[2].decode("utf-8", "surrogateescape"))
        for one in _PART_FIELD.finditer(header)
    ]
    _look_at_fields(named, _OF_PARTS, found)
    boundary = _multipart(named, found)
    return None if boundary is None or over is None else (boundary, start + over.end())
