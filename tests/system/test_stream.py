"""A stream of numbered messages through Postfix and Mailreeve, while either is killed and started again.

The sender does as a mail server does: what was not answered, or answered with 4xx, is sent again. At the end each
message that was acknowledged is in one place: delivered, or bounced to its sender. None is lost, and there are no
more copies than attempts that ended with the content sent and no 250. The counts are printed (`pytest -rP`).
`MAILREEVE_STREAM=2000` sends as many, also before and behind the queue.
"""

from __future__ import annotations

import os
import random
import re
import resource
import smtplib
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes

import pytest

from mailreeve.client import Policy, Target

pytestmark = [pytest.mark.requires("postfix"), pytest.mark.cold]

MESSAGES = int(os.environ.get("MAILREEVE_STREAM", "0"))
BLOCKED = "bad.test"
NUMBERED = re.compile(r"<(\d+)@stream\.test>")
STEPS = ("greeting", "mail", "rcpt", "data", "content", "dot")  # where in a message somebody may be killed
AFTER_THE_DOT = ("dot",)
DOWN = 2  # messages that are tried while somebody is down
TRIES = 40  # of one message, until the test gives up
PATIENCE = 30.0  # seconds for an answer


@dataclass
class Stream:
    """What a sender knows: what it was answered, and how often it cannot know whether a message was taken."""

    placement: object
    acknowledged: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    unknowable: int = 0
    told: Counter[str] = field(default_factory=Counter)

    def attempt(self, n: int, at: str = "", do: Callable[[], None] = lambda: None) -> None:
        """Send one message; at one of the steps `do` is done."""
        sent = False
        try:
            with closing(smtplib.SMTP(timeout=PATIENCE, local_hostname="stream.test")) as smtp:
                for step in self._said(smtp, n):
                    sent = sent or step in AFTER_THE_DOT
                    if step == at:
                        do()
                        do = lambda: None  # noqa: E731
        except (OSError, smtplib.SMTPException) as problem:
            code = getattr(problem, "smtp_code", 0)
            if code >= 500:
                self.refused.add(n)
            self.told[f"{code}" if code else "broken off"] += 1
            if sent and code < 500:
                self.unknowable += 1
        else:
            self.acknowledged.add(n)
            self.told["250"] += 1
        do()  # where the message ended before that step

    def _said(self, smtp: smtplib.SMTP, n: int) -> Iterator[str]:
        sender = f"n{n}@{BLOCKED if n % 10 == 7 else 'out.test'}"
        _need(smtp.connect("127.0.0.1", self.placement.port))
        yield "greeting"
        _need(smtp.ehlo())
        _need(smtp.mail(sender))
        yield "mail"
        _need(smtp.rcpt("u@corp.test"))
        yield "rcpt"
        _need(smtp.docmd("DATA"))
        yield "data"
        head = f"From: <{sender}>\r\nSubject: number {n}\r\nMessage-ID: <{n}@stream.test>\r\n\r\n"
        smtp.send(head + "a line of many\r\n" * 50)
        yield "content"
        smtp.send(f"the end of {n}\r\n.\r\n")
        yield "dot"
        _need(smtp.getreply())


def _need(answer: tuple[int, bytes]) -> None:
    code, text = answer
    if code >= 400:
        raise smtplib.SMTPResponseException(code, text.decode("utf-8", "replace"))


def run_stream(placement, number: int, kills: int, chance: random.Random) -> Stream:
    """Send them all, and kill Mailreeve and Postfix in turn, each at a step of a message; start it again once some
    messages have met with its absence."""
    stream = Stream(placement)
    waiting = deque(range(number))
    tries: Counter[int] = Counter()
    moments = sorted(chance.sample(range(5, number), kills), reverse=True)
    victims = [placement.server, placement.postfix]
    down, since = None, 0
    done = 0
    while waiting:
        n = waiting.popleft()
        tries[n] += 1
        assert tries[n] < TRIES, (n, stream.told, placement.server.log()[-2_000:])
        if down is None and moments and done >= moments[-1]:
            moments.pop()
            down = victims[len(moments) % 2]
            since = 0
            stream.attempt(n, chance.choice(STEPS), down.kill)
        else:
            stream.attempt(n)
            since += 1
        if n not in stream.acknowledged | stream.refused:
            waiting.append(n)
        else:
            done += 1
        if down is not None and (since >= DOWN or not waiting):
            down.start()
            down = None
    return stream


