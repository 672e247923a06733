"""Who needs a scan, and what becomes of a message by what came of it: each recipient alone, in one plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.families.tracking.outcomes import (
    LAYER_LOCAL_FAULT,
    LAYER_PUT_OFF,
    MAX_SYMBOLS,
    NotScanned,
    State,
)
from mailreeve.families.tracking.present import Teller
from mailreeve.families.tracking.today import today
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip
from mailreeve.mail.incoming import Incoming
from mailreeve.mail.reception import Reception
from mailreeve.mail.scan import Scan
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.content import OnMalformed, OnReject, OnSpam, SpamAction, SpamSymbol, SpamVerdict
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policy_types import Layer, SmtpReply

MESSAGE = b"From: Ann <ann@out.test>\r\nSubject: hi\r\nX-Mailreeve-Spam: score=0.00\r\n\r\nbody\r\n"
SYMBOLS = tuple(SpamSymbol(f"S{number}", float(-number)) for number in range(20))


class Source:
    def __init__(self, office) -> None:
        self.office = office

    def policies_for(self, recipient, sender):
        return self.office.policies

    @property
    def at_hand(self):
        return self

    def all_policies(self):
        return [self.office.policies]


@pytest.fixture
def receive(office) -> Callable[..., Reception]:
    """`receive("u@corp.test", …)`: a client who has named these recipients."""

    def come(*recipients: str, sender: str = "ann@out.test") -> Reception:
        ids = (f"id{number}" for number in count(1))
        reception = Reception(
            parse_ip("192.0.2.9"), Source(office), lambda: 1.0, new_id=lambda: next(ids), hostname="mx.test"
        )
        reception.introduce("client.out.test", "ann")
        reception.sender(sender)
        for recipient in recipients:
            reception.recipient(recipient)
        return reception

    return come


def content(text: bytes = MESSAGE) -> Incoming:
    incoming = Incoming(max_size=10_000, max_line=1_000)
    incoming.add(text)
    incoming.end()
    return incoming


def said(action: SpamAction, score: float = 7.0, virus: str = "", *, again: bool = False) -> Scan:
    return Scan(SpamVerdict(action, score, 15.0, SYMBOLS, virus, again))


def verdict_of(plan) -> tuple[str, str]:
    """What became of the only recipient, and in which layer, as an explanation says it."""
    (one,) = plan.outcomes
    words = {State.HELD: "hold", State.ACCEPTED: "deliver", State.REJECTED: "reject", State.DEFERRED: "reject"}
    return words[one.state], one.layer


def states(plan) -> dict[str, tuple[State, str]]:
    return {one.recipient: (one.state, one.layer) for one in plan.outcomes}


def copy_of(plan) -> bytes:
    return plan.deliveries[0].content(plan.message, b"").header


def test_the_engine_is_told_what_the_client_said(receive):
    reception = receive("u@corp.test", "v@corp.test")
    request = reception.needs_scan(content())
    assert (request.header, b"".join(request.body)) == (MESSAGE[: MESSAGE.index(b"\r\n\r\n") + 2], b"\r\nbody\r\n")
    assert (request.sender, request.recipients) == ("ann@out.test", ("u@corp.test", "v@corp.test"))
    assert (request.source_ip, request.client_name, request.login) == ("192.0.2.9", "client.out.test", "ann")
    assert (request.queue_id, request.hostname, request.size) == ("id1", "mx.test", len(MESSAGE))


def test_nobody_is_scanned_for_who_would_not_get_it(office, receive):
    """Those that the header has refused are not told to the engine; without anybody else it is not asked."""
    office.block("out.test", to="u@corp.test", part="header_from")
    assert receive("u@corp.test", "v@corp.test").needs_scan(content()).recipients == ("v@corp.test",)
    assert receive("u@corp.test").needs_scan(content()) is None
    refused = content()
    refused.refuse(SmtpReply(552, "5.3.4", "no"))
    assert receive("v@corp.test").needs_scan(refused) is None


def test_mail_that_skips_the_checks_is_scanned_for_viruses_only(office, receive):
    office.permit("out.test", to="u@corp.test")
    assert receive("u@corp.test").needs_scan(content(), finds_viruses=False) is None
    assert receive("u@corp.test").needs_scan(content()) is not None
    # Where one of them needs it, the message is scanned.
    assert receive("u@corp.test", "v@corp.test").needs_scan(content(), finds_viruses=False) is not None


def test_one_message_is_held_for_one_and_delivered_to_another(office, receive):
    office.permit("out.test", to="u@corp.test")
    office.scan("w@corp.test", on_spam=OnSpam.NOTHING)
    office.scan("x@corp.test", on_reject=OnReject.HOLD)
    recipients = [f"{one}@corp.test" for one in "uvwx"]
    reception = receive(*recipients)
    reception.needs_scan(content())
    plan = reception.data(content(), said(SpamAction.ADD_HEADER))
    assert states(plan) == {
        "u@corp.test": (State.ACCEPTED, "permitted_senders"),
        "v@corp.test": (State.HELD, "spam"),
        "w@corp.test": (State.ACCEPTED, "default"),
        "x@corp.test": (State.HELD, "spam"),
    }
    assert plan.refusal is None
    assert {str(step.cause.layer) for step in plan.holds} == {"spam"}
    one = plan.outcomes[0]
    assert (one.spam.action, one.spam.score, len(one.spam.symbols)) == (SpamAction.ADD_HEADER, 7.0, MAX_SYMBOLS)


def test_the_plan_is_the_same_with_and_without_a_look_before(receive):
    """A door that has no scanner calls `data` alone."""
    looked, alone = receive("u@corp.test"), receive("u@corp.test")
    request = looked.needs_scan(content())
    assert request is not None
    first, second = looked.data(content()), alone.data(content())
    assert states(first) == states(second)
    assert first.message == second.message


def test_a_tagged_copy_says_so_and_no_stranger_can(office, receive):
    office.scan(on_spam=OnSpam.TAG, subject_prefix="[Spam?]")
    copy = copy_of(receive("u@corp.test").data(content(), said(SpamAction.REWRITE_SUBJECT)))
    assert copy.count(b"X-Mailreeve-Spam:") == 1
    assert b"X-Mailreeve-Spam: score=7.00 action=rewrite_subject\r\n" in copy
    assert b"Subject: [Spam?] hi\r\n" in copy
    copy = copy_of(receive("u@corp.test").data(content(), said(SpamAction.NO_ACTION)))
    assert b"X-Mailreeve-Spam:" not in copy
    assert b"Subject: hi\r\n" in copy
    without = content(b"From: Ann <ann@out.test>\r\n\r\nbody\r\n")
    assert b"Subject: [Spam?]\r\n" in copy_of(receive("u@corp.test").data(without, said(SpamAction.ADD_HEADER)))


def test_who_is_tagged_gets_a_copy_of_their_own(office, receive):
    """No copy tells of another recipient's policy."""
    office.scan("u@corp.test", on_spam=OnSpam.TAG)
    office.scan("v@corp.test", on_spam=OnSpam.NOTHING)
    plan = receive("u@corp.test", "v@corp.test").data(content(), said(SpamAction.ADD_HEADER))
    assert len(plan.deliveries) == 2
    assert len({one.decision_id for one in plan.deliveries}) == 2


