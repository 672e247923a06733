"""What can be done with groups: validate, change, audit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import NOT_MANAGED
from mailreeve.families.directory.groups import rows
from mailreeve.families.directory.groups.errors import (
    GROUP_CYCLE,
    GROUP_DEPTH,
    GROUP_IN_USE,
    GROUP_LIMIT,
    GROUP_MEMBER_EXISTS,
    GROUP_MEMBER_NOT_FOUND,
    GROUP_NOT_FOUND,
)
from mailreeve.families.directory.groups.rows import GroupRow, MemberRow
from mailreeve.families.directory.groups.types import ChangeMember
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.reach_guard import guard_groups
from mailreeve.policy.model.group_tree import MAX_DEPTH
from mailreeve.store.changes import Name, Part
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, BAD_DATE, EXACTLY_ONE, refused
from mailreeve.wire.tokens import Kind

MAX_NAME: Final = 255
MAX_NOTES: Final = 100  # api.md section 3.7
MAX_GROUPS: Final = 50_000
MOST_ENDED: Final = 1_000  # ended memberships that one call removes


def get(call: Call, wire_id: str, field: str = "id") -> GroupRow:
    """One group. Raises `ItemRefused` naming `field`."""
    row = rows.find_group(call.work, call.open(Kind.GROUP, wire_id, field))
    if row is None:
        raise refused(GROUP_NOT_FOUND, field)
    return row


def create(call: Call, name: str, parent_id: str | None) -> GroupRow:
    """A new group. Raises `ItemRefused`."""
    fields.short(name, "description", MAX_NAME)
    if rows.count_groups(call.work) >= MAX_GROUPS:
        raise refused(GROUP_LIMIT, None, f"{GROUP_LIMIT.message}: {MAX_GROUPS}")
    parent = None if parent_id is None else get(call, parent_id, "parentId").id
    if parent is not None:
        _refuse_depth(len(_lineage(call, parent)) + 1)
    row = rows.add_group(call.work, name, parent)
    call.work.changed(Part.DIRECTORY, "create", Kind.GROUP, row.id, after=row)
    return row


def update(
    call: Call, wire_id: str, name: str | None, parent_id: str | None, confirmed: bool | None = None
) -> GroupRow:
    """A group with another name or place. What is left out stays, a place that is too deep as well. Raises
    `ItemRefused`."""
    old = _changeable(call, wire_id)
    fields.short(name or "", "description", MAX_NAME)
    parent = old.parent_id if parent_id is None else get(call, parent_id, "parentId").id
    if parent is not None and parent != old.parent_id:
        _refuse_depth(len(_lineage(call, parent, moving=old.id)) + rows.height(call.work, old.id, MAX_DEPTH))
    new = msgspec.structs.replace(old, name=name or old.name, parent_id=parent)
    rows.change_group(call.work, new)
    call.work.changed(Part.DIRECTORY, "update", Kind.GROUP, new.id, before=old, after=new)
    if parent is not None and parent != old.parent_id:
        guard_groups(call, _lineage(call, parent), confirmed)
    return new


def delete(call: Call, wire_id: str) -> None:
    """Remove a group with its members. A group with groups below it, or that a policy names, stays: a policy
    whose group is gone would never match again, without a word. Raises `ItemRefused`."""
    old = _changeable(call, wire_id)
    if rows.count_children(call.work, old.id):
        raise refused(GROUP_IN_USE, "id", f"{GROUP_IN_USE.message}: there are groups below it")
    if rows.is_used(call.work, old.id):
        raise refused(GROUP_IN_USE, "id", f"{GROUP_IN_USE.message}: a policy names it")
    members = rows.members_of(call.work, old.id)
    names = [Name(Kind.GROUP, old.id), *(member_name(one.matched) for one in members)]
    rows.remove_group(call.work, old.id)
    # Each by itself, so that they can be members again when the group is restored.
    for one in members:
        call.work.changed(None, "delete", Kind.GROUP_MEMBER, one.id, before=one)
    call.work.changed(Part.DIRECTORY, "delete", Kind.GROUP, old.id, before=old, names=names)


def add_member(
    call: Call,
    wire_id: str,
    address: str | None,
    domain: str | None,
    notes: str | None,
    confirmed: bool | None = None,
    until: str | None = None,
) -> MemberRow:
    """A new member, for good or `until` an instant. A membership that has ended is no obstacle, and goes. Raises
    `ItemRefused`."""
    group = get(call, wire_id)
    matched, shown = _new_member(call, address, domain, notes)
    end = None if until is None else _end(call, until)
    there = rows.find_member(call.work, group.id, matched)
    if there is not None and not has_ended(there, call.work.now):
        raise refused(GROUP_MEMBER_EXISTS)
    row = _add_member(call, group, there, matched, shown, notes, end)
    guard_members(call, [group.id], confirmed)
    return row


def put_member(
    call: Call, wire_id: str, address: str | None, domain: str | None, notes: str | None, until: str | None = None
) -> MemberRow:
    """A member with these notes, until then, added unless it is there. What is left out stays. Whoever calls it
    asks `guard_members` afterwards. Raises `ItemRefused`."""
    group = get(call, wire_id)
    matched, shown = _new_member(call, address, domain, notes)
    end = None if until is None else _end(call, until)
    old = rows.find_member(call.work, group.id, matched)
    if old is None or has_ended(old, call.work.now):
        return _add_member(call, group, old, matched, shown, notes, end)
    new = msgspec.structs.replace(
        old, notes=old.notes if notes is None else notes, until=old.until if end is None else end
    )
    if new == old:
        return old
    rows.change_member(call.work, new)
    # No decision looks at notes.
    part = None if new.until == old.until else Part.DIRECTORY
    names = [member_name(matched)] if part else []
    call.work.changed(part, "update", Kind.GROUP_MEMBER, new.id, before=old, after=new, names=names)
    return new


def guard_members(call: Call, group_ids: Iterable[str], confirmed: bool | None) -> None:
    """See `guard_groups`, of groups that got members in this call. Raises `ItemRefused`."""
    guard_groups(call, dict.fromkeys(above for key in group_ids for above in _lineage(call, key)), confirmed)


def _new_member(call: Call, address: str | None, domain: str | None, notes: str | None) -> tuple[str, str]:
    """What is to be a member is matched by, and as what it is shown. Raises `ItemRefused`."""
    member = _member(address, domain)
    if address is not None:
        fields.written_out(fields.address(address, "emailAddress"), "emailAddress")
    elif domain is not None:
        fields.mail_domain(domain, "domain", domains.Own(call.work))
    fields.short(notes or "", "notes", MAX_NOTES)
    return member


def _add_member(
    call: Call,
    group: GroupRow,
    ended: MemberRow | None,
    matched: str,
    shown: str,
    notes: str | None,
    end: datetime | None,
) -> MemberRow:
    if ended is not None:
        _remove(call, ended)
    row = rows.add_member(call.work, group.id, matched, shown, notes or "", end)
    names = [member_name(matched)]
    call.work.changed(Part.DIRECTORY, "create", Kind.GROUP_MEMBER, row.id, after=row, names=names)
    return row


def remove_member(call: Call, wire_id: str, address: str | None, domain: str | None) -> MemberRow:
    """End a membership; what it was. Raises `ItemRefused`."""
    group = get(call, wire_id)
    matched, _ = _member(address, domain)
    row = rows.find_member(call.work, group.id, matched)
    if row is None:
        raise refused(GROUP_MEMBER_NOT_FOUND)
    _remove(call, row)
    return row


def update_member(call: Call, item: ChangeMember) -> MemberRow:
    """A membership with another end, or other notes. Raises `ItemRefused`."""
    group = get(call, item.id)
    matched, _ = _member(item.email_address, item.domain)
    old = rows.find_member(call.work, group.id, matched)
    if old is None:
        raise refused(GROUP_MEMBER_NOT_FOUND)
    end = old.until
    if item.until is not None:
        end = _end(call, item.until) if item.until else None
    notes = old.notes if item.notes is None else fields.short(item.notes, "notes", MAX_NOTES)
    new = msgspec.structs.replace(old, until=end, notes=notes)
    if new == old:
        return old
    rows.change_member(call.work, new)
    names = [member_name(matched)]
    call.work.changed(Part.DIRECTORY, "update", Kind.GROUP_MEMBER, new.id, before=old, after=new, names=names)
    guard_groups(call, _lineage(call, group.id), item.confirm_reach)
    return new


def remove_ended(call: Call, wire_id: str | None) -> tuple[list[MemberRow], bool]:
    """Remove memberships that have ended, of one group or of all, at most `MOST_ENDED`; which, and whether there
    are more. They have decided nothing since they ended, so no decision changes. Raises `ItemRefused`."""
    group = None if wire_id is None else get(call, wire_id).id
    found = rows.ended_members(call.work, group, MOST_ENDED + 1)
    for row in found[:MOST_ENDED]:
        _remove(call, row)
    return found[:MOST_ENDED], len(found) > MOST_ENDED


def has_ended(row: MemberRow, now: datetime) -> bool:
    """Whether a membership has come to its end."""
    return row.until is not None and row.until <= now


def _remove(call: Call, row: MemberRow) -> None:
    rows.remove_member(call.work, row.id)
    names = [member_name(row.matched)]
    call.work.changed(Part.DIRECTORY, "delete", Kind.GROUP_MEMBER, row.id, before=row, names=names)


def _end(call: Call, text: str) -> datetime:
    """When a membership ends: in the future, else it would be none."""
    end = fields.moment(text, "until")
    if end <= call.work.now:
        raise refused(BAD_DATE, "until", f"{BAD_DATE.message}: it has passed; a membership ends in the future")
    return end


def _lineage(call: Call, group_id: str, moving: str | None = None) -> list[str]:
    """A group and those above it, up to the top; of more than `MAX_DEPTH` so many and one more. Raises
    `ItemRefused` where the group to move is among them."""
    found: list[str] = []
    place: str | None = group_id
    while place is not None and len(found) <= MAX_DEPTH:
        if place == moving:
            raise refused(GROUP_CYCLE, "parentId")
        found.append(place)
        place = rows.parent_of(call.work, place)
    return found


def _refuse_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        most = f"at most {MAX_DEPTH} lie one in another, the outermost included"
        raise refused(GROUP_DEPTH, "parentId", f"{GROUP_DEPTH.message}: {most}")


def member_name(matched: str) -> Name:
    """The memberships of an address or domain are read together."""
    return Name(Kind.GROUP_MEMBER, matched)


def _member(address: str | None, domain: str | None) -> tuple[str, str]:
    """What a member is matched by, and as what it is shown."""
    if address is not None and domain is not None:
        raise refused(EXACTLY_ONE, "domain", "Exactly one of emailAddress and domain is required")
    if address is not None:
        return fields.address(address, "emailAddress").key, address
    if domain is not None:
        return fields.domain_or_below(domain, "domain"), domain.removeprefix("@")
    raise refused(AT_LEAST_ONE, "emailAddress", "One of emailAddress and domain is required")


def _changeable(call: Call, wire_id: str) -> GroupRow:
    row = get(call, wire_id)
    if row.system:
        # Members come and go; the group itself is what the default policies rest on (api.md section 3.7).
        raise refused(NOT_MANAGED, "id", f"{NOT_MANAGED.message}: a group that came with the account")
    return row
