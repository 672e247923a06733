"""The protocol at the door: limits, order, TLS, smuggling, and clients that vanish or dawdle."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import threading

import pytest

from mailreeve.families.tracking.outcomes import State

MESSAGE = b"From: Ann <ann@out.test>\r\nSubject: hello\r\n\r\nHi.\r\n"


def test_offers_are_those_that_are_kept(open_door, call):
    """No AUTH, no STARTTLS without a certificate."""
    line = call(open_door(max_size=1_000))
    assert line.reply() == "220 gate.test ESMTP Mailreeve"
    assert line.say(b"EHLO client.test").split("\n") == [
        "250-gate.test",
        "250-PIPELINING",
        "250-SIZE 1000",
        "250-8BITMIME",
        "250-ENHANCEDSTATUSCODES",
        "250 SMTPUTF8",
    ]
    assert line.say(b"AUTH PLAIN AGEAYg==").startswith("502 5.5.1 ")
    assert line.say(b"STARTTLS").startswith("503 5.5.1 ")


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"MAIL FROM:<ann>", "501 5.1.7 Bad sender address: an address has the form local@domain"),
        (b"MAIL FROM:<a b@out.test>", "501 5.1.7 Bad sender address: the part before the @ is malformed"),
        (b"MAIL FROM ann@out.test", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        (b"MAIL FROM:<a@out.test> SIZE=x", "501 5.5.4 SIZE takes a number"),
        (b"MAIL FROM:<a@out.test> SIZE=99999999999", "552 5.3.4 Message too large"),
        (b"MAIL FROM:<a@out.test> BODY=BINARYMIME", "501 5.5.4 BODY takes 7BIT or 8BITMIME"),
        (b"MAIL FROM:<a@out.test> AUTH=<>", "555 5.5.4 A parameter of MAIL is not known"),
        (b"RCPT TO:<u@corp.test>", "503 5.5.1 MAIL comes first"),
        (b"DATA", "503 5.5.1 MAIL comes first"),
        (b"VRFY u@corp.test", "252 2.5.0 Cannot verify, but will take a message and see"),
        (b"VRFY nobody@corp.test", "252 2.5.0 Cannot verify, but will take a message and see"),
        (b"EXPN all", "502 5.5.1 Command not offered"),
        (b"XYZZY", "500 5.5.2 Command not recognised"),
        (b"", "500 5.5.2 Command not recognised"),
        (b"NOOP " + b"x" * 3_000, "500 5.5.2 Command line too long"),
        (b"\xff\xfe\x00", "500 5.5.2 Command not recognised"),
        (b"EHLO", "501 5.5.4 A host name is needed"),
    ],
)
def test_what_makes_no_sense_is_answered_and_forgiven(open_door, call, said, reply):
    """The reply says what is wrong; the conversation goes on."""
    line = call(open_door())
    line.reply()
    line.say(b"EHLO client.test")
    assert line.say(said) == reply
    assert line.say(b"NOOP").startswith("250 ")


def test_malformed_recipients_are_named_as_such(open_door, call):
    """501 5.1.3 with the reason, and the message goes on to the others."""
    line = call(open_door())
    line.reply()
    line.say(b"EHLO client.test")
    line.say(b"MAIL FROM:<ann@out.test>")
    assert line.say(b"RCPT TO:<u@*.test>") == "501 5.1.3 Bad recipient address: a domain cannot hold a wildcard"
    assert line.say(b"RCPT TO:<>").startswith("501 5.1.3 ")
    assert line.say(b"DATA") == "554 5.5.1 No valid recipients"
    assert line.say(b"RCPT TO:<u@corp.test> NOTIFY=NEVER") == "555 5.5.4 A parameter of RCPT is not known"
    assert line.say(b"RCPT TO:<u@corp.test>").startswith("250 ")


def test_client_that_only_errs_is_sent_away(open_door, call):
    """After twenty senseless commands 421, and the connection is closed."""
    line = call(open_door())
    line.reply()
    replies = [line.say(b"XYZZY") for _ in range(20)]
    assert all(reply.startswith("500 ") for reply in replies[:19])
    assert replies[19].startswith("421 4.7.0 ")
    assert line.reply() == ""


def test_pipelined_session_is_answered_in_order(open_door, call, sink):
    """A whole session in one write, two messages long: every reply, and both messages."""
    line = call(open_door())
    one = b"MAIL FROM:<ann@out.test>\r\nRCPT TO:<u@corp.test>\r\nDATA\r\n" + MESSAGE + b".\r\n"
    line.socket.sendall(b"EHLO c.test\r\n" + one + one + b"QUIT\r\n")
    codes = []
    while reply := line.reply():
        codes.append(reply[:3])
    assert codes == ["220", "250"] + ["250", "250", "354", "250"] * 2 + ["221"]
    assert len(sink.messages) == 2


def test_hundred_and_first_recipient_is_452(open_door, sink):
    """A hundred are taken, the next is told to come in another message, the hundred are delivered to."""
    recipients = [f"u{number}@corp.test" for number in range(101)]
    with smtplib.SMTP(*open_door().address, local_hostname="c.test", timeout=20) as client:
        refused = client.sendmail("ann@out.test", recipients, MESSAGE)
    assert refused == {"u100@corp.test": (452, b"4.5.3 Too many recipients")}
    assert [len(recipients) for _, recipients, _ in sink.messages] == [100]


def test_oversized_message_is_552_and_the_connection_lives(open_door, call, sink, records):
    """Found out at the end of data where the client did not say before."""
    line = call(open_door(max_size=1_000))
    line.begin(b"u@corp.test")
    assert line.say(MESSAGE + b"x" * 990 + b"\r\n.").startswith("552 5.3.4 Message too large")
    assert records.of("u@corp.test").state is State.REJECTED
    assert line.say(b"NOOP").startswith("250 ")
    assert sink.messages == []


def test_absurdly_long_line_is_refused_and_a_merely_long_one_taken(open_door, call, sink):
    """RFC 5321's thousand octets are exceeded by honest programs, the limit is not."""
    line = call(open_door(max_line=5_000))
    line.begin(b"u@corp.test")
    assert line.say(MESSAGE + b"x" * 5_001 + b"\r\n.").startswith("500 5.6.0 Line too long")
    line.say(b"MAIL FROM:<ann@out.test>")
    line.say(b"RCPT TO:<u@corp.test>")
    line.say(b"DATA")
    assert line.say(MESSAGE + b"x" * 5_000 + b"\r\n.").startswith("250 ")
    assert len(sink.messages) == 1


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n"])
def test_no_second_message_is_smuggled_in(open_door, call, sink, end):
    """Whichever false end of data: one message arrives, the rest is its text, and dots are stuffed."""
    line = call(open_door())
    line.begin(b"u@corp.test")
    hidden = b"MAIL FROM:<boss@corp.test>\r\nRCPT TO:<u@corp.test>\r\nDATA\r\nFrom: boss@corp.test\r\n\r\nPay.\r\n"
    reply = line.say(MESSAGE + b"text" + end + hidden + b".")
    assert reply.startswith("250 ")
    [(sender, _, content)] = sink.messages
    assert sender == "ann@out.test"
    assert b"\r\nMAIL FROM:<boss@corp.test>\r\n" in content
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")


