"""Which account is this? The queries of the `account` table, which the store itself declares."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, delete, exists, insert, select, update

from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.store.counts import row_count
from mailreeve.store.schema import account, metadata
from mailreeve.store.transactions import Work


class AccountRow(Struct, frozen=True):
    """An account as the store keeps it."""

    id: str
    code: str
    name: str
    admin_email: str
    created_at: datetime
    locked: bool = False


def get(work: Work) -> AccountRow:
    """The account that the transaction belongs to."""
    row = work.execute(
        select(
            account.c.id,
            account.c.code,
            account.c.name,
            account.c.admin_email,
            account.c.created_at,
            account.c.locked,
        ).where(account.c.id == work.account_id)
    ).one()
    return AccountRow(*row)


def add(work: Work, code: str, name: str, admin_email: str) -> AccountRow:
    """The account that the transaction belongs to, not yet there."""
    row = AccountRow(work.account_id, code, name, admin_email, work.now)
    work.execute(
        insert(account).values(
            id=row.id, code=code, name=name, admin_email=admin_email, revision=0, created_at=row.created_at
        )
    )
    return row


def follow_administrator(work: Work, old: str, new: str) -> bool:
    """Put a user's new address where the account has the old one, given by its key, as its administrator's;
    whether it has."""
    shown = get(work).admin_email
    try:
        if parse_address(shown).key != old:
            return False
    except AddressError:
        return False
    work.execute(update(account).where(account.c.id == work.account_id).values(admin_email=new))
    return True


def codes(connection: Connection) -> dict[str, str]:
    """From the code of every account to its key: asked before any account is chosen."""
    return dict(tuple(row) for row in connection.execute(select(account.c.code, account.c.id)))


def set_locked(work: Work, locked: bool) -> None:
    """Lock the account, or unlock it."""
    work.execute(update(account).where(account.c.id == work.account_id).values(locked=locked))


def remove(work: Work) -> int:
    """Remove every row of the account, in every table, and then the account; how many rows there were.

    It takes no revision, since there is nothing left to have one: the feed notices that the account is gone.
    """
    removed = 0
    tables = [table for table in reversed(metadata.sorted_tables) if table is not account]
    # The counts come last: whatever is removed before is still counted.
    for table in sorted(tables, key=lambda one: one is row_count):
        removed += work.execute(delete(table).where(table.c.account_id == work.account_id)).rowcount
    work.execute(delete(account).where(account.c.id == work.account_id))
    return removed


def is_alone(work: Work) -> bool:
    """Whether there is no other account. Nothing else is told of others."""
    others: bool = work.execute(select(exists().where(account.c.id != work.account_id))).scalar_one()
    return not others
