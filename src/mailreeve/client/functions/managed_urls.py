"""The functions of managed urls. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class DecodedUrl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The URL behind a rewritten one. Where it is not rewritten, `success` is false and it is the URL itself."""

    url: str = ""
    success: bool = False


class DeletedManagedUrl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A managed URL that is no more."""

    id: str = ""
    deleted: bool = False


class ManagedUrlAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "query_string": "queryString",
        "match_type": "matchType",
        "disable_user_awareness": "disableUserAwareness",
        "disable_rewrite": "disableRewrite",
        "disable_log_click": "disableLogClick",
    },
):
    """A managed URL in its parts. `port` is -1 where none was written; `path` and `query_string` are empty
    where there is none.
    """

    id: str = ""
    scheme: str = ""
    domain: str = ""
    port: int = 0
    path: str = ""
    query_string: str = ""
    match_type: str = ""
    action: str = ""
    comment: str = ""
    disable_user_awareness: bool = False
    disable_rewrite: bool = False
    disable_log_click: bool = False


class ManagedUrlsFunctions:
    """What can be asked about managed urls."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_managed_url(
        self,
        *,
        url: str,
        action: Literal["permit", "block"] | None = None,
        match_type: Literal["explicit", "domain"] | None = None,
        comment: str | None = None,
        disable_user_awareness: bool | None = None,
        disable_rewrite: bool | None = None,
        disable_log_click: bool | None = None,
    ) -> ManagedUrlAnswer:
        """Permit or block a URL, or a domain with all below it, for everybody."""
        return self._api.one_of(
            ManagedUrlAnswer,
            "ttp/url/create-managed-url",
            {
                "url": url,
                "action": action,
                "matchType": match_type,
                "comment": comment,
                "disableUserAwareness": disable_user_awareness,
                "disableRewrite": disable_rewrite,
                "disableLogClick": disable_log_click,
            },
        )

    def get_all_managed_urls(
        self, *, domain_or_url: str | None = None, exact_match: bool | None = None, page_size: int | None = None
    ) -> Iterator[ManagedUrlAnswer]:
        """List the managed URLs, or those that hold or name a domain or URL."""
        return self._api.every_of(
            ManagedUrlAnswer,
            "ttp/url/get-all-managed-urls",
            {"domainOrUrl": domain_or_url, "exactMatch": exact_match},
            page_size=page_size,
        )

    def delete_managed_url(self, *, id: str) -> DeletedManagedUrl:
        """Delete a managed URL."""
        return self._api.one_of(DeletedManagedUrl, "ttp/url/delete-managed-url", {"id": id})

    def decode_url(self, *, url: str) -> DecodedUrl:
        """Tell the URL behind a rewritten one; none is rewritten here, so that it is always the URL itself."""
        return self._api.one_of(DecodedUrl, "ttp/url/decode-url", {"url": url})


class AsyncManagedUrlsFunctions:
    """What can be asked about managed urls."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_managed_url(
        self,
        *,
        url: str,
        action: Literal["permit", "block"] | None = None,
        match_type: Literal["explicit", "domain"] | None = None,
        comment: str | None = None,
        disable_user_awareness: bool | None = None,
        disable_rewrite: bool | None = None,
        disable_log_click: bool | None = None,
    ) -> ManagedUrlAnswer:
        """Permit or block a URL, or a domain with all below it, for everybody."""
        return await self._api.one_of(
            ManagedUrlAnswer,
            "ttp/url/create-managed-url",
            {
                "url": url,
                "action": action,
                "matchType": match_type,
                "comment": comment,
                "disableUserAwareness": disable_user_awareness,
                "disableRewrite": disable_rewrite,
                "disableLogClick": disable_log_click,
            },
        )

    def get_all_managed_urls(
        self, *, domain_or_url: str | None = None, exact_match: bool | None = None, page_size: int | None = None
    ) -> AsyncIterator[ManagedUrlAnswer]:
        """List the managed URLs, or those that hold or name a domain or URL."""
        return self._api.every_of(
            ManagedUrlAnswer,
            "ttp/url/get-all-managed-urls",
            {"domainOrUrl": domain_or_url, "exactMatch": exact_match},
            page_size=page_size,
        )

    async def delete_managed_url(self, *, id: str) -> DeletedManagedUrl:
        """Delete a managed URL."""
        return await self._api.one_of(DeletedManagedUrl, "ttp/url/delete-managed-url", {"id": id})

    async def decode_url(self, *, url: str) -> DecodedUrl:
        """Tell the URL behind a rewritten one; none is rewritten here, so that it is always the URL itself."""
        return await self._api.one_of(DecodedUrl, "ttp/url/decode-url", {"url": url})
