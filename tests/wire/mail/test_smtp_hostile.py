"""What strangers try at the door: to be nobody, to fill disk and memory, to get around a spelling."""

from __future__ import annotations

import smtplib
import socket
import struct

import pytest
from anyio.from_thread import start_blocking_portal

from mailreeve.families.tracking.outcomes import LAYER_MESSAGE_LIMITS, State
from mailreeve.mail.maildir_next_hop import MaildirNextHop
from mailreeve.mail.smtp.room import FREE_OCTETS
from mailreeve.mail.smtp.session import MAX_REFUSED

MESSAGE = b"From: Ann <ann@out.test>\r\nSubject: hello\r\n\r\nHi.\r\n"


def content_of(octets: int) -> bytes:
    """A message of that size, without the dot at its end."""
    filled = MESSAGE + (b"x" * 78 + b"\r\n") * ((octets - len(MESSAGE)) // 80)
    return filled + b"y" * (octets - len(filled) - 2) + b"\r\n"


class TestUnderUvloop:
    """The loop that the server runs on. It knows no address of a connection that was reset before accepted."""

    @pytest.fixture
    def portal(self):
        with start_blocking_portal("asyncio", {"use_uvloop": True}) as portal:
            yield portal

    def test_client_that_resets_its_connection_is_nobody_and_relays_nothing(
        self, open_door, portal, sink, records
    ):
        """A whole message to the outside, sent and reset while the door is busy: no one hears of it."""
        door = open_door()
        relayed = (
            b"EHLO x\r\nMAIL FROM:<boss@corp.test>\r\nRCPT TO:<victim@far.test>\r\nDATA\r\n"
            + MESSAGE
            + b".\r\nQUIT\r\n"
        )

        def send_and_reset() -> None:
            # In the loop's own thread: what happens here happens before the door can accept.
            for _ in range(20):
                with socket.create_connection(door.address) as client:
                    client.sendall(relayed)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        portal.call(send_and_reset)
        with smtplib.SMTP(*door.address, local_hostname="c.test", timeout=10) as client:
            client.sendmail("ann@out.test", ["u@corp.test"], MESSAGE)
        portal.call(door.aclose)  # which waits for every session
        assert [recipients for _, recipients, _ in sink.messages] == [["u@corp.test"]]
        assert {outcome.recipient for outcome in records.kept} == {"u@corp.test"}


def test_client_who_names_only_refused_recipients_is_sent_away(open_door, call, house, records):
    """After two hundred, between two messages: 421, and the connection is closed."""
    house.block("out.test")
    line = call(open_door())
    line.reply()
    line.say(b"EHLO client.test")
    for _ in range(MAX_REFUSED // 100):
        assert line.say(b"MAIL FROM:<ann@out.test>").startswith("250 ")
        assert {line.say(b"RCPT TO:<u%d@corp.test>" % n)[:4] for n in range(100)} == {"550 "}
        assert line.say(b"RCPT TO:<u100@corp.test>").startswith("452 4.5.3 ")
        assert line.say(b"RSET").startswith("250 ")
    assert line.say(b"MAIL FROM:<ann@good.test>") == "421 4.7.0 gate.test Too many refused recipients, closing"
    assert line.reply() == ""
    assert len(records.kept) == MAX_REFUSED


def test_refused_recipients_are_counted_whatever_refuses_them(open_door, call, sink):
    """Broken addresses, mail of no account, the next hop's refusals; not what is left for another message."""
    line = call(open_door(max_recipients=MAX_REFUSED - 1))
    line.reply()
    line.say(b"EHLO client.test")
    line.say(b"MAIL FROM:<ann@out.test>")
    refused = [b"broken", b"x@far.test", b"unknown@corp.test"]
    for n in range(MAX_REFUSED - 1):
        assert line.say(b"RCPT TO:<" + refused[n % 3] + b">")[0] in "45"
    assert line.say(b"RCPT TO:<u@corp.test>").startswith("452 4.5.3 ")
    line.say(b"RSET")
    assert line.say(b"MAIL FROM:<ann@out.test>").startswith("250 ")
    assert line.say(b"RCPT TO:<broken>").startswith("501 ")
    assert line.say(b"RCPT TO:<u@corp.test>").startswith("250 "), "a message under way is not cut off"
    line.say(b"DATA")
    assert line.say(MESSAGE + b".").startswith("250 ")
    assert line.say(b"MAIL FROM:<ann@out.test>").startswith("421 4.7.0 ")
    assert len(sink.messages) == 1


def test_message_that_there_is_no_room_for_is_put_off_and_the_connection_lives(open_door, call, sink, records):
    """452, its content is dropped, and a small one comes in on the same connection."""
    line = call(open_door(max_receiving=10_000))
    line.begin(b"u@corp.test")
    assert line.say(content_of(FREE_OCTETS + 10_001) + b".").startswith("452 4.3.1 Insufficient system storage [")
    outcome = records.of("u@corp.test")
    assert (outcome.state, outcome.layer) == (State.DEFERRED, LAYER_MESSAGE_LIMITS)
    assert outcome.size == FREE_OCTETS + 10_001
    line.say(b"MAIL FROM:<ann@out.test>")
    line.say(b"RCPT TO:<v@corp.test>")
    line.say(b"DATA")
    assert line.say(content_of(FREE_OCTETS + 9_900) + b".").startswith("250 ")
    assert [recipients for _, recipients, _ in sink.messages] == [["v@corp.test"]]


def test_messages_share_the_room_until_they_are_answered(open_door, call, sink):
    """While one is handed on, another as large is put off; afterwards there is room again."""
    door = open_door(max_receiving=10_000)
    large = content_of(FREE_OCTETS + 9_000) + b"."
    first, second = call(door), call(door)
    first.begin(b"u@corp.test")
    second.begin(b"v@corp.test")
    sink.proceed.clear()
    first.socket.sendall(large + b"\r\n")
    assert sink.in_data.wait(10)
    assert second.say(large).startswith("452 4.3.1 ")
    sink.proceed.set()
    assert first.reply().startswith("250 ")
    for line in (b"MAIL FROM:<ann@out.test>", b"RCPT TO:<v@corp.test>", b"DATA"):
        second.say(line)
    assert second.say(large).startswith("250 ")


def test_message_that_is_too_large_is_so_whether_there_is_room_or_not(open_door, call):
    """452 would have it sent again and again."""
    line = call(open_door(max_receiving=1_000, max_size=FREE_OCTETS + 5_000))
    line.begin(b"u@corp.test")
    assert line.say(content_of(FREE_OCTETS + 6_000) + b".").startswith("552 5.3.4 ")


def test_postmaster_without_a_domain_is_taken(open_door, call, sink):
    """RFC 5321 section 4.5.1: in whatever case, for a mailbox of ours."""
    line = call(open_door())
    line.reply()
    line.say(b"EHLO client.test")
    line.say(b"MAIL FROM:<>")
    assert line.say(b"RCPT TO:<PostMaster>").startswith("250 ")
    line.say(b"DATA")
    assert line.say(MESSAGE + b".").startswith("250 ")
    assert [recipients for _, recipients, _ in sink.messages] == [["PostMaster@corp.test"]]


def test_spellings_of_a_recipient_are_all_delivered_to(open_door, sink):
    """250 for each is a promise to each."""
    spelt = ["straße@corp.test", "strasse@corp.test", "Bob@corp.test", "bob@corp.test"]
    with smtplib.SMTP(*open_door().address, local_hostname="c.test", timeout=10) as client:
        assert client.sendmail("ann@out.test", spelt, MESSAGE, ["SMTPUTF8"]) == {}
    assert sorted(r for _, recipients, _ in sink.messages for r in recipients) == sorted(spelt)


def test_trace_that_cannot_be_written_fails_before_anything_is_decided(open_door, call, house, sink, records):
    """The door is not started with a name that is no ASCII. If it were, nothing would be delivered and then put
    off, and what was refused before would still be recorded."""
    house.personal("block", "v@corp.test", "ann@out.test")
    line = call(open_door(hostname="gäte.test"))
    line.reply()
    for said in (b"EHLO c.test", b"MAIL FROM:<ann@out.test>", b"RCPT TO:<u@corp.test>", b"RCPT TO:<v@corp.test>"):
        line.say(said)
    line.say(b"DATA")
    assert line.say(MESSAGE + b".").startswith("451 4.3.0 ")
    assert sink.messages == []
    assert [outcome.recipient for outcome in records.kept] == ["v@corp.test"]


def test_next_hop_that_cannot_be_left_does_not_keep_the_client(open_door, call, tmp_path):
    """A fault at the goodbye there is no reason to hold the socket here."""

    class Clinging(MaildirNextHop):
        def courier(self):
            courier = super().courier()

            async def aclose():
                raise RuntimeError("will not close")

            courier.aclose = aclose
            return courier

    line = call(open_door(Clinging(tmp_path / "box")))
    line.reply()
    assert line.say(b"QUIT").startswith("221 ")
    assert line.reply() == ""
