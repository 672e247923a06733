"""A listed host speaks for others on a real socket: the client that it names is the one that is judged, recorded,
counted and told of; whoever is not listed is not heard."""

from __future__ import annotations

import smtplib
import ssl
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from mailreeve.families.tracking.outcomes import State
from mailreeve.mail.next_hop.smtp import SmtpNextHop
from mailreeve.policy.model.policy_types import Layer

MESSAGE = b"From: Ann <ann@out.test>\r\nSubject: hello\r\n\r\nHi.\r\n"
LISTED = (ip_network("127.0.0.1/32"),)
ONLY_FROM_THERE = {"networks": (ip_network("192.0.2.0/24"),)}


@pytest.fixture
def proxy(open_door, call):
    """`proxy(<settings>)`: a connection from a listed host, greeted."""

    def connect(door=None, **settings):
        line = call(door or open_door(xclient_hosts=LISTED, **settings))
        assert line.reply().startswith("220 gate.test ")
        return line

    return connect


def send(line, recipient: bytes, sender: bytes = b"ann@out.test") -> str:
    """One message in a session that was begun; the reply that ended it."""
    for said in (b"MAIL FROM:<" + sender + b">", b"RCPT TO:<" + recipient + b">", b"DATA"):
        reply = line.say(said)
        if reply[0] not in "23":
            return reply
    return line.say(MESSAGE + b".")


def test_only_a_listed_host_is_offered_it_and_heard(open_door, call):
    """Others get 550, whatever they say, and it counts as an error of theirs."""
    line = call(open_door(xclient_hosts=(ip_network("192.0.2.0/24"),)))
    line.reply()
    assert "XCLIENT" not in line.say(b"EHLO c.test")
    for said in (b"XCLIENT ADDR=192.0.2.7", b"XFORWARD ADDR=192.0.2.7", b"XCLIENT", b"XFORWARD x"):
        assert line.say(said) == "550 5.7.0 You may not speak for others"
    replies = [line.say(b"XCLIENT ADDR=192.0.2.7") for _ in range(16)]
    assert replies[-1].startswith("421 4.7.0 gate.test Too many errors")


def test_the_offer(proxy):
    said = proxy().say(b"EHLO c.test").split("\n")
    assert "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT" in said
    assert "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE" in said


def test_the_announced_client_is_judged_recorded_and_traced(proxy, office, records, sink):
    """A block by source address hits who is behind the proxy, and nobody else behind it."""
    office.block("out.test", **ONLY_FROM_THERE)
    line = proxy()
    assert line.say(b"XCLIENT ADDR=192.0.2.7 NAME=spike.test HELO=spike PROTO=SMTP").startswith("220 gate.test ")
    line.say(b"EHLO proxy.test")
    assert send(line, b"u@corp.test").startswith("550 5.7.1 Envelope rejected")
    line.say(b"RSET")
    assert (records.of("u@corp.test").source_ip, records.of("u@corp.test").client_name) == ("192.0.2.7", "spike")
    assert line.say(b"XCLIENT ADDR=IPV6:2001:db8::1 HELO=other NAME=[UNAVAILABLE]").startswith("220 gate.test ")
    line.say(b"EHLO proxy.test")
    with capture_logs() as logs:
        assert send(line, b"w@corp.test").startswith("250 2.0.0 ")
        line.say(b"QUIT")
    assert records.of("w@corp.test").source_ip == "2001:db8::1"
    assert (
        b"Received: from other ([IPv6:2001:db8::1])\r\n\tby gate.test (Mailreeve) with ESMTP id "
        in sink.contents[0]
    )
    [told] = [entry for entry in logs if entry["event"] == "mail"]
    assert (told["source_ip"], told["helo"]) == ("2001:db8::1", "other")


def test_a_refusal_at_connect_is_the_announced_clients(proxy, office):
    """At the second greeting; the proxy itself was greeted."""
    office.block("everyone", **ONLY_FROM_THERE, override=True)
    line = proxy()
    assert line.say(b"XCLIENT ADDR=192.0.2.7").startswith("421 4.7.1 ")
    assert line.reply() == ""


def test_a_block_of_the_proxy_itself_is_told_at_rcpt(proxy, office):
    """It is greeted, since it may speak for others, who are not blocked."""
    office.block("everyone", networks=LISTED, override=True)
    line = proxy()
    line.say(b"EHLO proxy.test")
    assert send(line, b"u@corp.test").startswith("451 4.7.1 Sender address blocked")
    line.say(b"RSET")
    assert line.say(b"XCLIENT ADDR=192.0.2.7").startswith("220 ")
    line.say(b"EHLO proxy.test")
    assert send(line, b"u@corp.test").startswith("250 2.0.0 ")


