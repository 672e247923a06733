"""A stream of numbered messages through Postfix, Mailreeve and rspamd, while each of them is killed and started
again, while there is no room on the disk, and while another program has the database locked.

The sender does as a mail server does: what was not answered, or answered with 4xx, is sent again. At the end each
recipient of each message that was acknowledged is in one place: delivered, held, or bounced to its sender; or its
message was refused. None is lost, and there are no more copies than attempts that ended with the content sent and
no 250, and hand-overs that broke off. The counts are printed (`pytest -rP`). `MAILREEVE_STREAM=2000` sends
so many, also with Mailreeve before and behind the queue.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

import pytest
from engine import GTUBE, LIKE_GTUBE

from mailreeve.client import Policy, Target

pytestmark = [pytest.mark.requires("postfix", "rspamd"), pytest.mark.cold]

MESSAGES = int(os.environ.get("MAILREEVE_STREAM", "0"))
BLOCKED = "bad.test"
NUMBERED = re.compile(r"<(\d+)@stream\.test>")
STEPS = ("greeting", "mail", "rcpt", "data", "content", "dot")  # where in a message something may happen
AFTER_THE_DOT = ("dot",)
DOWN = 2  # messages that are tried while something is wrong
TRIES = 40  # of one message, until the test gives up
PATIENCE = 30.0  # seconds for an answer
LOCKED_FOR = 0.3  # seconds; more than a message takes until it is decided
HANDED_ON_AT_ONCE = 10  # copies that a killed Mailreeve or Postfix may have been handing on, each once more later

U, TAGGED, HELD = "u@corp.test", "tagged@corp.test", "held@corp.test"
NOBODY, GONE = "nobody@corp.test", "gone@corp.test"  # whom Postfix does not know, and does not take from Mailreeve
Pair = tuple[int, str]  # a message, for one of its recipients


@dataclass(frozen=True)
class Kind:
    """What a message says, to whom, and what is to become of it for each."""

    fates: dict[str, str]
    text: str = "a line of many"

    @classmethod
    def of(cls, n: int, *, whole: bool) -> Kind:
        if n % 10 == 7:
            return REFUSED
        return KINDS.get(n % 10, PLAIN) if whole else PLAIN


PLAIN = Kind({U: "delivered"})
REFUSED = Kind({U: "refused"})
KINDS = {
    1: Kind({NOBODY: "bounced"}),
    3: Kind({HELD: "held"}, GTUBE),
    # One copy stays in Postfix' queue, one is Mailreeve's to hand on, one is held. One is refused when it is
    # handed on: its sender is not proved, so it is held for the administrators.
    5: Kind({U: "delivered", TAGGED: "delivered", HELD: "held", GONE: "held"}, LIKE_GTUBE),
}


@dataclass
class Stream:
    """What a sender knows: what it was answered, and how often it cannot know whether a message was taken."""

    placement: object
    whole: bool = False
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
        kind = Kind.of(n, whole=self.whole)
        sender = f"n{n}@{BLOCKED if kind is REFUSED else 'out.test'}"
        _need(smtp.connect("127.0.0.1", self.placement.port))
        yield "greeting"
        _need(smtp.ehlo())
        _need(smtp.mail(sender))
        yield "mail"
        for recipient in kind.fates:
            _need(smtp.rcpt(recipient))
        yield "rcpt"
        _need(smtp.docmd("DATA"))
        yield "data"
        head = f"From: <{sender}>\r\nTo: <{U}>\r\nSubject: number {n}\r\nMessage-ID: <{n}@stream.test>\r\n"
        smtp.send(f"{head}Date: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\n" + f"{kind.text}\r\n" * 50)
        yield "content"
        smtp.send(f"the end of {n}\r\n.\r\n")
        yield "dot"
        _need(smtp.getreply())


def _need(answer: tuple[int, bytes]) -> None:
    code, text = answer
    if code >= 400:
        raise smtplib.SMTPResponseException(code, text.decode("utf-8", "replace"))


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, and how it is put right."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]


def faults_of(placement) -> list[Fault]:
    """All that can go wrong there."""
    named = {"Mailreeve": placement.server, "Postfix": placement.postfix}
    if engine := getattr(placement, "rspamd", None):
        named["rspamd"] = engine
    deaths = [Fault(f"{name} killed", victim.kill, victim.start) for name, victim in named.items()]
    room, lock = NoRoom(placement.server), Lock(placement.server)
    return [*deaths, Fault("no room", room.begin, room.end), Fault("locked", lock.begin, lock.end)]


class NoRoom:
    """Every file that the server would write to is too large: the database, the log, all."""

    def __init__(self, server) -> None:
        self._server = server
        self._before = (0, 0)

    def begin(self) -> None:
        pid = self._server.process.pid
        self._before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, self._before[1]))

    def end(self) -> None:
        resource.prlimit(self._server.process.pid, resource.RLIMIT_FSIZE, self._before)


class Lock:
    """Another program has the database to itself, for as long as a message takes."""

    def __init__(self, server) -> None:
        self._server = server
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        database = sqlite3.connect(
            self._server.folder / "mailreeve.db", timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        database.execute("BEGIN IMMEDIATE")
        self._timer = threading.Timer(LOCKED_FOR, database.close)
        self._timer.start()

    def end(self) -> None:
        self._timer.join()


def run_stream(stream: Stream, number: int, happens: Sequence[Fault], chance: random.Random) -> None:
    """Send them all. Each fault begins at a step of a message, and is put right once some have met with it."""
    waiting = deque(range(number))
    tries: Counter[int] = Counter()
    moments = sorted(chance.sample(range(5, number), len(happens)), reverse=True)
    left = list(reversed(happens))
    wrong, since, done = None, 0, 0
    while waiting:
        n = waiting.popleft()
        tries[n] += 1
        assert tries[n] < TRIES, (n, stream.told, stream.placement.server.log()[-2_000:])
        if wrong is None and moments and done >= moments[-1] and Kind.of(n, whole=stream.whole) is not REFUSED:
            moments.pop()
            wrong, since = left.pop(), 0
            stream.attempt(n, chance.choice(STEPS), wrong.begin)
        else:
            stream.attempt(n)
            since += 1
        if n not in stream.acknowledged | stream.refused:
            waiting.append(n)
        else:
            done += 1
        if wrong is not None and (since >= DOWN or not waiting):
            wrong.end()
            wrong = None


def drained(placement) -> list[bytes]:
    """All that was delivered, once the queues are empty: Postfix', and what Mailreeve has to hand on. What it
    put off for a minute, while Postfix was away, it hands on when it is started anew."""
    if outgoing(placement.server):
        placement.server.stop()
        placement.server.start()
    until = time.monotonic() + PATIENCE
    while outgoing(placement.server):
        assert time.monotonic() < until, placement.server.log()[-4_000:]
        threading.Event().wait(0.05)
    while waiting := placement.postfix.queue():
        placement.postfix.flush()
        for entry in waiting:
            placement.postfix.wait_for(rf"{entry['queue_id']}: removed")
    return placement.take()


def outgoing(server) -> int:
    """How many copies Mailreeve has still to hand on."""
    return len(_rows(server, "SELECT 1 FROM outgoing_message"))


def _rows(server, query: str) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{server.folder / 'mailreeve.db'}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


class Places:
    """Where every recipient's copy of every message is at the end."""

    def __init__(self, placement) -> None:
        self.found: dict[str, Counter[Pair]] = {name: Counter() for name in ("delivered", "held", "bounced")}
        self.recorded: set[Pair] = set()
        self._placement = placement

    def look(self) -> None:
        """Once nothing is on its way."""
        with self._placement.server.client() as client:
            for row in client.every("gateway/get-hold-message-list", {"admin": True}):
                if found := re.fullmatch(r"(?:\[gone\] )?number (\d+)", row["subject"]):
                    self.found["held"][int(found[1]), row["to"]["emailAddress"]] += 1
        given_up = Counter[Pair]()
        for sender, recipient, state in _rows(
            self._placement.server, "SELECT sender, recipient, state FROM message_outcome"
        ):
            if found := re.fullmatch(r"n(\d+)@[a-z]+\.test", sender):
                self.recorded.add((int(found[1]), recipient))
                given_up[int(found[1]), recipient] += state == "bounced"
        # What Mailreeve itself gave up stands in its records; a bounce may have told of it as well.
        for pair in +given_up:
            self.found["bounced"][pair] = max(self.found["bounced"][pair], given_up[pair])

    def deliver(self, messages: Sequence[bytes]) -> None:
        """Add what arrived: copies, whole, and bounces."""
        for message in map(message_from_bytes, messages):
            if found := NUMBERED.fullmatch(message["Message-ID"] or ""):
                assert message.get_payload().endswith(f"\nthe end of {found[1]}\n")
                self.found["delivered"][int(found[1]), message["Delivered-To"]] += 1
            elif found := re.fullmatch(r"n(\d+)@[a-z]+\.test", message["Delivered-To"] or ""):
                for recipient in _bounced(message):
                    self.found["bounced"][int(found[1]), recipient] += 1

    @property
    def doubled(self) -> int:
        return sum(count - 1 for counts in self.found.values() for count in counts.values())

    def of_pairs(self) -> dict[Pair, list[str]]:
        """From each copy to the names of its places."""
        places: dict[Pair, list[str]] = {}
        for name, counts in self.found.items():
            for pair in counts:
                places.setdefault(pair, []).append(name)
        return places


