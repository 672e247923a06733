"""How are users, groups, members and delegate rights imported and exported? By the functions that change one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, cast

from msgspec import Struct

from mailreeve.families.bulk.errors import IMPORT_AMBIGUOUS
from mailreeve.families.bulk.paths import GroupPaths
from mailreeve.families.bulk.steps import Finish, Kind, Step
from mailreeve.families.bulk.types import DelegateRow, GroupRow, MemberRow, UserRow
from mailreeve.families.delegates import endpoints as delegates
from mailreeve.families.delegates import operations as delegate_operations
from mailreeve.families.delegates import rows as delegate_rows
from mailreeve.families.directory.groups import endpoints as groups
from mailreeve.families.directory.groups import operations as group_operations
from mailreeve.families.directory.groups import rows as group_rows
from mailreeve.families.directory.users import attribute_operations, attributes, operations
from mailreeve.families.directory.users import endpoints as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.errors import USER_EXISTS
from mailreeve.families.directory.users.types import AttributeItem, ChangedUser, CreateUser, NewUser, UpdateUser
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.errors import FORBIDDEN, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind as ObjectKind

_ALIAS: Final = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^\s;,"])+')
Numbered = Sequence[tuple[int, Struct]]


def _plan_users(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step]:
    for number, row in rows:
        yield Step((number,), partial(_put_user, call, cast(UserRow, row)))


def _put_user(call: Call, row: UserRow) -> str:
    """The user as the row has it, made unless there is one. Raises `ItemRefused`."""
    address = fields.address(row.address, "address")
    old = user_rows.find_by_address(call.work, address.key)
    if old is not None and old.key != address.key:
        raise refused(USER_EXISTS, "address", f"{USER_EXISTS.message}: it is an alias of {old.address}")
    if old is None:
        new = CreateUser(row.address, row.name, force_password_change=bool(row.force_password_change))
        old = operations.create(call, NewUser(new, None))
    settings = UpdateUser(
        row.address,
        name=row.name,
        force_password_change=row.force_password_change,
        password_never_expires=row.password_never_expires,
        account_locked=row.locked,
        account_disabled=row.disabled,
        allow_smtp=row.allow_smtp,
        allow_pop=row.allow_pop,
        archive_start_date=row.archive_start_date,
    )
    operations.update(call, ChangedUser(settings, None))
    if row.attributes:
        items = [AttributeItem(name=name, value=value) for name, value in row.attributes.items()]
        attribute_operations.update(call, row.address, items)
    for alias in _ALIAS.findall(row.aliases or ""):
        if not call.caller.may(users.update_alias.permissions):
            needed = " or ".join(users.update_alias.permissions)
            raise refused(FORBIDDEN, "aliases", f"{FORBIDDEN.message}: the permission {needed} is required")
        operations.add_alias(call, alias, row.address)
    return old.id


def users_page(call: Call) -> Page[UserRow]:
    """A page of the users, oldest first."""
    page = user_rows.page(call.work, call.page)
    keys = [row.id for row in page.rows]
    aliases: dict[str, list[str]] = defaultdict(list)
    for alias in user_rows.aliases_of(call.work, keys):
        aliases[alias.user_id].append(alias.shown)
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for user_id, held in attributes.values_of_users(call.work, keys):
        values[user_id][held.name] = held.value
    shown = [
        UserRow(
            address=row.address,
            name=row.name or None,
            aliases=" ".join(sorted(aliases[row.id])) or None,
            locked=row.locked,
            disabled=row.disabled,
            force_password_change=row.force_password_change,
            password_never_expires=row.password_never_expires,
            allow_smtp=row.allow_smtp,
            allow_pop=row.allow_pop,
            archive_start_date=None
            if row.archive_start is None
            else row.archive_start_shown or fields.written(row.archive_start),
            attributes=dict(sorted(values[row.id].items())),
        )
        for row in page.rows
    ]
    return page.showing(shown)


def _plan_groups(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step]:
    paths = GroupPaths(call)
    for number, row in rows:
        yield Step((number,), partial(_put_group, paths, cast(GroupRow, row)))


def _put_group(paths: GroupPaths, row: GroupRow) -> str:
    paths.put(row.group, "group")
    return ""


def groups_page(call: Call) -> Page[GroupRow]:
    """A page of the groups, oldest first; of those whose path means several a warning is all that is said."""
    paths = GroupPaths(call)
    page = group_rows.page_of_groups(call.work, call.page, "", None)
    shown: list[GroupRow] = []
    for row in page.rows:
        path = paths.path(row.id)
        if path is None:
            call.warnings.append(f"{IMPORT_AMBIGUOUS.message}: the group {row.name!r} is left out")
        else:
            shown.append(GroupRow(path))
    return page.showing(shown)


def _plan_members(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step | Finish]:
    paths = GroupPaths(call)
    touched: set[str] = set()
    for number, row in rows:
        yield Step((number,), partial(_put_member, call, paths, touched, cast(MemberRow, row)))
    # Once for all of them: each look at whom a group holds costs what the group is large.
    yield Finish(lambda: group_operations.guard_members(call, sorted(touched), confirmed))


def _put_member(call: Call, paths: GroupPaths, touched: set[str], row: MemberRow) -> str:
    key = paths.key(row.group, "group")
    group = call.seal(ObjectKind.GROUP, key)
    before = len(call.work.audits)
    member = group_operations.put_member(call, group, row.address, row.domain, row.notes)
    if len(call.work.audits) > before:
        touched.add(key)
    return member.id


def members_page(call: Call) -> Page[MemberRow]:
    """A page of the members of all groups, oldest first; those of a group whose path means several are left out,
    with a warning."""
    paths = GroupPaths(call)
    page = group_rows.page_of_all_members(call.work, call.page)
    shown: list[MemberRow] = []
    for row in page.rows:
        path = paths.path(row.group_id)
        if path is None:
            call.warnings.append(f"{IMPORT_AMBIGUOUS.message}: the member {row.shown!r} of one is left out")
            continue
        address, domain = (row.shown, None) if "@" in row.matched else (None, row.shown)
        shown.append(MemberRow(path, address, domain, row.notes or None))
    return page.showing(shown)


def _plan_delegates(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step]:
    def put(row: DelegateRow) -> str:
        return delegate_operations.add(call, row.primary, row.delegate).id

    for number, row in rows:
        yield Step((number,), partial(put, cast(DelegateRow, row)))


def delegates_page(call: Call) -> Page[DelegateRow]:
    """A page of the delegate rights, oldest first."""
    page = delegate_rows.page_of_all(call.work, call.page)
    return page.showing([DelegateRow(row.holder, row.mailbox) for row in page.rows])


USERS: Final = Kind(
    "users",
    UserRow,
    users.create_user.permissions,
    users.get_internal_users.permissions,
    _plan_users,
    {
        "emailAddress": "address",
        "accountLocked": "locked",
        "accountDisabled": "disabled",
        "alias": "aliases",
        "aliasFor": "address",
    },
)
GROUPS: Final = Kind(
    "groups",
    GroupRow,
    groups.create_group.permissions,
    groups.find_groups.permissions,
    _plan_groups,
    {"description": "group", "parentId": "group"},
)
MEMBERS: Final = Kind(
    "members",
    MemberRow,
    groups.add_group_member.permissions,
    groups.get_group_members.permissions,
    _plan_members,
    {"emailAddress": "address", "id": "group"},
)
DELEGATES: Final = Kind(
    "delegates",
    DelegateRow,
    delegates.add_delegate_user.permissions,
    delegates.find_delegate_users.permissions,
    _plan_delegates,
    {"primaryAddress": "primary", "delegateAddress": "delegate"},
)
