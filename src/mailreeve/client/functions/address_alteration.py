"""The functions of address alteration. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from mailreeve.client.functions.shapes import (
    PolicyAnswer,
)

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AlterationPolicyAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"address_alteration_set_id": "addressAlterationSetId"},
):
    """An address alteration policy."""

    id: str = ""
    address_alteration_set_id: str = ""
    policy: PolicyAnswer = field(default_factory=lambda: PolicyAnswer())


class DefinitionAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"address_type": "addressType", "original_address": "originalAddress", "new_address": "newAddress"},
):
    """A definition, its addresses as they were typed."""

    id: str = ""
    address_type: str = ""
    original_address: str = ""
    new_address: str = ""
    routing: str = ""


class DefinitionDone(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A definition that is made or gone."""

    id: str = ""
    success: bool = False


class DefinitionItem(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"original_address": "originalAddress", "new_address": "newAddress", "address_type": "addressType"},
):
    """A definition to create."""

    original_address: str
    new_address: str
    address_type: Literal["all", "envelope_from", "envelope_to", "from", "reply_to", "to_cc_bcc", "sender"]
    routing: Literal["all", "inbound", "outbound"]


class DefinitionsAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The definitions found."""

    items: tuple[DefinitionAnswer, ...] = ()


class DeletedPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that is gone."""

    id: str = ""
    deleted: bool = False


class SetAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"parent_id": "parentId", "folder_count": "folderCount", "user_count": "userCount"},
):
    """A set with those below it, as far as they were asked for; `folder_count` counts the ones right below in
    any case. `parent_id` is empty at the root. A set holds definitions, so `user_count` is 0.
    """

    id: str = ""
    description: str = ""
    source: str = ""
    parent_id: str = ""
    folder_count: int = 0
    user_count: int = 0
    folders: tuple[SetAnswer, ...] = ()


class AddressAlterationFunctions:
    """What can be asked about address alteration."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_address_alteration_set(self, *, description: str, parent_id: str | None = None) -> SetAnswer:
        """Create a set of address alteration definitions."""
        return self._api.one_of(
            SetAnswer,
            "policy/address-alteration/create-address-alteration-set",
            {"description": description, "parentId": parent_id},
        )

    def get_address_alteration_set(
        self,
        *,
        folder_id: str | None = None,
        id: str | None = None,
        depth: int | None = None,
        page_size: int | None = None,
    ) -> Iterator[SetAnswer]:
        """Return one address alteration set, or all of them, as a tree."""
        return self._api.every_of(
            SetAnswer,
            "policy/address-alteration/get-address-alteration-set",
            {"folderId": folder_id, "id": id, "depth": depth},
            page_size=page_size,
        )

    def create_definition(
        self, *, address_alterations: Sequence[DefinitionItem | Mapping[str, object]], folder_id: str | None = None
    ) -> list[DefinitionDone]:
        """Create address alteration definitions; there is one row for each."""
        return self._api.all_of(
            DefinitionDone,
            "policy/address-alteration/create-definition",
            {"addressAlterations": address_alterations, "folderId": folder_id},
        )

    def get_definition(
        self,
        *,
        folder_id: str | None = None,
        original_address: str | None = None,
        new_address: str | None = None,
        routing: Literal["all", "inbound", "outbound"] | None = None,
    ) -> DefinitionsAnswer:
        """List address alteration definitions."""
        return self._api.one_of(
            DefinitionsAnswer,
            "policy/address-alteration/get-definition",
            {
                "folderId": folder_id,
                "originalAddress": original_address,
                "newAddress": new_address,
                "routing": routing,
            },
        )

    def get_policy(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> Iterator[AlterationPolicyAnswer]:
        """Return one address alteration policy, or all of them."""
        return self._api.every_of(
            AlterationPolicyAnswer, "policy/address-alteration/get-policy", {"id": id}, page_size=page_size
        )


class AsyncAddressAlterationFunctions:
    """What can be asked about address alteration."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_address_alteration_set(self, *, description: str, parent_id: str | None = None) -> SetAnswer:
        """Create a set of address alteration definitions."""
        return await self._api.one_of(
            SetAnswer,
            "policy/address-alteration/create-address-alteration-set",
            {"description": description, "parentId": parent_id},
        )

    def get_address_alteration_set(
        self,
        *,
        folder_id: str | None = None,
        id: str | None = None,
        depth: int | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[SetAnswer]:
        """Return one address alteration set, or all of them, as a tree."""
        return self._api.every_of(
            SetAnswer,
            "policy/address-alteration/get-address-alteration-set",
            {"folderId": folder_id, "id": id, "depth": depth},
            page_size=page_size,
        )

    async def create_definition(
        self, *, address_alterations: Sequence[DefinitionItem | Mapping[str, object]], folder_id: str | None = None
    ) -> list[DefinitionDone]:
        """Create address alteration definitions; there is one row for each."""
        return await self._api.all_of(
            DefinitionDone,
            "policy/address-alteration/create-definition",
            {"addressAlterations": address_alterations, "folderId": folder_id},
        )

    async def get_definition(
        self,
        *,
        folder_id: str | None = None,
        original_address: str | None = None,
        new_address: str | None = None,
        routing: Literal["all", "inbound", "outbound"] | None = None,
    ) -> DefinitionsAnswer:
        """List address alteration definitions."""
        return await self._api.one_of(
            DefinitionsAnswer,
            "policy/address-alteration/get-definition",
            {
                "folderId": folder_id,
                "originalAddress": original_address,
                "newAddress": new_address,
                "routing": routing,
            },
        )

    def get_policy(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[AlterationPolicyAnswer]:
        """Return one address alteration policy, or all of them."""
        return self._api.every_of(
            AlterationPolicyAnswer, "policy/address-alteration/get-policy", {"id": id}, page_size=page_size
        )
