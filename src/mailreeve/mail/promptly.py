"""Which work of a reception is done on the event loop, and which in a worker thread?

To hand something to a thread and to get it back costs more than to decide about a message. So what is short and
waits for nothing is done where it comes up (ADR 0066). What may wait for the store goes to a thread; so does what
a stranger can make long, which is told by its size before anything of it is looked at. The sizes are such that the
worst that we know of takes about as long as the interpreter lets a thread go on before it turns to another: there
it would keep the loop waiting as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from mailreeve.families.directory.routing import WouldWait
from mailreeve.mail.incoming import Incoming
from mailreeve.mail.reception import Answer, Reception

T = TypeVar("T")

SHORT_HEADER: Final = 8_192
SHORT_CONTENT: Final = 32_768
"""Octets of a header, and of a whole message, up to which it is read and decided about on the event loop."""

FEW_RECIPIENTS: Final = 5
"""Recipients up to whom a message is decided about there: each is decided alone."""


async def connected(reception: Reception) -> str | None:
    """As `Reception.connect`."""
    try:
        return reception.connect(at_once=True)
    except WouldWait:
        return await anyio.to_thread.run_sync(reception.connect)


async def recipient(reception: Reception, path: str) -> Answer:
    """As `Reception.recipient`."""
    try:
        return reception.recipient(path, at_once=True)
    except WouldWait:
        return await anyio.to_thread.run_sync(reception.recipient, path)


def is_short(reception: Reception, incoming: Incoming) -> bool:
    """Whether a content that has come in is decided about in a few milliseconds, whatever stands in it."""
    return (
        incoming.size <= SHORT_CONTENT
        and incoming.header_size <= SHORT_HEADER
        and reception.recipients <= FEW_RECIPIENTS
    )


async def worked_out(
    reception: Reception, incoming: Incoming, limiter: CapacityLimiter | None, work: Callable[[], T]
) -> T:
    """What `work` makes of a content: at once where that is short, else in a thread, of those that the `limiter`
    lets go on."""
    if is_short(reception, incoming):
        return work()
    return await anyio.to_thread.run_sync(work, limiter=limiter)
