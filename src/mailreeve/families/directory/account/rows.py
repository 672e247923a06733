"""Which account is this? The queries of the `account` table, which the store itself declares."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.store.schema import account
from mailreeve.store.transactions import Work


class AccountRow(Struct, frozen=True):
    """An account as the store keeps it."""

    id: str
    code: str
    name: str
    admin_email: str
    created_at: datetime


def get(work: Work) -> AccountRow:
    """The account that the transaction belongs to."""
    row = work.execute(
        select(account.c.id, account.c.code, account.c.name, account.c.admin_email, account.c.created_at).where(
            account.c.id == work.account_id
        )
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
