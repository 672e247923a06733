"""How does a list get entries, or lose some, without being sent whole? By the rules of a list that is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.web_lists import contents, rows
from mailreeve.families.policies.web_lists.errors import WEB_ENTRY_NOT_FOUND
from mailreeve.families.policies.web_lists.operations import KIND, get, refuse_too_many
from mailreeve.families.policies.web_lists.rows import EntryRow, WebPolicyRow
from mailreeve.families.policies.web_lists.types import NamedUrl, NewUrl, UrlItem
from mailreeve.store.changes import Part
from mailreeve.wire.errors import AT_LEAST_ONE, EXACTLY_ONE, NOT_ALLOWED, ItemRefused, Problem, problem, refused
from mailreeve.wire.tokens import Kind


class Patched(Struct, frozen=True):
    """A list as it is now, and the entries that were spoken of: as they are, or as they were. Of those so many are
    new, and so many have another action than before."""

    row: WebPolicyRow
    entries: Sequence[EntryRow]
    added: int = 0
    changed: int = 0


def add(call: Call, wire_id: str, items: Sequence[NewUrl]) -> Patched:
    """The list with these entries at its end. One that it holds already keeps its place and its id, and gets the
    action that is given; where all is so already, nothing is recorded. Raises `ItemRefused` with every bad entry
    at once."""
    old = get(call, wire_id)
    _refuse_none_or_too_many(call, items)
    given = contents.entries(call, [UrlItem(item.action, item.type, item.value) for item in items])
    held = {(entry.type, entry.value): n for n, entry in enumerate(old.entries)}
    entries = list(old.entries)
    told: list[EntryRow] = []
    changed = 0
    for entry in given:
        place = held.get((entry.type, entry.value))
        if place is None:
            entries.append(entry)
        else:
            was = entries[place]
            if was.action is not entry.action:
                entries[place] = msgspec.structs.replace(was, action=entry.action)
                changed += 1
            entry = entries[place]
        told.append(entry)
    added = len(entries) - len(old.entries)
    if added:
        refuse_too_many(call, len(entries), old.id)
    return Patched(_written(call, old, entries) if added or changed else old, told, added, changed)


def remove(call: Call, wire_id: str, items: Sequence[NamedUrl]) -> Patched:
    """The list without these entries, each named by its id or by what it is. Raises `ItemRefused` with all that it
    does not hold, and then nothing is removed."""
    old = get(call, wire_id)
    _refuse_none_or_too_many(call, items)
    by_key = {entry.id: entry for entry in old.entries}
    by_value = {(entry.type, entry.value): entry for entry in old.entries}
    gone: dict[str, EntryRow] = {}
    problems: list[Problem] = []
    for n, item in enumerate(items):
        field = f"urls[{n}]"
        found: list[EntryRow | None]
        try:
            if item.id is not None:
                if item.value is not None:
                    raise refused(EXACTLY_ONE, f"{field}.id", "Exactly one of id and value is required")
                found, field = [by_key.get(call.open(Kind.WEB_ENTRY, item.id, f"{field}.id"))], f"{field}.id"
            elif item.value is None:
                raise refused(AT_LEAST_ONE, f"{field}.value", "One of id and value is required")
            else:
                field = f"{field}.value"
                found = [by_value.get(place) for place in contents.places(item.type, item.value, field)]
        except ItemRefused as refusal:
            problems += refusal.problems
            continue
        held = [entry for entry in found if entry is not None]
        if not held:
            problems.append(problem(WEB_ENTRY_NOT_FOUND, field, f"{WEB_ENTRY_NOT_FOUND.message}, or value"))
        gone |= {entry.id: entry for entry in held}
    if problems:
        raise ItemRefused(problems)
    row = _written(call, old, [entry for entry in old.entries if entry.id not in gone])
    return Patched(row, list(gone.values()))


def _written(call: Call, old: WebPolicyRow, entries: Sequence[EntryRow]) -> WebPolicyRow:
    row = rows.replace(call.work, old, old.description, old.targets, entries)
    call.work.changed(Part.WEB_LISTS, "update", KIND, row.id, before=old, after=row)
    return row


def _refuse_none_or_too_many(call: Call, items: Sequence[Struct]) -> None:
    if not items:
        raise refused(AT_LEAST_ONE, "urls", "At least one entry is required")
    most = call.limits.web_urls_per_policy
    if len(items) > most:
        raise refused(NOT_ALLOWED, "urls", f"At most {most} entries are allowed")
