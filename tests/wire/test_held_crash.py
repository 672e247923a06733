"""A release that was answered is carried out, whatever becomes of the server: it is killed between the answer and
the delivery, and started again."""

from __future__ import annotations

import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path

import pytest
from held_copies import hold, kept

from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.mail.outgoing import AT_ONCE

pytestmark = pytest.mark.cold

MANY = 40
PATIENCE = 60


def arrived(live) -> Counter[str]:
    new = Path(live.maildir) / "new"
    files = list(new.iterdir()) if new.exists() else []
    return Counter(message_from_bytes(file.read_bytes())["Subject"] for file in files)


def test_what_was_released_arrives_although_the_server_was_killed(fresh_server):
    """Every message, and none twice but those that were being handed over when it died."""
    live = fresh_server()
    opened = Opened(live.data, Settings())
    try:
        keeper = MessageKeeper(opened.store, RecordBudget(), opened.bodies)
        messages = [kept(opened.account_id(None), "ann@corp.test", subject=f"No {n}") for n in range(MANY)]
        hold(keeper, *messages)
    finally:
        opened.close()
    with live.client() as client:
        done = client.call("ext/decide-held-messages", {"action": "release", "search": {"admin": True}})
    live.kill()
    assert [row["error"] for row in done] == [""] * MANY
    before = arrived(live).total()
    assert before < MANY, "it was killed too late to prove anything"
    live.start()
    until = time.monotonic() + PATIENCE
    while len(arrived(live)) < MANY and time.monotonic() < until:
        time.sleep(0.02)
    live.stop()
    found = arrived(live)
    assert len(found) == MANY, live.log()
    assert found.total() <= MANY + AT_ONCE
