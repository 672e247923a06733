"""The functions of permitted senders. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from mailreeve.client.functions.shapes import (
    PolicyAnswer,
    PolicyItem,
)
from mailreeve.client.policies import Policy

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DeletedPermit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that is gone."""

    id: str = ""
    deleted: bool = False


class PermitAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A permitted sender policy."""

    id: str = ""
    policy: PolicyAnswer = field(default_factory=lambda: PolicyAnswer())


class PermittedSendersFunctions:
    """What can be asked about permitted senders."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_policy(self, *, policy: PolicyItem | Policy | Mapping[str, object]) -> PermitAnswer:
        """Create a permitted sender policy."""
        return self._api.one_of(PermitAnswer, "ext/permittedsenders/create-policy", {"policy": policy})

    def update_policy(self, *, id: str, policy: PolicyItem | Policy | Mapping[str, object]) -> PermitAnswer:
        """Change a permitted sender policy."""
        return self._api.one_of(PermitAnswer, "ext/permittedsenders/update-policy", {"id": id, "policy": policy})

    def get_policy(self, *, id: str | None = None, page_size: int | None = None) -> Iterator[PermitAnswer]:
        """Return one permitted sender policy, or all of them."""
        return self._api.every_of(PermitAnswer, "ext/permittedsenders/get-policy", {"id": id}, page_size=page_size)

    def delete_policy(self, *, id: str) -> DeletedPermit:
        """Delete a permitted sender policy."""
        return self._api.one_of(DeletedPermit, "ext/permittedsenders/delete-policy", {"id": id})


class AsyncPermittedSendersFunctions:
    """What can be asked about permitted senders."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_policy(self, *, policy: PolicyItem | Policy | Mapping[str, object]) -> PermitAnswer:
        """Create a permitted sender policy."""
        return await self._api.one_of(PermitAnswer, "ext/permittedsenders/create-policy", {"policy": policy})

    async def update_policy(self, *, id: str, policy: PolicyItem | Policy | Mapping[str, object]) -> PermitAnswer:
        """Change a permitted sender policy."""
        return await self._api.one_of(
            PermitAnswer, "ext/permittedsenders/update-policy", {"id": id, "policy": policy}
        )

    def get_policy(self, *, id: str | None = None, page_size: int | None = None) -> AsyncIterator[PermitAnswer]:
        """Return one permitted sender policy, or all of them."""
        return self._api.every_of(PermitAnswer, "ext/permittedsenders/get-policy", {"id": id}, page_size=page_size)

    async def delete_policy(self, *, id: str) -> DeletedPermit:
        """Delete a permitted sender policy."""
        return await self._api.one_of(DeletedPermit, "ext/permittedsenders/delete-policy", {"id": id})