def test_xclient_begins_anew(proxy):
    """Greeting, introduction, message: all of it. Not in the middle of a message."""
    line = proxy()
    line.say(b"EHLO proxy.test")
    assert line.say(b"MAIL FROM:<ann@out.test>").startswith("250 ")
    assert line.say(b"XCLIENT ADDR=192.0.2.7") == "503 5.5.1 A message is under way"
    assert line.say(b"XFORWARD ADDR=192.0.2.7") == "503 5.5.1 A message is under way"
    assert line.say(b"RSET").startswith("250 ")
    assert line.say(b"XCLIENT ADDR=192.0.2.7").startswith("220 gate.test ")
    assert line.say(b"MAIL FROM:<ann@out.test>").startswith("503 5.5.1 HELO or EHLO comes first")


def test_a_bad_attribute_changes_nothing(proxy, records):
    """The session goes on as it was, and so does the client."""
    line = proxy()
    line.say(b"XCLIENT ADDR=192.0.2.7")
    line.say(b"EHLO proxy.test")
    for said in (
        b"XCLIENT ADDR=192.0.2.8 HELO=a+",
        b"XFORWARD ADDR=192.0.2.8 PORT=x",
        b"XCLIENT",
        b"XFORWARD NAME",
    ):
        assert line.say(said).startswith("501 5.5.4 ")
    assert line.say(b"XCLIENT HELO=" + b"x" * 3_000).startswith("500 5.5.2 Command line too long")
    assert send(line, b"u@corp.test").startswith("250 ")
    assert records.of("u@corp.test").source_ip == "192.0.2.7"


def test_what_follows_in_the_same_packet_is_read_after_the_reset(proxy, records):
    """It is said by the new client, who has not introduced itself; nothing of it counts for the one before."""
    line = proxy()
    line.say(b"EHLO proxy.test")
    line.socket.sendall(b"XCLIENT ADDR=192.0.2.7\r\nMAIL FROM:<eve@out.test>\r\nEHLO late.test\r\nNOOP\r\n")
    assert line.reply().startswith("220 gate.test ")
    assert line.reply().startswith("503 5.5.1 HELO or EHLO comes first")
    assert line.reply().startswith("250-gate.test")
    assert line.reply().startswith("250 ")
    assert send(line, b"u@corp.test").startswith("250 ")
    assert records.of("u@corp.test").source_ip == "192.0.2.7"


def test_a_content_announces_nobody(proxy, records, sink):
    """XCLIENT inside a message, behind any end that is none, is text."""
    line = proxy()
    line.say(b"XCLIENT ADDR=192.0.2.7")
    line.say(b"EHLO proxy.test")
    for said in (b"MAIL FROM:<eve@out.test>", b"RCPT TO:<u@corp.test>", b"DATA"):
        line.say(said)
    hidden = b"XCLIENT ADDR=127.0.0.1 LOGIN=boss\r\n"
    text = MESSAGE + b"\n.\n" + hidden + b"\r.\r" + hidden + b"\r\n.\n" + hidden + b"\n.\r\n" + hidden
    assert line.say(text + b".").startswith("250 2.0.0 ")
    assert line.say(b"RCPT TO:<x@far.test>").startswith("503 5.5.1 MAIL comes first")
    assert sink.contents[0].count(hidden.strip()) == 4
    assert records.of("u@corp.test").source_ip == "192.0.2.7"


def test_unannounced_mail_of_a_proxy_on_the_same_host_is_nobodys_own(proxy, records):
    """Loopback is a relay network, as by default: yet nothing goes out through it, and no way round is taken."""
    line = proxy()
    line.say(b"EHLO proxy.test")
    assert send(line, b"x@far.test", b"ann@corp.test").startswith("451 4.7.1 Open relay not allowed")
    line.say(b"RSET")
    assert send(line, b"x%far.test@corp.test").startswith("550 5.1.3 ")
    line.say(b"RSET")
    assert send(line, b"u@corp.test").startswith("250 ")
    outcome = records.of("x@far.test")
    assert (outcome.state, outcome.layer) == (State.DEFERRED, Layer.RELAY)
    assert (outcome.source_ip, outcome.source_trusted) == ("127.0.0.1", False)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"XCLIENT ADDR=192.0.2.7", "451 4.7.1 Open relay"),
        (b"XCLIENT ADDR=192.0.2.7 LOGIN=ann", "250 2.0.0"),
        (b"XCLIENT ADDR=[UNAVAILABLE]", "451 4.7.1 Open relay"),
        (b"XCLIENT ADDR=[UNAVAILABLE] LOGIN=ann", "250 2.0.0"),
        (b"XCLIENT ADDR=127.0.0.1", "250 2.0.0"),  # a relay network, said by who may say so
        (b"XCLIENT HELO=localhost", "451 4.7.1 Open relay"),
        (b"XFORWARD ADDR=192.0.2.7 SOURCE=REMOTE", "451 4.7.1 Open relay"),
        (b"XFORWARD ADDR=192.0.2.7 SOURCE=LOCAL", "451 4.7.1 Open relay"),
        (b"XFORWARD ADDR=[UNAVAILABLE] SOURCE=LOCAL", "250 2.0.0"),
        (b"XFORWARD ADDR=127.0.0.1", "250 2.0.0"),
        (b"XFORWARD HELO=localhost", "451 4.7.1 Open relay"),
    ],
)
def test_who_may_send_to_the_outside(proxy, said, reply):
    """Whoever signed in at the proxy, or is of the relay networks, or is the server in front itself."""
    line = proxy()
    assert line.say(said)[:3] in ("220", "250")
    line.say(b"EHLO proxy.test") if said.startswith(b"XCLIENT") else line.say(b"HELO proxy.test")
    if said.startswith(b"XFORWARD"):
        line.say(said)  # the introduction has ended what was said for the message before
    assert send(line, b"x@far.test", b"ann@corp.test").startswith(reply)


