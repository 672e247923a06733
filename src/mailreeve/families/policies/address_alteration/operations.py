"""What can be done with address alteration: validate, change, audit (behaviour.md section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from mailreeve.families.directory.domains.errors import not_managed
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.address_alteration import rows
from mailreeve.families.policies.address_alteration.errors import (
    ALTERATION_DEFINITION_EXISTS,
    ALTERATION_DEFINITION_NOT_FOUND,
    ALTERATION_LIMIT,
    ALTERATION_SET_LIMIT,
    ALTERATION_SET_NOT_FOUND,
)
from mailreeve.families.policies.address_alteration.patterns import folded, pattern
from mailreeve.families.policies.address_alteration.rows import (
    ALTERATION,
    AlterationPolicyRow,
    DefinitionRow,
    Rewrite,
    SetRow,
)
from mailreeve.families.policies.address_alteration.types import DefinitionItem
from mailreeve.families.policies.family import new_members
from mailreeve.families.policies.reach_guard import warn_of_widening
from mailreeve.policy.index.definitions import ROOT
from mailreeve.policy.model.policies import Routing
from mailreeve.policy.model.wording import quoted
from mailreeve.store.changes import Part
from mailreeve.store.keys import new_key
from mailreeve.wire import fields
from mailreeve.wire.errors import (
    AT_LEAST_ONE,
    EXACTLY_ONE,
    NOT_ALLOWED,
    NULL,
    ItemRefused,
    Problem,
    problem,
    refused,
)
from mailreeve.wire.policy_object import PolicyDocument, PolicyItem
from mailreeve.wire.tokens import Kind

SET: Final = Kind.ALTERATION_SET
DEFINITION: Final = Kind.ALTERATION_DEFINITION

MAX_NAME: Final = 255
MAX_SETS: Final = 10_000
MAX_LEVELS: Final = 32  # of sets below one another

OneOrList = PolicyItem | list[PolicyItem]


def create_set(call: Call, name: str, parent_id: str | None) -> SetRow:
    """A new set. By itself it changes no decision. Raises `ItemRefused`."""
    fields.short(name, "description", MAX_NAME)
    if rows.count_sets(call.work) >= MAX_SETS:
        raise refused(ALTERATION_SET_LIMIT, None, f"{ALTERATION_SET_LIMIT.message}: {MAX_SETS}")
    parent = None if parent_id is None else _set(call, parent_id, "parentId").id
    if _levels(call, parent) >= MAX_LEVELS:
        raise refused(NOT_ALLOWED, "parentId", f"Sets are nested at most {MAX_LEVELS} levels deep")
    row = rows.add_set(call.work, name, parent)
    call.work.changed(None, "create", SET, row.id, after=row)
    return row


def create_definitions(call: Call, wire_id: str | None, items: Sequence[DefinitionItem]) -> list[DefinitionRow]:
    """New definitions in a set, or at the root without one: all of them or none (api.md section 3.4.2).

    The same rewrite twice in one set is refused. The same original with two new addresses is not: the newer one
    wins, so that a definition, which cannot be changed, can be replaced without a gap. Raises `ItemRefused`.
    """
    set_id = ROOT if wire_id is None else _set(call, wire_id, "folderId").id
    if not items:
        raise refused(NULL, "addressAlterations")
    most = call.limits.address_alterations
    total = rows.count_definitions(call.work) + len(items)
    if total > most:
        message = f"{ALTERATION_LIMIT.message}: it would hold {total} of {most}"
        raise refused(ALTERATION_LIMIT, "addressAlterations", message)
    rewrites: list[Rewrite | None] = []
    problems: dict[int, tuple[Problem, ...]] = {}
    for n, item in enumerate(items):
        try:
            rewrites.append(_rewrite(call, item, f"addressAlterations[{n}]"))
        except ItemRefused as refusal:
            rewrites.append(None)
            problems[n] = refusal.problems
    held = rows.held_rewrites(call.work, set_id, [rewrite for rewrite in rewrites if rewrite is not None])
    made: list[DefinitionRow] = []
    for n, (item, rewrite) in enumerate(zip(items, rewrites, strict=True)):
        if rewrite is None:
            continue
        if rewrite in held:
            problems[n] = (problem(ALTERATION_DEFINITION_EXISTS, f"addressAlterations[{n}]"),)
        held.add(rewrite)
        made.append(DefinitionRow(new_key(), set_id, rewrite, item.original_address, item.new_address))
    if problems:
        raise ItemRefused([one for n in sorted(problems) for one in problems[n]])
    rows.add_definitions(call.work, made)
    for row in made:
        call.work.changed(Part.DEFINITIONS, "create", DEFINITION, row.id, after=row)
    return made


def find_definitions(
    call: Call, wire_id: str | None, original: str | None, new: str | None, routing: Routing | None
) -> list[DefinitionRow]:
    """The definitions that fit everything that is given.

    An empty id stands for the root when it is all that is given, as go-mimecast has it; beside another filter it
    means nothing, as empty texts do elsewhere. Addresses are compared as patterns: however either is spelled, and
    in whatever case. Raises `ItemRefused`.
    """
    alone = original is None and new is None and routing is None
    if wire_id is None and alone:
        asked = "folderId, originalAddress, newAddress or routing"
        raise refused(AT_LEAST_ONE, "folderId", f"{AT_LEAST_ONE.message}: {asked}")
    set_id = ROOT if alone else None
    if wire_id:
        set_id = call.open(SET, wire_id, "folderId")
    wanted_original = None if original is None else folded(pattern(original, "originalAddress"))
    wanted_new = None if new is None else folded(pattern(new, "newAddress"))
    return [
        row
        for row in rows.definitions(
            call.work,
            set_id=set_id,
            routing=routing,
            original=wanted_original,
            new_domain=None if wanted_new is None else wanted_new.domain,
        )
        if wanted_new in (None, folded(row.rewrite.new))
    ]


def delete_definition(call: Call, wire_id: str) -> None:
    """Remove a definition. Raises `ItemRefused`."""
    old = rows.find_definition(call.work, call.open(DEFINITION, wire_id))
    if old is None:
        raise refused(ALTERATION_DEFINITION_NOT_FOUND, "id")
    rows.remove_definition(call.work, old.id)
    call.work.changed(Part.DEFINITIONS, "delete", DEFINITION, old.id, before=old)


def create_policy(call: Call, set_wire_id: str, policy: OneOrList) -> AlterationPolicyRow:
    """A new policy. Raises `ItemRefused`."""
    set_id = _set(call, set_wire_id, "addressAlterationSetId").id
    members = new_members(call.work, _document(call, policy))
    return ALTERATION.create(call.work, AlterationPolicyRow(*members, set_id))


def update_policy(
    call: Call, wire_id: str, set_wire_id: str | None, policy: OneOrList | None
) -> AlterationPolicyRow:
    """The policy with another set, another policy object, or both; what becomes of what the policy object leaves
    out, `policy_object.document` says (D-48). Raises `ItemRefused`."""
    old = ALTERATION.get(call, wire_id)
    set_id = old.set_id if set_wire_id is None else _set(call, set_wire_id, "addressAlterationSetId").id
    document = old.document if policy is None else _document(call, policy, old.document)
    name = f"{quoted(document.description)} now chooses the set for"
    warn_of_widening(call, name, [old.document.scope()], [document.scope()])
    return ALTERATION.replace(call.work, old, structs.replace(old, set_id=set_id, document=document))


def delete_policy(call: Call, wire_id: str) -> None:
    """Remove a policy. Raises `ItemRefused`."""
    old = ALTERATION.get(call, wire_id)
    ALTERATION.delete(call.work, old)


def find_policy(call: Call, wire_id: str) -> AlterationPolicyRow | None:
    """One policy, or None if it is gone: terraform recreates a policy only when the answer is empty (api.md
    section 3.4.3). Raises `ItemRefused` for what never was an id."""
    return ALTERATION.find(call, wire_id)


def _set(call: Call, wire_id: str, field: str) -> SetRow:
    row = rows.find_set(call.work, call.open(SET, wire_id, field))
    if row is None:
        raise refused(ALTERATION_SET_NOT_FOUND, field)
    return row


def _levels(call: Call, set_id: str | None) -> int:
    """How many sets there are from this one up to the root, itself included."""
    levels = 0
    while set_id is not None:
        levels += 1
        above = rows.find_set(call.work, set_id)
        set_id = None if above is None else above.parent_id
    return levels


def _rewrite(call: Call, item: DefinitionItem, place: str) -> Rewrite:
    """What the item says. Only its original side must be the organisation's own.

    The vendor's page asks for internal domains in what it says of the original address (behaviour.md section 5.2).
    The new one may lie outside: mail for someone who left goes on to a partner.
    """
    original = folded(pattern(item.original_address, f"{place}.originalAddress"))
    if original.domain and original.domain not in call.identities.directory.internal_domains:
        raise not_managed(original.domain, f"{place}.originalAddress")
    new = pattern(item.new_address, f"{place}.newAddress")  # It keeps its case: it is written into messages.
    return Rewrite(item.address_type, item.routing, original, new)


def _document(call: Call, policy: OneOrList, old: PolicyDocument | None = None) -> PolicyDocument:
    item, path = (policy, "policy") if isinstance(policy, PolicyItem) else (_only(policy), "policy[0]")
    return ALTERATION.document(call, item, old, path)


def _only(policies: Sequence[PolicyItem]) -> PolicyItem:
    if len(policies) != 1:
        raise refused(EXACTLY_ONE, "policy", "policy must be an object, or an array of exactly one")
    return policies[0]
