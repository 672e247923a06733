"""What can be done with roles: validate, permit, change, audit.

Nobody makes, changes or gives a role that permits what they may not do themselves (behaviour.md section 9.1): who
could, could take any right. The built-in roles are what they are in every account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from mailreeve.access.permissions import ROLE_PERMISSIONS, Permission, Role, built_in, known
from mailreeve.families.directory.roles import rows, uses
from mailreeve.families.directory.roles.errors import (
    PERMISSION_UNKNOWN,
    ROLE_BUILT_IN,
    ROLE_EXISTS,
    ROLE_IN_USE,
    ROLE_LIMIT,
    ROLE_NOT_FOUND,
)
from mailreeve.families.directory.roles.rows import RoleRow
from mailreeve.families.directory.roles.types import CreateRole, UpdateRole
from mailreeve.families.directory.users.errors import LAST_ADMINISTRATOR
from mailreeve.families.login import rows as login
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Part
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import FORBIDDEN, NULL, refused

MAX_ROLES: Final = 100  # custom ones of an account; all are listed at once
MAX_NAME: Final = 64
MAX_DESCRIPTION: Final = 512
NAMED: Final = 10  # of those that have a role, in a refusal


def create(call: Call, item: CreateRole) -> RoleRow:
    """A new role. Raises `ItemRefused`."""
    name = _new_name(call.work, item.name, None)
    permissions = _permissions(item.permissions)
    refuse_beyond(call, permissions, "permissions")
    if rows.count(call.work) >= MAX_ROLES:
        raise refused(ROLE_LIMIT, "name", f"{ROLE_LIMIT.message}: {MAX_ROLES}")
    row = rows.add(
        call.work, name, fields.short(item.description or "", "description", MAX_DESCRIPTION), permissions
    )
    call.work.changed(Part.CREDENTIALS, "create", rows.ROLE, row.id, after=_audited(row))
    return row


def update(call: Call, item: UpdateRole) -> RoleRow:
    """A role with another name, other permissions or another description. Raises `ItemRefused`."""
    old = _custom(call, item.role)
    name = old.name if item.name is None else _new_name(call.work, item.name, old)
    permissions = old.permitted if item.permissions is None else _permissions(item.permissions)
    refuse_beyond(call, permissions, "permissions")
    _refuse_shutting_out(call, old, permissions)
    description = old.description if item.description is None else item.description
    new = rows.change(call.work, old, name, fields.short(description, "description", MAX_DESCRIPTION), permissions)
    if new == old:
        return old
    if name != old.name:
        uses.rename(call.work, old.name, name)
    call.work.changed(Part.CREDENTIALS, "update", rows.ROLE, new.id, before=_audited(old), after=_audited(new))
    return new


def delete(call: Call, name: str) -> RoleRow:
    """The role that was deleted, which nobody had. Raises `ItemRefused`."""
    old = _custom(call, name)
    users, applications = uses.named(call.work, old.name, NAMED + 1)
    if users or applications:
        having = [*users, *(f"application {one}" for one in applications)]
        more = ["and more"] if len(having) > NAMED else []
        message = f"{ROLE_IN_USE.message}: {', '.join([*having[:NAMED], *more])}"
        raise refused(ROLE_IN_USE, "role", message)
    rows.delete(call.work, old.id)
    call.work.changed(Part.CREDENTIALS, "delete", rows.ROLE, old.id, before=_audited(old))
    return old


def given(call: Call, name: str, field: str) -> str:
    """The name of a role that the caller may give, as it is kept. Raises `ItemRefused` naming `field`."""
    default = built_in(name)
    custom = rows.find(call.work, name) if default is None else None
    if default is None and custom is None:
        named = ", ".join([*Role, *(one.name for one in rows.every(call.work))])
        raise refused(ROLE_NOT_FOUND, field, f"{ROLE_NOT_FOUND.message}: {name}; there are {named}")
    found = default.value if default is not None else custom.name if custom is not None else name
    refuse_beyond(call, rows.permissions_of(call.work, found), field)
    return found


def refuse_beyond(call: Call, permissions: frozenset[Permission], field: str) -> None:
    """Raises `ItemRefused` naming `field` where there is a permission among these that the caller lacks."""
    lacking = sorted(permissions - call.caller.permissions)
    if lacking:
        message = f"{FORBIDDEN.message}: nobody gives more than they have, and you lack {', '.join(lacking)}"
        raise refused(FORBIDDEN, field, message)


def _custom(call: Call, name: str) -> RoleRow:
    """A role that the caller may change. Raises `ItemRefused`."""
    default = built_in(name)
    if default is not None:
        raise refused(ROLE_BUILT_IN, "role", f"{ROLE_BUILT_IN.message}: {default}")
    found = rows.find(call.work, name)
    if found is None:
        raise refused(ROLE_NOT_FOUND, "role", f"{ROLE_NOT_FOUND.message}: {name}")
    refuse_beyond(call, found.permitted, "role")
    return found


def _new_name(work: Work, name: str, but: RoleRow | None) -> str:
    """A name that no other role of the account has, in any case. Raises `ItemRefused`."""
    fields.short(name, "name", MAX_NAME)
    there = rows.find(work, name)
    if built_in(name) is not None or (there is not None and (but is None or there.id != but.id)):
        raise refused(ROLE_EXISTS, "name", f"{ROLE_EXISTS.message}: {name}")
    return name


def _permissions(names: Sequence[str]) -> frozenset[Permission]:
    """The permissions of these names, blanks and case aside. Raises `ItemRefused` naming all that are none."""
    spelled = {_plain(one.value): one.value for one in Permission}
    unknown = sorted({name for name in names if _plain(name) not in spelled})
    if unknown:
        raise refused(
            PERMISSION_UNKNOWN,
            "permissions",
            f"{PERMISSION_UNKNOWN.message}: {', '.join(map(_with_the_nearest, unknown[:NAMED]))}",
        )
    if not names:
        raise refused(NULL, "permissions")
    return known(spelled[_plain(name)] for name in names)


def _with_the_nearest(name: str) -> str:
    """A name that is none, with the one that is probably meant."""
    spelled = {_plain(one.value): one.value for one in Permission}
    near = get_close_matches(_plain(name[:MAX_NAME]), spelled, 1, 0.8)
    return f"{name} (do you mean {spelled[near[0]]}?)" if near else name


def _plain(name: str) -> str:
    return "|".join(" ".join(part.split()) for part in name.casefold().split("|"))


def _refuse_shutting_out(call: Call, old: RoleRow, permissions: Iterable[Permission]) -> None:
    """Raises `ItemRefused` where those who have the role are the last who could let anybody in, and no longer
    could (`users.rights`)."""
    held = old.permitted
    if Permission.DIRECTORIES_INTERNAL_EDIT not in held or held <= frozenset(permissions):
        return
    others = [name for name in rows.at_least(call.work, held) if name != old.name]
    if login.others_sign_in(call.work, "", [old.name]) and not login.others_sign_in(call.work, "", others):
        raise refused(LAST_ADMINISTRATOR, "permissions")


def _audited(row: RoleRow) -> dict[str, object]:
    return {
        "name": row.name,
        "description": row.description,
        "permissions": [permission.value for permission in sorted(row.permitted)],
    }


def every(work: Work) -> list[tuple[str, str, bool, frozenset[Permission]]]:
    """The name, description and permissions of every role, and whether it is built in: those first."""
    found = [(one.value, "", True, ROLE_PERMISSIONS[one]) for one in Role]
    return found + [(one.name, one.description, False, one.permitted) for one in rows.every(work)]
