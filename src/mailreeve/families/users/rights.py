"""Who may change whom? The one guard before a user, whatever is changed of it.

Who could set the password of a user with more permissions, give it an alias, or open its mailbox, could take all
that the user may (behaviour.md section 9). So a caller changes nothing of a user who may do what the caller may
not, under whichever name the user is met. And nobody shuts the last one out who could let the others in again.
"""

from __future__ import annotations

from mailreeve.directory.permissions import ROLE_PERMISSIONS, Role
from mailreeve.families.call import Call
from mailreeve.families.users import rows
from mailreeve.families.users.rows import UserRow
from mailreeve.wire.errors import FORBIDDEN, LAST_ADMINISTRATOR, refused


def refuse_above(call: Call, user: UserRow, field: str) -> None:
    """Raises `ItemRefused` naming `field` where the user has a permission that the caller lacks."""
    if user.role is not None and not ROLE_PERMISSIONS[user.role] <= call.caller.permissions:
        raise refused(FORBIDDEN, field, f"{FORBIDDEN.message}: the user has permissions that you lack")


def refuse_last(call: Call, old: UserRow, new: UserRow, field: str) -> None:
    """Raises `ItemRefused` where the change keeps out the last Super Administrator: nobody else may change one, so
    nobody could let anybody in again."""
    if _can_come_in(old) and not _can_come_in(new) and not rows.others_who_administer(call.work, old.id):
        raise refused(LAST_ADMINISTRATOR, field)


def _can_come_in(user: UserRow) -> bool:
    shut_out = user.locked or user.disabled or user.force_password_change
    return user.role is Role.SUPER_ADMINISTRATOR and not shut_out
