"""How do groups and memberships become again what they were?"""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.groups import operations, rows
from mailreeve.families.directory.groups.rows import GroupRow, MemberRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.versions import RowVersions
from mailreeve.policy.model.group_tree import MAX_DEPTH
from mailreeve.store.changes import Part
from mailreeve.wire.errors import RESTORE_CONFLICT, refused
from mailreeve.wire.tokens import Kind


def _refuse(call: Call, old: GroupRow | None, new: GroupRow | None) -> None:
    """A group does not come to lie in itself, or too deep, and none goes with members that nobody named."""
    work = call.work
    if any(row is not None and row.system for row in (old, new)):
        raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: it came with the account, and stays")
    if new is None:
        if old is not None and rows.all_matched(work, old.id):
            raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: the group has members now")
        return
    depth, place = 1, new.parent_id
    while place is not None and depth <= MAX_DEPTH:
        if place == new.id:
            raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: it would lie in itself")
        depth, place = depth + 1, rows.parent_of(work, place)
    if depth > MAX_DEPTH:
        raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: it would lie too deep")


GROUPS: Final = RowVersions(
    Kind.GROUP,
    GroupRow,
    Permission.DIRECTORIES_GROUPS_EDIT,
    Part.DIRECTORY,
    0,
    find=rows.find_group,
    insert=rows.insert_group,
    replace=lambda work, old, row: rows.change_group(work, row),
    remove=lambda work, row: rows.remove_group(work, row.id),
    refuse=_refuse,
)
MEMBERS: Final = RowVersions(
    Kind.GROUP_MEMBER,
    MemberRow,
    Permission.DIRECTORIES_GROUPS_EDIT,
    Part.DIRECTORY,
    4,
    find=rows.membership,
    insert=rows.insert_member,
    replace=lambda work, old, row: rows.change_member(work, row),
    remove=lambda work, row: rows.remove_member(work, row.id),
    named=lambda row: [operations.member_name(row.matched)],
)
