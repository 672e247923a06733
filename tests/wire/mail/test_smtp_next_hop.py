"""Between the door and the next hop: nothing is lost, whatever the next hop does."""

from __future__ import annotations

import email
import email.policy
import mailbox
import smtplib
import socket

import pytest

from mailreeve.families.tracking.outcomes import State
from mailreeve.mail.next_hop.maildir import MaildirNextHop
from mailreeve.mail.next_hop.smtp import SmtpNextHop, StartTls

MESSAGE = b"From: Ann <ann@out.test>\r\nSubject: hello\r\nMessage-ID: <1@out.test>\r\n\r\nHi.\r\n"


def client_of(door) -> smtplib.SMTP:
    return smtplib.SMTP(*door.address, local_hostname="client.test", timeout=10)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_next_hop_that_is_down_puts_mail_off(open_door, records):
    """4xx at RCPT: the sender keeps the message and tries again; the record says deferred."""
    next_hop = SmtpNextHop(host="127.0.0.1", port=closed_port(), greeting="gate.test")
    with client_of(open_door(next_hop)) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    code, text = refused.value.recipients["u@corp.test"]
    assert (code, text[:6]) == (451, b"4.4.1 ")
    assert records.of("u@corp.test").state is State.DEFERRED


def test_blocks_are_answered_even_while_the_next_hop_is_down(open_door, office):
    """A refusal needs no next hop."""
    office.block("out.test")
    next_hop = SmtpNextHop(host="127.0.0.1", port=closed_port(), greeting="gate.test")
    with client_of(open_door(next_hop)) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    assert refused.value.recipients["u@corp.test"][0] == 550


def test_recipient_whom_the_next_hop_refuses_is_refused_at_rcpt(open_door, sink, records):
    """Its own code and text reach the sender before anything is promised; the other gets the message."""
    with client_of(open_door()) as client:
        refused = client.sendmail("ann@out.test", ["unknown@corp.test", "u@corp.test", "later@corp.test"], MESSAGE)
    assert refused["unknown@corp.test"][0] == 550
    assert refused["unknown@corp.test"][1].startswith(b"5.1.1 No such user here [")
    assert refused["later@corp.test"][0] == 450
    assert [recipients for _, recipients, _ in sink.messages] == [["u@corp.test"]]
    states = {outcome.recipient.partition("@")[0]: outcome.state for outcome in records.kept}
    assert states == {"unknown": State.REJECTED, "later": State.DEFERRED, "u": State.DELIVERED}


@pytest.mark.parametrize(
    ("recipient", "code", "state"),
    [("spam@corp.test", 554, State.REJECTED), ("busy@corp.test", 451, State.DEFERRED)],
)
def test_answer_of_the_next_hop_to_the_content_is_ours(open_door, sink, records, recipient, code, state):
    """5xx stays 5xx, 4xx stays 4xx, and neither is 250."""
    with client_of(open_door()) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("ann@out.test", [recipient], MESSAGE)
    assert refused.value.smtp_code == code
    assert records.of(recipient).state is state
    assert sink.messages == []


@pytest.mark.parametrize("answer", ["451 4.7.1 Come back later", "554 5.7.1 No content from you"])
def test_refusal_of_data_holds_for_that_message_only(open_door, sink, answer):
    """The next hop is still in the transaction then. It is ended, or the next MAIL would be out of order and a
    good message refused for ever."""
    with client_of(open_door()) as client:
        sink.no_data = answer
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
        assert refused.value.smtp_code == int(answer[:3])
        sink.no_data = ""
        assert client.sendmail("ann@out.test", ["v@corp.test"], MESSAGE) == {}
    assert [recipients for _, recipients, _ in sink.messages] == [["v@corp.test"]]


def test_refusal_of_data_is_not_another_for_the_next_copy(open_door, office, sink, records):
    """Two copies, both put off by the next hop at DATA: each for that cause."""
    office.personal("permit", "u@corp.test", "ann@out.test")
    sink.no_data = "451 4.7.1 Come back later"
    with client_of(open_door()) as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("ann@out.test", ["u@corp.test", "v@corp.test"], MESSAGE)
    assert refused.value.smtp_code == 451
    assert [outcome.state for outcome in records.kept] == [State.DEFERRED] * 2


