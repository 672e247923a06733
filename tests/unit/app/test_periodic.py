"""What a server does again and again, whatever went wrong the last time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time

import pytest
from held_copies import hold, kept
from structlog.testing import capture_logs

from mailreeve.app.folder import open_initialised
from mailreeve.app.new_account import initialise
from mailreeve.app.server.periodic import forget_old, keep_house_of, keep_house_of_all
from mailreeve.app.settings import read
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.store.bodies import LEFT_OVER, body_files

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Ended:
    """Has nothing that ended."""

    def forget(self) -> int:
        return 0


ENDED = Ended()


class Keeper:
    """Fails twice in ways that nobody thought of, then removes three."""

    def __init__(self) -> None:
        self.faults = [OSError("no space left"), RuntimeError("out of luck")]
        self.done = threading.Event()

    def forget(self) -> int:
        if self.faults:
            raise self.faults.pop()
        self.done.set()
        return 3


async def test_old_outcomes_are_removed_again_whatever_went_wrong_before():
    """If the chore ended with its first fault, nothing would be removed until the next start."""
    keeper = Keeper()
    with capture_logs() as logged:
        chore = asyncio.create_task(forget_old(keeper, ENDED, every=0.0))
        assert await asyncio.to_thread(keeper.done.wait, 10)
        chore.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await chore
    failed = [entry for entry in logged if entry["event"] == "old outcomes and entries were not removed"]
    assert [entry["log_level"] for entry in failed] == ["error", "error"]


def test_bodies_that_nothing_names_are_removed_and_those_of_accounts_that_are_gone(tmp_path):
    """Not what is held, nor what is so young that its row may be on its way."""
    data = tmp_path / "data"
    initialise(data, ("corp.test",), None)
    opened = open_initialised(data, read(data, {}, {}))
    try:
        account_id = opened.account_id(None)
        hold(MessageKeeper(opened.store, RecordBudget(), opened.bodies), kept(account_id, "ann@corp.test"))
        opened.bodies.put(account_id, [[b"left over"]])
        opened.bodies.put("gone", [[b"of an account that is gone"]])
        old = time.time() - LEFT_OVER - 60
        for file in (data / "bodies").rglob("*"):
            if file.is_file():
                os.utime(file, (old, old))
        opened.bodies.put(account_id, [[b"young"]])
        assert keep_house_of(opened, account_id) == {"expired": 0, "forgotten": 0, "bodies": 1}
        assert len(list(body_files(data / "bodies"))) == 3
        keep_house_of_all(opened)
        assert len(list(body_files(data / "bodies"))) == 2
    finally:
        opened.close()


def test_a_fault_in_one_account_keeps_nothing_from_the_others(tmp_path, monkeypatch):
    """Else the disk of all would fill up, for what nobody can read in one."""
    data = tmp_path / "data"
    initialise(data, ("corp.test",), None)
    with contextlib.closing(open_initialised(data, read(data, {}, {}))) as opened:
        account_id = opened.account_id(None)

        def failing(_, account_id):
            raise OSError("cannot be read")

        monkeypatch.setattr("mailreeve.app.server.periodic.keep_house_of", failing)
        opened.bodies.put("gone", [[b"of an account that is gone"]])
        (body,) = body_files(data / "bodies")
        os.utime(body, (0, 0))
        with capture_logs() as logged:
            keep_house_of_all(opened)
        told = [(one["event"], one["account"]) for one in logged]
        assert told == [("held mail was not put in order", account_id)]
        assert not body.exists()