def drained(placement) -> list[bytes]:
    """All that was delivered, once the queue is empty."""
    while waiting := placement.postfix.queue():
        placement.postfix.flush()
        for entry in waiting:
            placement.postfix.wait_for(rf"{entry['queue_id']}: removed")
    return placement.take()


@pytest.mark.timeout(3_600 if MESSAGES else 120)
@pytest.mark.parametrize(
    ("name", "number", "kills"),
    [("milter", 200, 3), *([("before", MESSAGES, 4), ("behind", MESSAGES, 4)] if MESSAGES else [])],
)
def test_nothing_acknowledged_is_lost_whoever_is_killed(place, name, number, kills):
    number = MESSAGES or number
    kills = max(kills, number // 100)
    placement = place(name)
    with placement.server.client() as client:
        made = client.blocked_senders.create(Policy("no more", Target.domain(BLOCKED), Target.internal()))
    stream = run_stream(placement, number, kills, random.Random(number))
    arrived = drained(placement)
    with placement.server.client() as client:
        client.blocked_senders.delete(made.id)
    got, bounced = Counter[int](), Counter[int]()
    for message in map(message_from_bytes, arrived):
        if found := NUMBERED.fullmatch(message["Message-ID"] or ""):
            got[int(found[1])] += 1
            assert message.get_payload().endswith(f"\nthe end of {found[1]}\n")
        elif found := re.fullmatch(rf"n(\d+)@{BLOCKED}", message["X-Original-To"] or ""):
            bounced[int(found[1])] += 1
    lost = stream.acknowledged - got.keys() - bounced.keys()
    doubled = sum(count - 1 for count in (got + bounced).values())
    print(
        f"{name}: {number} messages, {kills} kills: acknowledged {len(stream.acknowledged)}, "
        f"refused {len(stream.refused)}, delivered {len(got)}, bounced {len(bounced)}, lost {len(lost)}, "
        f"doubled {doubled}, unknowable {stream.unknowable}; answers {dict(stream.told)}"
    )
    assert lost == set()
    assert not got.keys() & bounced.keys()
    assert not got.keys() & stream.refused
    blocked = {n for n in range(number) if n % 10 == 7}
    assert stream.refused | bounced.keys() == blocked, "who is blocked hears of it, and nobody else"
    assert got.keys() == set(range(number)) - blocked
    # Behind the queue a hand-over may break off as well, once for each process that was at it.
    assert doubled <= stream.unknowable + (10 * kills if name == "behind" else 0)


def attempts(placement, numbers: range) -> Stream:
    """Send each once."""
    stream = Stream(placement)
    for n in numbers:
        stream.attempt(n)
    return stream


def delivered(placement) -> Counter[int]:
    """How often each message arrived."""
    ids = (message_from_bytes(message)["Message-ID"] or "" for message in drained(placement))
    return Counter(int(found[1]) for found in map(NUMBERED.fullmatch, ids) if found)


@contextmanager
def no_room(pid: int) -> Iterator[None]:
    """While it lasts, every file that a process would write to is too large: the database, the log, all."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_while_there_is_no_room_mail_is_put_off_and_comes_once_there_is(place):
    """And once each: nothing was handed on before its record could be kept."""
    placement = place("milter")
    numbers = range(10_000, 10_006)
    with no_room(placement.server.process.pid):
        put_off = attempts(placement, numbers)
    assert put_off.told == {"451": len(numbers)}
    taken = attempts(placement, numbers)
    assert taken.told == {"250": len(numbers)}
    assert delivered(placement) == Counter(numbers)


def test_while_the_database_is_locked_nobody_is_told_that_a_message_was_taken(place):
    """By another program: it is decided, as the log says, and not acknowledged before its record is kept."""
    placement = place("milter")
    numbers = range(20_000, 20_003)
    streams = [Stream(placement) for _ in numbers]
    senders = [
        threading.Thread(target=stream.attempt, args=(n,)) for n, stream in zip(numbers, streams, strict=True)
    ]
    with closing(sqlite3.connect(placement.server.folder / "mailreeve.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        for sender in senders:
            sender.start()
        until = time.monotonic() + PATIENCE
        while not all(f"<{n}@stream.test>" in placement.server.log() for n in numbers):
            assert time.monotonic() < until, placement.server.log()[-2_000:]
            threading.Event().wait(0.02)
        assert [stream.told for stream in streams] == [{}] * len(senders)
        database.execute("ROLLBACK")
    for sender in senders:
        sender.join(PATIENCE)
    assert [stream.told for stream in streams] == [{"250": 1}] * len(senders)
    assert delivered(placement) == Counter(numbers)
