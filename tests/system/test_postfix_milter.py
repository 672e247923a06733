"""Mailreeve as the milter of a real Postfix, with swaks as the sender: what is decided is what Postfix does.

a sender -> Postfix (asks Mailreeve) -> Maildir
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes

import pytest
from held_copies import TEXT, hold, kept

from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.client import Conditions, DefinitionItem, Policy, Target
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget

pytestmark = pytest.mark.requires("postfix", "swaks")

BLOCKED = r"550 5\.7\.1 Envelope rejected - block policy for envelope from address \[([a-z2-7]{16})\]"


@contextmanager
def blocked(asked, domain: str, **scope: str) -> Iterator[None]:
    with asked.server.client() as client:
        made = client.blocked_senders.create(Policy("no more", Target.domain(domain), Target.internal(), **scope))
        try:
            yield
        finally:
            client.blocked_senders.delete(made.id)


@contextmanager
def altered(asked, *pairs: tuple[str, str]) -> Iterator[None]:
    """While it lasts, each address is rewritten wherever it stands."""
    with asked.server.client() as client:
        definitions = [DefinitionItem(original, new, "all", "all") for original, new in pairs]
        made = client.address_alteration.create_definitions(definitions)
        try:
            yield
        finally:
            for id_ in made:
                client.address_alteration.delete_definition(id_)


def test_blocked_sender_is_refused_at_rcpt_with_our_words(asked):
    """Before any content is sent; the decision id in the reply is that of the record."""
    with blocked(asked, "bad.test"):
        session = asked.swaks("--from", "x@bad.test", "--to", "ann@corp.test", code=24)
    found = re.search(rf"^<\*\* {BLOCKED}$", session, re.MULTILINE)
    assert found, session
    recorded = asked.server.outcome("ann@corp.test", found[1])
    assert (recorded["state"], recorded["stage"], recorded["client_name"]) == ("rejected", "rcpt", "client.test")


def test_accepted_message_is_marked_and_recorded_under_postfix_own_queue_id(asked):
    forged = ("--header", "X-Mailreeve-Spam-Checks: skip", "--header", "Subject: hello  there")
    session = asked.swaks("--from", "x@out.test", "--to", "bob@corp.test", *forged)
    queue_id = re.search(r"queued as (\w+)", session)[1]
    [message] = map(message_from_bytes, asked.arrived("bob@corp.test"))
    assert message.get_all("X-Mailreeve-Spam-Checks") == ["run"]
    assert message["Subject"] == "hello  there"
    recorded = asked.server.outcome("bob@corp.test", message["X-Mailreeve-Decision"])
    assert (recorded["state"], recorded["queue_id"]) == ("accepted", queue_id)


def test_header_block_is_refused_after_the_content(asked):
    with blocked(asked, "worse.test", from_part="header_from"):
        sender = ("--from", "list@out.test", "--to", "ann@corp.test", "--h-From", "X <x@worse.test>")
        session = asked.swaks(*sender, code=26)
    assert re.search(
        r"^<\*\* 550 5\.7\.1 Rejected by header-based Blocked Senders - block policy for header from \[\w{16}\]$",
        session,
        re.MULTILINE,
    )
    asked.postfix.wait_for(r"milter-reject: END-OF-MESSAGE from .*: 5\.7\.1 Rejected by header-based")
    assert asked.arrived() == []


def test_recipients_of_one_message_have_fates_of_their_own(asked):
    """One is refused at RCPT, one by the header at the end: taken off, without a bounce; the third has the
    message. The sender is told 250."""
    with asked.server.client() as client:
        client.block_sender("jo@out.test", "pat@corp.test")
        client.block_sender("jo@header.test", "kim@corp.test")
    session = asked.swaks(
        "--from", "jo@out.test", "--to", "pat@corp.test,kim@CORP.test,sam@corp.test", "--h-From", "jo@header.test"
    )
    assert re.search(r"^<\*\* 550 5\.7\.1 Envelope blocked - User Entry \[\w{16}\]$", session, re.MULTILINE)
    asked.postfix.wait_for(r"qmgr\[\d+\]: \w+: removed")  # nobody else is to get it
    [message] = asked.arrived("sam@corp.test")
    assert message_from_bytes(message)["X-Original-To"] == "sam@corp.test"
    [kim] = asked.server.outcomes("kim@corp.test")
    assert (kim["state"], kim["stage"], kim["layer"]) == ("rejected", "data", "managed_senders")


def test_envelope_and_header_are_altered(asked, tmp_path):
    """To another address, from another one; fields are rewritten where they stand, folded as they were."""
    file = tmp_path / "message.eml"
    file.write_bytes(
        b"From: Jo <jo@corp.test>\r\nTo: Old <old@corp.test>,\r\n\tother@far.test\r\nCc: old@corp.test\r\n"
        b"cc:\r\n old@corp.test\r\n\r\nHi.\r\n.\r\n"
    )
    with altered(asked, ("old@corp.test", "new@corp.test"), ("jo@corp.test", "office@corp.test")):
        sender = ("--from", "jo@corp.test", "--to", "old@corp.test")
        asked.swaks(*sender, "--no-data-fixup", "--data", f"@{file}")
        [arrived] = asked.arrived("new@corp.test")
    message = message_from_bytes(arrived)
    assert message["Return-Path"] == "<office@corp.test>"
    assert message["From"] == "Jo <office@corp.test>"
    assert message["To"] == "Old <new@corp.test>,\n\tother@far.test"
    assert message.get_all("Cc") == ["new@corp.test", "\n new@corp.test"]
    names = [name for name in message if name.startswith("X-Mailreeve-Original-")]
    assert names == [
        "X-Mailreeve-Original-Envelope-From",
        "X-Mailreeve-Original-Envelope-To",
        "X-Mailreeve-Original-From",
        "X-Mailreeve-Original-To",
        "X-Mailreeve-Original-Cc",
        "X-Mailreeve-Original-cc",
    ]
    [recorded] = asked.server.outcomes("old@corp.test")
    assert (recorded["effective_recipient"], recorded["effective_sender"]) == ("new@corp.test", "office@corp.test")


def test_copies_that_differ_reach_everybody_once(asked):
    """One stays in Postfix' queue, the other is handed back to Postfix behind our milter."""
    with asked.server.client() as client:
        client.permit_sender("di@out.test", "uma@corp.test")
    asked.swaks("--from", "di@out.test", "--to", "uma@corp.test,vic@corp.test")
    arrived = map(message_from_bytes, asked.arrived("uma@corp.test", "vic@corp.test"))
    marks = {message["X-Original-To"]: message.get_all("X-Mailreeve-Spam-Checks") for message in arrived}
    assert marks == {"uma@corp.test": ["skip"], "vic@corp.test": ["run"]}


