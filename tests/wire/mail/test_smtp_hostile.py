"""What strangers try at the door: to be nobody, to fill disk and memory, to get around a spelling."""

from __future__ import annotations

import smtplib
import socket
import struct
import threading
import time

import pytest
from anyio.from_thread import start_blocking_portal
from structlog.testing import capture_logs

from mailreeve.doors.line_budget import PER_NETWORK
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import LAYER_MESSAGE_LIMITS, State
from mailreeve.mail.memory_budget import FREE_OCTETS
from mailreeve.mail.next_hop.maildir import MaildirNextHop
from mailreeve.mail.reception import MAX_REFUSED
from mailreeve.mail.smtp.session import MAX_ERRORS, MAX_IDLE

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


def test_client_who_names_only_refused_recipients_is_sent_away(open_door, call, office, records):
    """After two hundred, between two messages: 421, and the connection is closed."""
    office.block("out.test")
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


def test_trace_that_cannot_be_written_fails_before_anything_is_decided(open_door, call, office, sink, records):
    """The door is not started with a name that is no ASCII. If it were, nothing would be delivered and then put
    off, and what was refused before would still be recorded."""
    office.personal("block", "v@corp.test", "ann@out.test")
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
        def session(self):
            hop_session = super().session()

            async def aclose():
                raise RuntimeError("will not close")

            hop_session.aclose = aclose
            return hop_session

    line = call(open_door(Clinging(tmp_path / "box")))
    line.reply()
    assert line.say(b"QUIT").startswith("221 ")
    assert line.reply() == ""


@pytest.mark.parametrize("command", [b"NOOP", b"RSET", b"EHLO again.test", b"HELO again.test", b"VRFY x", b"HELP"])
def test_client_who_says_much_and_sends_nothing_is_sent_away(open_door, call, command):
    """Between two messages there is a limit to it, and a message begins it anew."""
    line = call(open_door())
    line.begin(b"u@corp.test")
    assert line.say(MESSAGE + b".").startswith("250 ")
    for _ in range(MAX_IDLE):
        assert line.say(command)[0] == "2"
    for _ in range(MAX_ERRORS - 1):
        assert line.say(command).startswith("450 4.7.0 ")
    assert line.say(command).startswith("421 4.7.0 ")
    assert line.reply() == ""


def test_client_whose_messages_are_all_given_up_is_not_taken_for_idle(open_door, call):
    """RSET behind MAIL is how a message is given up whose recipients were refused."""
    line = call(open_door())
    line.reply()
    line.say(b"EHLO client.test")
    for _ in range(MAX_IDLE + MAX_ERRORS):
        assert line.say(b"MAIL FROM:<ann@out.test>").startswith("250 ")
        assert line.say(b"RSET").startswith("250 ")


