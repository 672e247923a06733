"""What can be done with accounts: name and create them. The installer does it; no endpoint does."""

from __future__ import annotations

import secrets
from typing import Final

from mailreeve.families.directory.account import rows
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
