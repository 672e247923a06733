"""Where are the numbers told? On a listener of their own, since strangers who reach the API are not to read them.

Nothing here loads the Prometheus client; most servers need none.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import structlog
from anyio import to_thread
from msgspec import Struct

from mailreeve.api.server import HttpServer
from mailreeve.app.metrics.shared import are_shared
from mailreeve.families.outgoing.queue import Depth

if TYPE_CHECKING:
    from mailreeve.app.metrics.metrics import Metrics

LOOKED_UP_EVERY: Final = 5.0  # seconds, where other workers are to tell of this one
_log = structlog.get_logger(__name__)


class Sources(Struct, frozen=True):
    """What is looked up when somebody asks."""

    log_lines_dropped: Callable[[], int]
    outcomes_left_out: Callable[[], int]
    connections: dict[str, Callable[[], int]]
    waiting: dict[str, Callable[[], int]]
    certificate: Callable[[], str]
    outgoing: Callable[[], Depth]


@asynccontextmanager
async def telling(
    metrics: Metrics | None, listener: socket.socket | None, sources: Sources
) -> AsyncIterator[None]:
    """Tell the numbers on this socket while the block runs, if there are any to tell."""
    if metrics is None or listener is None:
        yield
        return
    http = HttpServer(metrics.asgi(sources))
    tasks = [asyncio.create_task(http.serve(sockets=[listener]))]
    if are_shared():
        tasks.append(asyncio.create_task(_look_up_regularly(metrics, sources)))
    try:
        yield
    finally:
        http.stop()
        await tasks[0]
        for task in tasks[1:]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _look_up_regularly(metrics: Metrics, sources: Sources) -> None:
    """Whichever worker is asked tells what the others looked up last."""
    while True:
        try:
            await to_thread.run_sync(metrics.look_up, sources)
        except Exception:
            # Numbers are no reason to end anything.
            _log.exception("numbers were not looked up")
        await asyncio.sleep(LOOKED_UP_EVERY)
