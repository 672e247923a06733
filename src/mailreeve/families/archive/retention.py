"""How long is the archive kept? As the account says, or else the installation; what is under legal hold,
longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from mailreeve.access.caller import Origin
from mailreeve.families.archive import rows
from mailreeve.families.directory.account import rows as accounts
from mailreeve.store.keys import least_key
from mailreeve.store.transactions import Store, Work

FORGET_AT_ONCE: Final = 200  # messages in one transaction, so that the mail that comes meanwhile waits for no more
MOST_DAYS: Final = 36_500

_ORIGIN: Final = Origin("archive")


def kept_for(work: Work, installation_days: int) -> int:
    """For how many days messages of the account are kept; 0 is for good."""
    found = rows.days(work)
    return installation_days if found is None else found


def expires(received_at: datetime, days: int) -> datetime | None:
    """When a message may be removed; None where never."""
    return received_at + timedelta(days=days) if days else None


class ExpiredMessages:
    """The archived messages of every account, which are removed one day."""

    def __init__(self, store: Store, installation_days: int) -> None:
        self._store = store
        self._days = installation_days

    def forget(self) -> int:
        """Remove what is older than its account keeps it, batch by batch. The number removed."""
        total = 0
        for account_id in self._store.look_up(accounts.codes).values():
            days = self._store.read(account_id, lambda work: kept_for(work, self._days))
            if not days:
                continue
            before = least_key((datetime.now(UTC) - timedelta(days=days)).timestamp())
            removed = FORGET_AT_ONCE
            while removed == FORGET_AT_ONCE:
                forget = partial(rows.forget, before=before, most=FORGET_AT_ONCE)
                removed = self._store.write(account_id, _ORIGIN, forget)
                total += removed
        return total
