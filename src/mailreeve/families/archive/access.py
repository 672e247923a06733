"""Whose archived mail may a caller list, and which messages read?

The own mailbox needs no permission, nor one that a delegate right opens; all others take a permission for the
archive. Messages that their senders marked private or personal are hidden from delegates (behaviour.md section
7.2)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.archive import rows
from mailreeve.families.archive.errors import NO_MAILBOX, NO_MESSAGE
from mailreeve.families.archive.rows import ArchivedRow, Stretch
from mailreeve.families.directory.users import mailboxes
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.errors import NULL, refused
from mailreeve.wire.tokens import Kind

SCOPE: Final = "archive"
SEARCH: Final = Permission.ARCHIVE_SEARCH_READ
CONTENT: Final = Permission.ARCHIVE_SEARCH_CONTENT_VIEW
READ: Final = Permission.ARCHIVE_READ


class Mailbox(Struct, frozen=True):
    """A mailbox that a caller may list: by which address it was named, and where its messages lie."""

    name: str
    stretches: tuple[Stretch, ...]


def mailbox(call: Call, text: str | None, field: str, *, aliases: bool = True, delegates: bool = False) -> Mailbox:
    """The mailbox of this address, or the caller's own. Whether it is not there or the caller may not open it, the
    refusal is the same. Raises `ItemRefused` naming `field`."""
    sees_all, acting = call.caller.may((SEARCH,)), _in_person(call)
    if text is None:
        own = user_rows.find(call.work, call.caller.user_id) if acting or sees_all else None
        if own is None:
            raise refused(NULL, field, f"{NULL.message}: the caller has no mailbox")
        return _of_user(call, own, private=True, aliases=aliases, delegates=delegates, sees_all=sees_all)
    address = fields.address(text, field)
    user = users.reached(call.work, address)
    if user is not None and (sees_all or mailboxes.may_open(call.work, acting, user.id, SCOPE)):
        private = sees_all or user.id == call.caller.user_id
        return _of_user(call, user, private=private, aliases=aliases, delegates=delegates, sees_all=sees_all)
    if user is None and sees_all:
        return Mailbox(str(address), (Stretch(address.key),))
    raise refused(NO_MAILBOX, field)


def message(call: Call, wire_id: str, *any_of: Permission, field: str = "id") -> ArchivedRow:
    """A message that the caller may read: with one of these permissions, or because it lies in a mailbox that the
    caller may open. Raises `ItemRefused` naming `field`."""
    row = rows.find(call.work, call.open(Kind.ARCHIVED_MESSAGE, wire_id, field))
    if row is None or not (call.caller.may(any_of) or _lies_open(call, row)):
        raise refused(NO_MESSAGE, field)
    return row


def _of_user(
    call: Call, user: UserRow, *, private: bool, aliases: bool, delegates: bool, sees_all: bool
) -> Mailbox:
    stretches = [
        Stretch(user.id, direct=not aliases, private=private),
        # What came before there was the user, whose other addresses `following` has seen.
        Stretch(user.key, unowned=True, private=private),
    ]
    if delegates:
        for other in mailboxes.opened_by(call.work, user.id, SCOPE):
            # Whoever looks into somebody's mailbox opens no further one through it (behaviour.md D-31).
            if other != user.id and (sees_all or user.id == _in_person(call)):
                stretches.append(Stretch(other, private=sees_all))
    return Mailbox(user.address, tuple(stretches))


def _lies_open(call: Call, row: ArchivedRow) -> bool:
    caller = _in_person(call)
    if not caller:
        return False
    boxes = rows.boxes_of(call.work, row.id)
    owners = {box for box, owned in boxes if owned and "@" not in box}
    if caller in owners:
        return True
    user = user_rows.find(call.work, caller)
    if user is not None and (user.key, False) in boxes:
        return True
    return not row.is_private and any(
        mailboxes.may_open(call.work, caller, owner, SCOPE) for owner in sorted(owners)
    )


def _in_person(call: Call) -> str:
    """The id of the user whose own mailbox the caller opens, and those that were opened to that user; empty for
    keys that were made for less."""
    return call.caller.user_id if call.caller.in_person else ""
