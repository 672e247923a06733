"""How does a list of somebody else's come in, however long it is? By name, entry by entry, over several lists.

Whoever reads a list whose entries changed reads all of it, so a million entries are not one list: what does not
fit goes into lists of the same name with a number, for the same people. Their entries count as one list's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.web_lists import contents, rows
from mailreeve.families.policies.web_lists.errors import WEB_LIST_AMBIGUOUS, WEB_PUBLIC_SUFFIX
from mailreeve.families.policies.web_lists.operations import KIND, refuse_too_many_in_account
from mailreeve.families.policies.web_lists.rows import EntryRow, TargetRow
from mailreeve.families.policies.web_lists.types import (
    ImportedEntries,
    ImportEntries,
    NewUrl,
    RefusedEntry,
    WebTargetItem,
)
from mailreeve.formats.organisations import is_public_suffix
from mailreeve.policy.decide.web import WebEntryError, canonical_entry
from mailreeve.policy.model.policies import WebAction, WebEntryType, WebPolicy, WebPolicyKind
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.changes import Part
from mailreeve.store.keys import new_key
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, BAD_DOMAIN, BAD_URL, NOT_ALLOWED, refused
from mailreeve.wire.policy_object import MAX_DESCRIPTION
from mailreeve.wire.policy_target import TargetItem

MOST: Final = 5_000  # entries of one call
LARGEST: Final = 50_000
"""Entries of one list, where the setting allows for more: a change of one of them reads them all."""

_NUMBER: Final = len(" (99999)")

_Said = tuple[WebEntryType, str]


def take_in(call: Call, item: ImportEntries) -> ImportedEntries:
    """What came of the entries. Raises `ItemRefused` for what is about all of them."""
    if not item.urls:
        raise refused(AT_LEAST_ONE, "urls", "At least one entry is required")
    if len(item.urls) > MOST:
        raise refused(NOT_ALLOWED, "urls", f"At most {MOST} entries are allowed")
    fields.short(item.name, "name", MAX_DESCRIPTION - _NUMBER)
    lists = _lists(call, item.name)
    given, problems = _read(item.urls, confirmed=item.confirm_suffixes)
    fresh: list[EntryRow] = []
    changed: dict[str, dict[str, WebAction]] = {}
    unchanged = len(item.urls) - len(given) - len(problems)
    ids = {one.id for one in lists}
    for (type_, value), (action, shown) in given.items():
        there = next((one for one in call.policies.web.saying(type_, value) if one.policy_id in ids), None)
        if there is None:
            fresh.append(EntryRow(new_key(), action, type_, value, shown))
        elif there.entry.action is action:
            unchanged += 1
        else:
            changed.setdefault(there.policy_id, {})[there.entry.id] = action
    if fresh:
        refuse_too_many_in_account(call, len(fresh))
    held = sum(len(one.entries) for one in lists)
    number = len(lists)
    if not item.dry_run:
        number = _write(call, item.name, lists, fresh, changed)
    return ImportedEntries(
        added=len(fresh),
        changed=sum(map(len, changed.values())),
        unchanged=unchanged,
        refused=problems,
        lists=number,
        count=held if item.dry_run else held + len(fresh),
        dry_run=item.dry_run,
    )


def _lists(call: Call, name: str) -> list[WebPolicy]:
    """The lists of this name, the one without a number first. Raises `ItemRefused` where two have the same."""
    found: dict[int, WebPolicy] = {}
    pattern = re.compile(rf"{re.escape(name)}(?: \((\d{{1,5}})\))?")
    for policy in call.policies.web.policies:
        match = pattern.fullmatch(policy.description) if policy.kind is WebPolicyKind.LIST else None
        if match is not None and found.setdefault(int(match[1] or 1), policy) is not policy:
            raise refused(WEB_LIST_AMBIGUOUS, "name")
    # A list that only looks like a further one is somebody's own.
    return [found[number] for number in sorted(found)] if 1 in found else []


def _read(
    items: Sequence[NewUrl], *, confirmed: bool
) -> tuple[dict[_Said, tuple[WebAction, str]], list[RefusedEntry]]:
    """What the entries say, of several that are the same the last one, and those that are refused."""
    given: dict[_Said, tuple[WebAction, str]] = {}
    problems: list[RefusedEntry] = []
    for n, item in enumerate(items):
        try:
            value = canonical_entry(item.type, item.value.strip())
        except WebEntryError as reason:
            fault = BAD_DOMAIN if item.type is WebEntryType.DOMAIN else BAD_URL
            problems.append(RefusedEntry(n, fault.code, f"{fault.message}: {reason}"))
            continue
        if item.type is WebEntryType.DOMAIN and not confirmed and is_public_suffix(value):
            message = f"{WEB_PUBLIC_SUFFIX.message}; confirmSuffixes says that this is meant"
            problems.append(RefusedEntry(n, WEB_PUBLIC_SUFFIX.code, message))
            continue
        given[item.type, value] = item.action, item.value
    return given, problems


def _write(
    call: Call,
    name: str,
    lists: Sequence[WebPolicy],
    fresh: Sequence[EntryRow],
    changed: dict[str, dict[str, WebAction]],
) -> int:
    """Change what is there, and put what is new into the last list and further ones; how many there are then."""
    room = min(call.limits.web_urls_per_policy, LARGEST)
    rest = list(fresh)
    touched = [*changed]
    if lists and rest and len(lists[-1].entries) < room and lists[-1].id not in changed:
        touched.append(lists[-1].id)
    for old in rows.read(call.work, touched):
        actions = changed.get(old.id, {})
        entries = [
            msgspec.structs.replace(entry, action=actions[entry.id]) if entry.id in actions else entry
            for entry in old.entries
        ]
        if lists and old.id == lists[-1].id:
            free = max(0, room - len(entries))
            entries += rest[:free]
            rest = rest[free:]
        row = rows.replace(call.work, old, old.description, old.targets, entries)
        call.work.changed(Part.WEB_LISTS, "update", KIND, row.id, before=old, after=row)
    number = _last_number(lists)
    made = 0
    targets = _targets(call, name, lists) if rest else []
    while rest:
        number += 1
        title = name if number == 1 else f"{name} ({number})"
        mine = [rows.new_target(call.work, target.document) for target in targets]
        row = rows.add(call.work, title, mine, rest[:room])
        groups.use(call.work, row.id, row.group_keys())
        call.work.changed(Part.WEB_LISTS, "create", KIND, row.id, after=row)
        rest = rest[room:]
        made += 1
    return len(lists) + made


def _last_number(lists: Iterable[WebPolicy]) -> int:
    numbers = (re.search(r" \((\d{1,5})\)\Z", one.description) for one in list(lists)[1:])
    return max((int(found[1]) for found in numbers if found), default=1 if lists else 0)


def _targets(call: Call, name: str, lists: Sequence[WebPolicy]) -> Sequence[TargetRow]:
    """For whom a further list is: for whom the first one is, or everyone."""
    first = rows.find(call.work, lists[0].id) if lists else None
    if first is not None:
        return first.targets
    return contents.targets(call, [WebTargetItem(description=name, from_=TargetItem(TargetType.EVERYONE))])
