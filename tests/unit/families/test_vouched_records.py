"""Mail that a server in front vouched for, or did not, is decided about later as it was when it came."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from mailreeve.families.replay.operations import facts_of
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.decisions import SpamChecks

ANN = "ann@corp.test"
ID = "abcdefgh234567ab"
GET = "ext/get-mail-record"
EVER = datetime.fromtimestamp(0, UTC)


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    return account


def add(account, source_ip: str, source_trusted: bool | None, state: State) -> None:
    outcome = Outcome(
        account_id=account.id,
        decision_id=ID,
        at=time.time() - 60,
        source_ip=source_ip,
        source_trusted=source_trusted,
        login="ann" if source_trusted else "",
        sender=ANN,
        effective_sender=ANN,
        recipient="friend@far.test",
        effective_recipient="friend@far.test",
        header_from=(HeaderFrom(parse_address(ANN)),),
        subject="",
        message_id="<1@corp.test>",
        size=1,
        state=state,
        stage=None,
        layer="default",
        reply="",
        policy_id="",
        description="",
        revision=1,
        spam_checks=SpamChecks.RUN,
    )
    account.write(lambda work: rows.add(work, [outcome]))


@pytest.mark.parametrize(
    ("source_ip", "trusted", "verdict"),
    [
        ("192.0.2.7", True, "delivered"),  # a user who signed in
        ("192.0.2.7", None, "deferred"),
        ("", True, "delivered"),
        ("", False, "deferred"),
        ("127.0.0.1", False, "deferred"),  # unannounced mail of a proxy on the machine
    ],
)
def test_today_it_would_be_decided_by_who_was_vouched_for(corp, source_ip, trusted, verdict):
    """Unknown sources included. No source of a record is trusted only because nobody knows it."""
    add(corp, source_ip, trusted, State.DELIVERED)
    (record,) = corp.call(GET, {"id": ID})
    assert record["today"]["verdict"] == verdict
    assert record["login"] == ("ann" if trusted else "")


def test_a_replay_decides_by_it_too(corp):
    """The facts that it asks the policies with are those of then."""
    for number, trusted in enumerate((True, False, None)):
        add(corp, f"192.0.2.{number}", trusted, State.DELIVERED)
    found = corp.write(lambda work: list(rows.recorded(work, EVER)))
    facts = [facts_of(record) for record in found]
    assert {str(one.source_ip): one.source_trusted for one in facts} == {
        "192.0.2.0": True,
        "192.0.2.1": False,
        "192.0.2.2": None,
    }
