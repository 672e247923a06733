"""Numbers that cannot be counted change nothing of what they are about."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from mailreeve.app.metrics.instruments import Instruments
from mailreeve.app.metrics.metered import CallMeter, MailMeter, MeteredNextHop, MeteredRecorder
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.policy.model.decisions import SpamChecks, Stage

OUTCOME = Outcome(
    account_id="a",
    decision_id="id",
    at=0.0,
    source_ip="192.0.2.7",
    sender="ann@out.test",
    effective_sender="ann@out.test",
    recipient="u@corp.test",
    effective_recipient="u@corp.test",
    header_from=None,
    subject="",
    message_id="",
    size=0,
    state=State.DELIVERED,
    stage=None,
    layer="default",
    reply="",
    policy_id="",
    description="",
    revision=1,
    spam_checks=SpamChecks.RUN,
)


class Fault(Exception):
    pass


class Taken:
    """A next hop that takes everything, and a recorder that keeps it."""

    def session(self):
        return self

    async def check(self, sender, recipient, *, utf8):
        return None

    async def deliver(self, sender, recipients, content, *, utf8, envelope_id=""):
        return [None] * len(recipients)

    def record(self, messages):
        return [None] * len(messages)


def failing(*args, **kwargs):
    raise Fault


@pytest.fixture
def instruments(monkeypatch):
    made = Instruments(CollectorRegistry())
    for name in ("outcomes", "next_hop_replies", "calls", "decisions", "messages", "turned_away"):
        instrument = getattr(made, name)
        for does in ("inc", "observe"):
            monkeypatch.setattr(type(instrument), does, failing, raising=False)
    return made


def test_a_copy_that_was_taken_stays_taken(instruments):
    """Else its sender would be told 4xx, and send it again to those who have it."""
    session = MeteredNextHop(Taken(), instruments, "smtp").session()
    assert asyncio.run(session.deliver(None, ["a", "b"], None, utf8=False)) == [None, None]
    assert asyncio.run(session.check(None, None, utf8=False)) is None


def test_what_was_kept_stays_kept(instruments):
    recorder = MeteredRecorder(Taken(), instruments, failing)
    assert recorder.record([Kept([OUTCOME])]) == [None]


def test_doors_answer_whatever_is_counted(instruments):
    meter = MailMeter(instruments)
    meter.decided(Stage.DATA, 0.1)
    meter.answered("250 2.0.0 Delivered", 0.1)
    meter.turned_away()
    CallMeter(instruments)("ext/find-mail-records", 200, 0.1)
