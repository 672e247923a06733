"""Splitting a message into fields and a rest, without changing an octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.mail.message import (
    has_line_over,
    header_length,
    read_message,
    with_proper_line_ends,
)

# Text in which everything that structures a header is frequent.
headerish = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"From", b"X-A", b"a", b"\x00", b"\xff", b"."]),
    max_size=60,
).map(b"".join)


def joined(content: bytes) -> bytes:
    message = read_message(content)
    return b"".join(field.raw for field in message.fields) + message.rest


@given(headerish | st.binary(max_size=200))
def test_fields_and_rest_joined_are_the_message(content):
    """Whatever the bytes, splitting loses and adds nothing."""
    assert joined(content) == content


@pytest.mark.parametrize(
    ("content", "names", "rest"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody\r\n", ["a", "b"], b"\r\nbody\r\n"),
        (b"A: 1\r\n folded\r\n\tmore\r\nB: 2\r\n\r\n", ["a", "b"], b"\r\n"),
        (b"\r\nX: body\r\n", [], b"\r\nX: body\r\n"),
        (b"A: 1\r\nB: 2", ["a", "b"], b""),
        (b"A : 1\r\n\r\n", ["a"], b"\r\n"),
        (b"garbage\r\nA: 1\r\n\r\n", ["", "a"], b"\r\n"),
        (b" continuation of nothing\r\nA: 1\r\n\r\n", ["", "a"], b"\r\n"),
        (b"A: 1\n\nbody", ["a"], b"\nbody"),
        (b"", [], b""),
    ],
    ids=["plain", "folded", "no header", "no body", "space before colon", "no field", "odd start", "LF", "empty"],
)
def test_header_ends_at_the_first_empty_line(content, names, rest):
    """Fields up to the first empty line, nameless ones included; the rest begins with that line."""
    message = read_message(content)
    assert [field.name for field in message.fields] == names
    assert message.rest == rest
    assert header_length(content) == len(content) - len(rest)


@given(headerish | st.binary(max_size=200))
def test_proper_line_ends_leave_no_stray_carriage_return_or_line_feed(content):
    """Afterwards every CR has its LF and every LF its CR, and doing it again changes nothing."""
    proper = with_proper_line_ends(content)
    assert proper.count(b"\r\n") == proper.count(b"\r") == proper.count(b"\n")
    assert with_proper_line_ends(proper) == proper


def test_proper_line_ends_return_proper_content_itself():
    """The ordinary message is not even copied."""
    content = b"A: 1\r\n\r\nbody\r\n"
    assert with_proper_line_ends(content) is content


@given(st.lists(st.integers(0, 40), max_size=12), st.booleans())
def test_long_lines_are_found_wherever_they_stand(lengths, ended):
    """Agrees with the plain reading: is any line longer than ten octets?"""
    content = b"\r\n".join(b"x" * length for length in lengths) + (b"\r\n" if ended else b"")
    assert has_line_over(content, 10) == any(length > 10 for length in lengths)


def test_text_of_a_field_is_unfolded_decoded_and_cut():
    """A subject for the record, whatever was in the message."""
    message = read_message(b"Subject: =?utf-8?q?caf=C3=A9?=\r\n and\x00 more\xff\r\nsubject: second\r\n\r\n")
    assert message.text("subject", 100) == "café and more"
    assert message.text("subject", 6) == "café a"
    assert message.text("message-id", 10) == ""
