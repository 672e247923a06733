"""What can be done with delegate rights: validate, change, audit (behaviour.md section 7)."""

from __future__ import annotations

from typing import Final

from mailreeve.families.delegates import rows
from mailreeve.families.delegates.errors import DELEGATE_LIMIT, DELEGATE_NOT_FOUND, DELEGATE_SELF
from mailreeve.families.delegates.rows import DelegateRow
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rights
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.machinery.call import Call
from mailreeve.wire.errors import refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

KIND: Final = Kind.DELEGATE


def add(call: Call, primary_address: str, delegate_address: str) -> DelegateRow:
    """The right of the user `primary_address` to open the mailbox of the user `delegate_address`, made unless it
    is there already (D-29). Both are users of the account, not the same one (D-30); aliases and tags stand for
    their users (D-32, D-53). Raises `ItemRefused`."""
    holder = users.get_reached(call.work, primary_address, "primaryAddress")
    mailbox = users.get_reached(call.work, delegate_address, "delegateAddress")
    if holder.id == mailbox.id:
        raise refused(DELEGATE_SELF, "delegateAddress")
    rights.refuse_above(call, holder, "primaryAddress")
    rights.refuse_above(call, mailbox, "delegateAddress")
    there = rows.find_between(call.work, holder.id, mailbox.id)
    if there is not None:
        return there
    most = call.limits.delegates_per_user
    if rows.count_held(call.work, holder.id) >= most:
        raise refused(DELEGATE_LIMIT, "primaryAddress", f"{DELEGATE_LIMIT.message}: {most}")
    row = rows.add(call.work, holder, mailbox)
    # No mail or web decision looks at delegate rights.
    call.work.changed(None, "create", KIND, row.id, after=row)
    return row


def held_by(call: Call, primary_address: str) -> Page[DelegateRow]:
    """The rights that a user holds. Raises `ItemRefused`."""
    return rows.held_by(call.work, users.get_reached(call.work, primary_address, "primaryAddress").id, call.page)


def remove(call: Call, wire_id: str) -> None:
    """End a right. Raises `ItemRefused`."""
    row = rows.find(call.work, call.open(KIND, wire_id))
    if row is None:
        raise refused(DELEGATE_NOT_FOUND, "id")
    for user_id in (row.holder_id, row.mailbox_id):
        user = user_rows.find(call.work, user_id)
        if user is not None:  # A right goes with either of its users.
            rights.refuse_above(call, user, "id")
    rows.remove(call.work, row.id)
    call.work.changed(None, "delete", KIND, row.id, before=row)
