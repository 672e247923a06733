"""The functions of outgoing. Made by tools/make_client.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class QueuedThen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many copies still wait that came in during the hour which begins at `date`."""

    date: str = ""
    count: int = 0


class QueuesAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"inbound_email_queue": "inboundEmailQueue", "outbound_email_queue": "outboundEmailQueue"},
):
    """What waits for the next hop, for recipients inside and for those outside, hour by hour, oldest first."""

    inbound_email_queue: tuple[QueuedThen, ...] = ()
    outbound_email_queue: tuple[QueuedThen, ...] = ()


class OutgoingFunctions:
    """What can be asked about outgoing."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_email_queues(self, *, start: str | None = None, end: str | None = None) -> QueuesAnswer:
        """Count the messages that wait to be handed on, by the hour in which they came."""
        return self._api.one_of(QueuesAnswer, "email/get-email-queues", {"start": start, "end": end})


class AsyncOutgoingFunctions:
    """What can be asked about outgoing."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get_email_queues(self, *, start: str | None = None, end: str | None = None) -> QueuesAnswer:
        """Count the messages that wait to be handed on, by the hour in which they came."""
        return await self._api.one_of(QueuesAnswer, "email/get-email-queues", {"start": start, "end": end})
