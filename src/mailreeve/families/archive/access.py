"""Whose archived mail may a caller list, and which messages read?

The own mailbox needs no permission, nor one that a delegate right opens; all others take a permission for the
archive. Messages that their senders marked private or personal are hidden from delegates (behaviour.md section
7.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from mailreeve.formats.authors import plain_address
from mailreeve.wire import fields
from mailreeve.wire.errors import NULL, refused
from mailreeve.wire.tokens import Kind

SCOPE: Final = "archive"
SEARCH: Final = Permission.ARCHIVE_SEARCH_READ
Boxes = Sequence[tuple[str, bool]]
"""Mailboxes that a message lies in, as `rows.boxes_of` tells them."""

CONTENT: Final = Permission.ARCHIVE_SEARCH_CONTENT_VIEW
READ: Final = Permission.ARCHIVE_READ


class Mailbox(Struct, frozen=True):
    """A mailbox that a caller may list: by which address it was named, and where its messages lie."""

    name: str
    stretches: tuple[Stretch, ...]


class Opened(Struct, frozen=True):
    """A message that a caller may read, and by which address the mailbox is known that it is read in; empty where
    it lies in none any more."""

    row: ArchivedRow
    mailbox: str


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


def message(
    call: Call, wire_id: str, *any_of: Permission, mailbox: str | None = None, field: str = "id"
) -> Opened:
    """A message that the caller may read, and the mailbox that it is read in: with one of these permissions, or
    because it lies in a mailbox that the caller may open. Where the caller names a `mailbox`, the message has to
    lie there, and the caller has to be one who may open it. Raises `ItemRefused` naming `field`, or `mailbox`."""
    row = rows.find(call.work, call.open(Kind.ARCHIVED_MESSAGE, wire_id, field))
    if row is None:
        raise refused(NO_MESSAGE, field)
    boxes = rows.boxes_of(call.work, row.id)
    open_to = {user.id: user for user in _opened(call, row, boxes)}
    sees_all = call.caller.may(any_of)
    if not (sees_all or open_to):
        raise refused(NO_MESSAGE, field)
    if mailbox is None:
        name = next((user.address for user in open_to.values()), None) or _first_of(row, boxes)
        return Opened(row, name)
    address = fields.address(mailbox, "mailbox")
    user = users.reached(call.work, address)
    if user is not None and (user.id in open_to or (sees_all and _has(user, boxes))):
        return Opened(row, user.address)
    if user is None and sees_all and address.key in {box for box, _ in boxes}:
        return Opened(row, str(address))
    raise refused(NO_MAILBOX, "mailbox")


def _has(user: UserRow, boxes: Boxes) -> bool:
    """Whether a message lies in the mailbox of a user, by the user's id, or by an address that was nobody's."""
    return any((box == user.id and owned) or (box == user.key and not owned) for box, owned in boxes)


def _opened(call: Call, row: ArchivedRow, boxes: Boxes) -> Iterator[UserRow]:
    """The users in whose mailboxes the caller may read the message without a permission: the caller first."""
    caller = _in_person(call)
    own = user_rows.find(call.work, caller) if caller else None
    if own is not None and _has(own, boxes):
        yield own
    if not caller or row.is_private:
        return
    opened = set(mailboxes.opened_by(call.work, caller, SCOPE)) - {caller}
    if not opened:
        return
    for box, owned in sorted(set(boxes)):
        user = None
        if owned and box in opened:
            user = user_rows.find(call.work, box)
        elif not owned:  # nobody's when it came: it is named by the address
            user = user_rows.find_by_address(call.work, box)
        if user is not None and user.id in opened and _has(user, boxes):
            yield user


def _first_of(row: ArchivedRow, boxes: Boxes) -> str:
    """The mailbox that a message is read in by who may read all: that of its first recipient who has one, or of
    its sender."""
    there = {box for box, _ in boxes}
    named = [one.effective for one in row.envelope.recipients]
    named += [row.envelope.original_sender, row.envelope.sender]
    keys = ((text, plain_address(text)) for text in named)
    return next((text for text, address in keys if address is not None and address.key in there), "")


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


def _in_person(call: Call) -> str:
    """The id of the user whose own mailbox the caller opens, and those that were opened to that user; empty for
    keys that were made for less."""
    return call.caller.user_id if call.caller.in_person else ""
