"""The functions of web proxies. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DeletedWebProxy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A proxy whose token is no good any more."""

    id: str = ""


class NewWebProxy(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"user_header": "userHeader", "made_by": "madeBy"},
):
    """A new proxy with its token, which is told this once and kept nowhere."""

    id: str = ""
    name: str = ""
    kind: str = ""
    user_header: str = ""
    created: str = ""
    made_by: str = ""
    token: str = ""


class WebProxyAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"user_header": "userHeader", "made_by": "madeBy"},
):
    """A proxy that asks, and who made it when."""

    id: str = ""
    name: str = ""
    kind: str = ""
    user_header: str = ""
    created: str = ""
    made_by: str = ""


class WebProxiesFunctions:
    """What can be asked about web proxies."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_web_proxy(
        self, *, name: str, kind: Literal["nginx", "traefik", "caddy", "envoy"], user_header: str | None = None
    ) -> NewWebProxy:
        """Give a proxy a token with which it may ask about web requests."""
        return self._api.one_of(
            NewWebProxy, "ext/create-web-proxy", {"name": name, "kind": kind, "userHeader": user_header}
        )

    def get_web_proxies(self, *, page_size: int | None = None) -> Iterator[WebProxyAnswer]:
        """List the proxies that may ask about web requests."""
        return self._api.every_of(WebProxyAnswer, "ext/get-web-proxies", {}, page_size=page_size)

    def delete_web_proxy(self, *, id: str) -> DeletedWebProxy:
        """Take the token of a proxy away."""
        return self._api.one_of(DeletedWebProxy, "ext/delete-web-proxy", {"id": id})


class AsyncWebProxiesFunctions:
    """What can be asked about web proxies."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_web_proxy(
        self, *, name: str, kind: Literal["nginx", "traefik", "caddy", "envoy"], user_header: str | None = None
    ) -> NewWebProxy:
        """Give a proxy a token with which it may ask about web requests."""
        return await self._api.one_of(
            NewWebProxy, "ext/create-web-proxy", {"name": name, "kind": kind, "userHeader": user_header}
        )

    def get_web_proxies(self, *, page_size: int | None = None) -> AsyncIterator[WebProxyAnswer]:
        """List the proxies that may ask about web requests."""
        return self._api.every_of(WebProxyAnswer, "ext/get-web-proxies", {}, page_size=page_size)

    async def delete_web_proxy(self, *, id: str) -> DeletedWebProxy:
        """Take the token of a proxy away."""
        return await self._api.one_of(DeletedWebProxy, "ext/delete-web-proxy", {"id": id})
