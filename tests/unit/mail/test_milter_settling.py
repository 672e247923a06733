"""What becomes of a plan at a door that holds one message: a copy in place, copies that are kept, the answer."""

from __future__ import annotations

from mailreeve.families.machinery.copies import HoldCause
from mailreeve.families.tracking.outcomes import State
from mailreeve.formats.addresses import parse_address
from mailreeve.mail.milter.changes import Envelope
from mailreeve.mail.milter.packets import ACCEPT, DISCARD, add_recipient, change_sender, delete_recipient
from mailreeve.mail.milter.settling import settle
from mailreeve.mail.plan import Deliver, Hold, Plan, Record
from mailreeve.mail.transaction import Accepted
from mailreeve.policy.model.policy_types import Layer

TEXT = b"From: ann@out.test\r\nSubject: hello\r\n\r\nHi.\r\n"
ON_TOP = b"Received: by gate.test\r\n"
ANN = "ann@out.test"


def planned(office, begin, *recipients: str, sender: str = ANN, text: bytes = TEXT) -> tuple[Plan, Envelope]:
    """The plan for a message, and the envelope as the server has it."""
    dialogue = begin(sender)
    for recipient in recipients:
        assert isinstance(*dialogue.rcpt(recipient), Accepted)
    paths = {recipient: (f"<{recipient}>".encode(),) for recipient in recipients}
    return dialogue.transaction.end_of_message(text), Envelope(parse_address(sender), paths)


def held(plan: Plan, recipient: str) -> Plan:
    """The same plan with the copy for this recipient held."""
    steps = []
    for step in plan.steps:
        if isinstance(step, Deliver) and [str(one.original) for one in step.recipients] == [recipient]:
            cause = HoldCause(Layer.MANAGED_SENDERS, "p", "suspect")
            step = Hold(step.account_id, step.decision_id, step.sender, step.recipients, step.edits, cause)
        if isinstance(step, Record):
            step = Record(
                tuple(_held_outcome(one) if one.recipient == recipient else one for one in step.outcomes)
            )
        steps.append(step)
    return Plan(plan.message, tuple(steps))


def _held_outcome(outcome):
    return type(outcome)(
        **{name: getattr(outcome, name) for name in outcome.__struct_fields__} | {"state": State.HELD}
    )


def test_one_copy_for_all_stays_and_nothing_is_kept_but_outcomes(office, begin):
    plan, envelope = planned(office, begin, "u@corp.test", "v@corp.test")
    settled = settle(plan, envelope, trace=lambda: ON_TOP, queue_id="4ABC")
    assert (settled.kept.outgoing, settled.kept.held) == ((), ())
    assert [(one.state, one.queue_id) for one in settled.kept.outcomes] == [(State.ACCEPTED, "4ABC")] * 2
    assert settled.packets.endswith(ACCEPT)
    assert delete_recipient(b"<u@corp.test>") not in settled.packets
    assert settled.answer == "250 2.0.0 Taken"


def test_the_copy_that_most_get_stays_and_the_other_is_kept(office, begin):
    """The kept one is as the SMTP door would hand it on, below our Received; its recipient is taken from the
    message and has no id of the server's queue."""
    office.personal("permit", "u@corp.test", ANN)
    plan, envelope = planned(office, begin, "u@corp.test", "v@corp.test", "w@corp.test")
    settled = settle(plan, envelope, trace=lambda: ON_TOP, queue_id="4ABC")
    [copy] = settled.kept.outgoing
    [step] = [step for step in plan.deliveries if step.decision_id == copy.decision_id]
    assert bytes(copy.content) == bytes(step.content(plan.message, ON_TOP))
    assert [str(one.effective) for one in copy.recipients] == ["u@corp.test"]
    assert delete_recipient(b"<u@corp.test>") in settled.packets
    assert settled.packets.count(b"@corp.test>") == 1
    queue_ids = {one.recipient: one.queue_id for one in settled.kept.outcomes}
    assert queue_ids == {"u@corp.test": "", "v@corp.test": "4ABC", "w@corp.test": "4ABC"}


