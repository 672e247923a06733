"""Held mail for tests, kept as a mail door keeps it: whatever holds mail, it comes to this."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import Copy, HeldCopy, HoldCause, Routed
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.formats.addresses import parse_address, parse_sender
from mailreeve.formats.message import Content, read_message
from mailreeve.mail.transaction import new_decision_id
from mailreeve.policy.model.decisions import SpamChecks
from mailreeve.policy.model.policy_types import Layer

TEXT = (
    b"Received: from outside.test by mx.corp.test; Fri, 27 Nov 2026 10:00:00 +0000\r\n"
    b"X-Mailreeve-Spam-Checks: run\r\n"
    b"From: =?utf-8?q?Sh=C3=B6p?= <offers@shop.test>\r\n"
    b"To: Ann <ann@corp.test>\r\n"
    b"Subject: %b\r\n"
    b"Message-ID: <one@shop.test>\r\n"
    b"\r\n"
    b"A body that comes whole, dots and all:\r\n.\r\n..\r\n"
)


def kept(
    account_id: str,
    *recipients: str,
    sender: str = "bounces@shop.test",
    subject: str = "Cheap",
    text: bytes = TEXT,
    layer: str = "spam",
    description: str = "Spam for everybody",
    source_ip: str = "192.0.2.9",
    state: State = State.HELD,
) -> Kept:
    """What is kept of a message that is held for these recipients."""
    whole = text % subject.encode() if b"%b" in text else text
    message = read_message(whole)
    end = len(whole) - sum(map(len, message.body))
    decision = new_decision_id()
    now = time.time()
    routes = tuple(Routed(parse_address(one), parse_address(one)) for one in recipients)
    copy = Copy(account_id, decision, parse_sender(sender), routes, Content(whole[:end], message.body))
    cause = HoldCause(_layer(layer), "", description)
    outcomes = [
        Outcome(
            account_id=account_id,
            decision_id=decision,
            at=now,
            source_ip=source_ip,
            sender=sender,
            effective_sender=sender,
            recipient=one,
            effective_recipient=one,
            header_from=(),
            subject=subject,
            message_id="<one@shop.test>",
            size=len(whole),
            state=state,
            stage=None,
            layer=layer,
            reply=f"250 2.0.0 Taken [{decision}]",
            policy_id="",
            description=description,
            revision=1,
            spam_checks=SpamChecks.RUN,
        )
        for one in recipients
    ]
    if state is not State.HELD:
        return Kept(outcomes, (), (copy,))
    return Kept(outcomes, (HeldCopy(copy, cause, now, source_ip, subject),))


def hold(keeper: MessageKeeper, *messages: Kept) -> None:
    """Keep messages, as a door that answers 250 does."""
    assert list(keeper.record(messages)) == [None] * len(messages)


def decisions(messages: Sequence[Kept]) -> list[str]:
    """The decision ids of messages."""
    return [message.outcomes[0].decision_id for message in messages]


def _layer(name: str) -> Layer:
    """A layer by its value: what holds mail has layers of its own."""
    try:
        return Layer(name)
    except ValueError:
        return _Named(name)  # type: ignore[return-value]


class _Named(str):
    @property
    def value(self) -> str:
        return str(self)
