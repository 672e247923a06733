"""Copies that wait are handed on once their time comes, again and again where they are put off, up to a day.

A process that dies in the middle of one hands it over once more.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from held_copies import hold, kept
from sqlalchemy import select
from structlog.testing import capture_logs

from mailreeve.families.held.limits import DEFAULT
from mailreeve.families.held.undelivered import UndeliveredCopies
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.outgoing import rows
from mailreeve.families.outgoing.queue import FIRST_PAUSE, LONGEST_PAUSE, OutgoingQueue
from mailreeve.families.outgoing.rows import GIVE_UP_AFTER
from mailreeve.families.tracking.outcomes import State
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.mail import outgoing
from mailreeve.mail.outgoing import OutgoingRunner
from mailreeve.policy.model.policy_types import SmtpReply

pytestmark = pytest.mark.anyio

TAKEN = SmtpReply(250, "2.0.0", "queued as ABC123")
LATER = SmtpReply(451, "4.3.0", "later")
NEVER = SmtpReply(550, "5.1.1", "nobody")


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Hop:
    """A next hop that says what it is told to, and keeps what it got."""

    def __init__(self, *says: SmtpReply | Exception) -> None:
        self.says = list(says)
        self.got: list[tuple[str, bytes]] = []
        self.closed = 0

    def session(self):
        return self

    async def deliver(self, sender, recipients, content, *, utf8, envelope_id=""):
        self.got.append((str(recipients[0].effective), bytes(content)))
        said = self.says.pop(0) if self.says else TAKEN
        if isinstance(said, Exception):
            raise said
        return [said]

    async def aclose(self):
        self.closed += 1


@pytest.fixture
def queue(services):
    return OutgoingQueue(services.store, services.bodies, UndeliveredCopies("mx.corp.test", (), DEFAULT))


@pytest.fixture
def send(account, services):
    """`send("a@corp.test")` has copies on their way; the first one's decision id."""
    keeper = MessageKeeper(services.store, RecordBudget(), services.bodies)

    def make(*recipients: str) -> str:
        message = kept(account.id, *recipients, state=State.ACCEPTED)
        hold(keeper, message)
        return message.outcomes[0].decision_id

    return make


def later(services, **span: float) -> None:
    """Some time has passed, for the store and for the queue."""
    services.store._clock = lambda: datetime.now(UTC) + timedelta(**span)


def verdicts(account, decision: str) -> list[str]:
    found = account.call("ext/find-mail-records", {"id": decision, "oldestFirst": True})
    return [row["verdict"] for row in found]


async def run_until(runner: OutgoingRunner, done) -> None:
    """Let it run until something is so, then stop it as a server does."""
    running = asyncio.create_task(runner.run())
    until = time.monotonic() + 10
    while not done() and time.monotonic() < until:
        await asyncio.sleep(0.005)
    runner.stop()
    await asyncio.wait_for(running, 10)
    assert done()


async def test_each_recipient_gets_it_and_it_is_recorded(account, send, queue):
    decision = send("a@corp.test", "b@corp.test")
    assert queue.depth().waiting == 2
    hop = Hop()
    await run_until(OutgoingRunner(queue, hop), lambda: queue.depth().waiting == 0)
    assert sorted(to for to, _ in hop.got) == ["a@corp.test", "b@corp.test"]
    assert hop.got[0][1].endswith(b"\r\n.\r\n..\r\n")
    assert sorted(verdicts(account, decision)) == ["accepted", "accepted", "delivered", "delivered"]
    newest = account.call("ext/find-mail-records", {"id": decision})[0]
    assert newest["queueId"] == "ABC123"
    assert hop.closed


async def test_it_wakes_at_once(account, send, queue):
    """Not with the next look."""
    hop = Hop()
    runner = OutgoingRunner(queue, hop)
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0.05)
    send("a@corp.test")
    began = time.monotonic()
    runner.wake()
    while not hop.got and time.monotonic() < began + 10:
        await asyncio.sleep(0.002)
    assert time.monotonic() - began < 0.9
    runner.stop()
    await asyncio.wait_for(running, 10)


async def test_what_is_put_off_comes_again_after_growing_pauses(account, send, queue, services, monkeypatch):
    decision = send("a@corp.test")

    def waits() -> float:
        due_at = account.write(lambda work: work.execute(select(rows.outgoing_message.c.due_at)).scalar_one())
        return (due_at - datetime.now(UTC)).total_seconds()

    for attempt in range(3):
        (one,) = queue.due(10)
        assert (one.attempts, queue.begin(one) is not None) == (attempt, True)
        queue.put_off(one, str(LATER))
        pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
        assert queue.due(10) == []
        assert waits() == pytest.approx(pause.total_seconds(), abs=5)
        account.write(rows.hurry)  # as a start does
    hop = Hop(LATER)
    await run_until(OutgoingRunner(queue, hop), lambda: len(hop.got) == 1 and not queue.due(10))
    assert queue.depth().waiting == 1
    assert verdicts(account, decision) == ["accepted"]


async def test_after_five_days_it_is_given_up(account, send, queue, services):
    decision = send("a@corp.test")
    account.write(
        lambda work: work.execute(
            rows.update(rows.outgoing_message)
            .where(rows.outgoing_message.c.account_id == work.account_id)
            .values(created_at=work.now - GIVE_UP_AFTER)
        )
    )
    with capture_logs() as logged:
        await run_until(OutgoingRunner(queue, Hop(LATER)), lambda: queue.depth().waiting == 0)
    assert verdicts(account, decision) == ["accepted", "held"]
    (line,) = [entry for entry in logged if entry["event"] == "outgoing.given_up"]
    assert (line["log_level"], line["recipient"], line["reply"]) == ("warning", "a@corp.test", str(LATER))


