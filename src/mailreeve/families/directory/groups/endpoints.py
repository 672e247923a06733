"""The group endpoints (api.md section 3.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.groups import operations, rows
from mailreeve.families.directory.groups.rows import GroupRow, MemberRow
from mailreeve.families.directory.groups.types import (
    ChangeMember,
    CreateGroup,
    DeletedGroup,
    EndedIn,
    FindGroups,
    GroupAnswer,
    GroupsAnswer,
    MemberAnswer,
    MemberItem,
    MembersAnswer,
    MembershipAnswer,
    OneGroup,
    RemovedMembers,
    Source,
    UpdateGroup,
)
from mailreeve.families.directory.users import rows as users
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import without_tags
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

EDIT: Final = Permission.DIRECTORIES_GROUPS_EDIT
# The sources disagree on these two endpoints, so either permission grants the call (api.md section 7.1).
SYNC_EDIT: Final = Permission.SERVICES_DIRECTORY_SYNC_EDIT
SYNC_READ: Final = Permission.SERVICES_DIRECTORY_SYNC_READ


@endpoint("directory/create-group", EDIT, writes=True)
def create_group(call: Call, item: CreateGroup) -> GroupAnswer:
    """Create a group."""
    row = operations.create(call, item.description, item.parent_id)
    return _answer(call, row, 0, 0)


@endpoint("directory/update-group", EDIT, SYNC_EDIT, writes=True)
def update_group(call: Call, item: UpdateGroup) -> GroupAnswer:
    """Rename or move a group."""
    return _counted(call, operations.update(call, item.id, item.description, item.parent_id, item.confirm_reach))


@endpoint("directory/delete-group", EDIT, writes=True)
def delete_group(call: Call, item: OneGroup) -> DeletedGroup:
    """Delete a group that nothing uses."""
    operations.delete(call, item.id)
    return DeletedGroup(item.id)


@endpoint("directory/get-group", Permission.DIRECTORIES_GROUPS_READ, EDIT, short="id")
def get_group(call: Call, item: OneGroup) -> GroupAnswer:
    """Return one group."""
    return _counted(call, operations.get(call, item.id))


@endpoint("directory/find-groups", EDIT, Permission.DIRECTORIES_GROUPS_READ)
def find_groups(call: Call, item: FindGroups) -> Page[GroupsAnswer]:
    """List the groups, or those whose name holds a text."""
    page = rows.page_of_groups(call.work, call.page, item.query or "", item.source)
    keys = [g.id for g in page.rows]
    users, folders = rows.member_counts(call.work, keys), rows.count_below(call.work, keys)
    shown = [_answer(call, g, users.get(g.id, 0), folders.get(g.id, 0)) for g in page.rows]
    answer = GroupsAnswer(shown, item.source or Source.CLOUD)
    if item.query is not None:
        answer = GroupsAnswer(shown, answer.source, item.query)
    return page.showing([answer])


@endpoint("directory/get-group-members", Permission.DIRECTORIES_GROUPS_READ, SYNC_READ)
def get_group_members(call: Call, item: OneGroup) -> Page[MembersAnswer]:
    """List the members of a group."""
    group = operations.get(call, item.id)
    page = rows.page_of_members(call.work, group.id, call.page)
    names = _names(call, page.rows)
    return page.showing([MembersAnswer([_member_answer(call, row, names) for row in page.rows])])


@endpoint("directory/add-group-member", EDIT, writes=True)
def add_group_member(call: Call, item: MemberItem) -> MembershipAnswer:
    """Add an address or a domain to a group."""
    return _membership(
        call,
        operations.add_member(
            call, item.id, item.email_address, item.domain, item.notes, item.confirm_reach, item.until
        ),
    )


@endpoint("directory/remove-group-member", EDIT, SYNC_EDIT, writes=True)
def remove_group_member(call: Call, item: MemberItem) -> MembershipAnswer:
    """Remove an address or a domain from a group."""
    return _membership(call, operations.remove_member(call, item.id, item.email_address, item.domain))


@endpoint("ext/update-group-member", EDIT, writes=True)
def update_group_member(call: Call, item: ChangeMember) -> MembershipAnswer:
    """Change when a membership ends, or its notes."""
    return _membership(call, operations.update_member(call, item))


@endpoint("ext/remove-ended-members", EDIT, writes=True, most=1)
def remove_ended_members(call: Call, item: EndedIn) -> RemovedMembers:
    """Remove memberships that have ended, of one group or of all."""
    removed, more = operations.remove_ended(call, item.id)
    return RemovedMembers([_membership(call, row) for row in removed], more)


def _answer(call: Call, row: GroupRow, users: int, folders: int) -> GroupAnswer:
    parent = "" if row.parent_id is None else call.seal(Kind.GROUP, row.parent_id)
    return GroupAnswer(call.seal(Kind.GROUP, row.id), row.name, Source(row.source), parent, users, folders)


def _names(call: Call, rows: Sequence[MemberRow]) -> Mapping[str, str]:
    """From each member that stands for a user, by an address, an alias or a tagged form of either (D-18, D-32), to
    that user's name."""
    forms = {row.matched: (row.matched, *without_tags(row.matched)) for row in rows if "@" in row.matched}
    found = users.names(call.work, list(dict.fromkeys(form for tried in forms.values() for form in tried)))
    first = ((matched, next((form for form in tried if form in found), "")) for matched, tried in forms.items())
    return {matched: found[form] for matched, form in first if form}


def _counted(call: Call, row: GroupRow) -> GroupAnswer:
    folders = rows.count_children(call.work, row.id)
    return _answer(call, row, rows.count_members(call.work, row.id), folders)


def _membership(call: Call, row: MemberRow) -> MembershipAnswer:
    member = _member_answer(call, row, {})
    return MembershipAnswer(
        id=call.seal(Kind.GROUP_MEMBER, row.id),
        folder_id=call.seal(Kind.GROUP, row.group_id),
        email_address=member.email_address,
        domain=member.domain,
        internal=member.internal,
        until=member.until,
    )


def _member_answer(call: Call, row: MemberRow, names: Mapping[str, str]) -> MemberAnswer:
    """`names` are the users' by their addresses. Whoever is no user has none."""
    _, at, domain = row.matched.rpartition("@")
    return MemberAnswer(
        name=names.get(row.matched, ""),
        email_address=row.shown if at else "",
        domain=domain if at else row.shown,
        type="created_manually",
        internal=domain in call.policies.directory.internal_domains,
        notes=row.notes,
        until=UNSET if row.until is None else fields.written(row.until),
        ended=UNSET if row.until is None else operations.has_ended(row, call.work.now),
    )


ENDPOINTS: Final = (
    create_group,
    update_group,
    delete_group,
    get_group,
    find_groups,
    get_group_members,
    add_group_member,
    remove_group_member,
    update_group_member,
    remove_ended_members,
)
