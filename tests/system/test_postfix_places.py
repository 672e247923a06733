"""Mailreeve beside a real Postfix, in each place of docs/guides/postfix.md and with the very files in it.

Senders come from 192.0.2.7, as they tell Postfix by XCLIENT; in front of Postfix from 127.0.0.9. Every refusal and
every record is that client's, whoever spoke for it.
"""

from __future__ import annotations

import json
import re
import smtplib
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest
from hostile import BAD, CORPUS, Hostile

from mailreeve.client import Conditions, Policy, Target

pytestmark = pytest.mark.requires("postfix", "swaks")

MAILREEVE = Path(sys.executable).with_name("mailreeve")
FOUND = {
    "milter": "milter",
    "before": "before the queue",
    "behind": "behind the queue",
    "between": "behind the queue, before another server",
    "front": "in front of Postfix",
}
U = "u@corp.test"
FAR = "friend@far.test"
CLIENT = {
    "milter": "192.0.2.7",
    "before": "192.0.2.7",
    "behind": "192.0.2.7",
    "between": "192.0.2.7",
    "front": "127.0.0.9",
}
BLOCKED = r"550 5\.7\.1 Envelope rejected - block policy for envelope from address \[([a-z2-7]{16})\]"
DELIVERED = r"to=<{}>.*status=sent \(delivered to maildir\)"

EVERY = pytest.mark.parametrize("name", ["milter", "before", "behind", "between", "front"])
BY_SMTP = pytest.mark.parametrize("name", ["before", "behind", "between", "front"])
IN_SESSION = pytest.mark.parametrize("name", ["milter", "before", "front"])


