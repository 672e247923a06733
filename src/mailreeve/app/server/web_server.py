"""The web doors, put together: one gate, its records, the socket for helpers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from mailreeve.app.folder import Opened
from mailreeve.app.server.periodic import forget_old_web_records
from mailreeve.app.settings import Settings
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.web_log.access import BlockedRequests
from mailreeve.families.web_log.keeper import WebKeeper
from mailreeve.store.keys import new_key
from mailreeve.web.door import WebDoor, web_door
from mailreeve.web.gate import WebGate
from mailreeve.web.recording import RecordQueue
from mailreeve.wire.tokens import Kind


class WebServer(NamedTuple):
    """What is open: the gate that every web door asks, its records, and the socket for helpers, if any."""

    gate: WebGate
    records: RecordQueue
    keeper: WebKeeper
    door: WebDoor | None = None

    @property
    def records_left_out(self) -> int:
        """How many records were not kept."""
        return self.records.left_out + self.keeper.left_out


def make_gate(opened: Opened, settings: Callable[[], Settings]) -> WebServer:
    """A gate for the accounts of a folder. Its records are written while somebody runs `records.run`."""
    ids = opened.services.ids
    keeper = WebKeeper(opened.store)

    def wire_id(account_id: str, key: str) -> str:
        return ids.seal(Kind.WEB_RECORD, key, account_id)

    records = RecordQueue(keeper.write, new_key, wire_id, lambda: settings().web_allows_recorded)
    return WebServer(WebGate(opened.services.follower, records), records, keeper)


def blocked_requests(opened: Opened, web: WebServer) -> BlockedRequests:
    """What the block page shows, also of what is not written yet."""
    return BlockedRequests(opened.store, opened.services.ids, web.records.fresh)


@asynccontextmanager
async def open_web_doors(
    opened: Opened, web: WebServer, listeners: Sequence[socket.socket], *, forgets: bool
) -> AsyncIterator[WebServer]:
    """The socket for helpers where there is one, open while the block runs, and records written. `forgets` says
    whether this process removes what is old."""

    def account_of(code: str) -> str | None:
        codes = opened.store.look_up(accounts.codes)
        if code:
            return codes.get(code)
        return next(iter(codes.values())) if len(codes) == 1 else None

    tasks = [asyncio.create_task(web.records.run())]
    if forgets:
        tasks.append(asyncio.create_task(forget_old_web_records(web.keeper)))
    try:
        if listeners:
            async with web_door(web.gate, account_of, listeners) as door:
                yield web._replace(door=door)
        else:
            yield web
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await web.records.write_waiting()
