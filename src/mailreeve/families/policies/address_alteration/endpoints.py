"""The address alteration endpoints (api.md section 3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.address_alteration import operations, rows
from mailreeve.families.policies.address_alteration.rows import (
    ALTERATION,
    AlterationPolicyRow,
    DefinitionRow,
    SetRow,
)
from mailreeve.families.policies.address_alteration.types import (
    AlterationPolicyAnswer,
    CreateDefinitions,
    CreatePolicy,
    CreateSet,
    DefinitionAnswer,
    DefinitionDone,
    DefinitionsAnswer,
    DeletedPolicy,
    FindDefinitions,
    OneDefinition,
    OnePolicy,
    SetAnswer,
    SomePolicies,
    SomeSets,
    UpdatePolicy,
)
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page

_TYPE: Final = POLICY_TYPES[PolicyType.ADDRESS_ALTERATION]

SOURCE: Final = "cloud"  # No set of ours comes from anywhere else.
# API 2.0 documents exactly one item for both (api.md section 1.10); each checks against all that is there.
MOST_CREATED: Final = 50


@endpoint(f"{_TYPE.api}/create-address-alteration-set", _TYPE.edit, writes=True, most=MOST_CREATED)
def create_set(call: Call, item: CreateSet) -> SetAnswer:
    """Create a set of address alteration definitions."""
    return _set_answer(call, operations.create_set(call, item.description, item.parent_id), {}, {})


@endpoint(f"{_TYPE.api}/get-address-alteration-set", _TYPE.read, short="id")
def get_set(call: Call, item: SomeSets) -> Page[SetAnswer]:
    """Return one address alteration set, or all of them, as a tree."""
    if item.depth < 0:
        raise refused(NOT_ALLOWED, "depth")
    if item.folder_id is not None:
        page = Page.of_all(_one_set(call, item.folder_id, "folderId"))
    elif item.id is not None:
        page = Page.of_all(_one_set(call, item.id, "id"))
    else:
        page = rows.page_of_sets(call.work, call.page)
    below, counts = _tree(call, page.rows, item.depth)
    return page.showing([_set_answer(call, row, below, counts) for row in page.rows])


@endpoint(f"{_TYPE.api}/create-definition", _TYPE.edit, writes=True, most=MOST_CREATED)
def create_definition(call: Call, item: CreateDefinitions) -> list[DefinitionDone]:
    """Create address alteration definitions; there is one row for each."""
    made = operations.create_definitions(call, item.folder_id, item.address_alterations)
    return [DefinitionDone(call.seal(operations.DEFINITION, row.id)) for row in made]


@endpoint(f"{_TYPE.api}/get-definition", _TYPE.read)
def get_definition(call: Call, item: FindDefinitions) -> DefinitionsAnswer:
    """List address alteration definitions."""
    found = operations.find_definitions(
        call, item.folder_id, item.original_address, item.new_address, item.routing
    )
    return DefinitionsAnswer([_definition_answer(call, row) for row in found])


@endpoint(f"{_TYPE.api}/delete-definition", _TYPE.edit, writes=True)
def delete_definition(call: Call, item: OneDefinition) -> DefinitionDone:
    """Delete an address alteration definition."""
    operations.delete_definition(call, item.id)
    return DefinitionDone(item.id)


@endpoint(f"{_TYPE.api}/create-policy", _TYPE.edit, writes=True)
def create_policy(call: Call, item: CreatePolicy) -> AlterationPolicyAnswer:
    """Create a policy that puts an address alteration set to work."""
    return _policy_answer(call, operations.create_policy(call, item.address_alteration_set_id, item.policy))


@endpoint(f"{_TYPE.api}/get-policy", _TYPE.read, short="id")
def get_policy(call: Call, item: SomePolicies) -> Page[AlterationPolicyAnswer]:
    """Return one address alteration policy, or all of them."""
    if item.id is not None:
        one = operations.find_policy(call, item.id)
        page = Page.of_all([] if one is None else [one])
    else:
        page = ALTERATION.page(call)
    references = DirectoryReferences(call)
    return page.showing([_policy_answer(call, row, references) for row in page.rows])


@endpoint(f"{_TYPE.api}/update-policy", _TYPE.edit, writes=True)
def update_policy(call: Call, item: UpdatePolicy) -> AlterationPolicyAnswer:
    """Change an address alteration policy."""
    row = operations.update_policy(call, item.id, item.address_alteration_set_id, item.policy)
    return _policy_answer(call, row)


@endpoint(f"{_TYPE.api}/delete-policy", _TYPE.edit, writes=True)
def delete_policy(call: Call, item: OnePolicy) -> DeletedPolicy:
    """Delete an address alteration policy."""
    operations.delete_policy(call, item.id)
    return DeletedPolicy(item.id)


def _one_set(call: Call, wire_id: str, field: str) -> list[SetRow]:
    """The set in a list, or an empty list if it is gone: "gone" is no error to terraform (api.md section 4.3)."""
    row = rows.find_set(call.work, call.open(operations.SET, wire_id, field))
    return [] if row is None else [row]


def _tree(call: Call, top: Sequence[SetRow], depth: int) -> tuple[dict[str, list[SetRow]], dict[str, int]]:
    """The sets below these, as far as `depth` levels down; and of all of them, how many are right below each. What
    no answer shows is not read."""
    below: dict[str, list[SetRow]] = {}
    level, seen = [row.id for row in top], [row.id for row in top]
    for _ in range(min(depth, operations.MAX_LEVELS)):
        found = rows.sets_below(call.work, level)
        if not found:
            break
        below |= found
        level = [row.id for children in found.values() for row in children]
        seen += level
    return below, rows.count_below(call.work, seen)


def _set_answer(
    call: Call, row: SetRow, below: Mapping[str, Sequence[SetRow]], counts: Mapping[str, int]
) -> SetAnswer:
    return SetAnswer(
        id=call.seal(operations.SET, row.id),
        description=row.name,
        source=SOURCE,
        parent_id="" if row.parent_id is None else call.seal(operations.SET, row.parent_id),
        folder_count=counts.get(row.id, 0),
        user_count=0,
        folders=[_set_answer(call, child, below, counts) for child in below.get(row.id, ())],
    )


def _definition_answer(call: Call, row: DefinitionRow) -> DefinitionAnswer:
    return DefinitionAnswer(
        id=call.seal(operations.DEFINITION, row.id),
        address_type=row.rewrite.address_type,
        original_address=row.original_shown,
        new_address=row.new_shown,
        routing=row.rewrite.routing,
    )


def _policy_answer(
    call: Call, row: AlterationPolicyRow, references: DirectoryReferences | None = None
) -> AlterationPolicyAnswer:
    return AlterationPolicyAnswer(
        ALTERATION.wire_id(call, row),
        call.seal(operations.SET, row.set_id),
        ALTERATION.shown(call, row, references),
    )


ENDPOINTS: Final = (
    create_set,
    get_set,
    create_definition,
    get_definition,
    delete_definition,
    create_policy,
    get_policy,
    update_policy,
    delete_policy,
)
