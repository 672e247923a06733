"""How does a user go? With all that belongs to the user: lists, memberships, delegate rights, keys."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.families.directory.users import attributes, operations, rights, rows
from mailreeve.families.directory.users.errors import USER_IN_USE
from mailreeve.families.directory.users.renaming import counted
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.login import rows as login
from mailreeve.families.machinery.call import Call
from mailreeve.policy.model.wording import listed
from mailreeve.store.changes import Name, Part
from mailreeve.wire.errors import refused
from mailreeve.wire.tokens import Kind

_NAMED: Final = 5  # policies that are told by name


class Removed(Struct, frozen=True):
    """A user who is gone, with the keys of the aliases, and what went with them, in words."""

    user: UserRow
    aliases: list[str]
    gone: list[str]


def remove(call: Call, text: str, force: bool) -> Removed:
    """Remove a user. Raises `ItemRefused`.

    Policies and definitions that name one of the addresses are somebody's wish about that address, which mail may
    be sent to and from all the same. So they are never removed with the user: the call is refused, or with `force`
    they stay and are told of.
    """
    user = operations.get(call.work, text, "emailAddress")
    keys = rows.keys_of(call.work, user.id)
    naming = call.naming(*keys)
    if naming and not force:
        message = f"{USER_IN_USE.message}: named by {listed(naming, _NAMED)}; with force these stay"
        raise refused(USER_IN_USE, "emailAddress", message)
    removed = remove_row(call, user, "emailAddress")
    if naming:
        call.warnings.append(f"{user.address} is still named by {listed(naming, _NAMED)}")
    return removed


def remove_row(call: Call, user: UserRow, field: str) -> Removed:
    """Remove a user, whatever names the addresses. Raises `ItemRefused` naming `field` where the caller may not,
    or it is the last administrator."""
    work = call.work
    rights.refuse_above(call, user, field)
    rights.refuse_last(call, user, msgspec.structs.replace(user, disabled=True), field)
    keys = rows.keys_of(work, user.id)
    before = len(work.audits)
    for follower in call.followers:
        follower.removed(call, user.id, keys)
    for binding in login.remove_bindings(work, user.id):
        work.changed(Part.CREDENTIALS, "delete", login.BINDING, binding, before={"user": user.address})
    gone = counted(work.audits[before:])
    attributes.remove_all(work, user.id)
    rows.remove(work, user.id)
    names = [Name(Kind.USER, user.id), *(Name(operations.ADDRESS, key) for key in keys)]
    work.changed(Part.DIRECTORY, "delete", Kind.USER, user.id, before=user, names=names)
    work.touch(Part.CREDENTIALS, Name(Kind.USER, user.id))
    return Removed(user, keys[1:], gone)