def test_from_field_behind_a_bare_line_feed_is_seen(open_door, office, call, sink):
    """What the next hop will take for a header field is one for us as well."""
    office.block("bad.test", part="header_from")
    line = call(open_door())
    line.begin(b"u@corp.test")
    assert line.say(b"Subject: x\nFrom: eve@bad.test\r\n\r\nHi.\r\n.").startswith("550 5.7.1 ")
    assert sink.messages == []


def test_connection_lost_within_a_message_delivers_nothing(open_door, call, sink, records, office):
    """A half-sent message is no message; what was refused before is still recorded."""
    office.personal("block", "v@corp.test", "ann@out.test")
    line = call(open_door())
    line.reply()
    for said in (
        b"EHLO c.test",
        b"MAIL FROM:<ann@out.test>",
        b"RCPT TO:<u@corp.test>",
        b"RCPT TO:<v@corp.test>",
        b"DATA",
    ):
        line.say(said)
    line.socket.sendall(MESSAGE + b"more to co")
    line.close()
    [outcome] = records.wait_for(1)
    assert (outcome.recipient, outcome.state) == ("v@corp.test", State.REJECTED)
    assert sink.messages == []


def test_client_that_closes_its_side_still_gets_its_reply(open_door, call, sink):
    """The end of input behind a complete message does not stop its delivery."""
    line = call(open_door())
    line.begin(b"u@corp.test")
    sink.proceed.clear()
    line.socket.sendall(MESSAGE + b".\r\n")
    line.socket.shutdown(1)
    assert sink.in_data.wait(10)
    sink.proceed.set()
    assert line.reply().startswith("250 ")
    assert len(sink.messages) == 1


def test_silent_client_is_timed_out(open_door, call, sink):
    """421 and the connection is closed, between commands and within a message."""
    door = open_door(idle_timeout=0.2)
    line = call(door)
    line.reply()
    assert line.reply().startswith("421 4.4.2 ")
    assert line.reply() == ""
    line = call(door)
    line.begin(b"u@corp.test")
    line.socket.sendall(MESSAGE)
    assert line.reply().startswith("421 4.4.2 ")
    assert sink.messages == []