def test_a_login_stands_in_the_trace_and_the_record(proxy, sink, records):
    line = proxy()
    line.say(b"XCLIENT ADDR=192.0.2.7 NAME=[TEMPUNAVAIL] LOGIN=ann@corp.test HELO=laptop")
    line.say(b"EHLO proxy.test")
    send(line, b"u@corp.test")
    assert b"Received: from laptop ([192.0.2.7])\r\n\tby gate.test (Mailreeve) with ESMTPA id " in sink.contents[0]
    outcome = records.of("u@corp.test")
    assert (outcome.login, outcome.client_name, outcome.source_trusted) == ("ann@corp.test", "laptop", True)


def test_xforward_holds_for_one_message(proxy, office, records, sink):
    """The server in front has a Received field for the client; ours names both. After RSET, a message or an
    introduction the server speaks for itself again."""
    office.block("out.test", **ONLY_FROM_THERE)
    line = proxy()
    line.say(b"EHLO front.test")
    said = b"XFORWARD NAME=spike.test ADDR=192.0.2.7 PORT=4001"
    assert line.say(said).startswith("250 ")
    assert line.say(b"XFORWARD PROTO=ESMTP HELO=spike IDENT=4Xy SOURCE=REMOTE").startswith("250 ")
    assert send(line, b"a@corp.test").startswith("550 5.7.1 Envelope rejected")
    line.say(b"RSET")
    assert send(line, b"b@corp.test").startswith("250 ")
    line.say(b"XFORWARD ADDR=198.51.100.9 HELO=far.test")
    assert send(line, b"c@corp.test").startswith("250 ")
    assert send(line, b"d@corp.test").startswith("250 ")
    line.say(b"XFORWARD ADDR=192.0.2.7")
    line.say(b"EHLO front.test")
    assert send(line, b"e@corp.test").startswith("250 ")
    found = [records.of(f"{name}@corp.test").source_ip for name in "abcde"]
    assert found == ["192.0.2.7", "127.0.0.1", "198.51.100.9", "127.0.0.1", "127.0.0.1"]
    names = [records.of(f"{name}@corp.test").client_name for name in "abcde"]
    assert names == ["spike", "front.test", "far.test", "front.test", "front.test"]
    assert b"Received: from front.test ([127.0.0.1])" in sink.contents[1]
    assert b"\r\n\t(client far.test [198.51.100.9]);\r\n" in sink.contents[1]
    assert b"(client" not in sink.contents[2]


def test_who_is_behind_a_proxy_has_places_of_their_own(proxy, open_door, call):
    """The proxy's connections are nobody's until it says whose. One of its clients that has them all gets 421, the
    others and the proxy do not; a connection that ends or becomes another's gives its place back."""
    door = open_door(xclient_hosts=LISTED, max_connections_per_ip=2)
    lines = [proxy(door) for _ in range(5)]
    assert lines[0].say(b"XCLIENT ADDR=192.0.2.7").startswith("220 ")
    assert lines[1].say(b"XCLIENT ADDR=192.0.2.7").startswith("220 ")
    assert lines[2].say(b"XCLIENT ADDR=192.0.2.7").startswith("421 4.7.0 gate.test Too many connections from")
    assert lines[2].reply() == ""
    assert lines[3].say(b"XCLIENT ADDR=192.0.2.8").startswith("220 ")
    assert lines[1].say(b"XCLIENT ADDR=192.0.2.9").startswith("220 ")
    assert lines[4].say(b"XCLIENT ADDR=192.0.2.7").startswith("220 ")
    assert lines[0].say(b"QUIT").startswith("221 ")
    assert lines[0].reply() == ""
    assert lines[3].say(b"XCLIENT ADDR=192.0.2.7").startswith("220 ")
    assert lines[1].say(b"XCLIENT ADDR=192.0.2.7").startswith("421 ")


