"""What will a list hold once it is written? Targets and entries: validated, canonical, with the ids they had.

Ids stay over an update, since clients keep them (clients.md): a part that is sent with its id is that part; one
without an id is taken for the old part that says the same, and only then for a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from mailreeve.families.directory.web_places import operations as web_places
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.families.policies.web_lists import rows
from mailreeve.families.policies.web_lists.errors import (
    WEB_ENTRY_DUPLICATE,
    WEB_ENTRY_NOT_FOUND,
    WEB_ID_TWICE,
    WEB_TARGET_NOT_FOUND,
)
from mailreeve.families.policies.web_lists.rows import EntryRow, TargetRow
from mailreeve.families.policies.web_lists.types import LocationItem, UrlItem, WebTargetItem
from mailreeve.policy.decide.web import WebEntryError, canonical_entry
from mailreeve.policy.model.policies import WebEntryType
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.keys import new_key
from mailreeve.wire import fields, policy_object
from mailreeve.wire.errors import (
    AT_LEAST_ONE,
    BAD_DOMAIN,
    BAD_URL,
    NOT_ALLOWED,
    NULL,
    Fault,
    ItemRefused,
    Problem,
    problem,
    refused,
)
from mailreeve.wire.policy_object import WEB_SECURITY, PolicyDocument, PolicyItem
from mailreeve.wire.tokens import Kind

MAX_TARGETS: Final = 500  # Ours: every decision about a listed host tries each. A group does better.


def targets(
    call: Call, items: Sequence[WebTargetItem], replaced: Sequence[TargetRow] | None = None
) -> list[TargetRow]:
    """The targets that a list will have, instead of `replaced` if it exists already. Raises `ItemRefused`."""
    if not items:
        raise refused(AT_LEAST_ONE, "policies", "At least one policy is required: the list would hold for nobody")
    if len(items) > MAX_TARGETS:
        raise refused(NOT_ALLOWED, "policies", f"At most {MAX_TARGETS} policies are allowed")
    references = DirectoryReferences(call)
    given = [item.id for item in items]
    kept = _kept(call, given, replaced, Kind.WEB_TARGET, "policies", WEB_TARGET_NOT_FOUND)
    old = replaced or ()
    by_id = {row.id: row for row in old}
    free = {row.id: row for row in old if row.id not in kept}
    found = [None if key is None else by_id[key] for key in kept]
    # A target that says nothing of its scope is the old one in its place, or else the next, whose scope it keeps
    # (D-48). One that stands for no old target is for everyone, as in a new list, and its writer is told.
    for n, item in enumerate(items):
        if found[n] is None and replaced is not None and not _has_scope(item):
            place = old[n].id if n < len(old) and old[n].id in free else next(iter(free), None)
            if place is not None:
                found[n] = free.pop(place)
            else:
                call.warnings.append(f"policies[{n}] is a new target without from: it is for everyone")
    wanted = [
        _wanted(call, item, references, f"policies[{n}]", row)
        for n, (item, row) in enumerate(zip(items, found, strict=True))
    ]
    # The same scope first, so that taking out the first of several does not rename all others.
    for n, (document, locations) in enumerate(wanted):
        if found[n] is None:
            same = next((row for row in free.values() if _same_scope(row, document, locations)), None)
            found[n] = None if same is None else free.pop(same.id)
    for n, row in enumerate(old[: len(found)]):
        if found[n] is None:
            found[n] = free.pop(row.id, None)
    for n, (item, was) in enumerate(zip(items, found, strict=True)):
        if was is not None:
            call.warnings.extend(policy_object.lost(item.policy or item, was.document, wanted[n][0]))
            if item.locations is None and was.locations and not wanted[n][1]:
                # Sent as a new scope, taken for the old target: it would hold everywhere unasked.
                wanted[n] = wanted[n][0], was.locations
                _refuse_both(*wanted[n], f"policies[{n}]")
    return [_target(call, row, *both) for row, both in zip(found, wanted, strict=True)]


def entries(call: Call, items: Sequence[UrlItem], replaced: Sequence[EntryRow] | None = None) -> list[EntryRow]:
    """The entries that a list will have, instead of `replaced` if it exists already. Raises `ItemRefused` with
    every bad entry at once."""
    problems: list[Problem] = []
    values: list[str] = []
    seen: dict[tuple[WebEntryType, str], int] = {}
    for n, item in enumerate(items):
        try:
            value = _canonical(item.type, item.value, f"urls[{n}].value")
        except ItemRefused as refusal:
            problems += refusal.problems
            continue
        values.append(value)
        first = seen.setdefault((item.type, value), n)
        if first != n:
            message = f"{WEB_ENTRY_DUPLICATE.message}: it is the same as urls[{first}]"
            problems.append(problem(WEB_ENTRY_DUPLICATE, f"urls[{n}].value", message))
    if problems:
        raise ItemRefused(problems)
    given = [item.id for item in items]
    kept = _kept(call, given, replaced, Kind.WEB_ENTRY, "urls", WEB_ENTRY_NOT_FOUND)
    claimed = frozenset(kept)
    free = {(row.type, row.value): row.id for row in replaced or () if row.id not in claimed}
    return [
        EntryRow(
            id=key or free.get((item.type, value)) or new_key(),
            action=item.action,
            type=item.type,
            value=value,
            shown=item.value,  # as it was written (D-47): clients compare what they read with what they wrote
        )
        for key, item, value in zip(kept, items, values, strict=True)
    ]


def places(type_: WebEntryType | None, value: str, field: str) -> list[tuple[WebEntryType, str]]:
    """As what a list may hold an entry that somebody names: type and canonical value. Without a type it may be of
    either. Raises `ItemRefused` naming `field` where it can be none."""
    if type_ is not None:
        return [(type_, _canonical(type_, value, field))]
    found: list[tuple[WebEntryType, str]] = []
    refusals: list[ItemRefused] = []
    for either in WebEntryType:
        try:
            found.append((either, _canonical(either, value, field)))
        except ItemRefused as refusal:
            refusals.append(refusal)
    if not found:
        raise refusals[-1]
    return found


def _canonical(type_: WebEntryType, value: str, field: str) -> str:
    try:
        return canonical_entry(type_, value.strip())
    except WebEntryError as reason:
        fault = BAD_DOMAIN if type_ is WebEntryType.DOMAIN else BAD_URL
        raise refused(fault, field, f"{fault.message}: {reason}") from reason


def _has_scope(item: WebTargetItem) -> bool:
    policy = item.policy or item
    return policy.from_ is not None or policy.from_type is not None


def _wanted(
    call: Call, item: WebTargetItem, references: DirectoryReferences, path: str, old: TargetRow | None
) -> tuple[PolicyDocument, str]:
    """What a target says, and the locations that it is bound to, as the column holds them."""
    document = _document(item, references, path, None if old is None else old.document)
    if item.locations is None:
        locations = "" if old is None else old.locations
    else:
        locations = _locations(call, item.locations, f"{path}.locations")
    _refuse_both(document, locations, path)
    return document, locations


def _locations(call: Call, items: Sequence[LocationItem], path: str) -> str:
    found: dict[str, None] = {}
    for n, item in enumerate(items):
        if item.location is None:
            # Taking the target without it would make it hold everywhere.
            raise refused(NULL, f"{path}[{n}].location", "Field is required: the name of a location")
        row = web_places.get_named(call, item.location, f"{path}[{n}].location")
        if item.ip is not None:
            network = fields.network(item.ip, f"{path}[{n}].ip")
            if network not in row.ranges:
                message = f"{NOT_ALLOWED.message}: the location {item.location} has no such network"
                raise refused(NOT_ALLOWED, f"{path}[{n}].ip", message)
        found[row.id] = None
    return ",".join(found)


def _refuse_both(document: PolicyDocument, locations: str, path: str) -> None:
    if locations and document.networks():
        message = f"{NOT_ALLOWED.message} beside conditions.sourceIPs: a target has networks or locations"
        raise refused(NOT_ALLOWED, f"{path}.locations", message)


def _document(
    item: WebTargetItem, references: DirectoryReferences, path: str, old: PolicyDocument | None
) -> PolicyDocument:
    policy: PolicyItem = item
    if item.policy is not None:
        policy, path = item.policy, f"{path}.policy"
    document = policy_object.document(policy, WEB_SECURITY, references, path, old)
    if document.to.type is not TargetType.EVERYONE:
        # D-26: the browsing user is `from`; a web request goes to no one.
        raise refused(NOT_ALLOWED, f"{path}.to.type", "Field must be one of [everyone]")
    return document


def _kept(
    call: Call,
    given: Sequence[str | None],
    replaced: Sequence[TargetRow] | Sequence[EntryRow] | None,
    kind: Kind,
    member: str,
    absent: Fault,
) -> list[str | None]:
    """The key behind each given id, None where none is given. For a new list ids mean nothing."""
    if replaced is None:
        return [None] * len(given)
    known, seen = {row.id for row in replaced}, set[str]()
    kept: list[str | None] = []
    for n, wire_id in enumerate(given):
        if wire_id is None:
            kept.append(None)
            continue
        field = f"{member}[{n}].id"
        key = call.open(kind, wire_id, field)
        if key not in known:
            raise refused(absent, field)
        if key in seen:
            raise refused(WEB_ID_TWICE, field)
        seen.add(key)
        kept.append(key)
    return kept


def _target(call: Call, old: TargetRow | None, document: PolicyDocument, locations: str) -> TargetRow:
    if old is None:
        return rows.new_target(call.work, document, locations)
    if old.document == document and old.locations == locations:
        return old
    return msgspec.structs.replace(old, document=document, locations=locations, updated_at=call.work.now)


def _same_scope(row: TargetRow, document: PolicyDocument, locations: str) -> bool:
    one = row.document
    same = one.from_.means(document.from_) and one.networks() == document.networks()
    return same and row.locations == locations
