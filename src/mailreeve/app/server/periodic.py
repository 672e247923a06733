"""What a server does by itself: policies loaded before it begins, then what is done again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import anyio.to_thread
import structlog

from mailreeve.app.folder import Opened
from mailreeve.families.digest.sending import DigestSender
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.login.last_use import LastUses
from mailreeve.families.tracking.operations import OldOutcomes
from mailreeve.store.follow import Follower

DROP_EVERY: Final = 60.0  # seconds between two looks for policies that nobody asks for
WRITE_USES_EVERY: Final = 60.0  # seconds between two writes of when keys were used
DIGESTS_EVERY: Final = 1.0  # seconds between two looks for digests that are due
FORGET_EVERY: Final = 3600.0  # seconds between two removals of old outcomes

_log = structlog.get_logger(__name__)


async def load_only_account(opened: Opened) -> None:
    """Load the policies of a server's only account, however many, before anybody has to wait for them. Where there
    are several, each is loaded on first use."""
    found = list(opened.store.look_up(accounts.codes).values())
    if len(found) == 1:
        await anyio.to_thread.run_sync(opened.services.follower.current, found[0])


async def drop_idle_policies(follower: Follower) -> None:
    """Drop the policies of idle accounts now and then, until it is cancelled."""

    def drop() -> None:
        dropped = follower.let_go()
        if dropped:
            _log.info("policies of idle accounts dropped", accounts=dropped)

    await _regularly(drop, DROP_EVERY, "policies of idle accounts were not dropped")


async def write_last_uses(uses: LastUses, every: float = WRITE_USES_EVERY) -> None:
    """Write when keys were used, again and again, until it is cancelled."""
    await _regularly(uses.write, every, "the last uses of keys were not written")


async def forget_old_outcomes(old: OldOutcomes, every: float = FORGET_EVERY) -> None:
    """Remove old outcomes now, and again after so many seconds, until it is cancelled."""

    def forget() -> None:
        removed = old.forget()
        if removed:
            _log.info("old outcomes removed", number=removed)

    await _regularly(forget, every, "old outcomes were not removed")


async def send_digests(sender: DigestSender, every: float = DIGESTS_EVERY) -> None:
    """Send the digests that are due, again and again, until it is cancelled."""
    await _regularly(sender.send_due, every, "digests were not sent")


async def _regularly(work: Callable[[], object], every: float, failed: str) -> None:
    """Do it in a thread, now and again after so many seconds; a fault is logged as `failed`."""
    while True:
        try:
            await anyio.to_thread.run_sync(work)
        except Exception:
            # Whatever it was, the next attempt may do better; without any, memory and disk fill up.
            _log.exception(failed)
        await asyncio.sleep(every)
