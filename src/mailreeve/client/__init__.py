"""A typed client of the HTTP API. It stands alone: nothing else of Mailreeve is imported.

It speaks to anything with this API, signed or with an access token:

    from mailreeve.client import Client, Credentials, Policy, Target

    with Client("http://127.0.0.1:8025", Credentials.load("credentials.json")) as client:
        client.block_sender("offers@shop.example", to="ann@example.com")
        policy = Policy("No shop mail", Target.domain("shop.example"), Target.internal())
        print(client.blocked_senders.create(policy).id)

`AsyncClient` is the same for asyncio, with every method awaited and every list an asynchronous iterator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailreeve.client.address_alteration import (
    AddressAlteration,
    AlterationPolicy,
    AlterationSet,
    Definition,
    DefinitionItem,
)
from mailreeve.client.api import Answer, Api, Item
from mailreeve.client.blocked_senders import BlockedSenderPolicy, BlockedSenders
from mailreeve.client.client import Client
from mailreeve.client.credentials import (
    AnyCredentials,
    Application,
    Credentials,
    LoginCredentials,
    OAuthCredentials,
)
from mailreeve.client.delegates import DelegateRight, Delegates, DelegateUser
from mailreeve.client.errors import ApiError, ClientError, Failure, Unreachable
from mailreeve.client.managed_senders import ManagedSender
from mailreeve.client.policies import Attribute, Conditions, Policy, Target
from mailreeve.client.regions import REGIONS, Discovered, Region, discover
from mailreeve.client.web_lists import WebEntry, WebList, WebLists, WebTarget

if TYPE_CHECKING:
    from mailreeve.client.aio.client import AsyncClient


def __getattr__(name: str) -> object:
    """`AsyncClient`, which is loaded when it is asked for: who works with threads does not need asyncio."""
    if name == "AsyncClient":
        from mailreeve.client.aio.client import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "REGIONS",
    "AddressAlteration",
    "AlterationPolicy",
    "AlterationSet",
    "Answer",
    "AnyCredentials",
    "Api",
    "ApiError",
    "Application",
    "AsyncClient",
    "Attribute",
    "BlockedSenderPolicy",
    "BlockedSenders",
    "Client",
    "ClientError",
    "Conditions",
    "Credentials",
    "Definition",
    "DefinitionItem",
    "DelegateRight",
    "DelegateUser",
    "Delegates",
    "Discovered",
    "Failure",
    "Item",
    "LoginCredentials",
    "ManagedSender",
    "OAuthCredentials",
    "Policy",
    "Region",
    "Target",
    "Unreachable",
    "WebEntry",
    "WebList",
    "WebLists",
    "WebTarget",
    "discover",
]
