"""Address alteration: definitions rewrite addresses, sets hold them, policies say when a set applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from mailreeve.client.api import convert, only
from mailreeve.client.functions.address_alteration import AddressAlterationFunctions
from mailreeve.client.policies import Policy

AddressType = Literal["all", "envelope_from", "envelope_to", "from", "reply_to", "to_cc_bcc", "sender"]
Routing = Literal["all", "inbound", "outbound"]

_ROOM: Final = "policy/address-alteration/"


class DefinitionItem(Struct, frozen=True, rename="camel"):
    """A definition to make. An address may be `name@domain`, `*@domain` or `name@*`."""

    original_address: str
    new_address: str
    address_type: AddressType = "all"
    routing: Routing = "all"


class Definition(Struct, frozen=True, rename="camel"):
    """A definition as the server keeps it."""

    id: str
    original_address: str
    new_address: str
    address_type: AddressType
    routing: Routing


class AlterationSet(Struct, frozen=True, rename="camel"):
    """A set of definitions, with the sets below it as far as was asked."""

    id: str
    description: str
    parent_id: str = ""
    folder_count: int = 0
    folders: tuple[AlterationSet, ...] = ()


class AlterationPolicy(Struct, frozen=True, rename="camel"):
    """A policy as the server keeps it: for whom a set applies."""

    id: str
    policy: Policy
    address_alteration_set_id: str = ""


class _Changed(Struct, frozen=True):
    id: str


class _Found(Struct, frozen=True):
    items: list[Definition] = []


class AddressAlteration(AddressAlterationFunctions):
    """The alteration sets, definitions and policies of the account."""

    def create_set(self, description: str, parent_id: str | None = None) -> AlterationSet:
        """A new set, at the root without a parent."""
        item = {"description": description, "parentId": parent_id}
        return only(self._api.call_for(AlterationSet, _ROOM + "create-address-alteration-set", item))

    def sets(self, folder_id: str | None = None, depth: int = 1) -> list[AlterationSet]:
        """The sets at the root, or one set, with the sets below them down to `depth`."""
        item = {"folderId": folder_id, "depth": depth}
        return self._api.call_for(AlterationSet, _ROOM + "get-address-alteration-set", item)

    def create_definitions(self, definitions: Sequence[DefinitionItem], folder_id: str | None = None) -> list[str]:
        """The ids of new definitions, made all or none. Without a set they hold for all mail."""
        item = {"addressAlterations": list(definitions), "folderId": folder_id}
        return [row.id for row in self._api.call_for(_Changed, _ROOM + "create-definition", item)]

    def definitions(
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
        return [d for row in self._api.call_for(_Found, _ROOM + "get-definition", item) for d in row.items]

    def delete_definition(self, definition_id: str) -> None:
        """Remove a definition."""
        self._api.call(_ROOM + "delete-definition", {"id": definition_id})

    def create_policy(self, set_id: str, policy: Policy) -> AlterationPolicy:
        """A new policy that applies a set."""
        return self._one("create-policy", {"addressAlterationSetId": set_id, "policy": policy})

    def update_policy(self, policy_id: str, set_id: str, policy: Policy) -> AlterationPolicy:
        """The policy with other contents; all of them are replaced."""
        item = {"id": policy_id, "addressAlterationSetId": set_id, "policy": policy}
        return self._one("update-policy", item)

    def policy(self, policy_id: str) -> AlterationPolicy | None:
        """One policy, or None when there is none with that id."""
        rows = self._api.call_for(AlterationPolicy, _ROOM + "get-policy", {"id": policy_id})
        return only(rows) if rows else None

    def policies(self, page_size: int | None = None) -> Iterator[AlterationPolicy]:
        """All policies."""
        for row in self._api.every(_ROOM + "get-policy", page_size=page_size):
            yield convert(row, AlterationPolicy)

    def delete_policy(self, policy_id: str) -> None:
        """Remove a policy; its set stays."""
        self._api.call(_ROOM + "delete-policy", {"id": policy_id})

    def _one(self, function: str, item: dict[str, object]) -> AlterationPolicy:
        return only(self._api.call_for(AlterationPolicy, _ROOM + function, item))