def test_a_message_is_put_off_for_all_or_for_none(office, receive):
    """SMTP has one answer for a content: whoever would have it now would have it twice, or the other never."""
    office.permit("out.test", to="u@corp.test")
    office.block("out.test", to="x@corp.test", part="header_from")
    plan = receive("u@corp.test", "v@corp.test", "x@corp.test").data(content(), said(SpamAction.GREYLIST))
    assert plan.refusal.startswith("451 4.7.1 Greylisted, try again later [")
    assert not plan.deliveries
    assert states(plan) == {
        "u@corp.test": (State.DEFERRED, LAYER_PUT_OFF),
        "v@corp.test": (State.DEFERRED, "spam"),
        "x@corp.test": (State.REJECTED, "blocked_senders"),
    }
    plan = receive("u@corp.test", "v@corp.test").data(content(), said(SpamAction.GREYLIST, again=True))
    assert len(plan.deliveries) == 2


def test_without_an_answer_it_goes_on_and_that_is_recorded(office, receive):
    office.block("out.test", to="x@corp.test", part="header_from")
    plan = receive("u@corp.test", "x@corp.test").data(content(), Scan(not_scanned=NotScanned.NO_ANSWER))
    assert {one.recipient: one.not_scanned for one in plan.outcomes} == {
        "u@corp.test": "no_answer",
        "x@corp.test": "",
    }
    assert len(plan.deliveries) == 1


