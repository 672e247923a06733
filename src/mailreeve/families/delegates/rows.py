"""Who may open whose mailbox? The table and its queries.

A right is between two users, not between two addresses (D-32): it survives whatever becomes of their aliases.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Select,
    Table,
    UniqueConstraint,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
)

from mailreeve.families.directory.users.rows import UserRow, user
from mailreeve.families.machinery.pages import page_of
from mailreeve.store.keys import new_key
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

delegate_right: Final = Table(
    "delegate_right",
    metadata,
    account_column(),
    key_column(),
    Column("holder_id", KEY, nullable=False),
    Column("mailbox_id", KEY, nullable=False),
    Column("created_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "holder_id"], ["user.account_id", "user.id"]),
    ForeignKeyConstraint(["account_id", "mailbox_id"], ["user.account_id", "user.id"]),
    UniqueConstraint("account_id", "holder_id", "mailbox_id"),
    Index(None, "account_id", "mailbox_id"),
    Index(None, "account_id", "holder_id", "id"),
)
"""Rights: the user `holder_id` can open the mailbox of the user `mailbox_id`."""

_holder: Final = user.alias("holder")
_mailbox: Final = user.alias("mailbox")


class DelegateRow(Struct, frozen=True):
    """A right: the user `holder` can open the mailbox of the user `mailbox`, both by primary address."""

    id: str
    holder_id: str
    holder: str
    mailbox_id: str
    mailbox: str
    mailbox_name: str
    mailbox_source: str


def held_by(work: Work, user_id: str, asked: Asked) -> Page[DelegateRow]:
    """A page of the rights that a user holds in the order of their keys, or all of them when no page was asked
    for."""
    query = _rights(work).where(delegate_right.c.holder_id == user_id)
    return page_of(
        work,
        query,
        delegate_right.c.id,
        asked,
        lambda row: DelegateRow(*row),
        lambda: count_held(work, user_id),
        all_at_once=True,
    )


def count_held(work: Work, user_id: str) -> int:
    """How many rights a user holds."""
    found: int = work.execute(
        select(func.count())
        .select_from(delegate_right)
        .where(delegate_right.c.account_id == work.account_id, delegate_right.c.holder_id == user_id)
    ).scalar_one()
    return found


def find(work: Work, key: str) -> DelegateRow | None:
    """One right, or None."""
    row = work.execute(_rights(work).where(delegate_right.c.id == key)).one_or_none()
    return work.read_one(delegate_right.name, row, lambda row: DelegateRow(*row))


def find_between(work: Work, holder_id: str, mailbox_id: str) -> DelegateRow | None:
    """The right of one user to the mailbox of another, or None."""
    row = work.execute(
        _rights(work).where(delegate_right.c.holder_id == holder_id, delegate_right.c.mailbox_id == mailbox_id)
    ).one_or_none()
    return work.read_one(delegate_right.name, row, lambda row: DelegateRow(*row))


def may_open(work: Work, user_id: str, mailbox_user_id: str) -> bool:
    """Whether a user may open the mailbox of a user: its own, and those it holds a right to.

    Rights are not handed on (D-31): who may open a mailbox does not thereby open what its owner may open.
    """
    if user_id == mailbox_user_id:
        return True
    found: bool = work.execute(
        select(
            exists().where(
                delegate_right.c.account_id == work.account_id,
                delegate_right.c.holder_id == user_id,
                delegate_right.c.mailbox_id == mailbox_user_id,
            )
        )
    ).scalar_one()
    return found


def add(work: Work, holder: UserRow, mailbox: UserRow) -> DelegateRow:
    """A new right."""
    row = DelegateRow(
        new_key(), holder.id, holder.address, mailbox.id, mailbox.address, mailbox.name, mailbox.source
    )
    work.execute(
        insert(delegate_right).values(
            account_id=work.account_id,
            id=row.id,
            holder_id=holder.id,
            mailbox_id=mailbox.id,
            created_at=work.now,
        )
    )
    return row


def remove(work: Work, key: str) -> None:
    """End a right."""
    work.execute(
        delete(delegate_right).where(delegate_right.c.account_id == work.account_id, delegate_right.c.id == key)
    )


def _rights(work: Work) -> Select[Any]:
    right = delegate_right.c
    return (
        select(
            right.id,
            right.holder_id,
            _holder.c.address,
            right.mailbox_id,
            _mailbox.c.address,
            _mailbox.c.name,
            _mailbox.c.source,
        )
        .join(_holder, and_(_holder.c.account_id == right.account_id, _holder.c.id == right.holder_id))
        .join(_mailbox, and_(_mailbox.c.account_id == right.account_id, _mailbox.c.id == right.mailbox_id))
        .where(right.account_id == work.account_id)
    )
