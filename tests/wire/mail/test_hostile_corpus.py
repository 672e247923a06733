"""Hostile mail at both doors: each message is decided by who wrote it or refused cleanly, what is delivered has
the body that was sent, and the next client is served. The corpus is in peers/hostile.py."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile import BAD, CORPUS, HEAD, Hostile
from mta import Mta, Result, packed

from mailreeve.mail.next_hop.maildir import MaildirNextHop

BLOCKED = "550 5.7.1 Rejected by header-based Blocked Senders"
LARGE = HEAD + b"\r\n" + (b"x" * 78 + b"\r\n") * 625_000  # 50 MB
SECONDS = 30.0  # that the largest message may take, on a machine with much else to do
STALL = 5.0  # seconds that another client may wait meanwhile, on a machine with much else to do
MANY = 10_000  # recipients


def wrong(case: Hostile, reply: str, arrived: list[bytes]) -> str:
    """What is not as it should be; nothing if all is."""
    expected = BLOCKED if case.by_bad else case.refused
    if expected:
        return "" if reply.startswith(expected) and not arrived else f"{reply!r} instead of {expected!r}"
    if reply or len(arrived) != 1:
        return f"{reply!r}, and {len(arrived)} messages arrived"
    return "" if arrived[0].endswith(b"\r\n\r\n" + case.delivered_body) or not case.body else "another body"


@pytest.fixture
def only_bad(office):
    office.block(BAD.partition("@")[2], part="header_from")


def test_each_message_is_decided_or_refused_at_the_smtp_door(only_bad, open_door, call, sink):
    """One connection for each: none of them breaks the door, and none is taken for two. Another client is greeted
    while it is looked at."""
    door, problems = open_door(), {}
    for case in CORPUS:
        line = call(door)
        line.begin(b"u@corp.test")
        began = time.perf_counter()
        line.socket.sendall(case.stuffed)
        other = call(door)
        assert other.reply().startswith("220 ")
        other.close()
        assert time.perf_counter() - began < STALL, case
        reply = line.reply()
        # What follows the dot is read as commands: there is nothing more.
        assert line.say(b"NOOP").startswith("250 ")
        assert line.say(b"QUIT").startswith("221 ")
        arrived = sink.contents
        sink.messages.clear()
        if problem := wrong(case, "" if reply.startswith("250 ") else reply, arrived):
            problems[str(case)] = problem
    assert problems == {}


def while_others_are_answered(path: str, mta: Mta, content: bytes) -> Result:
    """What comes of a message at the milter door. Until it has, other servers are answered again and again."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(mta.message, "ann@out.test", ["u@corp.test"], content)
        while True:
            over = sending.done()
            began = time.perf_counter()
            other = Mta(path)
            assert other.connect() == ""
            other.close()
            assert time.perf_counter() - began < STALL
            if over:
                return sending.result()


def test_each_message_is_decided_or_refused_at_the_milter_door(only_bad, open_milter):
    """One connection for all, as a server has for one client."""
    path = open_milter()
    mta, problems = Mta(path), {}
    assert mta.connect() == ""
    for case in CORPUS:
        if case.is_plain:
            result = while_others_are_answered(path, mta, case.content)
            arrived = [] if result.delivered is None else [result.delivered.content]
            if problem := wrong(case, result.to_content, arrived):
                problems[str(case)] = problem
    mta.quit()
    mta.close()
    assert problems == {}


def test_fifty_megabytes_come_through_the_smtp_door_whole_and_in_time(open_door, call, tmp_path):
    line = call(open_door(MaildirNextHop(tmp_path / "box")))
    line.socket.settimeout(SECONDS)
    line.begin(b"u@corp.test")
    began = time.perf_counter()
    line.socket.sendall(LARGE + b".\r\n")
    assert line.reply().startswith("250 ")
    assert time.perf_counter() - began < SECONDS
    [file] = (tmp_path / "box" / "new").iterdir()
    # A Maildir has line feeds alone.
    assert file.read_bytes().endswith(LARGE.replace(b"\r\n", b"\n"))


def test_fifty_megabytes_come_through_the_milter_door_whole_and_in_time(open_milter):
    path = open_milter()
    mta = Mta(path)
    mta.socket.settimeout(SECONDS)
    assert mta.connect() == ""
    began = time.perf_counter()
    result = while_others_are_answered(path, mta, LARGE)
    assert time.perf_counter() - began < SECONDS
    assert result.to_content == ""
    assert result.delivered.content.endswith(LARGE.partition(b"\r\n\r\n")[2])
    mta.close()


def at_once(connection: socket.socket, data: bytes) -> None:
    """Send while answers come back: whoever sends all before reading fills both sides."""
    threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()


def test_thousands_of_recipients_at_the_smtp_door(open_door, call, sink):
    """A hundred get the message, the others are left for another; the client is not cut off within a message."""
    line = call(open_door())
    line.reply()
    line.say(b"EHLO client.test")
    line.say(b"MAIL FROM:<ann@out.test>")
    at_once(line.socket, b"".join(b"RCPT TO:<u%d@corp.test>\r\n" % n for n in range(MANY)))
    replies = [line.reply()[:4] for _ in range(MANY)]
    assert replies == ["250 "] * 100 + ["452 "] * (MANY - 100)
    assert line.say(b"DATA").startswith("354 ")
    assert line.say(HEAD + b"\r\nHi.\r\n.").startswith("250 ")
    assert [len(recipients) for _, recipients, _ in sink.messages] == [100]


def test_thousands_of_recipients_at_the_milter_door(open_milter):
    mta = Mta(open_milter())
    assert mta.connect() == ""
    assert mta.ask(b"M", b"<ann@out.test>\0") == ""
    at_once(mta.socket, b"".join(packed(b"R", b"<u%d@corp.test>\0" % n) for n in range(MANY)))
    replies = [mta.said(*mta.receive())[:4] for _ in range(MANY)]
    assert replies == [""] * 100 + ["452 "] * (MANY - 100)
    assert mta.ask(b"N") == mta.ask(b"E") == ""
    mta.close()