def test_client_that_is_blocked_by_its_address_hears_so_at_once(asked):
    """Postfix has the address by XCLIENT here; the milter is asked anew about that client. The words are Postfix'
    own in this case; ours stand in its log and in the record."""
    with asked.server.client() as client:
        made = client.blocked_senders.create(
            Policy(
                "away",
                Target.everyone(),
                Target.everyone(),
                conditions=Conditions(("203.0.113.0/24",)),
                override=True,
            )
        )
        try:
            session = asked.swaks("--xclient-addr", "203.0.113.9", "--to", "ann@corp.test", code=33)
        finally:
            client.blocked_senders.delete(made.id)
    assert "<** 421 mx.test.invalid Service unavailable - try again later" in session
    asked.postfix.wait_for(
        r"milter-reject: XCLIENT from unknown\[203\.0\.113\.9\]: 421 4\.7\.1 Sender address blocked \["
    )


def test_user_who_signed_in_may_write_to_the_outside(asked):
    """Postfix says so by the macro `auth_authen`; from the same address without it the mail is refused."""
    stranger = ("--xclient-addr", "192.0.2.7", "--from", "ann@corp.test", "--to", "friend@far.test")
    session = asked.swaks(*stranger, code=24)
    assert "<** 451 4.7.1 Open relay not allowed [" in session
    asked.swaks(*stranger, "--xclient-login", "ann")
    asked.arrived("friend@far.test")
    recorded = asked.server.outcomes("friend@far.test")
    assert [(one["state"], one.get("login", "")) for one in recorded] == [("deferred", ""), ("accepted", "ann")]


def test_message_arrives_octet_for_octet_below_our_fields(asked, tmp_path):
    message = (
        b"From: =?utf-8?q?J=C3=B6?= <jo@out.test>\nTo: Kim <kim@corp.test>,\n\tothers@out.test\n"
        b"X-Mailreeve-Decision: forged\nsubject:   odd   spacing \nX-Mailreeve-Decision: again\nX-Empty:\n"
        b"Date: Mon, 02 Mar 2026 10:00:00 +0000\nMessage-ID: <octets@out.test>\n"
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        b".\n..\nGr\xc3\xbc\xc3\x9fe\nlatin-1: \xe9\xff\ntrailing  \t\nFrom here on\n\n\n"
    )
    file = tmp_path / "message.eml"
    file.write_bytes(re.sub(rb"(?m)^\.", b"..", message).replace(b"\n", b"\r\n") + b".\r\n")
    asked.swaks("--from", "jo@out.test", "--to", "lee@corp.test", "--no-data-fixup", "--data", f"@{file}")
    [arrived] = asked.arrived("lee@corp.test")
    kept = re.sub(rb"X-Mailreeve-Decision: (forged|again)\n", b"", message)
    assert arrived.endswith(b"\n" + kept)
    above = message_from_bytes(arrived.removesuffix(kept))
    assert above.keys() == [
        "Return-Path", "X-Original-To", "Delivered-To", "X-Mailreeve-Spam-Checks", "X-Mailreeve-Decision",
        "Received",
    ]  # fmt: skip