@pytest.mark.alone
def test_pipelined_commands_of_one_client_do_not_keep_the_others_waiting(open_door, call, portal):
    """Twenty thousand commands at once: another client is answered long before they all are."""
    door = open_door()
    flood, other = call(door), call(door)
    for line in (flood, other):
        line.reply()
        line.say(b"EHLO client.test")
    answered: list[float] = []
    commands = b"MAIL FROM:<ann@out.test>\r\nRSET\r\n" * 10_000
    sending = threading.Thread(target=flood.socket.sendall, args=(commands,), daemon=True)
    reading = threading.Thread(target=lambda: [flood.reply() for _ in range(20_000)], daemon=True)
    sending.start()
    reading.start()
    while reading.is_alive():
        began = time.perf_counter()
        assert other.say(b"MAIL FROM:<ben@out.test>").startswith("250 ")
        answered.append(time.perf_counter() - began)
        assert other.say(b"RSET").startswith("250 ")
    assert len(answered) > 10
    assert sorted(answered)[len(answered) // 2] < 0.25


@pytest.mark.parametrize(
    ("sent", "header"),
    [
        (b"From: a@x.test\r\r\nSubject: s\r\r\n\r\nx\r\n", b"From: a@x.test\r\nSubject: s\r\n\r\n"),
        (b"From: a@x.test\r\nSubject: one\rtwo\r\n\r\nx\r\n", b"From: a@x.test\r\nSubject: one two\r\n\r\n"),
        (b"From: A\rB <a@x.test>\r\nX: y\r\n\r\nx\r\n", b"From: A B <a@x.test>\r\nX: y\r\n\r\n"),
        (b"From: a@x.test\nSubject: s\n\nx\r\n", b"From: a@x.test\r\nSubject: s\r\n\r\n"),
    ],
    ids=["CR CR LF", "CR in a subject", "CR in a name", "LF"],
)
def test_header_reaches_the_next_hop_in_one_piece(open_door, call, sink, sent, header):
    """Whatever stray line ends it has: no reader behind us sees it end early, or a field in two."""
    line = call(open_door())
    line.begin(b"u@corp.test")
    assert line.say(sent + b".").startswith("250 ")
    assert sink.contents[0].endswith(header + b"x\r\n")


@pytest.mark.parametrize("text", [b"Fr\0om: eve@bad.test", b"Subject: a\0b", b"Subject: a\r\n \0", b"\0"])
def test_null_octet_in_a_header_is_refused(open_door, call, office, sink, records, text):
    """What the next hop makes of it cannot be known (D-52): 554, recorded, and the connection lives."""
    office.block("bad.test", part="header_from")
    line = call(open_door())
    line.begin(b"u@corp.test")
    assert line.say(b"X: y\r\n" + text + b"\r\n\r\nHi.\r\n.").startswith(
        "554 5.6.0 The message header has a null "
    )
    outcome = records.of("u@corp.test")
    assert (outcome.state, outcome.layer) == (State.REJECTED, LAYER_MESSAGE_LIMITS)
    for said in (b"MAIL FROM:<ann@out.test>", b"RCPT TO:<u@corp.test>", b"DATA"):
        line.say(said)
    assert line.say(MESSAGE + b"a\0b\r\n.").startswith("250 ")
    assert sink.contents[0].endswith(b"\r\na\0b\r\n")


def test_a_large_header_is_kept_once_however_many_recipients_it_has(open_door, call, records):
    """A hundred authors with long names to a hundred recipients: the header is cut, and stands in one record. The
    others take what every record does, with its terms; `record_budget` bounds them in all."""
    line = call(open_door(max_recipients=100))
    line.begin(*(b"u%d@corp.test" % n for n in range(100)))
    authors = b",\r\n ".join(b'"%s" <a%d@out.test>' % (b"x" * 490, n) for n in range(100))
    content = b"From: " + authors + b"\r\n\r\nHi.\r\n"
    assert line.say(content + b".").startswith("250 ")
    assert len(records.kept) == 100
    first, *others = (one.octets for one in rows.written(records.kept))
    assert first < len(content) / 10
    assert max(others) < 2_000


def test_what_a_client_does_again_and_again_does_not_fill_the_log(open_door, call):
    """Here: sent away for errors, connection after connection."""
    with capture_logs() as lines:
        door = open_door()
        for _ in range(PER_NETWORK + 5):
            line = call(door)
            line.reply()
            for _ in range(MAX_ERRORS):
                last = line.say(b"NONSENSE")
            assert last.startswith("421 ")
    assert [line["event"] for line in lines].count("smtp.too_many_errors") == PER_NETWORK


def test_messages_that_are_refused_do_not_fill_the_log(open_door, call):
    """A few octets are a message, which may be for many and be refused as often as one likes."""
    with capture_logs() as lines:
        door = open_door()
        for _ in range(PER_NETWORK + 5):
            line = call(door)
            line.begin(b"u@corp.test", b"v@corp.test")
            assert line.say(b"X: \0\r\n\r\n.").startswith("554 ")
    told = [line["event"] for line in lines]
    assert (told.count("mail"), told.count("smtp.message")) == (PER_NETWORK, PER_NETWORK)