def _bounced(message: Message) -> list[str]:
    """For whom a delivery status says that it failed (RFC 3464)."""
    [status] = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    fields = [block["Final-Recipient"] for block in status.get_payload()]
    return [one.partition(";")[2].strip() for one in fields if one]


def policies_for(placement, *, whole: bool) -> list[tuple[str, str]]:
    """Make what the kinds of messages are decided by. The functions that take it away, and the ids."""
    with placement.server.client() as client:
        blocked = client.blocked_senders.create(Policy("no more", Target.domain(BLOCKED), Target.internal()))
        made = [("policy/blockedsenders/delete-policy", blocked.id)]
        spam = {
            U: {"reject": "tag"},
            TAGGED: {"reject": "tag", "subjectPrefix": "[tagged]"},
            GONE: {"reject": "tag", "subjectPrefix": "[gone]"},
            HELD: {"reject": "hold"},
        }
        for recipient, actions in spam.items() if whole else ():
            target = {"type": "individual_email_address", "emailAddress": recipient}
            policy = {"description": recipient, "from": {"type": "everyone"}, "to": target}
            (row,) = client.call("ext/spam-policies/create-policy", {"policy": policy, "actions": actions})
            made.append(("ext/spam-policies/delete-policy", row["id"]))
    return made


def taken_away(placement, made: list[tuple[str, str]]) -> None:
    with placement.server.client() as client:
        for path, id_ in made:
            client.call(path, {"id": id_})


