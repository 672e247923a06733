"""The item and the answer of the endpoint about queues."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class FindQueues(Struct, frozen=True):
    """Between which instants the messages came in that are counted; at any time where nothing is said."""

    start: str | None = None
    end: str | None = None


class QueuedThen(Struct, frozen=True):
    """How many copies still wait that came in during the hour which begins at `date`."""

    date: str
    count: int


class QueuesAnswer(Struct, frozen=True, rename="camel"):
    """What waits for the next hop, for recipients inside and for those outside, hour by hour, oldest first."""

    inbound_email_queue: Sequence[QueuedThen]
    outbound_email_queue: Sequence[QueuedThen]
