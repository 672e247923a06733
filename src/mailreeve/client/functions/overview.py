"""The functions of overview. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class ListedPolicy(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "from_part": "fromPart",
        "source_ips": "sourceIPs",
        "spf_domains": "spfDomains",
        "create_time": "createTime",
        "last_updated": "lastUpdated",
        "from_date": "fromDate",
        "to_date": "toDate",
    },
):
    """A policy of any type. `does` says in a few words what it does. `immutable` is one that cannot be
    changed. A web list has as many sides as it has targets, all others have one of each.
    """

    id: str = ""
    type: str = ""
    does: str = ""
    state: str = ""
    enabled: bool = False
    description: str = ""
    comment: str = ""
    from_: tuple[NamedTarget, ...] = ()
    to: tuple[NamedTarget, ...] = ()
    from_part: str = ""
    override: bool = False
    bidirectional: bool = False
    source_ips: tuple[str, ...] = ()
    spf_domains: tuple[str, ...] = ()
    immutable: bool = False
    create_time: str = ""
    last_updated: str = ""
    from_date: str | None = None
    to_date: str | None = None


class NamedTarget(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"group_id": "groupId"}):
    """Whom a side names: `value` is the address, the domain, the group's name or whatever its type needs."""

    type: str = ""
    value: str = ""
    group_id: str | None = None


class OverviewFunctions:
    """What can be asked about overview."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def find_policies(
        self,
        *,
        type: Literal[
            "blocked_senders",
            "permitted_senders",
            "anti_spoofing",
            "anti_spoofing_bypass",
            "address_alteration",
            "spam_scanning",
            "web_lists",
        ]
        | None = None,
        id: str | None = None,
        id_prefix: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_id: str | None = None,
        matching: str | None = None,
        matching_to: str | None = None,
        enabled: bool | None = None,
        state: Literal["active", "disabled", "pending", "expired"] | None = None,
        text: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[ListedPolicy]:
        """List the policies of all types that the caller may read, or those that filters let pass."""
        return self._api.every_of(
            ListedPolicy,
            "ext/find-policies",
            {
                "type": type,
                "id": id,
                "idPrefix": id_prefix,
                "from": from_,
                "to": to,
                "groupId": group_id,
                "matching": matching,
                "matchingTo": matching_to,
                "enabled": enabled,
                "state": state,
                "text": text,
            },
            page_size=page_size,
        )


class AsyncOverviewFunctions:
    """What can be asked about overview."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def find_policies(
        self,
        *,
        type: Literal[
            "blocked_senders",
            "permitted_senders",
            "anti_spoofing",
            "anti_spoofing_bypass",
            "address_alteration",
            "spam_scanning",
            "web_lists",
        ]
        | None = None,
        id: str | None = None,
        id_prefix: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        group_id: str | None = None,
        matching: str | None = None,
        matching_to: str | None = None,
        enabled: bool | None = None,
        state: Literal["active", "disabled", "pending", "expired"] | None = None,
        text: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[ListedPolicy]:
        """List the policies of all types that the caller may read, or those that filters let pass."""
        return self._api.every_of(
            ListedPolicy,
            "ext/find-policies",
            {
                "type": type,
                "id": id,
                "idPrefix": id_prefix,
                "from": from_,
                "to": to,
                "groupId": group_id,
                "matching": matching,
                "matchingTo": matching_to,
                "enabled": enabled,
                "state": state,
                "text": text,
            },
            page_size=page_size,
        )