async def test_what_is_refused_for_good_is_given_up_at_once(account, send, queue):
    decision = send("a@corp.test")
    await run_until(OutgoingRunner(queue, Hop(NEVER)), lambda: queue.depth().waiting == 0)
    assert verdicts(account, decision) == ["accepted", "held"]


async def test_a_fault_of_ours_stops_no_other_copy(account, send, queue):
    send("a@corp.test", "b@corp.test", "c@corp.test")
    hop = Hop(RuntimeError("a fault"))
    with capture_logs():
        await run_until(OutgoingRunner(queue, hop), lambda: len(hop.got) == 3 and queue.depth().waiting == 1)


async def test_a_copy_whose_body_is_gone_stays_and_is_told_of(account, send, queue, services, tmp_path):
    send("a@corp.test")
    for file in (tmp_path / "bodies").rglob("*"):
        if file.is_file():
            file.unlink()
    hop = Hop()
    with capture_logs() as logged:
        await run_until(OutgoingRunner(queue, hop), lambda: not queue.due(10))
    assert (hop.got, queue.depth().waiting) == ([], 1)
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["outgoing.not_begun"]


async def test_a_copy_whose_body_stays_gone_is_given_up_like_any_other(account, send, queue, tmp_path):
    """After five days: an account without a domain has no postmaster, so the log tells of it."""
    decision = send("a@corp.test")
    for file in (tmp_path / "bodies").rglob("*"):
        if file.is_file():
            file.unlink()
    account.write(
        lambda work: work.execute(
            rows.update(rows.outgoing_message)
            .where(rows.outgoing_message.c.account_id == work.account_id)
            .values(created_at=work.now - GIVE_UP_AFTER)
        )
    )
    with capture_logs() as logged:
        await run_until(OutgoingRunner(queue, Hop()), lambda: queue.depth().waiting == 0)
    assert verdicts(account, decision) == ["accepted", "bounced"]
    (line,) = [entry for entry in logged if entry["event"] == "outgoing.given_up"]
    assert (line["became"], line["reply"]) == ("ended", str(outgoing.CANNOT_READ))


async def test_what_was_handed_over_and_not_noted_is_not_handed_over_again(account, send, queue, monkeypatch):
    """A database that cannot be written after the delivery, and can later."""
    decision = send("a@corp.test")
    monkeypatch.setattr(outgoing, "LOOK_EVERY", 0.01)
    faults = [OSError("disk full"), OSError("disk full")]
    delivered = queue.delivered

    def failing(*arguments):
        if faults:
            raise faults.pop()
        delivered(*arguments)

    queue.delivered = failing
    hop = Hop()
    with capture_logs() as logged:
        await run_until(OutgoingRunner(queue, hop), lambda: queue.depth().waiting == 0)
    assert [entry["event"] for entry in logged].count("outgoing.not_noted") == 2
    assert (len(hop.got), faults) == (1, [])
    assert verdicts(account, decision) == ["accepted", "delivered"]


async def test_what_can_never_be_noted_is_not_handed_over_again(account, send, queue, services, monkeypatch):
    """Not even once its next attempt would be due."""
    send("a@corp.test")
    monkeypatch.setattr(outgoing, "LOOK_EVERY", 0.01)
    monkeypatch.setattr("mailreeve.families.outgoing.queue.FIRST_PAUSE", timedelta(0))
    tried: list[str] = []

    def failing(one, *_):
        tried.append(one.key)
        raise OSError("disk full")

    queue.delivered = failing
    hop = Hop()
    with capture_logs():
        await run_until(OutgoingRunner(queue, hop), lambda: len(tried) > 5)
    assert len(hop.got) == 1


async def test_who_died_in_the_middle_hands_over_once_more(account, send, queue):
    """The attempt was begun, and nobody heard of it again: the next process does it, and that is all."""
    send("a@corp.test")
    (one,) = queue.due(10)
    queue.begin(one)
    assert queue.due(10) == []
    hop = Hop()
    await run_until(OutgoingRunner(queue, hop), lambda: queue.depth().waiting == 0)
    assert len(hop.got) == 1


def test_queues_are_counted_by_direction_and_hour(account, send, queue):
    """Of what waits, as it came in; at other times nothing."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    send("a@corp.test")
    send("b@far.test")
    send("c@far.test")
    (found,) = account.call("email/get-email-queues")
    assert [sum(one["count"] for one in found[f"{way}EmailQueue"]) for way in ("inbound", "outbound")] == [1, 2]
    (none,) = account.call("email/get-email-queues", {"start": "2100-01-01T00:00:00Z"})
    assert none == {"inboundEmailQueue": [], "outboundEmailQueue": []}


def test_what_was_written_here_needs_no_body(account, queue):
    """A notice stands in its row, whole, and leaves no record: no door decided it."""
    message = kept(account.id, "a@corp.test", state=State.ACCEPTED)
    (copy,) = message.outgoing
    account.write(lambda work: rows.add(work, [rows.KeptCopy(copy, "")], "notice"))
    (one,) = queue.due(10)
    assert bytes(queue.begin(one)) == bytes(copy.content)
    queue.delivered(one, "", "")
    assert verdicts(account, copy.decision_id) == []
    assert queue.depth() == queue.depth().__class__(0, 0.0)
