"""A mark of a release holds for its recipient, its decision and its body, and nobody but us can make one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content, read_message
from mailreeve.formats.networks import parse_ip
from mailreeve.mail import planning
from mailreeve.mail.released import FIELD, ReleaseMarks, body_digest
from mailreeve.mail.transaction import Transaction
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.policy_types import Layer

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


@pytest.fixture
def holding(monkeypatch):
    """Every message is held for its content, as a policy may have it."""
    decide = planning.decide_with_header
    monkeypatch.setattr(
        planning,
        "decide_with_header",
        lambda *given: replace(decide(*given), action=Action.HOLD, reply=None, layer=Layer.DEFAULT),
    )


def came_back(office, content: bytes, *recipients: str):
    """The plan for a copy that the next hop asks us about."""
    transaction = Transaction(parse_ip("192.0.2.1"), marks=MARKS)
    transaction.begin(parse_address("x@shop.test"), 0.0)
    for recipient in recipients:
        transaction.rcpt(parse_address(recipient), office.policies)
    return transaction.end_of_message(content)


def test_a_released_copy_that_comes_back_is_not_held_again(office, holding):
    """For its recipient; for another it is held as ever. Its mark goes no further."""
    marked = MARKS.marked(TEXT, DECISION, parse_address("u@corp.test"))
    plan = came_back(office, bytes(marked), "u@corp.test", "v@corp.test")
    (delivered,), (held,) = plan.deliveries, plan.holds
    assert [str(one.effective) for one in delivered.recipients] == ["u@corp.test"]
    assert [str(one.effective) for one in held.recipients] == ["v@corp.test"]
    assert FIELD.encode() not in bytes(delivered.content(plan.message, b""))
    # The archive has the one as what was released, and gets no second copy of it from the door.
    assert {one.recipient: one.was_released for one in plan.outcomes} == {
        "u@corp.test": True,
        "v@corp.test": False,
    }


def test_a_forged_mark_lets_nothing_through(office, holding):
    forged = f"{FIELD}: {DECISION}; {'0' * 64}\r\n".encode() + bytes(TEXT)
    plan = came_back(office, forged, "u@corp.test")
    assert (plan.deliveries, len(plan.holds)) == ((), 1)
    assert FIELD.encode() not in bytes(plan.holds[0].copy(plan.message, b"").content)
