"""Who may change whom? The one guard before a user, whatever is changed of it.

Who could set the password of a user with more permissions, give it an alias, or open its mailbox, could take all
that the user may (behaviour.md section 9). So a caller changes nothing of a user who may do what the caller may
not, under whichever name the user is met. And nobody shuts the last one out who could let the others in again.
"""

from __future__ import annotations

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.roles import rows as roles
from mailreeve.families.directory.users.errors import LAST_ADMINISTRATOR
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.login import rows as login
from mailreeve.families.machinery.call import Call
from mailreeve.store.transactions import Work
from mailreeve.wire.errors import FORBIDDEN, refused


def refuse_above(call: Call, user: UserRow, field: str) -> None:
    """Raises `ItemRefused` naming `field` where the user has a permission that the caller lacks."""
    if user.role is not None and not roles.permissions_of(call.work, user.role) <= call.caller.permissions:
        raise refused(FORBIDDEN, field, f"{FORBIDDEN.message}: the user has permissions that you lack")


def refuse_last(call: Call, old: UserRow, new: UserRow, field: str) -> None:
    """Raises `ItemRefused` naming `field` where the change shuts an administrator out, or takes rights from one,
    and nobody who can sign in could undo it: that takes somebody who may change users, and may do all that this
    one may."""
    held = _held(call.work, old)
    if Permission.DIRECTORIES_INTERNAL_EDIT not in held or _held(call.work, new) >= held:
        return
    if not login.others_sign_in(call.work, old.id, roles.at_least(call.work, held)):
        raise refused(LAST_ADMINISTRATOR, field)


def _held(work: Work, user: UserRow) -> frozenset[Permission]:
    """What a user may do who is let in; nothing, where it is kept out."""
    return frozenset() if user.locked or user.disabled else roles.permissions_of(work, user.role)
