"""Each capability from the signed call to the mailbox, by swaks through a real Postfix with a real rspamd:
refused, permitted past a score as of GTUBE, altered, held, released, opened to a delegate.

    swaks -> Postfix (asks Mailreeve, which asks rspamd) -> Maildir
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes
from email.message import Message

import pytest
from engine import EICAR, GTUBE, LIKE_GTUBE

from mailreeve.client import ApiError, Client, Credentials, DefinitionItem, Policy, Target

pytestmark = pytest.mark.requires("postfix", "swaks", "rspamd")

ANN = "ann@corp.test"
BANK, SOURCE = "clerk@bank.test", "192.0.2.7"  # whose SPF record, which rspamd looks up, names that address
HELD, SHOW, RELEASE = "gateway/get-hold-message-list", "ext/show-held-message", "gateway/hold-release"
SPAM = "550 5.7.1 Message refused - taken for spam"


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as ending:
        yield ending


@pytest.fixture
def admin(whole, ending) -> Client:
    return ending.enter_context(whole.server.client())


@pytest.fixture
def user(whole, admin, ending):
    """`user(address)`: a user without any role, and a client with that user's keys."""

    def make(address: str) -> Client:
        admin.call("user/create-user", {"emailAddress": address})
        (made,) = admin.call("ext/create-key", {"user": address, "name": address})
        names = {"app_id": "appId", "app_key": "appKey", "access_key": "accessKey", "secret_key": "secretKey"}
        keys = Credentials(**{ours: made[theirs] for ours, theirs in names.items()})
        return ending.enter_context(Client(whole.server.http, keys))

    return make


def sent(whole, sender: str, recipient: str, *more: str, source: str = SOURCE, body: str = "Hi.") -> str:
    """The reply to the message as its sender sees it, without the decision id; empty where it was taken."""
    who = ("--from", sender, "--to", recipient, "--xclient-addr", source, "--body", body)
    session = whole.swaks(*who, *more, code=None)
    replies = re.findall(r"^<\*\* (.*?)(?: \[[a-z2-7]{16}\])?$", session, re.MULTILINE)
    return replies[0] if replies else ""


def arrived(whole, recipient: str) -> Message:
    """The one message that arrived, once it has."""
    [message] = whole.arrived(recipient)
    return message_from_bytes(message)


def test_a_blocked_sender_is_refused(whole, admin):
    made = admin.blocked_senders.create(Policy("No banks", Target.domain("bank.test"), Target.internal()))
    told = sent(whole, BANK, ANN)
    admin.blocked_senders.delete(made.id)
    assert told == "550 5.7.1 Envelope rejected - block policy for envelope from address"
    assert sent(whole, BANK, ANN) == ""
    assert arrived(whole, ANN)["X-Mailreeve-Spam-Checks"] == "run"


def test_a_managed_sender_is_blocked_or_permitted_past_gtube(whole, admin):
    """By one user: the others are asked for the score. The permit counts, since rspamd finds that SPF passes; from
    elsewhere the same sender is nobody."""
    admin.block_sender("x@shop.test", "bea@corp.test")
    assert sent(whole, "x@shop.test", "bea@corp.test") == "550 5.7.1 Envelope blocked - User Entry"
    assert sent(whole, BANK, "bea@corp.test", body=LIKE_GTUBE) == SPAM
    admin.permit_sender(BANK, "bea@corp.test")
    assert sent(whole, BANK, ANN, body=LIKE_GTUBE) == SPAM
    assert sent(whole, BANK, "bea@corp.test", source="198.51.100.9", body=LIKE_GTUBE) == SPAM
    assert sent(whole, BANK, "bea@corp.test", body=LIKE_GTUBE) == ""
    message = arrived(whole, "bea@corp.test")
    assert (message["X-Mailreeve-Spam-Checks"], message.get_payload().strip()) == ("skip", LIKE_GTUBE)
    [record] = [one for one in whole.server.outcomes("bea@corp.test") if one["state"] == "accepted"]
    assert (record["layer"], record["spam"]["action"]) == ("managed_senders", "reject")


def test_a_permit_for_everybody_passes_gtube_and_no_virus(whole, admin, ending):
    policy = {"description": "Banks", "from": {"type": "email_domain", "emailDomain": "bank.test"}}
    item = {"policy": policy | {"to": {"type": "everyone"}}}
    (made,) = admin.call("ext/permittedsenders/create-policy", item)
    ending.callback(admin.call, "ext/permittedsenders/delete-policy", {"id": made["id"]})
    assert sent(whole, BANK, "cy@corp.test", body=LIKE_GTUBE) == ""
    assert arrived(whole, "cy@corp.test")["X-Mailreeve-Spam-Checks"] == "skip"
    assert sent(whole, BANK, "cy@corp.test", body=EICAR) == "550 5.7.1 Message refused - virus found"