def swaks(placement, name: str, *arguments: str, port: int = 0, code: int = 0, own: bool = False) -> str:
    """What swaks shows of a session from the client. Its exit code is 0 where the message was taken."""
    command = ["swaks", "--server", f"127.0.0.1:{port or placement.port}", "--helo", "spike.test", *arguments]
    if name == "front":
        command += ["--local-interface", CLIENT[name]]
    elif not own:
        command += ["--xclient-addr", CLIENT[name], "--xclient-name", "spike.test"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@contextmanager
def blocked(placement, domain: str, source: str):
    """While it lasts, a policy blocks this domain from this source."""
    with placement.server.client() as client:
        policy = Policy(
            "no more",
            Target.domain(domain),
            Target.internal(),
            conditions=Conditions(source_ips=(f"{source}/32",)),
        )
        made = client.blocked_senders.create(policy)
        try:
            yield
        finally:
            client.blocked_senders.delete(made.id)


def recorded(placement, recipient: str, copy: bytes) -> dict:
    """The record of a copy that arrived."""
    return placement.server.outcome(recipient, message_from_bytes(copy)["X-Mailreeve-Decision"])


@IN_SESSION
def test_a_blocked_sender_is_refused_while_connected(place, name):
    """The reply with our decision id is the sender's, through Postfix too; the record has the client's address."""
    placement = place(name)
    with blocked(placement, "bad.test", CLIENT[name]):
        session = swaks(placement, name, "--from", "x@bad.test", "--to", U, code=24)
    [found] = re.findall(rf"^<\*\* {BLOCKED}$", session, re.MULTILINE)
    assert placement.server.outcome(U, found)["source_ip"] == CLIENT[name]
    assert placement.take() == []
    assert placement.postfix.queue() == []


@pytest.mark.parametrize("name", ["behind", "between"])
def test_behind_the_queue_a_blocked_sender_gets_a_bounce(place, name):
    """With our text; the record has the client's address all the same."""
    placement = place(name)
    with blocked(placement, "bad.test", CLIENT[name]):
        swaks(placement, name, "--from", "x@bad.test", "--to", U)
        [line] = placement.postfix.wait_for(r"to=<u@corp\.test>.*status=bounced")
    found = re.search(BLOCKED, line)
    assert found, line
    assert placement.server.outcome(U, found[1])["source_ip"] == CLIENT[name]
    placement.last.wait_for(DELIVERED.format(r"x@bad\.test"))


@EVERY
def test_a_block_of_the_server_in_front_blocks_nobody_behind_it(place, name):
    """And what passes arrives once, as it was, with the client in Postfix' log and in ours."""
    placement = place(name)
    with blocked(placement, "good.test", "127.0.0.1"):
        swaks(placement, name, "--from", "x@good.test", "--to", U, "--body", "one\n.two\nthree")
        placement.last.wait_for(DELIVERED.format(r"u@corp\.test"))
    [arrived] = placement.take()
    assert b"\n\none\n.two\nthree\n" in arrived
    if name in ("before", "behind", "front"):
        placement.last.wait_for(rf"client=unknown\[127\.0\.0\.1\], .*orig_client=\S+\[{re.escape(CLIENT[name])}\]")
        assert re.search(
            rf"event=mail source_ip={re.escape(CLIENT[name])} .*helo=spike.test", placement.server.log()
        )
    assert recorded(placement, U, arrived)["source_ip"] == CLIENT[name]
    assert CLIENT[name].encode() in arrived
    assert not placement.postfix.queue()


@EVERY
def test_a_strangers_mail_to_the_outside_is_not_our_own(place, name):
    """Although it comes to Mailreeve from loopback."""
    placement = place(name)
    sender = ("--from", "ann@corp.test", "--to", FAR)
    if name == "between":
        pytest.skip("Postfix sends none of it to Mailreeve")
    session = swaks(placement, name, *sender, code=0 if name == "behind" else 24)
    if name == "behind":
        [line] = placement.postfix.wait_for(r"to=<friend@far\.test>.*status=deferred")
    else:
        line = session
    assert "451 4.7.1 Open relay not allowed" in line
    assert placement.take() == []
    if name == "behind":
        subprocess.run(
            ["postsuper", "-c", str(placement.postfix.folder / "conf"), "-d", "ALL"],
            check=True,
            capture_output=True,
        )


@BY_SMTP
def test_unannounced_mail_of_a_neighbour_is_not_our_own(place, name):
    """A program on the machine that speaks to Mailreeve's port and says nothing of a client."""
    placement = place(name)
    port = int(
        re.search(r'smtp = "127\.0\.0\.1:(\d+)"', (placement.server.folder / "mailreeve.toml").read_text())[1]
    )
    sender = ("--from", "ann@corp.test", "--to", FAR)
    session = swaks(placement, name, *sender, port=port, own=True, code=24)
    assert "451 4.7.1 Open relay not allowed" in session


@pytest.mark.parametrize("name", ["before", "behind"])
def test_own_mail_goes_out(place, name):
    """Of programs on the machine; and of users, by a way of their own that Postfix has for those who signed in."""
    placement = place(name)
    sender = ("--from", "ann@corp.test", "--to", FAR)
    swaks(placement, name, *sender, own=True)
    placement.last.wait_for(DELIVERED.format(r"friend@far\.test"))
    swaks(placement, name, *sender, port=placement.submission)
    placement.last.wait_for(DELIVERED.format(r"friend@far\.test"), 2)
    arrived = placement.take()
    assert len(arrived) == 2
    sources = sorted(recorded(placement, FAR, message)["source_ip"] for message in arrived)
    assert sources == ["127.0.0.1", "127.0.0.2"]


@pytest.mark.parametrize("name", ["milter", "behind"])
def test_what_sendmail_hands_in_goes_out(place, name):
    """It has no address, and Postfix says that it is local; as a milter Mailreeve is asked by cleanup."""
    placement = place(name)
    command = ["sendmail", "-C", str(placement.postfix.folder / "conf"), "-f", "ann@corp.test", FAR]
    subprocess.run(command, input=b"Subject: report\n\nall well\n", check=True, timeout=60)
    placement.last.wait_for(DELIVERED.format(r"friend@far\.test"))
    [arrived] = placement.take()
    outcome = recorded(placement, FAR, arrived)
    # Behind the queue Postfix says that it is local; as a milter Mailreeve hears an address of `relay_networks`.
    assert (outcome["source_ip"], outcome["source_trusted"]) == ("127.0.0.1", True if name == "behind" else None)


@EVERY
def test_international_and_eight_bit_mail_passes(place, name):
    """What Postfix announces to the sender is what Mailreeve does: nothing is refused or changed for it."""
    placement = place(name)
    fields = "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <octets@out.test>\r\nSubject: Grüße\r\n"
    text = f"From: Jö <jö@out.test>\r\nTo: kim@corp.test\r\n{fields}\r\nÄpfel, 日本語\r\n".encode()
    with smtplib.SMTP("127.0.0.1", placement.port, local_hostname="spike.test", timeout=60) as client:
        client.ehlo()
        if name != "front":
            client.docmd("XCLIENT", f"ADDR={CLIENT[name]} NAME=spike.test")
            client.ehlo()
        assert {"8bitmime", "smtputf8", "size", "pipelining"} <= client.esmtp_features.keys()
        if name in ("before", "front"):
            assert not {"dsn", "chunking"} & client.esmtp_features.keys()
        options = ["BODY=8BITMIME", "SMTPUTF8"]  # and SIZE by itself
        assert client.sendmail("jö@out.test", [U, "kim@corp.test"], text, options) == {}
    placement.last.wait_for(r"status=sent \(delivered to maildir\)", 2)
    arrived = placement.take()
    assert len(arrived) == 2
    for message in arrived:
        assert message.endswith("Subject: Grüße\n\nÄpfel, 日本語\n".encode())
        assert "Return-Path: <jö@out.test>".encode() in message


@IN_SESSION
def test_recipients_of_one_message_part_ways(place, name):
    """One personal list refuses: the sender hears it for that recipient, the other gets the message."""
    placement = place(name)
    with placement.server.client() as client:
        client.block_sender("jo@out.test", "pat@corp.test")
    session = swaks(placement, name, "--from", "jo@out.test", "--to", "pat@corp.test,sam@corp.test")
    assert re.search(r"^<\*\* 550 5\.7\.1 Envelope blocked - User Entry \[[a-z2-7]{16}\]$", session, re.MULTILINE)
    placement.last.wait_for(DELIVERED.format(r"sam@corp\.test"))
    [arrived] = placement.take()
    assert message_from_bytes(arrived)["X-Original-To"] == "sam@corp.test"


@IN_SESSION
def test_a_refusal_at_the_end_of_the_data_is_the_senders(place, name):
    """A block by the From header, and a message that has gone in circles."""
    placement = place(name)
    with placement.server.client() as client:
        made = client.blocked_senders.create(
            Policy("no more", Target.domain("worse.test"), Target.internal(), from_part="header_from")
        )
        session = swaks(
            placement, name, "--from", "list@out.test", "--to", U, "--h-From", "X <x@worse.test>", code=26
        )
        client.blocked_senders.delete(made.id)
    assert re.search(r"<\*\* 550 5\.7\.1 Rejected by header-based Blocked Senders .* \[[a-z2-7]{16}\]", session)
    if name == "milter":
        return  # Postfix itself refuses what has gone in circles
    hops = [part for n in range(120) for part in ("--add-header", f"Received: from a by b; {n}")]
    session = swaks(placement, name, "--from", "list@out.test", "--to", U, *hops, code=26)
    assert "554 5.4.6 Too many hops, the message is in a loop" in session
    assert placement.take() == []


def test_before_the_queue_nothing_is_lost_while_mailreeve_is_down(place):
    """The sender is told to try again, and then the message arrives once."""
    placement = place("before")
    sender = ("--from", "x@out.test", "--to", "late@corp.test")
    placement.server.stop()
    session = swaks(placement, "before", *sender, code=24)
    assert "<** 451 4.3.0 " in session
    placement.server.start()
    swaks(placement, "before", *sender)
    placement.last.wait_for(DELIVERED.format(r"late@corp\.test"))
    # And Postfix tells its postmaster of the trouble.
    assert sum(message_from_bytes(each)["X-Original-To"] == "late@corp.test" for each in placement.take()) == 1


def test_before_the_queue_the_sender_hears_that_the_next_hop_is_down(place):
    """In our words, with the decision id; so of whatever the next hop refuses."""
    placement = place("before")
    sender = ("--from", "x@out.test", "--to", "late@corp.test")
    placement.server.stop()
    placement.server.start("--next-hop", "127.0.0.1:1")  # where nobody listens
    session = swaks(placement, "before", *sender, code=24)
    placement.server.stop()
    placement.server.start()
    said = r"^<\*\* 451 4\.4\.1 The next mail server does not answer, try again later \[[a-z2-7]{16}\]$"
    assert re.search(said, session, re.MULTILINE)
    assert placement.take() == []


def test_as_a_milter_who_signed_in_to_postfix_may_send_to_the_outside(place):
    """From wherever they come: Postfix tells who they are."""
    placement = place("milter")
    sender = ("--from", "ann@corp.test", "--to", FAR)
    session = swaks(placement, "milter", *sender, code=24)
    assert "451 4.7.1 Open relay not allowed" in session
    swaks(placement, "milter", *sender, "--xclient-login", "ann")
    placement.last.wait_for(DELIVERED.format(r"friend@far\.test"))
    [arrived] = placement.take()
    outcome = recorded(placement, FAR, arrived)
    assert (outcome["source_ip"], outcome["source_trusted"]) == (CLIENT["milter"], True)


def test_as_a_milter_nothing_passes_while_mailreeve_is_down(place):
    """The sender is told to try again; then the message arrives once, decided."""
    placement = place("milter")
    placement.server.stop()
    session = swaks(placement, "milter", "--from", "x@out.test", "--to", "late@corp.test", code=23)
    assert "<** 451 4.7.1 " in session
    assert placement.take() == []
    placement.server.start()
    swaks(placement, "milter", "--from", "x@out.test", "--to", "late@corp.test")
    placement.last.wait_for(DELIVERED.format(r"late@corp\.test"))
    [arrived] = placement.take()
    assert recorded(placement, "late@corp.test", arrived)["source_ip"] == CLIENT["milter"]


def test_what_comes_back_by_the_second_port_is_not_decided_again(place):
    """As a milter: a released message of a sender who is blocked arrives, as it was, and is no message anew."""
    placement = place("milter")
    with blocked(placement, "good.test", "127.0.0.1"):
        before = len(placement.server.outcomes(U))
        swaks(placement, "milter", "--from", "x@good.test", "--to", U, port=placement.port, own=True, code=24)
        swaks(placement, "milter", "--from", "x@good.test", "--to", U, port=placement.second, own=True)
        placement.last.wait_for(DELIVERED.format(r"u@corp\.test"))
    [arrived] = placement.take()
    assert b"X-Mailreeve-Decision" not in arrived
    assert len(placement.server.outcomes(U)) <= before + 1


@pytest.mark.parametrize("name", ["behind", "between"])
def test_behind_the_queue_mail_waits_while_mailreeve_is_down(place, name):
    """In Postfix' queue; it arrives once."""
    placement = place(name)
    placement.server.stop()
    swaks(placement, name, "--from", "x@out.test", "--to", "late@corp.test")
    placement.postfix.wait_for(r"to=<late@corp\.test>.*status=deferred")
    assert placement.take() == []
    placement.server.start()
    placement.postfix.flush()
    placement.last.wait_for(DELIVERED.format(r"late@corp\.test"))
    assert len(placement.take()) == 1


def test_in_front_nothing_is_lost_while_postfix_is_down(place):
    placement = place("front")
    sender = ("--from", "x@out.test", "--to", "late@corp.test")
    placement.postfix.stop()
    session = swaks(placement, "front", *sender, code=24)
    assert "451 4.4.1 The next mail server does not answer" in session
    placement.postfix.start()
    swaks(placement, "front", *sender)
    placement.last.wait_for(DELIVERED.format(r"late@corp\.test"))
    assert len(placement.take()) == 1


@EVERY
def test_check_finds_the_place_and_that_nothing_fails(place, name):
    """Of the guide's own files, by the real postconf."""
    placement = place(name)
    conf = placement.postfix.folder / "conf"
    command = [MAILREEVE, "check", "postfix", "--data", placement.server.folder, "--config-dir", conf, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    answer = json.loads(done.stdout)
    failed = [finding for finding in answer["findings"] if finding["state"] == "fail"]
    assert (done.returncode, answer["placement"], failed) == (0, FOUND[name], [])


def test_check_finds_what_would_let_mail_pass_undecided(place, tmp_path):
    """A real main.cf with one line too many, and a master.cf whose second port asks again."""
    placement = place("milter")
    for file in ("main.cf", "master.cf"):
        text = (placement.postfix.folder / "conf" / file).read_text()
        more = "milter_default_action = accept\n" if file == "main.cf" else ""
        (tmp_path / file).write_text(text.replace(",no_milters", "") + more)
    command = [
        MAILREEVE,
        "check",
        "postfix",
        "--data",
        placement.server.folder,
        "--config-dir",
        tmp_path,
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    findings = json.loads(done.stdout)["findings"]
    failed = [(finding["name"], finding["line"]) for finding in findings if finding["state"] == "fail"]
    assert (done.returncode, failed) == (
        1, [("when down", "milter_default_action = tempfail"), ("way back", "-o smtpd_milters=")],
    )  # fmt: skip


def test_hostile_mail_arrives_as_it_does_without_a_milter_or_is_refused(place):
    """Each message of the corpus twice: by the port that asks Mailreeve, and by the second, which asks nobody.
    What Postfix makes of null octets, stray line ends and long lines it makes of both. None is taken for two
    messages, and none arrives whose author, in the field as Postfix left it, is of the blocked domain."""
    placement = place("milter")
    with placement.server.client() as client:
        bad = Target.domain(BAD.partition("@")[2])
        made = client.blocked_senders.create(Policy("no more", bad, Target.internal(), from_part="header_from"))
    try:
        asked = bodies(placement, placement.port, CORPUS, CLIENT["milter"])
    finally:
        with placement.server.client() as client:
            client.blocked_senders.delete(made.id)
    # The second port takes what this machine brings for mail as it is: it does not look for false ends.
    compared = [case for case in CORPUS if "smuggling" not in case.name or b"\0" in case.content]
    plain = bodies(placement, placement.second, compared)
    problems = {}
    for case in CORPUS:
        reply, header, body = asked[case]
        if not reply.startswith("250"):
            fine = case.by_bad or case.refused or reply == plain[case][0]
        elif case in compared:
            named = re.search(rb"(?im)^From[ \t]*:(.|\n[ \t])*bad\.test", header)
            fine = body == plain[case][2] and not (case.by_bad and named)
        else:
            fine = b"MAIL FROM:<eve@bad.test>\n" in body
        if not fine:
            problems[str(case)] = reply, body, plain.get(case)
    assert problems == {}
    assert sum(reply.startswith("250") for reply, _, _ in asked.values()) > len(CORPUS) // 2


def bodies(
    placement, port: int, cases: Sequence[Hostile], source: str = ""
) -> dict[Hostile, tuple[str, bytes, bytes]]:
    """What each message was answered at a port, and the header and the body that arrived of it."""
    replies = {}
    for case in cases:
        with closing(smtplib.SMTP("127.0.0.1", port, local_hostname="spike.test", timeout=60)) as smtp:
            smtp.ehlo()
            if source:
                smtp.docmd("XCLIENT", f"ADDR={source} NAME=spike.test")
                smtp.ehlo()
            smtp.mail("x@out.test")
            smtp.rcpt(f"h{CORPUS.index(case)}@corp.test")
            smtp.docmd("DATA")
            smtp.send(case.stuffed)
            code, text = smtp.getreply()
            replies[case] = re.sub(r" as \w+$", "", f"{code} {text.decode()}")
    accepted = sum(reply.startswith("250") for reply in replies.values())
    placement.last.wait_for(r"to=<h\d+@corp\.test>.*status=sent", accepted)
    placement.last.forget_log()
    arrived = {}
    for message in placement.take():
        found = re.search(rb"^X-Original-To: h(\d+)@corp\.test$", message, re.MULTILINE)
        assert found, message
        arrived[CORPUS[int(found[1])]] = message.partition(b"\n\n")
    nothing = (b"", b"", b"")
    return {case: (reply, *_plain(*arrived.get(case, nothing))) for case, reply in replies.items()}


def _plain(header: bytes, _: bytes, body: bytes) -> tuple[bytes, bytes]:
    # Of a stray CR Postfix makes a blank, or where it forbids bare line feeds two.
    return header, re.sub(rb"[ \t]+\n", b"\n", body)
