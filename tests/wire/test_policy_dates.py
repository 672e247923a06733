"""A policy starts and ends at its instant, on a running server that is told nothing in between."""

from __future__ import annotations

import smtplib
import time
from datetime import UTC, datetime

from mailreeve.client import Policy, Target


def attempt(live, sender: str) -> tuple[float, int, float]:
    """When a message was begun, the answer to its recipient, and when that was there."""
    with smtplib.SMTP(*live.smtp, timeout=60) as session:
        session.ehlo()
        before = time.time()
        session.mail(sender)
        code, _ = session.rcpt("u@corp.test")
        return before, code, time.time()


def test_a_policy_takes_effect_at_its_instants_without_a_reload(fresh_server) -> None:
    """Refused from the very start until just before the end, let in before and after, at one revision."""
    live = fresh_server()
    starts = float(int(time.time()) + 2)
    ends = starts + 1
    dates = [datetime.fromtimestamp(at, UTC) for at in (starts, ends)]
    with live.client() as client:
        policy = Policy(
            "For a second", Target.domain("bad.test"), Target.internal(), from_date=dates[0], to_date=dates[1]
        )
        client.blocked_senders.create(policy)
        (then,) = client.call("ext/explain-message", {"from": "a@bad.test", "to": "u@corp.test"})
        attempts = []
        while not attempts or attempts[-1][0] < ends + 0.2:
            attempts.append(attempt(live, "a@bad.test"))
        (now,) = client.call("ext/explain-message", {"from": "a@bad.test", "to": "u@corp.test"})
    assert now["revision"] == then["revision"]
    seen = {"before": 0, "during": 0, "after": 0}
    for began, code, answered in attempts:
        if answered < starts or began >= ends:
            seen["before" if answered < starts else "after"] += 1
            assert code == 250
        elif starts <= began and answered < ends:
            seen["during"] += 1
            assert code == 550
    assert all(seen.values()), seen