def test_an_address_is_altered_in_envelope_and_header(whole, admin, ending):
    items = [
        DefinitionItem("old@corp.test", "new@corp.test", "all", "all"),
        DefinitionItem("boss@corp.test", "office@corp.test", "all", "all"),
    ]
    for id_ in admin.address_alteration.create_definitions(items):
        ending.callback(admin.address_alteration.delete_definition, id_)
    assert (
        sent(whole, "boss@corp.test", "old@corp.test", "--h-To", "Old <old@corp.test>", source="127.0.0.1") == ""
    )
    message = arrived(whole, "new@corp.test")
    assert (message["Return-Path"], message["From"]) == ("<office@corp.test>", "office@corp.test")
    assert (message["Delivered-To"], message["To"]) == ("new@corp.test", "Old <new@corp.test>")
    assert message["X-Mailreeve-Original-Envelope-To"] == "old@corp.test"


def held_by_policy(whole, admin, ending, tmp_path, recipient: str) -> tuple[dict, bytes]:
    """Have a message held that rspamd would reject; as the list has it, and its octets."""
    target = {"type": "individual_email_address", "emailAddress": recipient}
    policy = {"description": f"Hold for {recipient}", "from": {"type": "everyone"}, "to": target}
    (made,) = admin.call("ext/spam-policies/create-policy", {"policy": policy, "actions": {"reject": "hold"}})
    ending.callback(admin.call, "ext/spam-policies/delete-policy", {"id": made["id"]})
    octets = (
        b"Received: from far.test by elsewhere.test; Fri, 27 Nov 2026 10:00:00 +0000\r\n"
        b"From: Eve <eve@far.test>\r\nTo:   odd@corp.test\r\nSubject: held  for you\r\n"
        b"Message-ID: <held@far.test>\r\n"
        b"Date: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\n"
        + GTUBE.encode()
        + b"\r\n..\r\ntrailing \t\r\n\xe9\xff\r\n"
    )
    file = tmp_path / "held.eml"
    file.write_bytes(re.sub(rb"(?m)^\.", b"..", octets) + b".\r\n")
    sent_as = ("--from", "eve@far.test", "--to", recipient, "--no-data-fixup", "--data", f"@{file}")
    assert "<-  250 2.0.0 " in whole.swaks(*sent_as)
    [row] = [one for one in admin.call(HELD, {"admin": True}) if one["to"]["emailAddress"] == recipient]
    assert row["policyInfo"] == f"Hold for {recipient}"
    assert whole.take() == []
    return row, octets


def test_a_held_message_is_released_to_the_inbox_once_as_it_came(whole, admin, ending, tmp_path):
    row, octets = held_by_policy(whole, admin, ending, tmp_path, "dora@corp.test")
    assert admin.call(RELEASE, {"id": row["id"]}) == [{"id": row["id"], "release": True}]
    with pytest.raises(ApiError, match="decided"):
        admin.call(RELEASE, {"id": row["id"]})
    [copy] = whole.arrived("dora@corp.test")
    assert copy.endswith(octets.replace(b"\r\n", b"\n"))
    whole.postfix.wait_for(r"qmgr\[\d+\]: \w+: removed")
    assert (whole.take(), whole.postfix.queue()) == ([], []), "once, and not held again"
    states = [one["state"] for one in whole.server.outcomes("dora@corp.test")]
    assert (states[:2], states.count("held")) == (["held", "released"], 1)


def test_a_delegate_reads_and_releases_what_is_held_and_reads_what_is_archived(
    whole, admin, user, ending, tmp_path
):
    """As the right says; another user is told that there is no such message and no such mailbox."""
    emil, rosie = "emil@corp.test", "rosie@corp.test"
    user(emil)
    delegate, stranger = user(rosie), user("sam@corp.test")
    row, _ = held_by_policy(whole, admin, ending, tmp_path, emil)
    with pytest.raises(ApiError, match="no such held message"):
        delegate.call(SHOW, {"id": row["id"]})
    admin.call("user/add-delegate-user", {"primaryAddress": rosie, "delegateAddress": emil})
    assert [one["id"] for one in delegate.call(HELD, {"admin": False, "mailbox": emil})] == [row["id"]]
    (shown,) = delegate.call(SHOW, {"id": row["id"]})
    assert GTUBE in shown["text"]
    with pytest.raises(ApiError, match="no such held message"):
        stranger.call(SHOW, {"id": row["id"]})
    delegate.call(RELEASE, {"id": row["id"]})
    whole.arrived(emil)
    assert sent(whole, BANK, emil, "--h-Subject", "for the archive") == ""
    whole.arrived(emil)
    listed = delegate.call("archive/get-message-list", {"mailbox": emil})
    [kept] = [one["id"] for one in listed if one["subject"] == "for the archive"]
    octets = delegate.octets("archive/get-message-part", {"id": kept, "type": "RFC822", "context": "DELIVERED"})
    assert b"\r\nSubject: for the archive\r\n" in octets
    with pytest.raises(ApiError):
        stranger.call("archive/get-message-list", {"mailbox": emil})
    (told,) = admin.call("ext/find-audit-events", {"objectKind": "held message", "objectId": row["id"]})[:1]
    assert (told["actor"], told["actingFor"], told["action"]) == (rosie, emil, "release")