def hold_true(stream: Stream, places: Places, number: int, name: str, happens: Sequence[Fault]) -> None:
    """Print the counts, and hold them to what was promised."""
    expected: dict[Pair, str] = {}
    for n in range(number):
        expected |= {(n, to): fate for to, fate in Kind.of(n, whole=stream.whole).fates.items()}
    is_at = places.of_pairs()
    acknowledged = {pair for pair in expected if pair[0] in stream.acknowledged}
    lost = acknowledged - is_at.keys()
    print(
        f"{name}: {number} messages, {dict(Counter(one.name for one in happens))}: acknowledged "
        f"{len(stream.acknowledged)} for {len(acknowledged)} recipients, refused {len(stream.refused)}; "
        + ", ".join(f"{place} {len(counts)}" for place, counts in places.found.items())
        + f", still queued 0, lost {len(lost)}, doubled {places.doubled}, unknowable {stream.unknowable}; "
        f"answers {dict(stream.told)}"
    )
    assert lost == set()
    # A refusal at RCPT is recorded with its session's end, and goes with a process that dies before: no mail does.
    taken = {pair for pair in acknowledged if expected[pair] != "refused"}
    assert taken <= places.recorded, "each has its record"
    assert {pair: where for pair, where in is_at.items() if len(where) > 1} == {}, "in one place"
    # Behind the queue a refusal comes back as a bounce.
    told = {pair: "refused" for pair in expected if pair[0] in stream.refused} | {
        pair: "refused" if where == ["bounced"] and expected[pair] == "refused" else where[0]
        for pair, where in is_at.items()
    }
    assert told == expected
    kills = sum("killed" in one.name for one in happens)
    assert places.doubled <= stream.unknowable + kills * HANDED_ON_AT_ONCE


