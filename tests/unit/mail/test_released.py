"""A mark of a release holds for its recipient, its decision and its body, and nobody but us can make one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content, read_message
from mailreeve.mail.released import FIELD, ReleaseMarks, body_digest

ANN, BOB = parse_address("ann@corp.test"), parse_address("bob@corp.test")
MARKS = ReleaseMarks(b"k" * 32)
DECISION = "a" * 16
TEXT = Content(b"From: x@shop.test\r\nSubject: x\r\n", (b"\r\nbody\r\n", b".more\r\n"))


def read(content: Content):
    return read_message(bytes(content))


def test_a_mark_is_known_again_for_its_recipient_alone():
    marked = MARKS.marked(TEXT, DECISION, ANN)
    assert bytes(marked).endswith(bytes(TEXT))
    assert MARKS.released(read(marked), [ANN, BOB]) == {ANN.key}
    assert MARKS.released(read(TEXT), [ANN]) == frozenset()


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace(b"body", b"evil"),
        lambda text: text.replace(DECISION.encode(), b"b" * 16),
        lambda text: text.replace(b"; ", b"; 0", 1)[:-1],
        lambda text: text.replace(FIELD.encode(), b"X-Mailreeve-Decision"),
    ],
)
def test_what_was_changed_is_no_mark(forge):
    text = forge(bytes(MARKS.marked(TEXT, DECISION, ANN)))
    assert MARKS.released(read_message(text), [ANN]) == frozenset()


def test_a_mark_of_another_installation_is_none():
    marked = ReleaseMarks(b"x" * 32).marked(TEXT, DECISION, ANN)
    assert MARKS.released(read(marked), [ANN]) == frozenset()


def test_forged_marks_before_it_do_not_hide_it_and_many_are_not_looked_at():
    forged = f"{FIELD}: {DECISION}; {'0' * 64}\r\n".encode()
    marked = bytes(MARKS.marked(TEXT, DECISION, ANN))
    assert MARKS.released(read_message(forged + marked), [ANN]) == {ANN.key}
    assert MARKS.released(read_message(forged * 50 + marked), [ANN]) == frozenset()


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4), st.integers(0, 3))
def test_how_a_body_is_cut_and_how_many_empty_lines_end_it_says_nothing(text, cuts, more):
    whole = b"\r\n" + text.rstrip(b"\r\n")
    places = [0, *sorted(cuts), len(whole) + 6]
    longer = whole + b"\r\n" * more
    pieces = tuple(longer[start:end] for start, end in pairwise(places))
    assert body_digest(pieces) == body_digest((whole,))
