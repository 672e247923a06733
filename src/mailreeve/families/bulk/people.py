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
from mailreeve.families.directory.users.mailboxes import DEFAULT_SCOPES, DelegateScope
from mailreeve.families.directory.users.types import AttributeItem, ChangedUser, CreateUser, NewUser, UpdateUser
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, FORBIDDEN, NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind as ObjectKind

# A quote that nothing closes goes on to the end: were it tried as a character of its own, each one in a cell would
# have the rest of it read once more.
_ALIAS: Final = re.compile(r'(?:"(?:\\.|[^"\\])*(?:"|\\?\Z)|[^\s;,"])+', re.DOTALL)
Numbered = Sequence[tuple[int, Struct]]


class _Users:
    """The users that an import meets, read before it begins: what is there already costs no more."""

    def __init__(self, call: Call, rows: Sequence[UserRow]) -> None:
        self._call = call
        keys = {key for row in rows for key in map(_key, [row.address, *_aliases(row)])}
        self._owners = user_rows.owners(call.work, sorted(keys))
        ids = sorted(set(self._owners.values()))
        self._known = {row.key: row for row in user_rows.some(call.work, ids)}
        self._values: dict[str, dict[str, str]] = defaultdict(dict)
        for user_id, held in attributes.values_of_users(call.work, ids):
            self._values[user_id][held.name.casefold()] = held.value

    def put(self, row: UserRow) -> str:
        """The user as the row has it, made unless there is one. Raises `ItemRefused`."""
        call = self._call
        address = fields.address(row.address, "address")
        old = self._known.get(address.key)
        if old is None:
            old = user_rows.find_by_address(call.work, address.key)
        if old is not None and old.key != address.key:
            raise refused(USER_EXISTS, "address", f"{USER_EXISTS.message}: it is an alias of {old.address}")
        if old is None:
            new = CreateUser(row.address, row.name, force_password_change=bool(row.force_password_change))
            old = operations.create(call, NewUser(new, None))
        if not _says_nothing_new(row, old):
            operations.update(call, ChangedUser(_settings(row), None))
        held = self._values.get(old.id, {})
        given = row.attributes.items()
        items = [
            AttributeItem(name=name, value=value) for name, value in given if held.get(name.casefold()) != value
        ]
        if items:
            attribute_operations.update(call, row.address, items)
        for alias in _aliases(row):
            self._alias(alias, row.address, old.id)
        return old.id

    def _alias(self, alias: str, owner: str, owner_id: str) -> None:
        call = self._call
        key = _key(alias)
        if self._owners.get(key) == owner_id and key not in self._known:
            return
        if not call.caller.may(users.update_alias.permissions):
            needed = " or ".join(users.update_alias.permissions)
            raise refused(FORBIDDEN, "aliases", f"{FORBIDDEN.message}: the permission {needed} is required")
        operations.add_alias(call, alias, owner)


def _plan_users(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step]:
    known = _Users(call, [cast(UserRow, row) for _, row in rows])
    for number, row in rows:
        yield Step((number,), partial(known.put, cast(UserRow, row)))


def _key(text: str) -> str:
    """What an address is matched by; the text itself where it is none, which nobody has."""
    try:
        return parse_address(text).key
    except AddressError:
        return text


def _aliases(row: UserRow) -> list[str]:
    return _ALIAS.findall(row.aliases or "")


def _settings(row: UserRow) -> UpdateUser:
    return UpdateUser(
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


def _says_nothing_new(row: UserRow, old: user_rows.UserRow) -> bool:
    """Whether the user has all settings of the row."""
    return row.archive_start_date in (None, old.archive_start_shown) and all(
        given is None or given == held
        for given, held in (
            (row.name, old.name),
            (row.locked, old.locked),
            (row.disabled, old.disabled),
            (row.force_password_change, old.force_password_change),
            (row.password_never_expires, old.password_never_expires),
            (row.allow_smtp, old.allow_smtp),
            (row.allow_pop, old.allow_pop),
        )
    )


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
    if row.address is None and row.domain is None:
        raise refused(AT_LEAST_ONE, "address", "One of address and domain is required")
    group = call.seal(ObjectKind.GROUP, key)
    before = len(call.work.audits)
    member = group_operations.put_member(call, group, row.address, row.domain, row.notes, row.until)
    if len(call.work.audits) > before:
        touched.add(key)
    return member.id


def members_page(call: Call) -> Page[MemberRow]:
    """A page of the members of all groups, oldest first, without memberships that have ended; those of a group
    whose path means several are left out, with a warning."""
    paths = GroupPaths(call)
    page = group_rows.page_of_all_members(call.work, call.page)
    shown: list[MemberRow] = []
    for row in page.rows:
        if group_operations.has_ended(row, call.work.now):
            continue
        path = paths.path(row.group_id)
        if path is None:
            call.warnings.append(f"{IMPORT_AMBIGUOUS.message}: the member {row.shown!r} of one is left out")
            continue
        address, domain = (row.shown, None) if "@" in row.matched else (None, row.shown)
        until = None if row.until is None else fields.written(row.until)
        shown.append(MemberRow(path, address, domain, row.notes or None, until))
    return page.showing(shown)


def _plan_delegates(call: Call, rows: Numbered, confirmed: bool | None) -> Iterator[Step]:
    def put(row: DelegateRow) -> str:
        scopes = None if row.scopes is None else _scopes(row.scopes)
        return delegate_operations.add(call, row.primary, row.delegate, scopes, row.expires).id

    for number, row in rows:
        yield Step((number,), partial(put, cast(DelegateRow, row)))


def delegates_page(call: Call) -> Page[DelegateRow]:
    """A page of the delegate rights, oldest first."""
    page = delegate_rows.page_of_all(call.work, call.page)
    shown = [
        DelegateRow(
            row.holder,
            row.mailbox,
            None if row.opens == DEFAULT_SCOPES else " ".join(row.opens),
            None if row.expires_at is None else fields.written(row.expires_at),
        )
        for row in page.rows
    ]
    return page.showing(shown)


def _scopes(text: str) -> list[DelegateScope]:
    """The scopes that a cell names. Raises `ItemRefused`."""
    known = {scope.value: scope for scope in DelegateScope}
    names = text.casefold().replace(",", " ").split()
    if not known.keys() >= set(names):
        allowed = f"Field must be one of [{','.join(known)}], or several with spaces between"
        raise refused(NOT_ALLOWED, "scopes", allowed)
    return [known[name] for name in names]


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
