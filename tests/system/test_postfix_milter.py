"""Mailreeve as the milter of a real Postfix, with swaks as the sender: what is decided is what Postfix does.

a sender -> Postfix (asks Mailreeve) -> Maildir
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes

import pytest

from mailreeve.client import Policy, Target

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