@pytest.mark.timeout(3_600 if MESSAGES else 300)
def test_nothing_acknowledged_is_lost_whatever_goes_wrong(whole):
    """And what is held is not lost either: all of it is released, Mailreeve is killed at once, and what the inbox
    gets is what was held."""
    number = MESSAGES or 160
    chance = random.Random(number)
    happens = [fault for _ in range(max(1, number // 400)) for fault in faults_of(whole)]
    if MESSAGES:
        chance.shuffle(happens)
    made = policies_for(whole, whole=True)
    stream = Stream(whole, whole=True)
    run_stream(stream, number, happens, chance)
    places = Places(whole)
    places.deliver(drained(whole))
    places.look()
    hold_true(stream, places, number, "milter", happens)
    held = places.found["held"]
    with whole.server.client() as client:
        release = {"action": "release", "search": {"admin": True}}
        done = []
        while some := client.call("ext/decide-held-messages", release):  # a hundred with each call
            done += some
            if len(done) >= held.total():
                break
    whole.server.kill()
    assert {row["error"] for row in done} == {""}
    assert len(done) >= held.total()  # what is refused once more is held again, and may be released again
    whole.server.start()
    released = Places(whole)
    released.deliver(drained(whole))
    taken_away(whole, made)
    held = Counter({pair: count for pair, count in held.items() if pair[1] != GONE})
    twice = released.found["delivered"] - held
    print(f"released {held.total()}, arrived {released.found['delivered'].total()}, twice {twice.total()}")
    assert held - released.found["delivered"] == Counter()
    assert twice.total() <= HANDED_ON_AT_ONCE


@pytest.mark.skipif(not MESSAGES, reason="MAILREEVE_STREAM says how many messages are sent")
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", ["before", "behind"])
def test_nothing_acknowledged_is_lost_by_smtp_either(place, name):
    placement = place(name)
    happens = [fault for _ in range(MESSAGES // 400) for fault in faults_of(placement)]
    made = policies_for(placement, whole=False)
    stream = Stream(placement)
    run_stream(stream, MESSAGES, happens, random.Random(MESSAGES))
    places = Places(placement)
    places.deliver(drained(placement))
    places.look()
    taken_away(placement, made)
    hold_true(stream, places, MESSAGES, name, happens)


def attempts(placement, numbers: range) -> Stream:
    """Send each once."""
    stream = Stream(placement)
    for n in numbers:
        stream.attempt(n)
    return stream


def delivered(placement) -> Counter[int]:
    """How often each message arrived."""
    places = Places(placement)
    places.deliver(drained(placement))
    return Counter({n: count for (n, _), count in places.found["delivered"].items()})


def test_while_there_is_no_room_mail_is_put_off_and_comes_once_there_is(whole):
    """And once each: nothing was handed on before its record could be kept."""
    numbers = range(10_000, 10_006)
    room = NoRoom(whole.server)
    room.begin()
    put_off = attempts(whole, numbers)
    room.end()
    assert put_off.told == {"451": len(numbers)}
    taken = attempts(whole, numbers)
    assert taken.told == {"250": len(numbers)}
    assert delivered(whole) == Counter(numbers)


def test_while_the_database_is_locked_nobody_is_told_that_a_message_was_taken(whole):
    """By another program: it is decided, as the log says, and not acknowledged before its record is kept."""
    numbers = range(20_000, 20_003)
    streams = [Stream(whole) for _ in numbers]
    senders = [
        threading.Thread(target=stream.attempt, args=(n,)) for n, stream in zip(numbers, streams, strict=True)
    ]
    with closing(sqlite3.connect(whole.server.folder / "mailreeve.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        for sender in senders:
            sender.start()
        until = time.monotonic() + PATIENCE
        while not all(f"<{n}@stream.test>" in whole.server.log() for n in numbers):
            assert time.monotonic() < until, whole.server.log()[-2_000:]
            threading.Event().wait(0.02)
        assert [stream.told for stream in streams] == [{}] * len(senders)
        database.execute("ROLLBACK")
    for sender in senders:
        sender.join(PATIENCE)
    assert [stream.told for stream in streams] == [{"250": 1}] * len(senders)
    assert delivered(whole) == Counter(numbers)