def test_counts_are_the_clients_and_of_the_same_one_go_on(proxy):
    """Errors of one client do not send away the next; nor does saying the same one again forget them."""
    line = proxy()
    for client in (b"192.0.2.7", b"192.0.2.8"):
        assert line.say(b"XCLIENT ADDR=" + client).startswith("220 ")
        for _ in range(15):
            assert line.say(b"NONSENSE").startswith("500 ")
    assert line.say(b"XCLIENT ADDR=192.0.2.8").startswith("220 ")
    replies = [line.say(b"NONSENSE")[:3] for _ in range(5)]
    assert replies == ["500", "500", "500", "500", "421"]


def test_xclient_comes_inside_tls(proxy, open_door, door_tls, certificate):
    """Said in the clear it would be forgotten by STARTTLS (RFC 3207 section 4.2) without anybody noticing."""
    door = open_door(tls=door_tls, xclient_hosts=LISTED)
    for said in (b"XCLIENT ADDR=192.0.2.7", b"XFORWARD ADDR=192.0.2.7"):
        line = proxy(door)
        assert "STARTTLS" in line.say(b"EHLO proxy.test")
        line.say(said)
        assert line.say(b"STARTTLS") == "503 5.5.1 XCLIENT and XFORWARD come after STARTTLS"
    with smtplib.SMTP(*door.address, local_hostname="proxy.test") as client:
        context = ssl.create_default_context(cafile=str(certificate[0]))
        context.check_hostname = False
        client.starttls(context=context)
        client.ehlo()
        assert client.has_extn("xclient")
        assert client.docmd("XCLIENT", "ADDR=192.0.2.7")[0] == 220
        client.ehlo()
        assert not client.has_extn("starttls")


def test_the_next_hop_is_told_whose_mail_it_gets(proxy, open_sink, call):
    """If it takes that, and the setting asks for it: once for each message, before MAIL."""
    sink = open_sink()
    sink.offers_xforward = "NAME ADDR PORT PROTO HELO IDENT SOURCE"
    host, port = sink.address
    line = proxy(next_hop=SmtpNextHop(host=host, port=port, greeting="gate.test", xforward=True))
    line.say(b"EHLO front.test")
    send(line, b"u@corp.test")
    line.say(b"XFORWARD ADDR=IPV6:2001:db8::1 NAME=spike.test PORT=41 HELO=sp+3Dike IDENT=4Xy SOURCE=LOCAL")
    send(line, b"u@corp.test")
    assert sink.said == [
        "XFORWARD NAME=[UNAVAILABLE] ADDR=127.0.0.1 PORT=[UNAVAILABLE] HELO=front.test PROTO=ESMTP"
        " IDENT=[UNAVAILABLE] SOURCE=REMOTE",
        "MAIL ann@out.test",
        "RCPT u@corp.test",
        "XFORWARD NAME=spike.test ADDR=IPV6:2001:db8::1 PORT=41 HELO=sp+3Dike PROTO=[UNAVAILABLE] IDENT=4Xy"
        " SOURCE=LOCAL",
        "MAIL ann@out.test",
        "RCPT u@corp.test",
    ]


@pytest.mark.parametrize(("offer", "wanted"), [("", True), ("ADDR", False)])
def test_the_next_hop_is_told_nothing_that_it_does_not_take(proxy, open_sink, offer, wanted):
    sink = open_sink()
    sink.offers_xforward = offer
    host, port = sink.address
    line = proxy(next_hop=SmtpNextHop(host=host, port=port, greeting="gate.test", xforward=wanted))
    line.say(b"EHLO front.test")
    assert send(line, b"u@corp.test").startswith("250 ")
    assert sink.said == ["MAIL ann@out.test", "RCPT u@corp.test"]


def test_a_server_in_front_may_pass_on_who_signed_in(proxy, open_door, call):
    """MAIL with AUTH= (RFC 4954 section 5) is not refused from a listed host, and means nothing."""
    line = proxy()
    line.say(b"EHLO front.test")
    assert line.say(b"MAIL FROM:<ann@corp.test> AUTH=ann@corp.test").startswith("250 ")
    assert line.say(b"RCPT TO:<x@far.test>").startswith("451 4.7.1 Open relay")
    stranger = call(open_door())
    stranger.reply()
    stranger.say(b"EHLO c.test")
    assert stranger.say(b"MAIL FROM:<ann@corp.test> AUTH=<>").startswith("555 5.5.4 ")
