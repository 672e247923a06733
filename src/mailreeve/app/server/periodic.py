"""What a server does by itself: policies loaded before it begins, then periodic work until it is cancelled."""

from __future__ import annotations

import asyncio
from typing import Final

import anyio.to_thread
import structlog

from mailreeve.app.folder import Opened
from mailreeve.families.directory.account import rows as accounts
from mailreeve.store.follow import Follower

DROP_EVERY: Final = 60.0  # seconds

_log = structlog.get_logger(__name__)


async def load_only_account(opened: Opened) -> None:
    """Load the policies of a server's only account, however many, before anybody has to wait for them. Where there
    are several, each is loaded on first use."""
    found = list(opened.store.look_up(accounts.codes).values())
    if len(found) == 1:
        await anyio.to_thread.run_sync(opened.services.follower.current, found[0])


async def drop_idle_policies(follower: Follower) -> None:
    """Drop the policies of idle accounts now and then."""
    while True:
        await asyncio.sleep(DROP_EVERY)
        dropped = await anyio.to_thread.run_sync(follower.let_go)
        if dropped:
            _log.info("policies of idle accounts dropped", accounts=dropped)
