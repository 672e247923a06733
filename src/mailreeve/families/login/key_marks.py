"""Were these accounts written under this key? Each bears a fingerprint of the key that sealed its secrets.

Without it a foreign key would be found out by the first call, and look like a fault of ours.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from sqlalchemy import select, update

from mailreeve.families.login.rows import application
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.schema import account
from mailreeve.store.secrets import Vault


class ForeignKeyError(ValueError):
    """An account was written under another key."""


def sign(engine: SqliteEngine, vault: Vault, fingerprint: str) -> None:
    """Mark the accounts that have no mark yet. Raises `ForeignKeyError` when any belongs to another key.

    An account from before there were marks is known by its secrets, if it has any.
    """
    with engine.reading() as connection:
        found = connection.execute(select(account.c.id, account.c.key_fingerprint)).all()
        unmarked = [account_id for account_id, mark in found if mark is None]
        if any(mark not in (None, fingerprint) for _, mark in found):
            raise ForeignKeyError
        for account_id in unmarked:
            sealed = connection.execute(
                select(application.c.app_key).where(application.c.account_id == account_id).limit(1)
            ).scalar_one_or_none()
            try:
                if sealed is not None:
                    vault.open(sealed, account_id)
            except InvalidTag as problem:
                raise ForeignKeyError from problem
    if unmarked:
        with engine.writing() as connection:
            connection.execute(
                update(account).where(account.c.key_fingerprint.is_(None)).values(key_fingerprint=fingerprint)
            )
