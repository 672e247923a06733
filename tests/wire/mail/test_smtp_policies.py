"""Policies at the real door, seen by real clients: who is refused when, and what the next hop gets."""

from __future__ import annotations

import re
import smtplib
from email import message_from_bytes
from ipaddress import ip_network

import pytest

from mailreeve.families.tracking.outcomes import State
from mailreeve.policy.model.decisions import SpamChecks, Stage

MESSAGE = (
    b"From: Ann <ann@out.test>\r\nTo: u@corp.test\r\nSubject: hello\r\nMessage-ID: <1@out.test>\r\n\r\nHi.\r\n"
)


@pytest.fixture
def client(open_door):
    """smtplib at an open door; `client.sendmail(…)` gives the refused recipients or raises."""
    door = open_door()
    with smtplib.SMTP(*door.address, local_hostname="client.test", timeout=10) as client:
        yield client


def test_message_nobody_objects_to_arrives_with_mark_and_trace(client, sink, records):
    """The copy is the message below our Received, mark and id; the record has what a search needs."""
    assert client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE) == {}
    [(sender, recipients, content)] = sink.messages
    assert (sender, recipients) == ("ann@out.test", ["u@corp.test"])
    assert content.endswith(b"\r\n" + MESSAGE)
    head = message_from_bytes(content.removesuffix(MESSAGE))
    assert head["X-Mailreeve-Spam-Checks"] == "run"
    assert re.fullmatch(
        r"from client\.test \(\[127\.0\.0\.1\]\)\s+by gate\.test \(Mailreeve\) with ESMTP id [a-z2-7]{16};"
        r"\s+\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+?-?\d{4}",
        head["Received"],
    )
    outcome = records.of("u@corp.test")
    assert outcome.decision_id == head["X-Mailreeve-Decision"]
    assert (outcome.state, outcome.subject, outcome.source_ip) == (State.DELIVERED, "hello", "127.0.0.1")


def test_envelope_block_is_refused_at_rcpt(client, office, sink, records):
    """550 with text and id before any content; recorded by the time the client's RSET is answered."""
    office.block("out.test")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    code, text = refused.value.recipients["u@corp.test"]
    assert code == 550
    found = re.fullmatch(
        rb"5\.7\.1 Envelope rejected - block policy for envelope from address \[([a-z2-7]{16})\]", text
    )
    outcome = records.of("u@corp.test")
    assert outcome.decision_id == found[1].decode()
    assert (outcome.state, outcome.stage, outcome.policy_id) == (State.REJECTED, Stage.RCPT, "b-out.test")
    assert outcome.description == "no mail from out.test"
    assert sink.messages == []


def test_header_block_is_refused_at_data(client, office, sink, records):
    """The envelope is innocent, so only the content tells."""
    office.block("bad.test", part="header_from")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("ann@out.test", ["u@corp.test"], b"From: Eve <eve@bad.test>\r\n\r\nHi.\r\n")
    assert refused.value.smtp_code == 550
    assert refused.value.smtp_error.startswith(
        b"5.7.1 Rejected by header-based Blocked Senders - block policy for header from ["
    )
    assert records.of("u@corp.test").stage is Stage.DATA
    assert sink.messages == []


def test_one_recipients_block_is_not_the_others(client, office, sink, records):
    """Vector 7: u is refused at RCPT, v gets the message."""
    office.personal("block", "u@corp.test", "ann@out.test")
    refused = client.sendmail("ann@out.test", ["u@corp.test", "v@corp.test"], MESSAGE)
    assert list(refused) == ["u@corp.test"]
    assert refused["u@corp.test"][1].startswith(b"5.7.1 Envelope blocked - User Entry [")
    assert [recipients for _, recipients, _ in sink.messages] == [["v@corp.test"]]
    assert records.of("u@corp.test").state is State.REJECTED
    assert records.of("v@corp.test").state is State.DELIVERED


def test_mixed_header_verdicts_deliver_to_the_rest(client, office, sink, records):
    """Vector 9: v is delivered to and the message answered 250; u is recorded as rejected."""
    office.personal("block", "u@corp.test", "eve@bad.test")
    content = b"From: eve@bad.test\r\n\r\nHi.\r\n"
    assert client.sendmail("other@y.test", ["u@corp.test", "v@corp.test"], content) == {}
    assert [recipients for _, recipients, _ in sink.messages] == [["v@corp.test"]]
    outcome = records.of("u@corp.test")
    assert (outcome.state, outcome.stage) == (State.REJECTED, Stage.DATA)


