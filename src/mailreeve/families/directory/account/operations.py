"""What can be done with accounts: name, create, lock and remove them. The operator does it on the folder; no
endpoint does, since a caller has one account and learns nothing of others."""

from __future__ import annotations

import secrets
from typing import Final

from mailreeve.families.directory.account import rows
from mailreeve.store.changes import Part
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Work
from mailreeve.wire.tokens import Kind

REGION: Final = "mr"
GRIDS: Final = "AB"


def new_identity() -> tuple[str, str]:
    """The key and the code of an account to be created.

    The code has the live service's form: `C`, region, grid letter, number (api.md section 1.8). It is random and
    one of many millions; the store refuses a second use.
    """
    number = secrets.randbelow(9 * 10**7) + 10**7
    return new_key(), f"C{REGION.upper()}{secrets.choice(GRIDS)}{number}"


def create(work: Work, code: str, name: str, admin_email: str) -> str:
    """Create the account whose key the transaction was begun with; returns that key.

    Everything else that an account starts with can follow in the same transaction.
    """
    row = rows.add(work, code, name, admin_email)
    work.changed(None, "create", Kind.ACCOUNT, row.id, after=row)
    return row.id


def set_locked(work: Work, locked: bool) -> bool:
    """Refuse every call for the account, and put its mail off, or stop doing so. Whether that is news."""
    old = rows.get(work)
    if old.locked is locked:
        return False
    rows.set_locked(work, locked)
    action = "lock" if locked else "unlock"
    before, after = {"locked": old.locked}, {"locked": locked}
    work.changed(Part.CREDENTIALS, action, Kind.ACCOUNT, old.id, before=before, after=after)
    return True