def test_every_copy_that_is_handed_on_is_archived_where_that_is_asked_for(office, begin):
    """The one that stays in place among them, as the SMTP door would hand it on; those that are held are not."""
    office.personal("permit", "u@corp.test", ANN)
    plan, envelope = planned(office, begin, "u@corp.test", "v@corp.test", "w@corp.test")
    settled = settle(plan, envelope, trace=lambda: ON_TOP, archives=True)
    found = {one.recipients[0].effective: one for one in settled.kept.archived}
    assert [[one.effective for one in copy.recipients] for copy in found.values()] == [
        [str(one.effective) for one in step.recipients] for step in plan.deliveries
    ]
    for step in plan.deliveries:
        copy = found[str(step.recipients[0].effective)].copy
        assert bytes(copy.content) == bytes(step.content(plan.message, ON_TOP))
    (applied,) = found["u@corp.test"].recipients[0].policies
    assert applied.type == "managed_senders"
    assert len(settled.kept.outgoing) == 1
    others = settle(held(plan, "u@corp.test"), envelope, trace=lambda: ON_TOP, archives=True).kept.archived
    assert list(others) == [found["v@corp.test"]]
    assert settle(plan, envelope, trace=lambda: ON_TOP).kept.archived == ()


def test_held_copy_is_kept_and_its_recipient_taken_from_the_message(office, begin):
    office.personal("permit", "u@corp.test", ANN)
    plan, envelope = planned(office, begin, "u@corp.test", "v@corp.test")
    settled = settle(held(plan, "u@corp.test"), envelope, trace=lambda: ON_TOP)
    [copy] = settled.kept.held
    assert (copy.cause.description, copy.subject, copy.header_from) == ("suspect", "hello", ANN)
    assert bytes(copy.copy.content).startswith(ON_TOP + b"X-Mailreeve-Spam-Checks: skip\r\n")
    assert delete_recipient(b"<u@corp.test>") in settled.packets
    assert {one.recipient: one.state for one in settled.kept.outcomes} == {
        "u@corp.test": State.HELD,
        "v@corp.test": State.ACCEPTED,
    }


def test_message_of_which_every_copy_is_held_is_dropped_by_the_server(office, begin):
    plan, envelope = planned(office, begin, "u@corp.test")
    settled = settle(held(plan, "u@corp.test"), envelope, trace=lambda: ON_TOP)
    assert settled.packets == DISCARD
    assert len(settled.kept.held) == 1


def test_recipients_are_deleted_as_each_was_written(office, begin):
    """A server knows them by how they came, which may be twice."""
    office.alter("u@corp.test", "w@corp.test", "envelope_to")
    plan, _ = planned(office, begin, "u@corp.test")
    envelope = Envelope(parse_address(ANN), {"u@corp.test": (b"<u@corp.test>", b"<u@CORP.test>")})
    packets = settle(plan, envelope, trace=lambda: ON_TOP).packets
    for change in (
        delete_recipient(b"<u@corp.test>"),
        delete_recipient(b"<u@CORP.test>"),
        add_recipient(b"<w@corp.test>"),
    ):
        assert change in packets
    assert change_sender(b"<ann@out.test>") not in packets


def test_copy_that_needs_smtputf8_does_not_stay_in_a_message_without(office, begin):
    office.alter("u@corp.test", "ü@corp.test", "to_cc_bcc")
    plan, envelope = planned(office, begin, "u@corp.test", text=b"To: u@corp.test\r\n" + TEXT)
    settled = settle(plan, envelope, trace=lambda: ON_TOP)
    assert settled.packets == DISCARD
    assert [copy.is_utf8 for copy in settled.kept.outgoing] == [True]
    assert settle(plan, envelope, trace=lambda: ON_TOP, utf8=True).packets.endswith(ACCEPT)
