"""Which functions does the API offer to programs? The five capabilities by hand, all others by room."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

import httpx2

from mailreeve.client.address_alteration import AddressAlteration
from mailreeve.client.api import RETRIES, TIMEOUT, only
from mailreeve.client.blocked_senders import BlockedSenders
from mailreeve.client.credentials import AnyCredentials
from mailreeve.client.delegates import Delegates
from mailreeve.client.functions.by_room import Functions
from mailreeve.client.managed_senders import PATH, ManagedSender
from mailreeve.client.web_lists import WebLists


class Client(Functions):
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
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
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
        self.blocked_senders = BlockedSenders(self)
        self.web_lists = WebLists(self)
        self.address_alteration = AddressAlteration(self)
        self.delegates = Delegates(self)

    def permit_sender(self, sender: str, to: str) -> ManagedSender:
        """Let mail from `sender` to the internal address `to` past spam checks."""
        return self._manage("permit", sender, to)

    def block_sender(self, sender: str, to: str) -> ManagedSender:
        """Refuse mail from `sender` to the internal address `to`."""
        return self._manage("block", sender, to)

    def _manage(self, action: str, sender: str, to: str) -> ManagedSender:
        return only(self.call_for(ManagedSender, PATH, {"action": action, "sender": sender, "to": to}))
