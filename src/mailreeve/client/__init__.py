"""A typed client of the HTTP API. It stands alone: nothing else of Mailreeve is imported.

It speaks to anything with this API, signed or with an access token:

    from mailreeve.client import Client, Credentials, Policy, Target

    with Client("http://127.0.0.1:8025", Credentials.load("credentials.json")) as client:
        client.block_sender("offers@shop.example", to="ann@example.com")
        policy = Policy("No shop mail", Target.domain("shop.example"), Target.internal())
        print(client.blocked_senders.create(policy).id)
"""

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
from mailreeve.client.credentials import Credentials, OAuthCredentials
from mailreeve.client.delegates import DelegateRight, Delegates, DelegateUser
from mailreeve.client.errors import ApiError, ClientError, Failure, Unreachable
from mailreeve.client.managed_senders import ManagedSender
from mailreeve.client.policies import Attribute, Conditions, Policy, Target
from mailreeve.client.web_lists import WebEntry, WebList, WebLists, WebTarget

__all__ = [
    "AddressAlteration",
    "AlterationPolicy",
    "AlterationSet",
    "Answer",
    "Api",
    "ApiError",
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
    "Failure",
    "Item",
    "ManagedSender",
    "OAuthCredentials",
    "Policy",
    "Target",
    "Unreachable",
    "WebEntry",
    "WebList",
    "WebLists",
    "WebTarget",
]
