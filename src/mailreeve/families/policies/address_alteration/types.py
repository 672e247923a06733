"""The items and answers of the address alteration endpoints (api.md section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mailreeve.policy.model.policies import AddressType, Routing
from mailreeve.wire.items import MaybeEmpty, Prose
from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem


class CreateSet(Struct, frozen=True, rename="camel"):
    """A set to create, at the root without a parent."""

    description: Prose
    parent_id: str | None = None


class SomeSets(Struct, frozen=True, rename="camel"):
    """One set, by either name of its id, or all; with the sets down to `depth` levels below inside."""

    folder_id: str | None = None
    id: str | None = None
    depth: int = 1


class SetAnswer(Struct, frozen=True, rename="camel"):
    """A set with those below it, as far as they were asked for; `folder_count` counts the ones right below in any
    case. `parent_id` is empty at the root. A set holds definitions, so `user_count` is 0."""

    id: str
    description: str
    source: str
    parent_id: str
    folder_count: int
    user_count: int
    folders: Sequence[SetAnswer]


class DefinitionItem(Struct, frozen=True, rename="camel"):
    """A definition to create."""

    original_address: str
    new_address: str
    address_type: AddressType
    routing: Routing


class CreateDefinitions(Struct, frozen=True, rename="camel"):
    """Definitions to create in one set, or at the root without a `folder_id`."""

    address_alterations: list[DefinitionItem]
    folder_id: str | None = None


class FindDefinitions(Struct, frozen=True, rename="camel"):
    """Which definitions to list. An empty `folder_id` alone is the root; beside others it is absent."""

    folder_id: MaybeEmpty | None = None
    original_address: str | None = None
    new_address: str | None = None
    routing: Routing | None = None


class OneDefinition(Struct, frozen=True):
    """One definition, by id."""

    id: str


class DefinitionAnswer(Struct, frozen=True, rename="camel"):
    """A definition, its addresses as they were typed."""

    id: str
    address_type: AddressType
    original_address: str
    new_address: str
    routing: Routing


class DefinitionsAnswer(Struct, frozen=True):
    """The definitions found."""

    items: Sequence[DefinitionAnswer]


class DefinitionDone(Struct, frozen=True):
    """A definition that is made or gone."""

    id: str
    success: bool = True


class CreatePolicy(Struct, frozen=True, rename="camel"):
    """A policy to create. The vendor shows `policy` as an array of one, clients send an object (api.md 3.0.5)."""

    address_alteration_set_id: str
    policy: PolicyItem | list[PolicyItem]


class UpdatePolicy(Struct, frozen=True, rename="camel"):
    """A policy to change. The set, or the policy object as a whole, stays if it is left out."""

    id: str
    address_alteration_set_id: str | None = None
    policy: PolicyItem | list[PolicyItem] | None = None


class OnePolicy(Struct, frozen=True):
    """One policy, by id."""

    id: str


class SomePolicies(Struct, frozen=True):
    """One policy by id, or all without one."""

    id: str | None = None


class AlterationPolicyAnswer(Struct, frozen=True, rename="camel"):
    """An address alteration policy."""

    id: str
    address_alteration_set_id: str
    policy: PolicyAnswer


class DeletedPolicy(Struct, frozen=True):
    """A policy that is gone."""

    id: str
    deleted: bool = True