def test_message_put_off_for_one_copy_is_not_delivered_twice_to_the_other(open_door, office, sink, records):
    """Two copies, one put off: 4xx, and the retry reaches only whoever is still without."""
    office.personal("permit", "u@corp.test", "ann@out.test")
    with client_of(open_door()) as client:
        for _ in range(2):
            with pytest.raises(smtplib.SMTPDataError) as put_off:
                client.sendmail("ann@out.test", ["u@corp.test", "busy@corp.test"], MESSAGE)
            assert put_off.value.smtp_code == 451
    assert [recipients for _, recipients, _ in sink.messages] == [["u@corp.test"]]


def test_records_that_cannot_be_kept_put_mail_off(open_door, sink, records):
    """No record, no 250; when the store is back, the retry is recorded, and delivered once."""
    records.broken = True
    with client_of(open_door()) as client:
        with pytest.raises(smtplib.SMTPDataError) as put_off:
            client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
        assert put_off.value.smtp_code == 451
        records.broken = False
        assert client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE) == {}
    assert len(sink.messages) == 1
    assert records.of("u@corp.test").state is State.DELIVERED


def test_one_connection_to_the_next_hop_serves_a_whole_session(open_door, sink):
    """Several messages, several senders, one connection."""
    with client_of(open_door()) as client:
        for number in range(3):
            client.sendmail(f"a{number}@out.test", ["u@corp.test", "v@corp.test"], MESSAGE)
    assert sink.connections == 1
    assert [sender for sender, _, _ in sink.messages] == ["a0@out.test", "a1@out.test", "a2@out.test"]


def test_recipients_of_an_abandoned_message_do_not_get_the_next(open_door, sink):
    """RSET here is a RSET there."""
    with client_of(open_door()) as client:
        client.ehlo()
        client.mail("ann@out.test")
        client.rcpt("wrong@corp.test")
        client.rset()
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    assert [recipients for _, recipients, _ in sink.messages] == [["u@corp.test"]]


def test_recipient_named_twice_is_promised_once_and_kept(open_door, sink):
    """The first 250 stands, even if the next hop would refuse at the second naming."""
    with client_of(open_door()) as client:
        client.ehlo()
        client.mail("ann@out.test")
        assert client.rcpt("u@corp.test")[0] == 250
        sink.full = True
        assert client.rcpt("u@CORP.test")[0] == 250
        sink.full = False
        assert client.data(MESSAGE)[0] == 250
    assert [recipients for _, recipients, _ in sink.messages] == [["u@corp.test"]]


@pytest.mark.parametrize("ended_by", ["RSET", "EHLO again.test", "HELO again.test"])
def test_message_given_up_here_is_given_up_there(open_door, sink, ended_by):
    """The same sender and recipient once more: the next hop knows of one, and the message arrives once."""
    with client_of(open_door()) as client:
        client.ehlo()
        for _ in range(2):
            client.mail("ann@out.test")
            assert client.rcpt("u@corp.test")[0] == 250
            assert client.docmd(ended_by)[0] == 250
        client.ehlo()
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    once = ["MAIL ann@out.test", "RCPT u@corp.test"]
    assert sink.said == [*once, "RSET", *once, "RSET", *once]
    assert [recipients for _, recipients, _ in sink.messages] == [["u@corp.test"]]


def test_message_refused_at_the_end_of_the_data_is_given_up_there(open_door, office, sink):
    """Its recipients were checked; the next message of that sender names them anew."""
    office.block("bad.test", part="header_from")
    with client_of(open_door()) as client:
        with pytest.raises(smtplib.SMTPDataError):
            client.sendmail("ann@out.test", ["u@corp.test"], b"From: eve@bad.test\r\n\r\n")
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    once = ["MAIL ann@out.test", "RCPT u@corp.test"]
    assert sink.said == [*once, "RSET", *once]


