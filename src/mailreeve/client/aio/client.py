"""Which functions does the API offer to programs? The five capabilities by hand, all others by room.

For asyncio. Made by tools/make_client.py.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import httpx2

from mailreeve.client.aio.address_alteration import AsyncAddressAlteration
from mailreeve.client.aio.blocked_senders import AsyncBlockedSenders
from mailreeve.client.aio.by_room import AsyncFunctions
from mailreeve.client.aio.delegates import AsyncDelegates
from mailreeve.client.aio.web_lists import AsyncWebLists
from mailreeve.client.api import RETRIES, TIMEOUT, only
from mailreeve.client.credentials import AnyCredentials
from mailreeve.client.managed_senders import PATH, ManagedSender


class AsyncClient(AsyncFunctions):
    """The API of one server for one caller. Every function of the server that this
    version knows is a method of a room; what is newer is reached with `call`.

    Methods raise `ApiError` when the server refuses, and `Unreachable` when it does not answer.
    """

    def __init__(
        self,
        base_url: str,
        credentials: AnyCredentials | None,
        *,
        ca_file: str | None = None,
        server_name: str | None = None,
        verify: ssl.SSLContext | bool = True,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        patient: bool = True,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(
            base_url,
            credentials,
            ca_file=ca_file,
            server_name=server_name,
            verify=verify,
            timeout=timeout,
            retries=retries,
            patient=patient,
            transport=transport,
            sleep=sleep,
        )
        self.blocked_senders = AsyncBlockedSenders(self)
        self.web_lists = AsyncWebLists(self)
        self.address_alteration = AsyncAddressAlteration(self)
        self.delegates = AsyncDelegates(self)

    async def permit_sender(self, sender: str, to: str) -> ManagedSender:
        """Let mail from `sender` to the internal address `to` past spam checks."""
        return await self._manage("permit", sender, to)

    async def block_sender(self, sender: str, to: str) -> ManagedSender:
        """Refuse mail from `sender` to the internal address `to`."""
        return await self._manage("block", sender, to)

    async def _manage(self, action: str, sender: str, to: str) -> ManagedSender:
        return only(await self.call_for(ManagedSender, PATH, {"action": action, "sender": sender, "to": to}))
