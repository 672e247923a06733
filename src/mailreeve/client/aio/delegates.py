"""Delegate rights: who may open whose mailbox.

For asyncio. Made by tools/make_client.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailreeve.client.api import only
from mailreeve.client.delegates import _ROOM, DelegateRight, DelegateUser, _Found
from mailreeve.client.functions.delegates import AsyncDelegatesFunctions


class AsyncDelegates(AsyncDelegatesFunctions):
    """The delegate rights of the account's users."""

    async def add(
        self, holder: str, mailbox: str, *, scopes: Sequence[str] = (), expires: str | None = None
    ) -> DelegateRight:
        """Let `holder` open `mailbox`; both are addresses. On the wire they are `primaryAddress` and
        `delegateAddress`: the primary address is the one that gains access. Without `scopes` and `expires` it
        opens all but sending, for good, or stays as it is."""
        item: dict[str, object] = {"primaryAddress": holder, "delegateAddress": mailbox}
        item |= {"scopes": list(scopes)} if scopes else {}
        item |= {} if expires is None else {"expires": expires}
        return only(await self._api.call_for(DelegateRight, _ROOM + "add-delegate-user", item))

    async def find(self, holder: str) -> list[DelegateUser]:
        """The mailboxes that `holder` may open."""
        item = {"primaryAddress": holder}
        rows = await self._api.call_for(_Found, _ROOM + "find-delegate-users", item)
        return [user for row in rows for user in row.delegate_users]

    async def remove(self, right_id: str) -> None:
        """Take a right away."""
        await self._api.call(_ROOM + "remove-delegate-user", {"id": right_id})
