"""The functions of anti spoofing bypass. Made by tools/make_client.py."""

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


class BypassAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An anti-spoofing bypass policy."""

    option: str = ""
    id: str = ""
    policy: PolicyAnswer = field(default_factory=lambda: PolicyAnswer())


class DeletedBypass(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that is gone."""

    id: str = ""
    deleted: bool = False


class AntiSpoofingBypassFunctions:
    """What can be asked about anti spoofing bypass."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_policy(
        self,
        *,
        option: Literal["enable_bypass", "disable_bypass"],
        policy: PolicyItem | Policy | Mapping[str, object],
    ) -> BypassAnswer:
        """Create an anti-spoofing bypass policy."""
        return self._api.one_of(
            BypassAnswer, "policy/antispoofing-bypass/create-policy", {"option": option, "policy": policy}
        )

    def update_policy(
        self,
        *,
        id: str,
        policy: PolicyItem | Policy | Mapping[str, object],
        option: Literal["enable_bypass", "disable_bypass"] | None = None,
    ) -> BypassAnswer:
        """Change an anti-spoofing bypass policy."""
        return self._api.one_of(
            BypassAnswer,
            "policy/antispoofing-bypass/update-policy",
            {"id": id, "policy": policy, "option": option},
        )

    def get_policy(self, *, id: str | None = None, page_size: int | None = None) -> Iterator[BypassAnswer]:
        """Return one anti-spoofing bypass policy, or all of them."""
        return self._api.every_of(
            BypassAnswer, "policy/antispoofing-bypass/get-policy", {"id": id}, page_size=page_size
        )

    def delete_policy(self, *, id: str) -> DeletedBypass:
        """Delete an anti-spoofing bypass policy."""
        return self._api.one_of(DeletedBypass, "policy/antispoofing-bypass/delete-policy", {"id": id})


class AsyncAntiSpoofingBypassFunctions:
    """What can be asked about anti spoofing bypass."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_policy(
        self,
        *,
        option: Literal["enable_bypass", "disable_bypass"],
        policy: PolicyItem | Policy | Mapping[str, object],
    ) -> BypassAnswer:
        """Create an anti-spoofing bypass policy."""
        return await self._api.one_of(
            BypassAnswer, "policy/antispoofing-bypass/create-policy", {"option": option, "policy": policy}
        )

    async def update_policy(
        self,
        *,
        id: str,
        policy: PolicyItem | Policy | Mapping[str, object],
        option: Literal["enable_bypass", "disable_bypass"] | None = None,
    ) -> BypassAnswer:
        """Change an anti-spoofing bypass policy."""
        return await self._api.one_of(
            BypassAnswer,
            "policy/antispoofing-bypass/update-policy",
            {"id": id, "policy": policy, "option": option},
        )

    def get_policy(self, *, id: str | None = None, page_size: int | None = None) -> AsyncIterator[BypassAnswer]:
        """Return one anti-spoofing bypass policy, or all of them."""
        return self._api.every_of(
            BypassAnswer, "policy/antispoofing-bypass/get-policy", {"id": id}, page_size=page_size
        )

    async def delete_policy(self, *, id: str) -> DeletedBypass:
        """Delete an anti-spoofing bypass policy."""
        return await self._api.one_of(DeletedBypass, "policy/antispoofing-bypass/delete-policy", {"id": id})