def test_next_hop_is_asked_once_for_each_mailbox(open_door, office, sink):
    """Two originals that lead to one mailbox, and one that was refused and is named again."""
    office.alter_domain("old.test", "corp.test")
    with client_of(open_door()) as client:
        client.ehlo()
        client.mail("ann@out.test")
        assert client.rcpt("jo@corp.test")[0] == 250
        assert client.rcpt("jo@old.test")[0] == 250
        assert [client.rcpt("unknown@corp.test")[0] for _ in range(2)] == [550, 550]
        assert sink.said == ["MAIL ann@out.test", "RCPT jo@corp.test", "RCPT unknown@corp.test"]
        assert client.data(MESSAGE)[0] == 250
    assert {tuple(recipients) for _, recipients, _ in sink.messages} == {("jo@corp.test",)}


@pytest.mark.parametrize("start_tls", [StartTls.OPPORTUNISTIC, StartTls.REQUIRED])
def test_connection_to_the_next_hop_is_encrypted_where_it_offers_that(open_door, open_sink, door_tls, start_tls):
    """Its certificate may be one that it signed itself, as is usual between mail servers."""
    sink = open_sink(tls_context=door_tls)
    host, port = sink.address
    next_hop = SmtpNextHop(host=host, port=port, greeting="gate.test", start_tls=start_tls)
    with client_of(open_door(next_hop)) as client:
        client.sendmail("ann@out.test", ["u@corp.test", "übung@corp.test"], MESSAGE, ["SMTPUTF8"])
    assert len(sink.messages) == 1
    assert set(sink.encrypted) == {True}


@pytest.mark.parametrize(
    ("start_tls", "offered"), [(StartTls.OFF, True), (StartTls.OPPORTUNISTIC, False)], ids=["off", "not offered"]
)
def test_connection_to_the_next_hop_is_clear_where_that_is_allowed(
    open_door, open_sink, door_tls, start_tls, offered
):
    """Not asked for, or not to be had."""
    sink = open_sink(**({"tls_context": door_tls} if offered else {}))
    host, port = sink.address
    next_hop = SmtpNextHop(host=host, port=port, greeting="gate.test", start_tls=start_tls)
    with client_of(open_door(next_hop)) as client:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    assert sink.encrypted == [False]


def test_next_hop_without_the_encryption_that_is_required_puts_mail_off(open_door, sink):
    """Nothing of a message goes in the clear, not even its addresses."""
    host, port = sink.address
    next_hop = SmtpNextHop(host=host, port=port, greeting="gate.test", start_tls=StartTls.REQUIRED)
    with client_of(open_door(next_hop)) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    code, text = refused.value.recipients["u@corp.test"]
    assert (code, text[:6]) == (451, b"4.7.4 ")
    assert sink.said == []


def test_next_hop_that_breaks_off_between_messages_is_called_again(open_door, portal, sink):
    """An idle connection that the next hop has closed costs no message."""
    with client_of(open_door()) as client:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
        portal.call(sink.hang_up)
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    assert len(sink.messages) == 2
    assert sink.connections == 2


def test_next_hop_that_breaks_off_after_rcpt_is_called_again(open_door, portal, sink):
    """Tired of waiting for a slow sender: the envelope is said anew, the message arrives once."""
    with client_of(open_door()) as client:
        client.ehlo()
        client.mail("ann@out.test")
        client.rcpt("u@corp.test")
        portal.call(sink.hang_up)
        assert client.data(MESSAGE)[0] == 250
    assert len(sink.messages) == 1


def test_body_arrives_octet_for_octet(open_door, sink):
    """8-bit octets, lines of dots, long lines, null octets: all as they were."""
    body = b"caf\xc3\xa9 \xff\xfe\x00\r\n.\r\n..\r\n.x\r\n" + b"y" * 900 + b"\r\n\r\n  \r\n"
    with client_of(open_door()) as client:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE + body, mail_options=["BODY=8BITMIME"])
    [content] = sink.contents
    assert content.endswith(MESSAGE + body)
    assert "BODY=8BITMIME" in sink.options[0]


