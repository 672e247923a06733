"""What can be done with keys: make, exchange and take back; nobody gives more than they have.

Whoever has a user's keys may do what the user may, and whoever has an application's what its role permits. So keys
are made for a user, and with a role, that permits no more than the caller may do, and those of a user who may do
more are nobody's to touch (`users.rights`).
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.roles import operations as roles
from mailreeve.families.directory.roles import rows as role_rows
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rights
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.errors import USER_NOT_FOUND
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.login import keys
from mailreeve.families.login.authenticate import hash_client_secret
from mailreeve.families.login.errors import KEY_LIMIT, KEY_NOT_FOUND, USER_KEPT_OUT
from mailreeve.families.login.issue import Keys, issue_application, new_secret_key, url_safe
from mailreeve.families.login.keys import ListedApplication, ListedBinding
from mailreeve.families.login.rows import APPLICATION, BINDING
from mailreeve.families.login.types import CreateKey, RevokeKey, RotateKey
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Part
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_RANGE, BLANK, FORBIDDEN, NOT_ALLOWED, TOO_LONG, ItemRefused, refused

MAX_APPLICATIONS: Final = 1_000  # of an account
MAX_NAME: Final = 512
MAX_GRACE: Final = 30 * 24 * 3600  # seconds that exchanged secrets may stay good
MOST_REVOKED: Final = 100  # by one item


class Created(Struct, frozen=True):
    """New keys, whose they are, and what they permit."""

    account_code: str
    keys: Keys
    user: str
    name: str
    role: str
    expires: datetime | None


class Rotated(Struct, frozen=True):
    """New secrets: of a binding, or of an application."""

    application: ListedApplication
    access_key: str = ""
    secret_key: str = ""
    app_key: str = ""
    client_secret: str = ""
    old_until: datetime | None = None


class Revoked(Struct, frozen=True):
    """What was taken back: a user's keys, or without an `access_key` an application with all that it had."""

    app_id: str
    access_key: str = ""


def create(call: Call, item: CreateKey) -> Created:
    """A new application with keys for a user. Raises `ItemRefused`.

    Keys of a user without a role open the user's own mailbox, and those that were opened to the user; the
    application itself then has no role either. So whoever makes keys for somebody else is one who could set that
    user's password as well.
    """
    user = _holder(call, item.user)
    _refuse_for_others(call, user.id, "user")
    if user.locked or user.disabled:
        raise refused(
            USER_KEPT_OUT, "user", f"{user.address} is locked or disabled, so every call would be refused"
        )
    rights.refuse_above(call, user, "user")
    asked = item.role or user.role
    role = "" if asked is None else roles.given(call, asked, "role")
    name = fields.short(item.name or f"keys of {user.address}", "name", MAX_NAME)
    expires = _end(call, item.expires)
    if keys.count(call.work) >= MAX_APPLICATIONS:
        raise refused(KEY_LIMIT, "name", f"{KEY_LIMIT.message}: {MAX_APPLICATIONS}; revoke some that have no use")
    made = issue_application(call.work, call.vault, name, role, user.id, expires)
    return Created(accounts.get(call.work).code, made, user.address, name, role, expires)


def rotate(call: Call, item: RotateKey) -> Rotated:
    """New secrets for an application, or for a user's keys; the ids stay. Raises `ItemRefused`."""
    if not 0 <= item.grace <= MAX_GRACE:
        raise refused(NOT_ALLOWED, "grace", f"Field must be between 0 and {MAX_GRACE} seconds")
    until = call.work.now + timedelta(seconds=item.grace) if item.grace else None
    application, bound = _named(call, item.id, "id")
    before = {"app_id": application.app_id}
    after = before | ({} if until is None else {"old_until": fields.written(until)})
    if bound is not None:
        _refuse_for_others(call, bound.user_id, "id")
        secret = new_secret_key()
        sealed = call.vault.seal(base64.b64decode(secret), call.work.account_id)
        keys.exchange_secret(call.work, bound.id, sealed, until)
        call.work.changed(Part.CREDENTIALS, "rotate", BINDING, bound.id, before=before, after=after)
        return Rotated(application, access_key=bound.access_key, secret_key=secret, old_until=until)
    app_key, client_secret = str(uuid.uuid4()), url_safe(48)
    sealed = call.vault.seal(app_key.encode(), call.work.account_id)
    keys.exchange_application(call.work, application.id, sealed, hash_client_secret(client_secret), until)
    call.work.changed(Part.CREDENTIALS, "rotate", APPLICATION, application.id, before=before, after=after)
    return Rotated(application, app_key=app_key, client_secret=client_secret, old_until=until)


