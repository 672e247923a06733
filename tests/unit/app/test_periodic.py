"""What a server does again and again, whatever went wrong the last time."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest
from structlog.testing import capture_logs

from mailreeve.app.server.periodic import forget_old_outcomes

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


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
        chore = asyncio.create_task(forget_old_outcomes(keeper, every=0.0))
        assert await asyncio.to_thread(keeper.done.wait, 10)
        chore.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await chore
    failed = [entry for entry in logged if entry["event"] == "old outcomes were not removed"]
    assert [entry["log_level"] for entry in failed] == ["error", "error"]
