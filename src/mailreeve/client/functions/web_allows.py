"""The functions of web allows. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class RemovedWebAllow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A temporary allow that is no more."""

    id: str = ""


class WebAllowAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"made_by": "madeBy"}):
    """A temporary allow: what, for whom, from when until when, why, and who made it."""

    id: str = ""
    type: str = ""
    value: str = ""
    user: str | None = None
    client: str | None = None
    reason: str = ""
    created: str = ""
    until: str = ""
    override: bool = False
    made_by: str = ""


class WebAllowsFunctions:
    """What can be asked about web allows."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def allow_web(
        self,
        *,
        value: str,
        until: str,
        reason: str,
        type: Literal["domain", "url"] | None = None,
        user: str | None = None,
        client: str | None = None,
        override: bool | None = None,
    ) -> WebAllowAnswer:
        """Allow a web address for one user or client until an instant."""
        return self._api.one_of(
            WebAllowAnswer,
            "ext/allow-web",
            {
                "value": value,
                "until": until,
                "reason": reason,
                "type": type,
                "user": user,
                "client": client,
                "override": override,
            },
        )

    def get_web_allows(
        self, *, user: str | None = None, client: str | None = None, page_size: int | None = None
    ) -> Iterator[WebAllowAnswer]:
        """List the temporary allows of web addresses that are in force."""
        return self._api.every_of(
            WebAllowAnswer, "ext/get-web-allows", {"user": user, "client": client}, page_size=page_size
        )

    def remove_web_allow(self, *, id: str) -> RemovedWebAllow:
        """End a temporary allow of a web address before its time."""
        return self._api.one_of(RemovedWebAllow, "ext/remove-web-allow", {"id": id})


class AsyncWebAllowsFunctions:
    """What can be asked about web allows."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def allow_web(
        self,
        *,
        value: str,
        until: str,
        reason: str,
        type: Literal["domain", "url"] | None = None,
        user: str | None = None,
        client: str | None = None,
        override: bool | None = None,
    ) -> WebAllowAnswer:
        """Allow a web address for one user or client until an instant."""
        return await self._api.one_of(
            WebAllowAnswer,
            "ext/allow-web",
            {
                "value": value,
                "until": until,
                "reason": reason,
                "type": type,
                "user": user,
                "client": client,
                "override": override,
            },
        )

    def get_web_allows(
        self, *, user: str | None = None, client: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[WebAllowAnswer]:
        """List the temporary allows of web addresses that are in force."""
        return self._api.every_of(
            WebAllowAnswer, "ext/get-web-allows", {"user": user, "client": client}, page_size=page_size
        )

    async def remove_web_allow(self, *, id: str) -> RemovedWebAllow:
        """End a temporary allow of a web address before its time."""
        return await self._api.one_of(RemovedWebAllow, "ext/remove-web-allow", {"id": id})