def test_message_sent_in_drops_is_timed_out(open_door, call, sink):
    """Never silent for long, yet the content as a whole takes too long."""
    line = call(open_door(message_timeout=0.3, idle_timeout=60))
    line.begin(b"u@corp.test")
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            try:
                line.socket.sendall(b"x")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert line.reply().startswith("421 4.4.2 ")
    finally:
        stop.set()
        dripping.join()
    assert sink.messages == []


def test_connections_are_limited_in_all_and_for_each_address(open_door, call):
    """The one too many is told so and closed; a place that becomes free is given again."""
    door = open_door(max_connections_per_ip=2)
    first, second = call(door), call(door)
    assert first.reply().startswith("220 ")
    assert second.reply().startswith("220 ")
    third = call(door)
    assert third.reply().startswith("421 4.7.0 ")
    assert third.reply() == ""
    assert first.say(b"QUIT").startswith("221 ")
    assert first.reply() == ""
    assert call(door).reply().startswith("220 ")

    full = open_door(max_connections=1)
    assert call(full).reply().startswith("220 ")
    assert call(full).reply().startswith("421 4.3.2 ")


def test_starttls_encrypts_and_forgets_what_was_said_before(open_door, certificate, door_tls, sink):
    """A verified handshake, EHLO anew, no second STARTTLS on offer, and ESMTPS in the trace."""
    door = open_door(tls=door_tls)
    context = ssl.create_default_context(cafile=str(certificate[0]))
    with smtplib.SMTP(*door.address, local_hostname="c.test", timeout=10) as client:
        client._host = "gate.test"  # the name that the certificate is checked for
        client.ehlo()
        assert client.has_extn("starttls")
        assert client.starttls(context=context)[0] == 220
        assert client.mail("ann@out.test")[0] == 503
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 503
        assert client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE) == {}
    assert b"with ESMTPS id" in sink.contents[0]


def test_commands_sent_ahead_of_tls_do_not_count_inside(open_door, door_tls, call, certificate):
    """Injected behind STARTTLS in the clear: dropped, or the handshake fails; never obeyed."""
    line = call(open_door(tls=door_tls))
    line.reply()
    line.say(b"EHLO c.test")
    line.socket.sendall(b"STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@x.test>\r\n")
    assert line.reply().startswith("220 ")
    context = ssl.create_default_context(cafile=str(certificate[0]))
    try:
        secure = context.wrap_socket(line.socket, server_hostname="gate.test")
    except (ssl.SSLError, ConnectionError):
        return
    with secure:
        secure.sendall(b"RCPT TO:<u@corp.test>\r\n")
        assert secure.recv(1_000).startswith(b"503 5.5.1 MAIL comes first")


def test_failed_handshake_closes_the_connection_and_nothing_else(open_door, door_tls, call):
    """Nonsense instead of a handshake; the door serves the next client."""
    door = open_door(tls=door_tls)
    line = call(door)
    line.reply()
    line.say(b"EHLO c.test")
    line.say(b"STARTTLS")
    line.socket.sendall(b"this is no handshake\r\n")
    while line.socket.recv(1_000):
        pass
    assert call(door).reply().startswith("220 ")


def test_closing_the_door_finishes_the_message_under_way(open_door, portal, call, sink, records):
    """The idle client is sent away at once, the message being delivered is answered, new clients are not."""
    door = open_door()
    idle, busy = call(door), call(door)
    assert idle.reply().startswith("220 ")
    busy.begin(b"u@corp.test")
    sink.proceed.clear()
    busy.socket.sendall(MESSAGE + b".\r\n")
    assert sink.in_data.wait(10)
    closing = portal.start_task_soon(door.aclose)
    assert idle.reply().startswith("421 4.3.2 ")
    with pytest.raises(ConnectionRefusedError):
        call(door)
    assert not closing.done()
    sink.proceed.set()
    assert busy.reply().startswith("250 ")
    assert busy.reply().startswith("421 4.3.2 ")
    closing.result(10)
    assert records.of("u@corp.test").state is State.DELIVERED


def test_closing_the_door_cuts_off_who_takes_too_long(open_door, portal, call):
    """After the grace a client in the middle of a message is cut off."""
    door = open_door(grace=0.2)
    line = call(door)
    line.begin(b"u@corp.test")
    portal.call(door.aclose)
    with contextlib.suppress(ConnectionError):  # a reset is as good an end as any
        while line.socket.recv(1_000):
            pass
