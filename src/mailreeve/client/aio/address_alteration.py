"""Address alteration: definitions rewrite addresses, sets hold them, policies say when a set applies.

For asyncio. Made by tools/make_client.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from mailreeve.client.address_alteration import (
    _ROOM,
    AlterationPolicy,
    AlterationSet,
    Definition,
    DefinitionItem,
    Routing,
    _Changed,
    _Found,
)
from mailreeve.client.api import convert, only
from mailreeve.client.functions.address_alteration import AsyncAddressAlterationFunctions
from mailreeve.client.policies import Policy


class AsyncAddressAlteration(AsyncAddressAlterationFunctions):
    """The alteration sets, definitions and policies of the account."""

    async def create_set(self, description: str, parent_id: str | None = None) -> AlterationSet:
        """A new set, at the root without a parent."""
        item = {"description": description, "parentId": parent_id}
        return only(await self._api.call_for(AlterationSet, _ROOM + "create-address-alteration-set", item))

    async def sets(self, folder_id: str | None = None, depth: int = 1) -> list[AlterationSet]:
        """The sets at the root, or one set, with the sets below them down to `depth`."""
        item = {"folderId": folder_id, "depth": depth}
        return await self._api.call_for(AlterationSet, _ROOM + "get-address-alteration-set", item)

    async def create_definitions(
        self, definitions: Sequence[DefinitionItem], folder_id: str | None = None
    ) -> list[str]:
        """The ids of new definitions, made all or none. Without a set they hold for all mail."""
        item = {"addressAlterations": list(definitions), "folderId": folder_id}
        return [row.id for row in await self._api.call_for(_Changed, _ROOM + "create-definition", item)]

    async def definitions(
        self,
        *,
        folder_id: str | None = None,
        original_address: str | None = None,
        new_address: str | None = None,
        routing: Routing | None = None,
    ) -> list[Definition]:
        """The definitions for which all that is given holds; at least one thing must be."""
        item = {
            "folderId": folder_id,
            "originalAddress": original_address,
            "newAddress": new_address,
            "routing": routing,
        }
        item = {name: value for name, value in item.items() if value is not None}
        return [d for row in await self._api.call_for(_Found, _ROOM + "get-definition", item) for d in row.items]

    async def delete_definition(self, definition_id: str) -> None:
        """Remove a definition."""
        await self._api.call(_ROOM + "delete-definition", {"id": definition_id})

    async def create_policy(self, set_id: str, policy: Policy) -> AlterationPolicy:
        """A new policy that applies a set."""
        return await self._one("create-policy", {"addressAlterationSetId": set_id, "policy": policy})

    async def update_policy(self, policy_id: str, set_id: str, policy: Policy) -> AlterationPolicy:
        """The policy with other contents; all of them are replaced."""
        item = {"id": policy_id, "addressAlterationSetId": set_id, "policy": policy}
        return await self._one("update-policy", item)

    async def policy(self, policy_id: str) -> AlterationPolicy | None:
        """One policy, or None when there is none with that id."""
        rows = await self._api.call_for(AlterationPolicy, _ROOM + "get-policy", {"id": policy_id})
        return only(rows) if rows else None

    async def policies(self, page_size: int | None = None) -> AsyncIterator[AlterationPolicy]:
        """All policies."""
        async for row in self._api.every(_ROOM + "get-policy", page_size=page_size):
            yield convert(row, AlterationPolicy)

    async def delete_policy(self, policy_id: str) -> None:
        """Remove a policy; its set stays."""
        await self._api.call(_ROOM + "delete-policy", {"id": policy_id})

    async def _one(self, function: str, item: dict[str, object]) -> AlterationPolicy:
        return only(await self._api.call_for(AlterationPolicy, _ROOM + function, item))
