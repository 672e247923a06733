"""Splitting a message into fields and a rest, without changing an octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.message import MAX_FIELDS, header_length, read_message

# Text in which everything that structures a header is frequent.
headerish = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"From", b"X-A", b"a", b"\x00", b"\xff", b"."]),
    max_size=60,
).map(b"".join)


def joined(content: bytes) -> bytes:
    message = read_message(content)
    return b"".join(field.raw for field in message.fields) + b"".join(message.body)


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
    assert b"".join(message.body) == rest
    assert header_length(content) == len(content) - len(rest)


def test_a_body_in_pieces_stays_in_pieces():
    """What follows the header is not joined."""
    message = read_message(b"A: 1\r\n\r\nbo", (b"dy", b"\r\n"))
    assert message.body == (b"\r\nbo", b"dy", b"\r\n")
    assert message.size == 14
    assert read_message(b"A: 1\r\n", (b"\r\n",)).body == (b"\r\n",)


@given(st.integers(0, 3), st.lists(st.sampled_from([b"A: 1\r\n", b"\tx\r\n", b"nothing\r\n"]), max_size=5))
def test_fields_beyond_the_limit_are_read_as_one(more, end):
    """Nothing is lost of them, and whoever counts sees that there are too many."""
    content = b"B: 2\r\n" * (MAX_FIELDS - 2 + more) + b"".join(end)
    message = read_message(content)
    assert joined(content) == content
    assert len(message.fields) <= MAX_FIELDS + 1


def test_text_of_a_field_is_unfolded_decoded_and_cut():
    """A subject for the record, whatever was in the message."""
    message = read_message(b"Subject: =?utf-8?q?caf=C3=A9?=\r\n and\x00 more\x92\xe9\r\nsubject: second\r\n\r\n")
    assert message.text("subject", 100) == "café and more’é"
    assert message.text("subject", 6) == "café a"
    assert message.text("message-id", 10) == ""
