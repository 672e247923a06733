"""What can be done with administrators: appoint, dismiss, give another role.

Nobody gives a role that permits what they may not do themselves, and nobody touches a user who may do more
(`users.rights`). A role counts at once: keys that were made before permit no more than it does.
"""

from __future__ import annotations

import msgspec

from mailreeve.families.directory.administrators import rows
from mailreeve.families.directory.administrators.types import AddAdministrator, NewAdministrator, SetRole
from mailreeve.families.directory.roles import operations as roles
from mailreeve.families.directory.roles import rows as role_rows
from mailreeve.families.directory.users import endpoints as user_endpoints
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import passwords, rights
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.directory.users.types import CreateUser, NewUser
from mailreeve.families.login import operations as login
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Part
from mailreeve.wire import fields
from mailreeve.wire.errors import EXACTLY_ONE, FORBIDDEN, refused
from mailreeve.wire.tokens import Kind

FIELD = "emailAddress"


def prepare(item: AddAdministrator) -> NewAdministrator:
    """The administrator to appoint, with the password hashed. Raises `ItemRefused`."""
    password_hash = None if item.password is None else passwords.hashed(item.password, "password")
    return NewAdministrator(item, password_hash)


def add(call: Call, new: NewAdministrator) -> UserRow:
    """A user with a role: a new one, or one who is there already. Raises `ItemRefused`."""
    item = new.item
    role = roles.given(call, item.role, "role")
    old = user_rows.find_by_address(call.work, fields.address(item.email_address, FIELD).key)
    _refuse_beyond_roles(call, new, is_there=old is not None)
    if old is None:
        item_user = CreateUser(item.email_address, item.name, None, item.force_password_change)
        old = users.create(call, NewUser(item_user, new.password_hash))
        return _changed(call, old, role, None)
    rights.refuse_above(call, old, FIELD)
    changed = msgspec.structs.replace(
        old,
        name=old.name if item.name is None else fields.short(item.name, "name", users.MAX_NAME),
        force_password_change=item.force_password_change or old.force_password_change,
    )
    return _changed(call, old, role, new.password_hash, changed)


def remove(call: Call, address: str) -> UserRow:
    """A user who had a role and has none from now on. Raises `ItemRefused`."""
    user = users.get(call.work, address, FIELD)
    rights.refuse_above(call, user, FIELD)
    return _changed(call, user, None, None)


def set_role(call: Call, item: SetRole) -> tuple[str, str | None, str | None]:
    """The role that a user or an application has now, and the user's address or the application's id. Raises
    `ItemRefused`."""
    if (item.email_address is None) == (item.app_id is None):
        raise refused(EXACTLY_ONE, f"{FIELD}, appId")
    if item.app_id is not None:
        application = login.set_role(call, item.app_id, item.role)
        return application.role, None, application.app_id
    role = roles.given(call, item.role, "role")
    user = users.get(call.work, item.email_address or "", FIELD)
    rights.refuse_above(call, user, FIELD)
    return role, _changed(call, user, role, None).address, None


def _refuse_beyond_roles(call: Call, new: NewAdministrator, *, is_there: bool) -> None:
    """Raises `ItemRefused` where more than a role is given, and the caller may not change users: whoever sets a
    password can sign in with it."""
    if call.caller.may(user_endpoints.update_user.permissions):
        return
    item = new.item
    beyond = (
        (FIELD, not is_there),
        ("password", new.password_hash is not None),
        ("name", item.name is not None),
        ("forcePasswordChange", item.force_password_change),
    )
    field = next((field for field, given in beyond if given), None)
    if field is not None:
        needed = " or ".join(user_endpoints.update_user.permissions)
        raise refused(FORBIDDEN, field, f"{FORBIDDEN.message}: the permission {needed} is required")


def _changed(
    call: Call, old: UserRow, role: str | None, password_hash: str | None, changed: UserRow | None = None
) -> UserRow:
    """The user with another role, and perhaps another password. Raises `ItemRefused` where nobody could give the
    old one back."""
    new = msgspec.structs.replace(changed or old, role=role)
    if password_hash is not None:
        new = msgspec.structs.replace(new, password_changed_at=call.work.now)
    if new == old:
        return old
    rights.refuse_last(call, old, new, FIELD if role is None else "role")
    user_rows.change(call.work, new, password_hash)
    call.work.changed(Part.CREDENTIALS, "update", Kind.USER, new.id, before=old, after=new)
    _warn_of_applications(call, new)
    return new


def _warn_of_applications(call: Call, user: UserRow) -> None:
    """Say which applications, whose secrets the user has, may do more than the user: access tokens are theirs."""
    held = role_rows.permissions_of(call.work, user.role)
    for key in rows.keys_of(call.work, [user.id]).get(user.id, ()):
        if not role_rows.permissions_of(call.work, key.role) <= held:
            call.warnings.append(
                f"{user.address} has keys of the application {key.application}, whose access tokens permit what "
                f"the role {key.role} does; ext/set-role gives it another role, ext/revoke-key takes it back"
            )
