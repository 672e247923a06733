"""A copy that we hand on carries marks that hold for it alone, for one attempt, and that nobody but us can make; a
door that finds them lets it pass as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mailreeve.families.machinery.copies import Copy, KeptCopy, Routed
from mailreeve.families.outgoing.rows import Waiting
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content, read_message
from mailreeve.formats.networks import parse_ip
from mailreeve.mail import planning
from mailreeve.mail.released import FIELD, LASTS, ReleaseMarks, body_digest
from mailreeve.mail.transaction import Accepted, Refused, Transaction
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.policy_types import Layer

SENDER = parse_address("x@shop.test")
ANN, BOB = parse_address("u@corp.test"), parse_address("v@corp.test")
DECISION, KEY, ACCOUNT = "a" * 16, "0" * 31 + "1", "account"
NOW = 1_800_000_000.0
TEXT = Content(
    b"Received: from a by b; today\r\nX-Mailreeve-Decision: aaaaaaaaaaaaaaaa\r\n"
    b"From: x@shop.test\r\nSubject: x\r\n",
    (b"\r\nbody\r\n", b".more\r\n"),
)


class Queue:
    """The outgoing copies, as far as marks ask for them."""

    def __init__(self) -> None:
        self.attempts: dict[tuple[str, str], int] = {}

    def __call__(self, account_id: str, key: str, attempts: int) -> bool:
        return self.attempts.get((account_id, key)) == attempts


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def marks(queue):
    return ReleaseMarks(b"k" * 32, queue)


def waiting(account_id: str = ACCOUNT, attempts: int = 0, content: Content = TEXT) -> Waiting:
    copy = Copy(account_id, DECISION, SENDER, (Routed(ANN, ANN),), content)
    return Waiting(KEY, datetime.now(UTC), attempts, "release", 1, KeptCopy(copy, ""))


@pytest.fixture
def handed_on(marks, queue):
    """`handed_on()` begins an attempt to hand on a copy, which then has its marks."""

    def begin(account_id: str = ACCOUNT, attempts: int = 0, content: Content = TEXT):
        queue.attempts[account_id, KEY] = attempts + 1
        return marks.marked(waiting(account_id, attempts, content), content, NOW)

    return begin


def for_whom(marks, content: bytes, *, sender=SENDER, account_id: str = ACCOUNT, now: float = NOW):
    message = read_message(content)
    return [
        (one.recipient, one.decision_id)
        for one in marks.come_back(message, sender, [(ANN, account_id), (BOB, account_id)], now)
    ]


def test_a_mark_is_known_again_for_its_recipient_alone(marks, handed_on):
    made = bytes(handed_on().content)
    assert made.endswith(bytes(TEXT))
    assert for_whom(marks, made) == [(str(ANN), DECISION)]
    assert for_whom(marks, bytes(TEXT)) == []


def test_what_servers_add_on_the_way_changes_nothing(marks, handed_on):
    """Trace fields on top, fields that were missing, other folds, empty lines at the end."""
    made = bytes(handed_on().content)
    changed = b"Return-Path: <x@shop.test>\r\nReceived: from us by postfix; now\r\n" + made.replace(
        b"Subject: x\r\n", b"Subject:\r\n\tx\r\nDate: today\r\nMessage-ID: <1@postfix>\r\nTo: undisclosed\r\n"
    )
    assert for_whom(marks, changed + b"\r\n\r\n") == [(str(ANN), DECISION)]


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace(b"body", b"evil"),
        lambda text: text.replace(b"Subject: x", b"Subject: y"),
        lambda text: text.replace(b"From: x@", b"From: y@"),
        lambda text: text.replace(b"From: ", b"From: boss@corp.test\r\nFrom: "),
        lambda text: text.replace(b"From: ", b"X-Mailreeve-Spam-Checks: skip\r\nFrom: "),
        lambda text: text.replace(DECISION.encode() + b"; 0", b"b" * 16 + b"; 0"),
        lambda text: text.replace(b"; 1; ", b"; 2; "),
        lambda text: text.replace(FIELD.encode(), b"X-Mailreeve-Mark"),
    ],
    ids=["body", "subject", "author", "second author", "own field", "decision", "attempt", "name"],
)
def test_what_was_changed_is_no_mark(marks, handed_on, forge):
    text = bytes(handed_on().content)
    assert forge(text) != text
    assert for_whom(marks, forge(text)) == []


def test_a_mark_holds_for_its_envelope_and_its_account(marks, handed_on):
    made = bytes(handed_on().content)
    assert for_whom(marks, made, sender=BOB) == []
    assert for_whom(marks, made, account_id="another") == []


def test_a_mark_holds_for_one_attempt_and_no_longer_than_it_says(marks, queue, handed_on):
    """It is void once the copy is gone from the queue, or is handed on anew."""
    first = bytes(handed_on().content)
    assert for_whom(marks, first, now=NOW + LASTS) != []
    assert for_whom(marks, first, now=NOW + LASTS + 1) == []
    second = bytes(handed_on(attempts=1).content)
    assert for_whom(marks, first) == []
    assert for_whom(marks, second) == [(str(ANN), DECISION)]
    queue.attempts.clear()
    assert for_whom(marks, second) == []


def test_a_mark_of_another_installation_is_none(queue, handed_on):
    assert for_whom(ReleaseMarks(b"x" * 32, queue), bytes(handed_on().content)) == []


def test_forged_marks_before_it_do_not_hide_it_and_many_are_not_looked_at(marks, handed_on):
    made = bytes(handed_on().content)
    forged = f"{FIELD}: {DECISION}; {KEY}; 1; {int(NOW)}; 00; {'0' * 64}\r\n".encode()
    assert for_whom(marks, forged + made) == [(str(ANN), DECISION)]
    assert for_whom(marks, forged * 50 + made) == []


def test_the_envelope_has_a_mark_of_its_own(marks, queue, handed_on):
    """For its recipient, from its sender, as long as the attempt goes on; it fits into an ENVID (RFC 3461)."""
    id_ = handed_on().envelope_id
    assert len(id_) <= 100
    assert marks.may_come_back(id_, SENDER, ANN, ACCOUNT, NOW)
    others = [(SENDER, BOB, ACCOUNT, NOW), (BOB, ANN, ACCOUNT, NOW), (SENDER, ANN, "another", NOW)]
    assert not any(marks.may_come_back(id_, *one) for one in [*others, (SENDER, ANN, ACCOUNT, NOW + LASTS + 1)])
    assert not marks.may_come_back(id_[:-1] + ("1" if id_[-1] == "0" else "0"), SENDER, ANN, ACCOUNT, NOW)
    assert not marks.may_come_back("QQ314159", SENDER, ANN, ACCOUNT, NOW)
    queue.attempts.clear()
    assert not marks.may_come_back(id_, SENDER, ANN, ACCOUNT, NOW)


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


def came_back(office, marks, made, *recipients: str, with_id: bool = True):
    """What is said at RCPT, and the plan, of a copy that the next hop asks us about."""
    transaction = Transaction(parse_ip("127.0.0.1"), marks=marks)
    transaction.begin(SENDER, NOW, made.envelope_id if with_id else "")
    said = [transaction.rcpt(parse_address(recipient), office.policies) for recipient in recipients]
    return said, transaction.end_of_message(b"Received: by postfix\r\n" + bytes(made.content))


def test_a_copy_that_comes_back_passes_as_it_is(office, marks, handed_on, holding):
    """It is not held again, not altered again, not marked anew and not recorded twice; its mark goes no further.
    For another recipient the message is decided as ever."""
    office.alter("u@corp.test", "w@corp.test")
    made = handed_on(office.policies.account_id)
    _, plan = came_back(office, marks, made, str(ANN), str(BOB))
    (passes,), (held,) = plan.deliveries, plan.holds
    assert ([str(one.effective) for one in passes.recipients], passes.passes) == ([str(ANN)], True)
    assert [str(one.effective) for one in held.recipients] == [str(BOB)]
    assert bytes(passes.content(plan.message, b"")) == b"Received: by postfix\r\n" + bytes(TEXT)
    assert passes.decision_id == DECISION
    assert [one.recipient for one in plan.recorded] == [str(BOB)]


def test_a_forged_mark_lets_nothing_through(office, marks, handed_on, holding):
    made = handed_on(office.policies.account_id)
    content = Content(made.content.header.replace(b"; 1; ", b"; 9; "), made.content.body)
    _, plan = came_back(office, marks, replace(made, content=content), str(ANN))
    assert (plan.deliveries, len(plan.holds)) == ((), 1)
    text = bytes(plan.holds[0].copy(plan.message, b"").content)
    assert FIELD.encode() not in text
    assert text.count(b"X-Mailreeve-Decision") == 1


def test_whose_sender_is_blocked_is_heard_out_at_rcpt_where_the_envelope_says_so(office, marks, handed_on):
    office.block("shop.test")
    made = handed_on(office.policies.account_id)
    said, plan = came_back(office, marks, made, str(ANN), str(BOB))
    assert [type(one) for one in said] == [Accepted, Refused]
    assert [str(one.effective) for step in plan.deliveries for one in step.recipients] == [str(ANN)]


def test_who_is_heard_out_is_refused_in_the_end_where_the_header_does_not_say_so(office, marks, handed_on):
    """The ENVID alone, which a bounce may tell to anybody, admits nothing."""
    office.block("shop.test")
    made = handed_on(office.policies.account_id)
    said, plan = came_back(office, marks, replace(made, content=TEXT), str(ANN))
    assert isinstance(said[0], Accepted)
    assert (plan.deliveries, plan.refusal[:3]) == ((), "550")


def test_no_spam_engine_is_asked_about_what_comes_back(office, marks, handed_on):
    made = handed_on(office.policies.account_id)
    transaction = Transaction(parse_ip("127.0.0.1"), marks=marks)
    transaction.begin(SENDER, NOW, made.envelope_id)
    transaction.rcpt(ANN, office.policies)
    assert transaction.look(bytes(made.content)) == []
