"""What comes of signing in? Keys for the user and the application, for a while; signing out takes them back.

A user has at most `MOST_KEYS` keys of this sort for an application: many clients sign in for every run and never
sign out, so that the keys which were not heard of for longest give way to new ones (ADR 0077).
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.families.directory.users import passwords
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.login import rows as all_keys
from mailreeve.families.login.errors import USER_DISABLED
from mailreeve.families.login.issue import new_secret_key, url_safe
from mailreeve.families.login.rows import BINDING
from mailreeve.families.login.sign_in import rows
from mailreeve.families.login.sign_in.errors import NO_KEYS_OF_A_USER, NOT_YOURS, PASSWORD_CHANGE
from mailreeve.families.login.sign_in.rows import OwnKey
from mailreeve.families.login.sign_in.types import ChangePassword, NewPassword, SignIn
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Name, Part
from mailreeve.wire import fields
from mailreeve.wire.errors import FORBIDDEN, NOT_ALLOWED, RequestRefused, refused
from mailreeve.wire.tokens import Kind

MOST_KEYS: Final = 20  # of a user for an application, by signing in
LOGON: Final = "logon"
"""What the audit log calls signing in and out."""


class Given(Struct, frozen=True):
    """Keys for somebody who has signed in, in clear; good for so many milliseconds."""

    access_key: str
    secret_key: str
    duration: int
    user: UserRow


def token_of(call: Call, address: str) -> str:
    """What stands for an address, of a user or of nobody: opaque, and always the same."""
    return call.seal(LOGON, hashlib.sha256(address.casefold().encode()).hexdigest()[:32])


def sign_in(call: Call, item: SignIn) -> Given:
    """Keys for the caller, who has given a password. Raises `ItemRefused` and `RequestRefused`."""
    user = _user(call)
    if user.locked or user.disabled:  # since the password was looked at
        raise RequestRefused(USER_DISABLED)
    if user.force_password_change:
        raise RequestRefused(PASSWORD_CHANGE, key={"username": user.address})
    for field, said in (("userName", item.user_name), ("username", item.username)):
        if said is not None:
            _refuse_other(call, user, said, field)
    life = timedelta(seconds=call.installation.login_life)
    until = call.work.now + life
    if item.access_key is not None:
        return _renewed(call, user, item.access_key)
    mine = sorted(rows.by_sign_in(call.work, user.id, call.caller.application_id), key=lambda one: one.last_seen)
    for one in mine[: max(0, len(mine) - MOST_KEYS + 1)]:
        _remove(call, one)
    access_key, secret_key = url_safe(120), new_secret_key()
    sealed = call.vault.seal(base64.b64decode(secret_key), call.work.account_id)
    key = all_keys.add_binding(
        call.work, call.caller.application_id, user.id, access_key, sealed, until, call.work.now
    )
    _note(call, "create", key, after={"name": user.address, "expires": fields.written(until)})
    return Given(access_key, secret_key, _milliseconds(life), user)


def _renewed(call: Call, user: UserRow, access_key: str) -> Given:
    """The keys that the user has, good for longer: access key and secret key stay, as clients rely on (api.md
    section 2.4.2). Keys that an administrator made with an end keep it; those without one need no more time."""
    found = rows.find(call.work, user.id, access_key)
    if found is None or found.application_id != call.caller.application_id:
        raise refused(NOT_YOURS, "accessKey")
    until = call.work.now + timedelta(seconds=call.installation.login_life)
    if found.signed_in_at is None:
        if found.expires_at is not None and found.expires_at <= call.work.now:
            raise refused(NOT_YOURS, "accessKey", "This key was made with an end, and it has come")
        until = until if found.expires_at is None else found.expires_at
    else:
        rows.renew(call.work, found.id, until)
        expires = {"name": user.address, "expires": fields.written(until)}
        _note(call, "renew", found.id, after=expires)
    secret = base64.b64encode(call.vault.open(found.secret_key, call.work.account_id)).decode()
    return Given(access_key, secret, _milliseconds(until - call.work.now), user)


def sign_out(call: Call, access_key: str | None) -> str:
    """The access key that is void now: the caller's own, or another of the caller's. Raises `ItemRefused`."""
    if not call.caller.user_id:
        raise refused(NO_KEYS_OF_A_USER)
    if access_key is None:
        found = rows.with_id(call.work, call.caller.user_id, call.caller.binding_id)
    else:
        found = rows.find(call.work, call.caller.user_id, access_key)
    if found is None:
        raise refused(NOT_YOURS, "accessKey")
    if found.id != call.caller.binding_id and not call.caller.in_person:
        raise refused(FORBIDDEN, "accessKey", f"{FORBIDDEN.message}: this key permits less than you have")
    _remove(call, found)
    return found.access_key


def prepare_password(item: ChangePassword) -> NewPassword:
    """The password to have, hashed. Raises `ItemRefused`."""
    return NewPassword(passwords.hashed(item.new_password, "newPassword"))


def change_password(call: Call, new: NewPassword) -> UserRow:
    """The caller with another password. Keys that were got by signing in with the one before are void with it."""
    old = _user(call)
    now = msgspec.structs.replace(old, password_changed_at=call.work.now, force_password_change=False)
    users.change(call.work, now, new.password_hash)
    call.work.changed(Part.CREDENTIALS, "update", Kind.USER, now.id, before=old, after=now)
    return now


def _user(call: Call) -> UserRow:
    user = users.find(call.work, call.caller.user_id)
    if user is None:  # removed since the password was looked at
        raise RequestRefused(USER_DISABLED)
    return user


def _refuse_other(call: Call, user: UserRow, said: str, field: str) -> None:
    found = users.find_by_address(call.work, fields.address(said, field).key)
    if found is None or found.id != user.id:
        raise refused(NOT_ALLOWED, field, "Field must name the user of the Authorization header")


def _remove(call: Call, key: OwnKey) -> None:
    rows.remove(call.work, key.id)
    _note(call, "delete", key.id, before={"name": call.caller.actor, "application": key.application})


def _note(call: Call, action: str, key: str, *, before: object = None, after: object = None) -> None:
    names = [Name(BINDING, key)]
    call.work.changed(Part.CREDENTIALS, action, LOGON, key, before=before, after=after, names=names)


def _milliseconds(life: timedelta) -> int:
    return int(life / timedelta(milliseconds=1))