def test_internationalised_addresses_go_through(open_door, sink, records):
    """SMTPUTF8 in, SMTPUTF8 out, with a domain in either form taken for the same."""
    with client_of(open_door()) as client:
        client.sendmail(
            "jörg@münchen.test", ["übung@corp.test"], "Subject: ü\r\n\r\nHi.\r\n".encode(), ["SMTPUTF8"]
        )
    [(sender, recipients, content)] = sink.messages
    assert (sender, recipients) == ("jörg@xn--mnchen-3ya.test", ["übung@corp.test"])
    assert "SMTPUTF8" in sink.options[0]
    assert "Subject: ü\r\n".encode() in content
    assert b"with UTF8SMTP id" in content
    assert records.of("übung@corp.test").state is State.DELIVERED


def test_internationalised_address_is_refused_where_the_next_hop_takes_none(open_door, open_sink):
    """Said at RCPT, not found out after the promise."""
    host, port = open_sink(enable_SMTPUTF8=False).address
    with client_of(open_door(SmtpNextHop(host=host, port=port, greeting="gate.test"))) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail("ann@out.test", ["übung@corp.test"], MESSAGE, ["SMTPUTF8"])
        code, text = refused.value.recipients["übung@corp.test"]
        assert (code, text[:6]) == (553, b"5.6.7 ")
        assert client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE) == {}


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("from", "From: Ann <ann@corp.test>"),
        ("to_cc_bcc", "Cc: ann@corp.test, b@out.test"),
        ("reply_to", "Reply-To: <ann@corp.test"),
    ],
)
def test_header_altered_beyond_ascii_goes_only_where_it_is_taken(
    open_door, open_sink, sink, office, records, kind, header
):
    """A message that came without SMTPUTF8 may need it when it leaves: it is asked for, or the message refused."""
    office.alter("ann@corp.test", "jörg@corp.test", kind)
    message = f"{header}\r\nSubject: s\r\n\r\nbody\r\n".encode()
    plain = open_sink(enable_SMTPUTF8=False)
    host, port = plain.address
    with client_of(open_door(SmtpNextHop(host=host, port=port, greeting="gate.test"))) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("x@out.test", ["u@corp.test"], message)
        assert (refused.value.smtp_code, refused.value.smtp_error[:6]) == (553, b"5.6.7 ")
        assert client.sendmail("x@out.test", ["u@corp.test"], MESSAGE) == {}
    assert [content.isascii() for _, _, content in plain.messages] == [True]
    assert records.kept[0].state is State.REJECTED
    with client_of(open_door()) as client:
        assert client.sendmail("x@out.test", ["u@corp.test"], message) == {}
    assert "SMTPUTF8" in sink.options[-1]
    assert "jörg@corp.test".encode() in sink.messages[-1][2]


def test_originals_beyond_ascii_need_nothing_of_the_next_hop(open_door, open_sink, office):
    """The address is altered into ASCII, and the field that names the original is no reason to refuse."""
    office.alter("übung@corp.test", "ann@corp.test", "all")
    plain = open_sink(enable_SMTPUTF8=False)
    host, port = plain.address
    message = "To: Ü <übung@corp.test>\r\nReply-To: übung@corp.test\r\nSubject: s\r\n\r\nbody\r\n"
    with client_of(open_door(SmtpNextHop(host=host, port=port, greeting="gate.test"))) as client:
        sent = client.sendmail("x@out.test", ["übung@corp.test"], message.replace("Ü ", "").encode(), ["SMTPUTF8"])
        assert sent == {}
        with pytest.raises(smtplib.SMTPDataError, match=r"5\.6\.7"):  # its own header is another thing
            client.sendmail("x@out.test", ["übung@corp.test"], message.encode(), ["SMTPUTF8"])
    [(_, recipients, content)] = plain.messages
    assert recipients == ["ann@corp.test"]
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    originals = [(name, value) for name, value in parsed.items() if name.startswith("X-Mailreeve-Original-")]
    assert originals == [
        ("X-Mailreeve-Original-Envelope-To", "übung@corp.test"),
        ("X-Mailreeve-Original-To", "übung@corp.test"),
        ("X-Mailreeve-Original-Reply-To", "übung@corp.test"),
    ]


