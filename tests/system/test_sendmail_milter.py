"""Mailreeve as the milter of a real Sendmail, which folds, counts and quotes in its own ways."""

from __future__ import annotations

import re
import smtplib
from email import message_from_bytes

import pytest

from mailreeve.client import DefinitionItem, Policy, Target

TEXT = b"From: jo@out.test\r\nTo: u@corp.test\r\nSubject: hello\r\n\r\nHi.\r\n"


@pytest.fixture
def sender(sendmail):
    """smtplib at Sendmail."""
    with smtplib.SMTP("127.0.0.1", sendmail.port, local_hostname="client.test", timeout=40) as client:
        client.ehlo()
        yield client


def test_refusals_at_rcpt_and_after_the_content_are_ours(sendmail, sender):
    with sendmail.server.client() as client:
        client.blocked_senders.create(Policy("no more", Target.domain("bad.test"), Target.internal()))
        client.blocked_senders.create(
            Policy("nor these", Target.domain("worse.test"), Target.internal(), from_part="header_from")
        )
    assert sender.mail("x@bad.test")[0] == 250
    code, text = sender.rcpt("u@corp.test")
    # Sendmail puts the address in front of the text.
    words = rb"5\.7\.1 <u@corp\.test>\.\.\. Envelope rejected - block policy for envelope from address"
    found = re.fullmatch(words + rb" \[([a-z2-7]{16})\]", text)
    assert (code, bool(found)) == (550, True), text
    sender.rset()
    assert sendmail.server.outcome("u@corp.test", found[1].decode())["stage"] == "rcpt"
    with pytest.raises(smtplib.SMTPDataError) as refused:
        sender.sendmail("list@out.test", ["u@corp.test"], b"From: X <x@worse.test>\r\n\r\nHi.\r\n")
    assert refused.value.smtp_error.startswith(
        b"5.7.1 Rejected by header-based Blocked Senders - block policy for"
    )


def test_message_is_marked_and_recorded_with_the_queue_id(sendmail, sender):
    """Forged marks are gone, several of one name too."""
    forged = b"X-Mailreeve-Spam-Checks: skip\r\nX-Mailreeve-Decision: a\r\nX-Mailreeve-Spam-Checks:\r\n skip\r\n"
    sender.mail("jo@out.test")
    sender.rcpt("ann@corp.test")
    code, text = sender.data(forged + TEXT)
    assert code == 250
    _, recipients, content = sendmail.next_hop.next()
    message = message_from_bytes(content)
    assert recipients == ["ann@corp.test"]
    assert message.get_all("X-Mailreeve-Spam-Checks") == ["run"]
    [decision] = message.get_all("X-Mailreeve-Decision")
    recorded = sendmail.server.outcome("ann@corp.test", decision)
    assert (recorded["state"], recorded["client_name"]) == ("accepted", "client.test")
    assert recorded["queue_id"] == re.match(rb"2\.0\.0 (\w+) Message accepted", text)[1].decode()


def test_envelope_and_header_are_altered(sendmail, sender):
    with sendmail.server.client() as client:
        pairs = (("old@corp.test", "new@corp.test"), ("bo@corp.test", "office@corp.test"))
        client.address_alteration.create_definitions([DefinitionItem(*pair) for pair in pairs])
    header = b"From: Bo <bo@corp.test>\r\nTo: Old <old@corp.test>,\r\n\tother@far.test\r\nCc: old@corp.test\r\n"
    assert sender.sendmail("bo@corp.test", ["old@corp.test"], header + b"\r\nHi.\r\n") == {}
    from_, recipients, arrived = sendmail.next_hop.next()
    message = message_from_bytes(arrived)
    assert (from_, recipients) == ("office@corp.test", ["new@corp.test"])
    assert message["From"] == "Bo <office@corp.test>"
    assert re.sub(r"\s+", " ", message["To"]) == "Old <new@corp.test>, other@far.test"
    assert message["Cc"] == "new@corp.test"


def test_recipient_who_blocks_the_author_is_taken_off(sendmail, sender):
    """Which only the header tells; the other has the message, and the sender is told 250."""
    with sendmail.server.client() as client:
        client.block_sender("eve@header.test", "kim@corp.test")
    text = TEXT.replace(b"jo@out.test", b"eve@header.test")
    assert sender.sendmail("jo@out.test", ["kim@corp.test", "lee@corp.test"], text) == {}
    _, recipients, _ = sendmail.next_hop.next()
    assert recipients == ["lee@corp.test"]
    [recorded] = sendmail.server.outcomes("kim@corp.test")
    assert (recorded["state"], recorded["stage"]) == ("rejected", "data")
