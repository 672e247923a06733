"""A content on its way in: line ends made proper, limits kept, and nothing that depends on how it is cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.mail.incoming import (
    HEADER_TOO_LARGE,
    LINE_TOO_LONG,
    TOO_LARGE,
    Incoming,
    LineLengths,
)
from mailreeve.policy.model.facts import MAX_HEADER_OCTETS

LARGE = 10_000_000

texts = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\r", b"\r\r\n", b"\r\n\r\n", b" ", b"A: ", b"x", b".", b"\0"]),
    max_size=30,
).map(b"".join)


def received(content: bytes, size: int | None = None, max_size: int = LARGE, max_line: int = LARGE) -> Incoming:
    """The content, taken in pieces of that size."""
    incoming = Incoming(max_size=max_size, max_line=max_line)
    step = size or max(len(content), 1)
    for at in range(0, len(content), step):
        incoming.add(content[at : at + step])
    incoming.end()
    return incoming


def whole(incoming: Incoming) -> bytes:
    return incoming.header + b"".join(incoming.body)


def plainly(content: bytes) -> tuple[bytes, bytes]:
    """What the rules say, told in another way: header and body."""
    lines = re.split(rb"\r*\n", content)
    ends = [n for n, line in enumerate(lines[:-1]) if not line]
    # Carriage returns at the end of everything are not followed by a line feed: part of the last line.
    until = ends[0] if ends else len(lines)
    header = b"\r\n".join(line.replace(b"\r", b" ") for line in lines[:until])
    body = b"\r\n".join(line.replace(b"\r", b"\r\n") for line in lines[until:])
    return header + (b"\r\n" if 0 < until < len(lines) else b""), body


@given(texts, st.integers(1, 5))
def test_line_ends_are_made_proper_however_the_content_is_cut(content, size):
    """All at once and piece by piece the same: that of the rules."""
    incoming = received(content)
    assert (incoming.header, b"".join(incoming.body)) == plainly(content)
    in_pieces = received(content, size)
    assert (in_pieces.header, in_pieces.body) == (incoming.header, incoming.body)
    assert incoming.size == in_pieces.size == len(whole(incoming))


@given(texts)
def test_no_stray_carriage_return_or_line_feed_is_left(content):
    """Every CR has its LF and every LF its CR, and to do it again changes nothing."""
    proper = whole(received(content))
    assert proper.count(b"\r\n") == proper.count(b"\r") == proper.count(b"\n")
    assert whole(received(proper)) == proper


@pytest.mark.parametrize(
    ("content", "header", "body"),
    [
        (b"A: 1\r\r\nB: 2\r\r\n\r\nx\r\n", b"A: 1\r\nB: 2\r\n", b"\r\nx\r\n"),
        (b"A: 1\r\r\nB: 2\r\r\n\r\r\nx\r\r\ny\r\r\n", b"A: 1\r\nB: 2\r\n", b"\r\nx\r\ny\r\n"),
        (b"A: one\rtwo\r\nB: 2\r\n\r\nx\ry\r\n", b"A: one two\r\nB: 2\r\n", b"\r\nx\r\ny\r\n"),
        (b"A: 1\r\n\rFrom: b\r\n\r\n", b"A: 1\r\n From: b\r\n", b"\r\n"),
        (b"A: 1\r\r\r\r\rB: 2\r\n\r\n", b"A: 1     B: 2\r\n", b"\r\n"),
        (b"A: 1\nB: 2\n\nx\n", b"A: 1\r\nB: 2\r\n", b"\r\nx\r\n"),
        (b"A: 1\r\n\r\nx\r\r\ry\r\n", b"A: 1\r\n", b"\r\nx\r\n\r\n\r\ny\r\n"),
        (b"\r\r\nx\r\n", b"", b"\r\nx\r\n"),
        (b"A: 1\r\n", b"A: 1\r\n", b""),
        (b"", b"", b""),
    ],
    ids=[
        "CR CR LF", "CR CR LF throughout", "CR in a value", "CR before a field", "CRs in a row", "LF",
        "CRs in a body", "no header", "no body", "nothing",
    ],
)  # fmt: skip
def test_a_carriage_return_never_ends_a_field_or_the_header(content, header, body):
    """Only line feeds do; in the body, where old programs end lines with it, it ends a line."""
    incoming = received(content)
    assert (incoming.header, b"".join(incoming.body)) == (header, body)


@given(st.lists(st.integers(0, 40), max_size=12), st.booleans(), st.integers(1, 9))
def test_long_lines_are_found_wherever_they_stand(lengths, ended, size):
    """Agrees with the plain reading: is any line longer than ten octets?"""
    content = b"\r\n".join(b"x" * length for length in lengths) + (b"\r\n" if ended else b"")
    lines = LineLengths(10)
    pieces = re.findall(rb"(?s)(?:\r\n|.){1,%d}" % size, content)
    assert any(lines.exceeded(piece) for piece in pieces) == any(length > 10 for length in lengths)


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"A: 1\r\n\r\n" + b"x" * 91 + b"\r\n", None),
        (b"A: 1\r\n\r\n" + b"x" * 92 + b"\r\n", LINE_TOO_LONG),
        (b"A: " + b"x" * 92 + b"\r\n\r\n", LINE_TOO_LONG),
        (b"A: 1\r\n\r\n" + b"x\r\n" * 330 + b"\r\n", None),
        (b"A: 1\r\n\r\n" + b"x\r\n" * 331 + b"\r\n", TOO_LARGE),
        (b"A: 1\r\n\r\n" + b"x\n" * 331 + b"\r\n", TOO_LARGE),
        (b"A: 1\r\n\r\n" + b"\r" * 800 + b"x\r\n", TOO_LARGE),
        (b"A: 1\r\n\r\n" + b"\r" * 500 + b"\n", None),
        (b"A: 1\r\n\r\n" + b"x" * 1_000, TOO_LARGE),
    ],
    ids=["line", "long line", "long field", "size", "large", "large by LF", "large by CR", "CRs, LF", "both"],
)
def test_limits_hold_after_line_ends_are_made_proper(content, refusal, size):
    """A thousand octets, 91 in a line; what is refused takes no memory."""
    incoming = received(content, size, max_size=1_000, max_line=91)
    assert incoming.refusal is refusal
    assert incoming.held == (incoming.size if refusal is None else 0)
    assert (whole(incoming) == b"") == (refusal is not None)


@pytest.mark.parametrize("line", [b"A: 1\r\n", b"x" * 70, b"\r", b"a\n", b" \r\n", b"\0"])
def test_a_header_without_end_is_given_up_early(line):
    """No more than the limit is kept of it, and its size is told all the same."""
    incoming = Incoming(max_size=LARGE, max_line=LARGE)
    many = line * (50_000 // len(line))
    for _ in range(MAX_HEADER_OCTETS // len(many) + 2):
        incoming.add(many)
        assert incoming.held <= MAX_HEADER_OCTETS
    assert incoming.refusal is HEADER_TOO_LARGE
    assert incoming.size == len(many) * (MAX_HEADER_OCTETS // len(many) + 2)


def test_what_is_too_large_is_so_whatever_came_before():
    """Else a sender who was put off for want of room would try again and again."""
    incoming = Incoming(max_size=100, max_line=100)
    incoming.add(b"x" * 60)
    incoming.refuse(LINE_TOO_LONG)
    incoming.add(b"x" * 60)
    assert incoming.refusal is TOO_LARGE
    incoming.refuse(LINE_TOO_LONG)
    assert incoming.refusal is TOO_LARGE


def test_small_pieces_are_put_together():
    """An octet at a time must not cost an object for each."""
    content = b"\r\n" + b"line\r\n" * 50_000
    incoming = received(content, 3)
    assert whole(incoming) == content
    assert len(incoming.body) <= len(content) // 65_536 + 1