def test_without_an_answer_it_can_be_put_off(receive):
    refusal = SmtpReply(451, "4.7.1", "Cannot look")
    plan = receive("u@corp.test").data(content(), Scan(not_scanned=NotScanned.NO_ANSWER, refusal=refusal))
    assert plan.refusal.startswith("451 4.7.1 Cannot look [")
    (one,) = plan.outcomes
    assert (one.state, one.layer, one.not_scanned) == (State.DEFERRED, LAYER_LOCAL_FAULT, "no_answer")


def test_a_virus_is_refused_even_to_those_who_permit(office, receive):
    office.permit("out.test")
    plan = receive("u@corp.test").data(content(), said(SpamAction.NO_ACTION, virus="Eicar"))
    assert plan.refusal.startswith("550 5.7.1 Message refused - virus found [")
    assert plan.outcomes[0].layer == Layer.VIRUS


def test_broken_form_is_noted_or_held(office, receive):
    """Without an engine, too: what Incoming made proper, and what stands in the text."""
    broken = MESSAGE.replace(b"body\r\n", b"bo\rdy\0\r\n")
    plan = receive("u@corp.test").data(content(broken))
    assert plan.outcomes[0].flaws == ("bare_line_end", "null_octet")
    assert len(plan.deliveries) == 1
    office.scan("u@corp.test", on_malformed=OnMalformed.HOLD)
    plan = receive("u@corp.test").data(content(broken))
    assert states(plan) == {"u@corp.test": (State.HELD, "malformed")}
    assert plan.holds[0].cause.description == "scanning for u@corp.test"


@given(
    action=st.sampled_from(SpamAction),
    score=st.sampled_from([0.0, 7.0, 20.0]),
    virus=st.sampled_from(["", "Eicar"]),
    again=st.booleans(),
    malformed=st.sampled_from(OnMalformed),
    on_spam=st.sampled_from(OnSpam),
    text=st.sampled_from([MESSAGE, MESSAGE.replace(b"body", b"bo\0dy")]),
    permits=st.booleans(),
)
def test_explanations_and_records_say_what_the_door_did(
    new_office, action, score, virus, again, malformed, on_spam, text, permits
):
    """By the same facts an explanation gives the verdict of the door, and so does what is decided anew from the
    record: `log show` says of today what it says of then."""
    office = new_office().scan(on_malformed=malformed, on_spam=on_spam)
    if permits:
        office.permit("out.test")
    reception = Reception(parse_ip("192.0.2.9"), Source(office), lambda: 1.0, hostname="mx.test")
    reception.sender("ann@out.test")
    reception.recipient("u@corp.test")
    scan = said(action, score, virus, again=again)
    plan = reception.data(content(text), scan)
    (one,) = plan.outcomes
    facts = MessageFacts(
        parse_address("ann@out.test"),
        parse_address("u@corp.test"),
        1.0,
        header_from=(HeaderFrom(parse_address("ann@out.test"), "Ann"),),
        source_ip=parse_ip("192.0.2.9"),
        spam=scan.verdict,
        flaws=one.flaws,
    )
    explained = decide_mail(office.policies, facts, explain=True)
    assert (explained.action.value, explained.layer.value) == verdict_of(plan)
    if explained.reply is not None:
        assert one.reply.startswith(f"{explained.reply} [")
    assert bool(plan.deliveries and b"X-Mailreeve-Spam:" in copy_of(plan)) == (explained.tag is not None)
    now = today(
        office.policies,
        Teller(SimpleNamespace(seal=lambda kind, key, account_id: key), "acme"),
        one,
        datetime.fromtimestamp(2, UTC),
    )
    assert not now.differs
    assert (now.layer, now.verdict) == (
        one.layer,
        State.DELIVERED if one.state is State.ACCEPTED else one.state,
    )
