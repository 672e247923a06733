"""Which outcomes are kept, how many, and for how long."""

from __future__ import annotations

import time
from ipaddress import ip_network

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from mailreeve.families.tracking import operations, refusal_budget
from mailreeve.families.tracking.operations import KEEP_OTHERS, KEEP_REFUSALS, OutcomeKeeper
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.families.tracking.refusal_budget import DAY, HOUR, RefusalBudget
from mailreeve.families.tracking.rows import message_outcome
from mailreeve.policy.decisions import SpamChecks, Stage

STRANGER, OTHER, OWN = "192.0.2.9", "198.51.100.7", "127.0.0.1"


def outcome(account_id: str, recipient: str, state: State = State.REJECTED, **more: object) -> Outcome:
    known = {
        "account_id": account_id,
        "decision_id": "id",
        "at": time.time(),
        "source_ip": STRANGER,
        "sender": "ann@out.test",
        "effective_sender": "ann@out.test",
        "recipient": recipient,
        "effective_recipient": recipient,
        "header_from": None,
        "subject": "",
        "message_id": "",
        "size": 0,
        "state": state,
        "stage": Stage.RCPT if state in (State.REJECTED, State.DEFERRED) else None,
        "layer": "default",
        "reply": "",
        "policy_id": "",
        "description": "",
        "revision": 1,
        "spam_checks": SpamChecks.RUN,
    }
    return Outcome(**{**known, **more})


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0 // DAY * DAY

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock, monkeypatch) -> RefusalBudget:
    """Three refusals for a source and hour, five for an account and day."""
    monkeypatch.setattr(refusal_budget, "MAX_BY_SOURCE", 3)
    monkeypatch.setattr(refusal_budget, "MAX_BY_ACCOUNT", 5)
    return RefusalBudget([ip_network("127.0.0.0/8")], clock)


@pytest.fixture
def keeper(house, budget) -> OutcomeKeeper:
    return OutcomeKeeper(house.store, budget)


def kept(account) -> list[str]:
    """The recipients of the outcomes that the account has."""
    query = select(message_outcome.c.recipient).where(message_outcome.c.account_id == account.id)
    return sorted(account.write(lambda work: work.execute(query).scalars().all()))


def refusals(account_id: str, number: int, **more: object) -> list[Outcome]:
    return [outcome(account_id, f"u{n}@corp.test", **more) for n in range(number)]


def test_outcomes_are_kept_each_with_its_account(account, other_account, keeper):
    keeper.record(
        [outcome(account.id, "u@corp.test"), outcome(other_account.id, "x@elsewhere.test", State.DELIVERED)]
    )
    assert kept(account) == ["u@corp.test"]
    assert kept(other_account) == ["x@elsewhere.test"]


def test_one_source_fills_no_disk_with_refusals(account, keeper):
    """What goes beyond is left out, of one call as of many; deliveries are kept whatever happened before."""
    keeper.record(refusals(account.id, 2))
    keeper.record([*refusals(account.id, 4), outcome(account.id, "got@corp.test", State.DELIVERED)])
    assert kept(account) == ["got@corp.test", "u0@corp.test", "u0@corp.test", "u1@corp.test"]


@pytest.mark.parametrize("state", [State.REJECTED, State.DEFERRED])
def test_refusals_of_both_kinds_are_counted(budget, state):
    assert len(budget.admit(refusals("a", 9, state=state))) == 3


def test_each_source_is_counted_by_the_hour(budget, clock):
    """Another source, another account, and the next hour each have room."""
    assert len(budget.admit(refusals("a", 4))) == 3
    assert budget.admit(refusals("a", 1)) == []
    assert len(budget.admit(refusals("a", 1, source_ip=OTHER))) == 1
    assert len(budget.admit(refusals("b", 1))) == 1
    clock.now += HOUR
    assert len(budget.admit(refusals("a", 1))) == 1


def test_a_source_is_a_network_of_ipv6(budget):
    """Whoever has one address has 2^64."""
    sources = [f"2001:db8::{n}" for n in range(1, 6)]
    admitted = budget.admit([outcome("a", "u@corp.test", source_ip=source) for source in sources])
    assert len(admitted) == 3
    assert len(budget.admit(refusals("a", 1, source_ip="2001:db8:0:1::1"))) == 1


def test_many_sources_are_counted_together_by_the_day(budget, clock):
    sources = [f"192.0.2.{n}" for n in range(9)]
    assert len(budget.admit([outcome("a", "u@corp.test", source_ip=source) for source in sources])) == 5
    clock.now += HOUR
    assert budget.admit(refusals("a", 1)) == []
    clock.now += DAY
    assert len(budget.admit(refusals("a", 1))) == 1


def test_a_relay_network_has_no_limit_of_its_own(budget):
    """The server in front brings everybody's mail; the account's limit holds for it too."""
    assert len(budget.admit(refusals("a", 9, source_ip=OWN))) == 5


def test_what_is_left_out_is_counted_in_the_log(budget, clock):
    """One line when it begins and one with the number: not a line for each, or the log fills the disk instead."""
    with capture_logs() as logged:
        for _ in range(5):
            budget.admit(refusals("a", 2))
        assert [entry["event"] for entry in logged] == ["refusals are no longer recorded"]
        clock.now += HOUR
        budget.admit([])
    assert [entry.get("number") for entry in logged] == [None, 7]


def test_what_is_old_is_forgotten_in_small_transactions(account, other_account, house, clock, monkeypatch):
    """Refusals before deliveries, in every account, however many there are; what is young stays."""
    monkeypatch.setattr(operations, "FORGET_AT_ONCE", 3)
    keeper = OutcomeKeeper(house.store, RefusalBudget((), clock))
    now = time.time()
    week, month = now - KEEP_REFUSALS.total_seconds() - 60, now - KEEP_OTHERS.total_seconds() - 60
    for id_ in (account.id, other_account.id):
        keeper.record(
            [
                *refusals(id_, 7, at=week),
                outcome(id_, "young@corp.test", at=now),
                outcome(id_, "held@corp.test", State.DELIVERED, at=week),
                outcome(id_, "gone@corp.test", State.DELIVERED, at=month),
            ]
        )
    transactions = []
    write = house.store.write
    monkeypatch.setattr(house.store, "write", lambda *args: transactions.append(write(*args)) or transactions[-1])
    assert keeper.forget_old() == 16
    assert transactions == [3, 3, 2, 3, 3, 2]
    monkeypatch.undo()
    assert kept(account) == kept(other_account) == ["held@corp.test", "young@corp.test"]
    assert keeper.forget_old() == 0
