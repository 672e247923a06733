"""Our own endpoints about users: who there is, another address, and a removal. API 1.0 has none of them."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, structs

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.errors import not_managed
from mailreeve.families.directory.groups import operations as groups
from mailreeve.families.directory.groups import rows as group_rows
from mailreeve.families.directory.groups.following import GroupMemberships
from mailreeve.families.directory.users import attributes, operations, removal, renaming, rows, search
from mailreeve.families.directory.users.life_types import (
    DescribedUser,
    FormerAnswer,
    FoundUser,
    MembershipOf,
    NamedValue,
    RemovedUser,
    RemoveUser,
    RenamedUser,
    RenameUser,
    SearchUsers,
)
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.directory.users.search import Aliases, Wanted
from mailreeve.families.directory.users.types import OneUser
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

EDIT: Final = Permission.DIRECTORIES_INTERNAL_EDIT
READ: Final = Permission.DIRECTORIES_INTERNAL_READ


@endpoint("ext/find-users", READ)
def find_users(call: Call, item: SearchUsers) -> Page[FoundUser]:
    """List the users who fit what is given."""
    domain = None if item.domain is None else fields.domain(item.domain, "domain")
    if domain is not None and domains.find(call.work, domain) is None:
        raise not_managed(domain, "domain")
    below = None
    if item.group_id is not None:
        below = group_rows.below(call.work, groups.get(call, item.group_id, "groupId").id)
    page = search.page(call.work, call.page, Wanted(domain, below, item.locked, item.query))
    aliases = search.aliases(call.work, [row.id for row in page.rows])
    return page.showing([_found(call, row, aliases.get(row.id, Aliases())) for row in page.rows])


@endpoint("ext/describe-user", READ)
def describe_user(call: Call, item: OneUser) -> DescribedUser:
    """Describe a user by any address: addresses, groups, attributes, and what is kept besides."""
    user = operations.get(call.work, item.email_address, "emailAddress")
    keys = rows.keys_of(call.work, user.id)
    found = _found(call, user, search.aliases(call.work, [user.id]).get(user.id, Aliases()))
    people = [*keys, *dict.fromkeys(key.rpartition("@")[2] for key in keys)]
    if not call.caller.may(GroupMemberships.reads):
        people = []
    held = [one for key in people for one in group_rows.memberships_of(call.work, key)]
    names = {one.id: one.name for one in group_rows.some_groups(call.work, [one.group_id for one in held])}
    return DescribedUser(
        **structs.asdict(found),
        attributes=[NamedValue(one.name, one.value) for one in attributes.values_of(call.work, user.id)],
        groups=[
            MembershipOf(
                group_id=call.seal(Kind.GROUP, one.group_id),
                description=names.get(one.group_id, ""),
                member=one.shown,
                until=UNSET if one.until is None else fields.written(one.until),
            )
            for one in held
            if not groups.has_ended(one, call.work.now)
        ],
        kept=call.kept(user.id, keys),
    )


@endpoint("ext/rename-user", EDIT, writes=True, most=50)
def rename_user(call: Call, item: RenameUser) -> RenamedUser:
    """Give a user another address; all that is kept for the old one follows."""
    done = renaming.rename(call, item.email_address, item.new_address, item.keep_as_alias)
    kept = item.keep_as_alias and done.old.key != done.new.key
    return RenamedUser(
        id=call.seal(Kind.USER, done.new.id),
        email_address=done.new.address,
        was=done.old.address,
        alias=done.old.address if kept else "",
        followed=done.followed,
    )


@endpoint("ext/remove-user", EDIT, writes=True, most=50)
def remove_user(call: Call, item: RemoveUser) -> RemovedUser:
    """Remove a user with all that belongs to the user."""
    done = removal.remove(call, item.email_address, item.force)
    return RemovedUser(call.seal(Kind.USER, done.user.id), done.user.address, done.aliases, done.gone)


def _found(call: Call, row: UserRow, aliases: Aliases) -> FoundUser:
    former = [FormerAnswer(one.key, fields.written(one.until)) for one in row.formerly.addresses]
    return FoundUser(
        id=call.seal(Kind.USER, row.id),
        email_address=row.address,
        name=row.name,
        role="" if row.role is None else str(row.role),
        locked=row.locked,
        disabled=row.disabled,
        aliases=aliases.first,
        alias_count=aliases.total,
        formerly=former or UNSET,
    )


ENDPOINTS: Final = (find_users, describe_user, rename_user, remove_user)