def revoke(call: Call, item: RevokeKey) -> list[Revoked]:
    """Applications, and access keys, that were taken back: all that are named, or none. Raises `ItemRefused`."""
    if len(item.ids) > MOST_REVOKED:
        raise refused(TOO_LONG, "ids", f"At most {MOST_REVOKED} are allowed")
    # All are found first: an application is named once, but one of its access keys may be named as well.
    found = [_named(call, name, "ids") for name in dict.fromkeys(item.ids)]
    gone = set[str]()
    done: list[Revoked] = []
    for application, bound in sorted(found, key=lambda one: one[1] is not None):
        if application.id in gone or (bound is not None and bound.id in gone):
            continue
        before = {"app_id": application.app_id, "name": application.name, "role": application.role}
        if bound is None:
            keys.delete_application(call.work, application.id)
            call.work.changed(Part.CREDENTIALS, "delete", APPLICATION, application.id, before=before)
            done.append(Revoked(application.app_id))
        else:
            keys.delete_binding(call.work, bound.id)
            before |= {"user": bound.address}
            call.work.changed(Part.CREDENTIALS, "delete", BINDING, bound.id, before=before)
            done.append(Revoked(application.app_id, bound.access_key))
        gone.add(application.id if bound is None else bound.id)
    return done


def set_role(call: Call, app_id: str, role: str) -> ListedApplication:
    """An application with another role. Raises `ItemRefused`."""
    application = keys.find_application(call.work, app_id)
    if application is None:
        raise refused(KEY_NOT_FOUND, "appId", f"{app_id}: there is no such application")
    _refuse_above(call, application, (), "appId")
    found = roles.given(call, role, "role")
    if found == application.role:
        return application
    keys.set_role(call.work, application.id, found)
    before, after = ({"app_id": application.app_id, "role": one} for one in (application.role, found))
    call.work.changed(Part.CREDENTIALS, "update", APPLICATION, application.id, before=before, after=after)
    return keys.application_of(call.work, application.id)


def _holder(call: Call, text: str | None) -> UserRow:
    """Whose keys are to be made: of the user with this address, of the caller, or of the account's administrator
    where the caller is no user. Raises `ItemRefused`."""
    if text is None:
        caller = user_rows.find(call.work, call.caller.user_id) if call.caller.user_id else None
        if caller is not None:
            return caller
        text = accounts.get(call.work).admin_email
    try:
        return users.get(call.work, text, "user")
    except ItemRefused as refusal:
        if refusal.problems[0].code != USER_NOT_FOUND.code:
            raise
        raise refused(USER_NOT_FOUND, "user", f"there is no user {text}") from refusal


def _refuse_for_others(call: Call, user_id: str, field: str) -> None:
    """Raises `ItemRefused` naming `field` where the caller would get keys of another user, whose password the
    caller could not set."""
    needed = Permission.DIRECTORIES_INTERNAL_EDIT
    if user_id != call.caller.user_id and not call.caller.may((needed,)):
        message = f"{FORBIDDEN.message}: keys open the user's mailbox; {needed} is required for those of others"
        raise refused(FORBIDDEN, field, message)


def _end(call: Call, text: str | None) -> datetime | None:
    if text is None:
        return None
    end = fields.moment(text, "expires")
    if end <= call.work.now:
        raise refused(BAD_RANGE, "expires", f"The keys would have expired: it is {fields.written(call.work.now)}")
    return end


def _named(call: Call, name: str, field: str) -> tuple[ListedApplication, ListedBinding | None]:
    """An application, by its id or client id, or a user's keys for one, by the access key or its beginning; which
    the caller may touch. Raises `ItemRefused`."""
    if not name:
        raise refused(BLANK, field)
    application = keys.find_application(call.work, name)
    if application is not None:
        _refuse_above(call, application, keys.bindings_of(call.work, application.id), field)
        return application, None
    found = keys.find_bindings(call.work, name)
    if len(found) != 1:
        said = "there is no such application or access key" if not found else "several access keys begin so"
        raise refused(KEY_NOT_FOUND, field, f"{name}: {said}")
    application = keys.application_of(call.work, found[0].application_id)
    _refuse_above(call, application, found, field)
    return application, found[0]


def _refuse_above(call: Call, application: ListedApplication, bound: Sequence[ListedBinding], field: str) -> None:
    """Raises `ItemRefused` where the application, or one of these users, may do what the caller may not."""
    names = {application.role, *(one.role for one in bound if one.role is not None)}
    if any(not role_rows.permissions_of(call.work, one) <= call.caller.permissions for one in names):
        raise refused(FORBIDDEN, field, f"{FORBIDDEN.message}: {application.name} has permissions that you lack")
