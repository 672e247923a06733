"""Blocked sender policies: refuse a sender, or exempt one from a wider refusal.

For asyncio. Made by tools/make_client.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from mailreeve.client.api import convert, only
from mailreeve.client.blocked_senders import _ROOM, BlockedSenderPolicy, Option
from mailreeve.client.functions.blocked_senders import AsyncBlockedSendersFunctions
from mailreeve.client.policies import Policy


class AsyncBlockedSenders(AsyncBlockedSendersFunctions):
    """The blocked sender policies of the account."""

    async def create(self, policy: Policy, option: Option = "block_sender") -> BlockedSenderPolicy:
        """A new policy. `no_action` makes it an exemption."""
        return await self._one("create-policy", {"option": option, "policy": policy})

    async def update(self, policy_id: str, policy: Policy, option: Option = "block_sender") -> BlockedSenderPolicy:
        """The policy with other contents; all of them are replaced."""
        return await self._one("update-policy", {"id": policy_id, "option": option, "policy": policy})

    async def get(self, policy_id: str) -> BlockedSenderPolicy:
        """One policy."""
        return await self._one("get-policy", {"id": policy_id})

    async def every(self, page_size: int | None = None) -> AsyncIterator[BlockedSenderPolicy]:
        """All policies."""
        async for row in self._api.every(_ROOM + "get-policy", page_size=page_size):
            yield convert(row, BlockedSenderPolicy)

    async def delete(self, policy_id: str) -> None:
        """Remove a policy."""
        await self._api.call(_ROOM + "delete-policy", {"id": policy_id})

    async def _one(self, function: str, item: dict[str, object]) -> BlockedSenderPolicy:
        return only(await self._api.call_for(BlockedSenderPolicy, _ROOM + function, item))