def test_permit_marks_the_copy_and_forged_marks_are_gone(client, office, sink, records):
    """Nobody but us decides who skips spam checks."""
    office.permit("ann@out.test")
    forged = b"X-Mailreeve-Spam-Checks: skip\r\nx-mailreeve-spam-checks:\r\n skip\r\n" + MESSAGE
    client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    client.sendmail("eve@out.test", ["u@corp.test"], forged)
    marks = [message_from_bytes(content).get_all("X-Mailreeve-Spam-Checks") for content in sink.contents]
    assert marks == [["skip"], ["run"]]
    assert [outcome.spam_checks for outcome in records.kept] == [SpamChecks.SKIP, SpamChecks.RUN]


def test_alteration_rewrites_envelope_and_header(client, office, sink, records):
    """The old domain becomes the new one; the copy and the record name the original."""
    office.alter_domain("old.test", "corp.test")
    content = b'From: ann@out.test\r\nTo: "Jo (x)" <jo@old.test>,\r\n\tx@far.test\r\n\r\nWrite to jo@old.test.\r\n'
    client.sendmail("ann@out.test", ["jo@old.test"], content)
    [(_, recipients, got)] = sink.messages
    assert recipients == ["jo@corp.test"]
    assert b'To: "Jo (x)" <jo@corp.test>,\r\n\tx@far.test\r\n\r\nWrite to jo@old.test.\r\n' in got
    assert b"X-Mailreeve-Original-Envelope-To: jo@old.test\r\n" in got
    assert b"X-Mailreeve-Original-To: jo@old.test\r\n" in got
    assert records.of("jo@old.test").effective_recipient == "jo@corp.test"


def test_strangers_do_not_relay_by_claiming_an_inside_sender(client, office, sink):
    """Outside the relay networks 451; inside them the very same mail goes out."""
    office.relay = (ip_network("192.0.2.0/24"),)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("jo@corp.test", ["x@far.test"], MESSAGE)
    assert refused.value.recipients["x@far.test"][0] == 451
    assert refused.value.recipients["x@far.test"][1].startswith(b"4.7.1 Open relay not allowed [")
    office.relay = (ip_network("127.0.0.1/32"),)
    assert client.sendmail("jo@corp.test", ["x@far.test"], MESSAGE) == {}
    assert [recipients for _, recipients, _ in sink.messages] == [["x@far.test"]]


def test_mail_of_no_account_is_refused_and_not_recorded(client, sink, records):
    """Neither side is ours: nobody's record could hold it."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("a@x.test", ["b@y.test"], MESSAGE)
    assert refused.value.recipients["b@y.test"] == (451, b"4.7.1 Open relay not allowed")
    assert records.kept == []


def test_null_sender_arrives_as_one(client, sink, records):
    """A bounce for an inside mailbox keeps its empty reverse path."""
    assert client.sendmail("", ["u@corp.test"], MESSAGE) == {}
    assert sink.messages[0][0] == "<>"
    assert records.of("u@corp.test").sender == ""


def test_a_change_holds_for_the_next_message(client, office, sink):
    """Set between two messages on one connection, the block refuses the second."""
    client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    office.block("out.test")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    assert len(sink.messages) == 1


def test_blocked_source_is_refused_at_connect(open_door, office, call):
    """421 with an id instead of a greeting, and the connection is closed."""
    office.block("everyone", networks=(ip_network("127.0.0.0/8"),), override=True)
    line = call(open_door())
    assert re.fullmatch(r"421 4\.7\.1 Sender address blocked \[[a-z2-7]{16}\]", line.reply())
    assert line.reply() == ""


def test_policies_that_cannot_be_read_put_mail_off(client, office, sink):
    """A fault of ours is 451, and the connection works on once it is mended."""
    office.fault = OSError("the store is away")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    assert refused.value.recipients["u@corp.test"] == (451, b"4.3.0 Local fault, try again later")
    office.fault = None
    assert client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE) == {}
    assert len(sink.messages) == 1