def test_octets_go_as_they_are_to_a_next_hop_that_does_not_offer_8bitmime(open_door, sink):
    """Nothing is converted, which would break signatures, and nothing refused."""
    sink.offers_8bitmime = False
    with client_of(open_door()) as client:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE + b"caf\xc3\xa9 \xff\r\n", ["BODY=8BITMIME"])
    assert sink.contents[0].endswith(b"caf\xc3\xa9 \xff\r\n")
    assert "BODY=8BITMIME" not in sink.options[0]


@pytest.mark.parametrize("kind", ["envelope_from", "envelope_to"])
def test_envelope_altered_beyond_ascii_is_refused_where_it_is_not_taken(open_door, open_sink, office, kind):
    office.alter("ann@corp.test", "jörg@corp.test", kind)
    host, port = open_sink(enable_SMTPUTF8=False).address
    with (
        client_of(open_door(SmtpNextHop(host=host, port=port, greeting="gate.test"))) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refused,
    ):
        client.sendmail("ann@corp.test", ["ann@corp.test"], MESSAGE)
    assert refused.value.recipients["ann@corp.test"][1].startswith(b"5.6.7 ")


def test_recipients_altered_into_one_mailbox_get_one_copy(open_door, office, sink, tmp_path):
    """At a mail server and in a Maildir; another spelling of the domain is the same mailbox too."""
    office.alter("sales@corp.test", "ann@corp.test", "envelope_to")
    recipients = ["sales@corp.test", "ann@CORP.test", "u@corp.test"]
    with client_of(open_door()) as client:
        client.sendmail("x@out.test", recipients, MESSAGE)
    assert sorted(taken for _, taken, _ in sink.messages) == [["ann@corp.test"], ["u@corp.test"]]
    with client_of(open_door(MaildirNextHop(tmp_path / "box"))) as client:
        client.sendmail("x@out.test", recipients, MESSAGE)
    found = sorted(mailbox.Maildir(tmp_path / "box", create=False), key=lambda message: message["Delivered-To"])
    assert [(m["Delivered-To"], m.get_all("X-Original-To")) for m in found] == [
        ("ann@corp.test", ["sales@corp.test", "ann@corp.test"]),
        ("u@corp.test", ["u@corp.test"]),
    ]


def test_results_of_authentication_with_our_name_are_taken_out(open_door, sink):
    """The door calls itself gate.test; nobody behind it may believe what a stranger wrote under that name."""
    forged = b"Authentication-Results: (x) GATE.test 1;\r\n spf=pass\r\n"
    others = b"Authentication-Results: mx.out.test; spf=pass\r\n"
    with client_of(open_door()) as client:
        client.sendmail("x@out.test", ["u@corp.test"], forged + others + MESSAGE)
    [(_, _, content)] = sink.messages
    assert b"GATE" not in content
    assert content.endswith(others + MESSAGE)


def test_maildir_gets_one_file_per_mailbox(open_door, office, tmp_path):
    """The directory is a Maildir; each file names the envelope it came by."""
    office.alter_domain("old.test", "corp.test")
    with client_of(open_door(MaildirNextHop(tmp_path / "box"))) as client:
        client.sendmail("ann@out.test", ["jo@old.test", "u@corp.test"], MESSAGE)
    found = sorted(mailbox.Maildir(tmp_path / "box", create=False), key=lambda message: message["Delivered-To"])
    assert [m["Delivered-To"] for m in found] == ["jo@corp.test", "u@corp.test"]
    assert [m["X-Original-To"] for m in found] == ["jo@old.test", "u@corp.test"]
    assert [m["Return-Path"] for m in found] == ["<ann@out.test>"] * 2
    assert [m.get_payload() for m in found] == ["Hi.\n"] * 2


def test_maildir_that_cannot_be_written_puts_mail_off(open_door, tmp_path, records):
    """No file, no 250."""
    next_hop = MaildirNextHop(tmp_path / "box")
    (tmp_path / "box" / "tmp").rmdir()
    with client_of(open_door(next_hop)) as client, pytest.raises(smtplib.SMTPDataError) as put_off:
        client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
    assert put_off.value.smtp_code == 452
    assert records.of("u@corp.test").state is State.DEFERRED
