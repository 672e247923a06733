"""The functions of anti spoofing. Made by tools/make_client.py."""

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


class AntiSpoofingAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An anti-spoofing policy."""

    option: str = ""
    id: str = ""
    policy: PolicyAnswer = field(default_factory=lambda: PolicyAnswer())


class DeletedAntiSpoofing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that is gone."""

    id: str = ""
    deleted: bool = False


class AntiSpoofingFunctions:
    """What can be asked about anti spoofing."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_policy(
        self,
        *,
        option: Literal["none", "tag", "hold", "reject"],
        policy: PolicyItem | Policy | Mapping[str, object],
    ) -> AntiSpoofingAnswer:
        """Create an anti-spoofing policy."""
        return self._api.one_of(
            AntiSpoofingAnswer, "ext/antispoofing/create-policy", {"option": option, "policy": policy}
        )

    def update_policy(
        self,
        *,
        id: str,
        policy: PolicyItem | Policy | Mapping[str, object],
        option: Literal["none", "tag", "hold", "reject"] | None = None,
    ) -> AntiSpoofingAnswer:
        """Change an anti-spoofing policy."""
        return self._api.one_of(
            AntiSpoofingAnswer, "ext/antispoofing/update-policy", {"id": id, "policy": policy, "option": option}
        )

    def get_policy(self, *, id: str | None = None, page_size: int | None = None) -> Iterator[AntiSpoofingAnswer]:
        """Return one anti-spoofing policy, or all of them."""
        return self._api.every_of(
            AntiSpoofingAnswer, "ext/antispoofing/get-policy", {"id": id}, page_size=page_size
        )

    def delete_policy(self, *, id: str) -> DeletedAntiSpoofing:
        """Delete an anti-spoofing policy."""
        return self._api.one_of(DeletedAntiSpoofing, "ext/antispoofing/delete-policy", {"id": id})


class AsyncAntiSpoofingFunctions:
    """What can be asked about anti spoofing."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_policy(
        self,
        *,
        option: Literal["none", "tag", "hold", "reject"],
        policy: PolicyItem | Policy | Mapping[str, object],
    ) -> AntiSpoofingAnswer:
        """Create an anti-spoofing policy."""
        return await self._api.one_of(
            AntiSpoofingAnswer, "ext/antispoofing/create-policy", {"option": option, "policy": policy}
        )

    async def update_policy(
        self,
        *,
        id: str,
        policy: PolicyItem | Policy | Mapping[str, object],
        option: Literal["none", "tag", "hold", "reject"] | None = None,
    ) -> AntiSpoofingAnswer:
        """Change an anti-spoofing policy."""
        return await self._api.one_of(
            AntiSpoofingAnswer, "ext/antispoofing/update-policy", {"id": id, "policy": policy, "option": option}
        )

    def get_policy(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[AntiSpoofingAnswer]:
        """Return one anti-spoofing policy, or all of them."""
        return self._api.every_of(
            AntiSpoofingAnswer, "ext/antispoofing/get-policy", {"id": id}, page_size=page_size
        )

    async def delete_policy(self, *, id: str) -> DeletedAntiSpoofing:
        """Delete an anti-spoofing policy."""
        return await self._api.one_of(DeletedAntiSpoofing, "ext/antispoofing/delete-policy", {"id": id})
