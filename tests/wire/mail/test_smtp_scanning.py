"""The SMTP door with a spam engine: one question per message, and nobody waits for another one's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from mailreeve.families.tracking.outcomes import NotScanned, State
from mailreeve.mail.scan import Scan, ScanRequest
from mailreeve.policy.model.content import SpamAction, SpamVerdict


class Engine:
    """Says what it is told to say; what has `wait` in its header is answered once it may be."""

    finds_viruses = False

    def __init__(self) -> None:
        self.says = Scan(SpamVerdict(SpamAction.NO_ACTION, 0.0))
        self.asked: list[ScanRequest] = []
        self.may_answer = asyncio.Event()

    async def scan(self, request: ScanRequest) -> Scan:
        self.asked.append(request)
        if b"wait" in request.header:
            await self.may_answer.wait()
        return self.says


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def send(open_door, call, engine) -> Callable[..., str]:
    """`send(b"u@corp.test", …)` is the answer to a content for these recipients."""
    door = open_door(scanner=engine)

    def deliver(*recipients: bytes, header: bytes = b"Subject: x") -> str:
        line = call(door)
        line.begin(*recipients)
        line.socket.sendall(b"From: <ann@out.test>\r\n" + header + b"\r\n\r\nbody\r\n.\r\n")
        return line.reply()

    deliver.door = door
    return deliver


def test_a_message_is_asked_about_once(send, engine, records):
    assert send(b"u@corp.test", b"v@corp.test").startswith("250 ")
    (request,) = engine.asked
    assert request.recipients == ("u@corp.test", "v@corp.test")
    assert (request.client_name, request.source_ip, request.hostname) == ("client.test", "127.0.0.1", "gate.test")
    assert [one.spam.action for one in records.kept] == [SpamAction.NO_ACTION] * 2


def test_nobody_is_asked_about_mail_that_skips_the_checks(send, engine, office):
    office.permit("out.test")
    assert send(b"u@corp.test").startswith("250 ")
    assert not engine.asked


def test_spam_is_held_and_its_sender_told_that_it_was_taken(send, engine, records, sink):
    engine.says = Scan(SpamVerdict(SpamAction.ADD_HEADER, 8.0))
    assert send(b"u@corp.test").startswith("250 2.0.0 Taken [")
    assert records.of("u@corp.test").state is State.HELD
    assert not sink.messages


def test_a_virus_is_refused_to_those_who_permit_once_it_was_found(send, engine, office):
    """The engine is asked for another recipient's sake, and its word counts for all."""
    office.personal("permit", "u@corp.test", "ann@out.test")
    engine.says = Scan(SpamVerdict(SpamAction.NO_ACTION, 0.0, virus="Eicar"))
    assert send(b"u@corp.test", b"v@corp.test").startswith("550 5.7.1 Message refused - virus found [")


def test_without_an_answer_mail_goes_on(send, engine, records, sink):
    engine.says = Scan(not_scanned=NotScanned.NO_ANSWER)
    assert send(b"u@corp.test").startswith("250 ")
    assert records.of("u@corp.test").not_scanned == "no_answer"
    assert len(sink.messages) == 1


def test_an_answer_that_does_not_come_keeps_nobody_else_waiting(send, engine, call, portal):
    """While one message is looked at, another one is answered."""
    slow = call(send.door)
    slow.begin(b"u@corp.test")
    slow.socket.sendall(b"From: <ann@out.test>\r\nSubject: wait\r\n\r\nbody\r\n.\r\n")
    assert send(b"v@corp.test").startswith("250 ")
    portal.call(engine.may_answer.set)
    assert slow.reply().startswith("250 ")
