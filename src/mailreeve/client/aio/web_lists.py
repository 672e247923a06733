"""Web lists: which URLs and domains are allowed or blocked, and for whom.

For asyncio. Made by tools/make_client.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from mailreeve.client.api import convert, only
from mailreeve.client.functions.web_lists import AsyncWebListsFunctions
from mailreeve.client.policies import Policy
from mailreeve.client.web_lists import _ROOM, WebEntry, WebList, WebTarget, _item


class AsyncWebLists(AsyncWebListsFunctions):
    """The web lists of the account."""

    async def create(
        self, description: str, urls: Sequence[WebEntry], policies: Sequence[Policy | WebTarget]
    ) -> WebList:
        """A new list for those whom any one of the policies names."""
        return await self._one("create", _item(description, urls, policies))

    async def update(
        self, list_id: str, description: str, urls: Sequence[WebEntry], policies: Sequence[Policy | WebTarget]
    ) -> WebList:
        """The list with other contents; all of them are replaced."""
        return await self._one("update", {"id": list_id} | _item(description, urls, policies))

    async def get(self, list_id: str) -> WebList:
        """One list."""
        return await self._one("get", {"id": list_id})

    async def every(self, page_size: int | None = None) -> AsyncIterator[WebList]:
        """All lists."""
        async for row in self._api.every(_ROOM + "get-policy-with-targets", page_size=page_size):
            yield convert(row, WebList)

    async def delete(self, list_id: str) -> WebList:
        """Remove a list; what it held is given back."""
        return await self._one("delete", {"id": list_id})

    async def _one(self, verb: str, item: dict[str, object]) -> WebList:
        return only(await self._api.call_for(WebList, f"{_ROOM}{verb}-policy-with-targets", item))
