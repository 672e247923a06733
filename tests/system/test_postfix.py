"""Mailreeve between two real Postfixes, with swaks as the sender: nothing is lost, changed or kept secret."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest

from mailreeve.client import Policy, Target

pytestmark = pytest.mark.requires("postfix", "swaks")

U = "u@corp.test"
BY_ENVELOPE = r"550 5\.7\.1 Envelope rejected - block policy for envelope from address \[([a-z2-7]{16})\]"

# What programs on the way like to change: dots at the start of a line, long lines, octets that are not ASCII,
# white space at the end of a line, empty lines at the end, a From that could be taken for a mailbox's separator.
HOSTILE_BODY = (
    b".\n..\n...three\n. \n.\n"
    + b"x" * 990
    + b"\n"
    + "Grüße, 日本語".encode()
    + b"\nlatin-1: \xe9\xff\n"
    + b"trailing blanks  \t\nFrom here on\n>From there\n=20=\n\ttab\n\n\n"
)


def swaks(*arguments: str, port: int, code: int = 0) -> str:
    """What swaks shows of a session. Its exit code is 0 where the message was taken, 24 where nobody was."""
    command = ["swaks", "--server", f"127.0.0.1:{port}", "--helo", "client.test", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@contextmanager
def blocked(chain, domain: str, **scope: str):
    """While it lasts, a policy blocks this domain."""
    with chain.server.client() as client:
        made = client.blocked_senders.create(Policy("no more", Target.domain(domain), Target.internal(), **scope))
        try:
            yield made
        finally:
            client.blocked_senders.delete(made.id)


def test_blocked_sender_is_refused_and_postfix_says_why_to_the_sender(chain):
    """The policy set through the API makes the next message bounce: our text and decision id stand in Postfix' log
    and in the bounce, and the recipient gets nothing. Unblocked, the next one arrives."""
    with blocked(chain, "bad.test"):
        swaks("--from", "x@bad.test", "--to", U, "--header", "Subject: unwanted", port=chain.front.port)
        (line,) = chain.front.wait_for(r"to=<u@corp\.test>.*status=bounced")
    found = re.search(BY_ENVELOPE, line)
    assert found, line
    chain.back.wait_for(r"to=<x@bad\.test>.*status=sent \(delivered to maildir\)")
    (bounce,) = chain.take()
    assert b"\nX-Original-To: x@bad.test\n" in bounce
    report = message_from_bytes(bounce)
    assert report.get_content_type() == "multipart/report"
    status = re.sub(r"\s+", " ", report.get_payload(1).as_string())
    assert "Action: failed" in status
    assert re.search(BY_ENVELOPE, status).group(1) == found.group(1)
    swaks("--from", "x@bad.test", "--to", U, "--header", "Subject: welcome", port=chain.front.port)
    chain.back.wait_for(r"to=<u@corp\.test>.*status=sent \(delivered to maildir\)")
    (arrived,) = chain.take()
    assert b"\nSubject: welcome\n" in arrived


def test_header_block_bounces_as_well(chain):
    """Settled only at the end of data, in a transaction that the next hop is in already."""
    with blocked(chain, "worse.test", from_part="header_from"):
        sender = ("--from", "list@out.test", "--to", "ann@corp.test", "--h-From", "X <x@worse.test>")
        swaks(*sender, port=chain.front.port)
        (line,) = chain.front.wait_for(r"to=<ann@corp\.test>.*status=bounced")
    assert "Rejected by header-based Blocked Senders - block policy for header from" in line
    chain.back.wait_for(r"to=<list@out\.test>.*status=sent \(delivered to maildir\)")
    (bounce,) = chain.take()
    assert b"\nX-Original-To: list@out.test\n" in bounce


def test_blocked_sender_is_told_at_once_by_the_door_itself(chain):
    """swaks without a Postfix before us, as in the README."""
    with blocked(chain, "bad.test"):
        session = swaks("--from", "x@bad.test", "--to", U, port=chain.server.port, code=24)
    assert re.search(rf"^<\*\* {BY_ENVELOPE}$", session, re.MULTILINE)
    assert chain.take() == []


def test_message_arrives_octet_for_octet(chain, tmp_path: Path):
    """Postfix, Mailreeve, Postfix, Maildir: fields are put on top, and all else is as it was written."""
    message = (
        b"From: =?utf-8?q?J=C3=B6?= <jo@out.test>\nTo: Kim <kim@corp.test>,\n\tothers@out.test\n"
        b"Date: Mon, 02 Mar 2026 10:00:00 +0000\nMessage-ID: <octets@out.test>\nsubject:   odd   spacing \n"
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    ) + HOSTILE_BODY
    file = tmp_path / "message.eml"
    # As it goes over the wire, dots doubled: swaks is told to send it as it is.
    file.write_bytes(re.sub(rb"(?m)^\.", b"..", message).replace(b"\n", b"\r\n") + b".\r\n")
    sender = ("--from", "jo@out.test", "--to", "kim@corp.test")
    swaks(*sender, "--no-data-fixup", "--data", f"@{file}", port=chain.front.port)
    chain.back.wait_for(r"to=<kim@corp\.test>.*status=sent \(delivered to maildir\)")
    (arrived,) = chain.take()
    assert arrived.endswith(b"\n" + message)
    added = message_from_bytes(arrived.removesuffix(message))
    assert added["Return-Path"] == "<jo@out.test>"
    assert added["X-Mailreeve-Spam-Checks"] == "run"
    hops = [" ".join(hop.split()) for hop in added.get_all("Received")]
    assert len(hops) == 3, hops
    assert "(Mailreeve) with ESMTP id" in hops[1]
    assert hops[1].startswith("from front.test.invalid ([127.0.0.1])")


def test_nothing_is_lost_while_the_next_hop_is_down(chain):
    """With the back one stopped every message is put off and waits in the front one's queue; once it runs again,
    each arrives, and arrives once."""
    recipients = [f"late{n}@corp.test" for n in range(5)]
    chain.back.stop()
    for to in recipients:
        swaks("--from", "x@out.test", "--to", to, port=chain.front.port)
    for line in chain.front.wait_for(r"to=<late\d@corp\.test>.*status=deferred", len(recipients)):
        assert re.search(r"said: 451 4\.4\.1 The next mail server does not answer", line), line
    assert sorted(r["address"] for entry in chain.front.queue() for r in entry["recipients"]) == recipients
    assert chain.take() == []
    chain.back.start()
    chain.front.flush()
    chain.back.wait_for(r"to=<late\d@corp\.test>.*status=sent \(delivered to maildir\)", len(recipients))
    chain.front.wait_for(r"to=<late\d@corp\.test>.*status=sent \(250 2\.0\.0 Delivered \[", len(recipients))
    arrived = [message_from_bytes(message)["X-Original-To"] for message in chain.take()]
    assert sorted(arrived) == recipients
    chain.front.wait_for(r"qmgr\[\d+\]: \w+: removed", len(recipients))
    assert chain.front.queue() == []


def test_recipients_of_one_message_part_ways(chain):
    """One personal list refuses: Postfix bounces that recipient and delivers to the other."""
    with chain.server.client() as client:
        client.block_sender("jo@out.test", "pat@corp.test")
    swaks("--from", "jo@out.test", "--to", "pat@corp.test,sam@corp.test", port=chain.front.port)
    (line,) = chain.front.wait_for(r"to=<pat@corp\.test>.*status=bounced")
    assert re.search(r"550 5\.7\.1 Envelope blocked - User Entry \[[a-z2-7]{16}\]", line), line
    chain.back.wait_for(r"to=<sam@corp\.test>.*status=sent \(delivered to maildir\)")
    chain.back.wait_for(r"to=<jo@out\.test>.*status=sent \(delivered to maildir\)")
    arrived = [message_from_bytes(message)["X-Original-To"] for message in chain.take()]
    assert sorted(arrived) == ["jo@out.test", "sam@corp.test"]