def test_mail_of_the_machines_own_programs_is_asked_about(asked):
    """`non_smtpd_milters`: by the command sendmail, from a sender outside to one inside."""
    asked.postfix.sendmail("cron@out.test", "root@corp.test", b"Subject: a job\n\nDone.\n")
    [message] = asked.arrived("root@corp.test")
    decision = message_from_bytes(message)["X-Mailreeve-Decision"]
    recorded = asked.server.outcome("root@corp.test", decision)
    assert (recorded["state"], recorded["source_ip"]) == ("accepted", "127.0.0.1")


def test_null_octet_in_a_header_is_refused_by_postfix(asked, tmp_path):
    """Which would show us a field only as far as that; the line of the guide is what has it refused."""
    file = tmp_path / "message.eml"
    file.write_bytes(b"Subject: a\r\nX: x\0y\r\nFrom: a@out.test\r\n\r\nHi.\r\n.\r\n")
    sender = ("--from", "a@out.test", "--to", "ann@corp.test")
    session = asked.swaks(*sender, "--no-data-fixup", "--data", f"@{file}", code=26)
    assert re.search(r"^<\*\* 550 5\.7\.1 ", session, re.MULTILINE)


def test_many_messages_over_tcp_and_while_the_server_stops(asked_over_tcp):
    """Ten senders, fifty messages: each is taken, marked, recorded and delivered once, several per connection.
    While Mailreeve is stopped, which ends with 0, mail is put off; once back, in two processes, it passes."""
    asked = asked_over_tcp
    sent = asked.source("-s", "10", "-m", "50", "-d", "-f", "x@out.test", "-t", "many@corp.test", "-l", "2000")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    asked.postfix.wait_for(r"to=<many@corp\.test>.*status=sent \(delivered to maildir\)", 50)
    messages = asked.arrived()
    decisions = {message_from_bytes(message)["X-Mailreeve-Decision"] for message in messages}
    assert len(messages) == len(decisions) == 50
    recorded = asked.server.outcomes("many@corp.test")
    assert {one["decision_id"] for one in recorded} == decisions
    assert all(one["queue_id"] for one in recorded)
    asked.server.stop()
    assert "<** 451 4.7.1 Service unavailable - try again later" in asked.swaks("--to", "late@corp.test", code=23)
    asked.server.start("--milter", asked.server.milter, "--workers", "2")
    asked.swaks("--from", "x@out.test", "--to", "late@corp.test")
    [message] = asked.arrived("late@corp.test")
    assert b"\nX-Mailreeve-Decision: " in message


@pytest.fixture
def one_port(asked) -> Iterator:
    """Mailreeve hands in at the port that asks it."""
    milter = asked.server.milter
    asked.server.stop()
    asked.server.start("--milter", milter, "--next-hop", f"127.0.0.1:{asked.postfix.port}")
    yield asked
    asked.server.stop()
    asked.server.start("--milter", milter, "--next-hop", asked.back)


def test_what_comes_back_through_the_milter_passes_once_and_is_not_decided_again(one_port):
    """A released copy whose sender is blocked, which is certain at RCPT; and copies that were split off. Without a
    second port: Postfix tells us the ENVID, and shows us the header."""
    folder = Opened(one_port.server.folder, Settings())
    try:
        keeper = MessageKeeper(folder.store, RecordBudget(), folder.bodies)
        hold(keeper, kept(folder.account_id(None), "lea@corp.test", sender="x@shop.test", subject="Let go"))
    finally:
        folder.close()
    with blocked(one_port, "shop.test"), one_port.server.client() as client:
        one_port.swaks("--from", "x@shop.test", "--to", "lea@corp.test", code=24)
        [held] = client.call("gateway/get-hold-message-list", {"admin": True})
        client.call("gateway/hold-release", {"id": held["id"]})
        [arrived] = one_port.arrived("lea@corp.test")
    assert b"X-Mailreeve-Released" not in arrived
    # Postfix adds the Date that was missing.
    as_held = re.sub(rb"\nDate: [^\n]+", b"", arrived)
    assert as_held.endswith((TEXT % b"Let go").replace(b"\r\n", b"\n"))
    states = [one["state"] for one in one_port.server.outcomes("lea@corp.test") if one["sender"] == "x@shop.test"]
    assert sorted(states) == ["delivered", "held", "rejected", "released"]
    with one_port.server.client() as client:
        client.permit_sender("di@split.test", "ute@corp.test")
    one_port.swaks("--from", "di@split.test", "--to", "ute@corp.test,vic@corp.test")
    arrived = map(message_from_bytes, one_port.arrived("ute@corp.test", "vic@corp.test"))
    marks = {message["X-Original-To"]: message.get_all("X-Mailreeve-Spam-Checks") for message in arrived}
    assert marks == {"ute@corp.test": ["skip"], "vic@corp.test": ["run"]}
    for recipient in marks:
        found = one_port.server.outcomes(recipient)
        assert {one["state"] for one in found if one["sender"] == "di@split.test"} <= {"accepted", "delivered"}
        assert len({one["decision_id"] for one in found if one["sender"] == "di@split.test"}) == 1
