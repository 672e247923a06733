"""A replay of what a real server recorded: messages that came over SMTP, drafts that come over HTTP."""

from __future__ import annotations

import smtplib

import pytest

from mailreeve.client import Policy, Target


def send(live, sender: str, recipient: str) -> None:
    message = f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: hello\r\n\r\nHello\r\n"
    with smtplib.SMTP(*live.smtp, timeout=60) as session:
        session.sendmail(sender, recipient, message)


def test_a_draft_is_held_against_the_messages_that_came(fresh_server) -> None:
    """One was delivered and would be refused, one was refused at RCPT and would be delivered; then the drafted
    changes are made, and the same messages fare as the replay said."""
    live = fresh_server()
    with live.client() as client:
        blocked = client.blocked_senders.create(Policy("Blocked", Target.domain("bad.test"), Target.internal()))
        send(live, "a@shop.test", "u@corp.test")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(live, "a@bad.test", "u@corp.test")
        scope = {
            "description": "No shop mail",
            "from": {"type": "email_domain", "emailDomain": "shop.test"},
            "to": {"type": "internal_addresses"},
        }
        create = {"option": "block_sender", "policy": scope}
        steps = [
            {"call": "policy/blockedsenders/create-policy", "item": create},
            {"call": "policy/blockedsenders/delete-policy", "item": {"id": blocked.id}},
        ]
        (answer,) = client.call("ext/replay-draft", {"draft": steps, "since": "1h"})
        assert (answer["lookedAt"], answer["truncated"]) == (2, False)
        assert answer["changes"] == {"newly_refused": 1, "newly_delivered": 1}
        causes = {group["change"]: group["cause"] for group in answer["groups"]}
        assert causes["newly_refused"] == {"type": "blocked_senders", "description": "No shop mail", "step": 0}
        assert causes["newly_delivered"]["id"] == blocked.id

        send(live, "a@shop.test", "u@corp.test")
        for step in steps:
            client.call(step["call"], step["item"])
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(live, "a@shop.test", "u@corp.test")
        send(live, "a@bad.test", "u@corp.test")
