"""The functions of blocked senders. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from mailreeve.client.functions.shapes import (
    PolicyAnswer,
    PolicyItem,
)
from mailreeve.client.policies import Policy

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class BlockedSenderAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A blocked sender policy."""

    option: str = ""
    id: str = ""
    policy: PolicyAnswer = field(default_factory=lambda: PolicyAnswer())


class DeletedPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that is gone."""

    id: str = ""
    deleted: bool = False


class BlockedSendersFunctions:
    """What can be asked about blocked senders."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_policy(
        self,
        *,
        option: Literal["no_action", "block_sender"],
        policy: PolicyItem | Policy | Mapping[str, object],
        id: str | None = None,
        confirm_reach: bool | None = None,
    ) -> BlockedSenderAnswer:
        """Create a blocked sender policy, or change the one whose id is given."""
        return self._api.one_of(
            BlockedSenderAnswer,
            "policy/blockedsenders/create-policy",
            {"option": option, "policy": policy, "id": id, "confirmReach": confirm_reach},
        )

    def update_policy(
        self,
        *,
        id: str,
        option: Literal["no_action", "block_sender"],
        policy: PolicyItem | Policy | Mapping[str, object],
        confirm_reach: bool | None = None,
    ) -> BlockedSenderAnswer:
        """Change a blocked sender policy."""
        return self._api.one_of(
            BlockedSenderAnswer,
            "policy/blockedsenders/update-policy",
            {"id": id, "option": option, "policy": policy, "confirmReach": confirm_reach},
        )

    def get_policy(self, *, id: str | None = None, page_size: int | None = None) -> Iterator[BlockedSenderAnswer]:
        """Return one blocked sender policy, or all of them."""
        return self._api.every_of(
            BlockedSenderAnswer, "policy/blockedsenders/get-policy", {"id": id}, page_size=page_size
        )

    def delete_policy(self, *, id: str) -> DeletedPolicy:
        """Delete a blocked sender policy."""
        return self._api.one_of(DeletedPolicy, "policy/blockedsenders/delete-policy", {"id": id})


class AsyncBlockedSendersFunctions:
    """What can be asked about blocked senders."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_policy(
        self,
        *,
        option: Literal["no_action", "block_sender"],
        policy: PolicyItem | Policy | Mapping[str, object],
        id: str | None = None,
        confirm_reach: bool | None = None,
    ) -> BlockedSenderAnswer:
        """Create a blocked sender policy, or change the one whose id is given."""
        return await self._api.one_of(
            BlockedSenderAnswer,
            "policy/blockedsenders/create-policy",
            {"option": option, "policy": policy, "id": id, "confirmReach": confirm_reach},
        )

    async def update_policy(
        self,
        *,
        id: str,
        option: Literal["no_action", "block_sender"],
        policy: PolicyItem | Policy | Mapping[str, object],
        confirm_reach: bool | None = None,
    ) -> BlockedSenderAnswer:
        """Change a blocked sender policy."""
        return await self._api.one_of(
            BlockedSenderAnswer,
            "policy/blockedsenders/update-policy",
            {"id": id, "option": option, "policy": policy, "confirmReach": confirm_reach},
        )

    def get_policy(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[BlockedSenderAnswer]:
        """Return one blocked sender policy, or all of them."""
        return self._api.every_of(
            BlockedSenderAnswer, "policy/blockedsenders/get-policy", {"id": id}, page_size=page_size
        )

    async def delete_policy(self, *, id: str) -> DeletedPolicy:
        """Delete a blocked sender policy."""
        return await self._api.one_of(DeletedPolicy, "policy/blockedsenders/delete-policy", {"id": id})
