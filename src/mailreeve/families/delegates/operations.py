"""What can be done with delegate rights: validate, change, audit (behaviour.md section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mailreeve.families.delegates import rows
from mailreeve.families.delegates.errors import (
    DELEGATE_LIMIT,
    DELEGATE_NOT_FOUND,
    DELEGATE_OVER,
    DELEGATE_SELF,
)
from mailreeve.families.delegates.rows import DelegateRow
from mailreeve.families.directory.users import mailboxes, rights
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.mailboxes import DEFAULT_SCOPES, DelegateScope
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.errors import BLANK, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

KIND: Final = Kind.DELEGATE


def add(
    call: Call,
    primary_address: str,
    delegate_address: str,
    scopes: Sequence[DelegateScope] | None = None,
    expires: str | None = None,
) -> DelegateRow:
    """The right of the user `primary_address` to open the mailbox of the user `delegate_address`, made unless it
    is there already (D-29). Both are users of the account, not the same one (D-30); aliases and tags stand for
    their users (D-32, D-53).

    `scopes` are what of the mailbox it opens, by default all but sending (D-34); `expires` is when it ends. Where
    there is a right, it is as they say from now on; what is not given stays, so that a call that knows of neither
    widens nothing. Raises `ItemRefused`.
    """
    holder = users.get_reached(call.work, primary_address, "primaryAddress")
    mailbox = users.get_reached(call.work, delegate_address, "delegateAddress")
    if holder.id == mailbox.id:
        raise refused(DELEGATE_SELF, "delegateAddress")
    rights.refuse_above(call, holder, "primaryAddress")
    rights.refuse_above(call, mailbox, "delegateAddress")
    if scopes is not None and not scopes:
        raise refused(BLANK, "scopes", f"{BLANK.message}: some of {', '.join(DelegateScope)}")
    end = None if expires is None else fields.moment(expires, "expires")
    if end is not None and end <= call.work.now:
        raise refused(DELEGATE_OVER, "expires", f"{DELEGATE_OVER.message}: {expires} is past")
    # Rights that have ended are of no use to anybody; and where one is given anew, it is another one.
    rows.remove_over(call.work, holder.id)
    there = rows.find_between(call.work, holder.id, mailbox.id)
    if there is not None:
        return _changed(call, there, scopes, end)
    most = call.limits.delegates_per_user
    if rows.count_held(call.work, holder.id) >= most:
        raise refused(DELEGATE_LIMIT, "primaryAddress", f"{DELEGATE_LIMIT.message}: {most}")
    row = rows.add(call.work, holder, mailbox, scopes or DEFAULT_SCOPES, end)
    # No mail or web decision looks at delegate rights.
    call.work.changed(None, "create", KIND, row.id, after=row)
    return row


def _changed(
    call: Call, there: DelegateRow, scopes: Sequence[DelegateScope] | None, end: datetime | None
) -> DelegateRow:
    """The right as it is said now."""
    wanted = there.opens if scopes is None else scopes
    ends = there.expires_at if end is None else end
    if (mailboxes.written(wanted), ends) == (there.scopes, there.expires_at):
        return there
    row = rows.change(call.work, there, wanted, ends)
    call.work.changed(None, "update", KIND, row.id, before=there, after=row)
    return row


def held_by(call: Call, primary_address: str) -> Page[DelegateRow]:
    """The rights that a user holds. Raises `ItemRefused`."""
    return rows.held_by(call.work, users.get_reached(call.work, primary_address, "primaryAddress").id, call.page)


def remove(call: Call, wire_id: str) -> None:
    """End a right. Raises `ItemRefused`."""
    row = rows.find(call.work, call.open(KIND, wire_id))
    if row is None or mailboxes.ended(row.expires_at, call.work.now):
        raise refused(DELEGATE_NOT_FOUND, "id")
    for user_id in (row.holder_id, row.mailbox_id):
        user = user_rows.find(call.work, user_id)
        if user is not None:  # A right goes with either of its users.
            rights.refuse_above(call, user, "id")
    rows.remove(call.work, row.id)
    call.work.changed(None, "delete", KIND, row.id, before=row)
