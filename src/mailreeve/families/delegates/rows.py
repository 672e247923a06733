"""Which rights to open another's mailbox are there? The queries; `mailboxes` has the table, and answers others.

A right is between two users, not between two addresses (D-32): it survives whatever becomes of their aliases.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import and_, delete, func, insert, or_, select, update

from mailreeve.families.directory.users import mailboxes
from mailreeve.families.directory.users.mailboxes import DelegateScope, delegate_right
from mailreeve.families.directory.users.rows import UserRow, user
from mailreeve.families.machinery.pages import Listing
from mailreeve.store.keys import new_key
from mailreeve.store.records import Query, given, maker, ours
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

_holder: Final = user.alias("holder")
_mailbox: Final = user.alias("mailbox")


class DelegateRow(Struct, frozen=True):
    """A right: the user `holder` can open the mailbox of the user `mailbox`, both by primary address. `scopes` are
    as the column holds them."""

    id: str
    holder_id: str
    holder: str
    mailbox_id: str
    mailbox: str
    mailbox_name: str
    mailbox_source: str
    scopes: str
    expires_at: datetime | None

    @property
    def opens(self) -> tuple[DelegateScope, ...]:
        """What of the mailbox it opens."""
        return mailboxes.scopes_in(self.scopes)


_right: Final = delegate_right.c
_rights: Final = (
    select(
        _right.id,
        _right.holder_id,
        _holder.c.address,
        _right.mailbox_id,
        _mailbox.c.address,
        _mailbox.c.name,
        _mailbox.c.source,
        _right.scopes,
        _right.expires_at,
    )
    .join(_holder, and_(_holder.c.account_id == _right.account_id, _holder.c.id == _right.holder_id))
    .join(_mailbox, and_(_mailbox.c.account_id == _right.account_id, _mailbox.c.id == _right.mailbox_id))
    .where(ours(delegate_right))
)
_of_holder: Final = _right.holder_id == given("holder")
_of_mailbox: Final = _right.mailbox_id == given("mailbox")
_in_force: Final = mailboxes.in_force()
_make: Final = maker(DelegateRow)
_held: Final = Listing(_rights.where(_of_holder, _in_force), _right.id, _make, all_at_once=True)
_all: Final = Listing(_rights.where(_in_force), _right.id, _make)
_count_all: Final = select(func.count()).select_from(delegate_right).where(ours(delegate_right), _in_force)
_count: Final = _count_all.where(_of_holder)
_one: Final = Query(delegate_right.name, _rights.where(_right.id == given("key")), _make)
_between: Final = Query(delegate_right.name, _rights.where(_of_holder, _of_mailbox), _make)
_of_user: Final = Query(
    delegate_right.name,
    _rights.where(or_(_right.holder_id == given("user"), _right.mailbox_id == given("user"))).order_by(_right.id),
    _make,
)
_insert: Final = insert(delegate_right)
_change: Final = update(delegate_right).where(ours(delegate_right), _right.id == given("key"))
_remove: Final = delete(delegate_right).where(ours(delegate_right), _right.id == given("key"))
_remove_over: Final = delete(delegate_right).where(
    ours(delegate_right), _of_holder, _right.expires_at <= given("now")
)


def held_by(work: Work, user_id: str, asked: Asked) -> Page[DelegateRow]:
    """A page of the rights in force that a user holds in the order of their keys, or all of them when no page was
    asked for."""
    return _held.page(work, asked, lambda: count_held(work, user_id), holder=user_id, now=work.now)


def page_of_all(work: Work, asked: Asked) -> Page[DelegateRow]:
    """A page of the rights in force of all users, in the order of their keys."""

    def total() -> int:
        found: int = work.run(_count_all, {"now": work.now}).scalar_one()
        return found

    return _all.page(work, asked, total, now=work.now)


def count_held(work: Work, user_id: str) -> int:
    """How many rights in force a user holds."""
    found: int = work.run(_count, {"holder": user_id, "now": work.now}).scalar_one()
    return found


def of_user(work: Work, user_id: str) -> list[DelegateRow]:
    """The rights that a user holds, and those to the user's mailbox; those as well that have ended."""
    return _of_user.every(work, user=user_id)


def find(work: Work, key: str) -> DelegateRow | None:
    """One right, or None."""
    return _one.one(work, key=key)


def find_between(work: Work, holder_id: str, mailbox_id: str) -> DelegateRow | None:
    """The right of one user to the mailbox of another, though it may have ended, or None."""
    return _between.one(work, holder=holder_id, mailbox=mailbox_id)


def add(
    work: Work,
    holder: UserRow,
    mailbox: UserRow,
    scopes: Iterable[DelegateScope] = mailboxes.DEFAULT_SCOPES,
    expires_at: datetime | None = None,
) -> DelegateRow:
    """A new right."""
    row = DelegateRow(
        new_key(),
        holder.id,
        holder.address,
        mailbox.id,
        mailbox.address,
        mailbox.name,
        mailbox.source,
        mailboxes.written(scopes),
        expires_at,
    )
    values = {"id": row.id, "holder_id": holder.id, "mailbox_id": mailbox.id, "created_at": work.now}
    work.insert(_insert, values | {"scopes": row.scopes, "expires_at": expires_at})
    return row


def change(
    work: Work, old: DelegateRow, scopes: Iterable[DelegateScope], expires_at: datetime | None
) -> DelegateRow:
    """The right with other scopes, or another end; its id stays."""
    new = replace(old, scopes=mailboxes.written(scopes), expires_at=expires_at)
    work.run(_change.values(scopes=new.scopes, expires_at=new.expires_at), {"key": old.id})
    return new


def remove(work: Work, key: str) -> None:
    """End a right."""
    work.run(_remove, {"key": key})


def remove_over(work: Work, holder_id: str) -> None:
    """Take out the rights of a user that have ended."""
    work.run(_remove_over, {"holder": holder_id, "now": work.now})
