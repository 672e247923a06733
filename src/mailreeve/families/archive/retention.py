"""How long is the archive kept? As the account says, or else the installation; what is under legal hold,
longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from mailreeve.access.caller import Origin
from mailreeve.families.archive import rows
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.machinery.elsewhere import InArchive
from mailreeve.store.keys import least_key
from mailreeve.store.transactions import Store, Work

FORGET_AT_ONCE: Final = 200  # messages in one transaction, so that the mail that comes meanwhile waits for no more
MOST_DAYS: Final = 36_500

WRITTEN_WITHIN: Final = timedelta(seconds=2)
"""A copy and the record of its delivery are written in one transaction."""

_ORIGIN: Final = Origin("archive")


def kept_for(work: Work, installation_days: int) -> int:
    """For how many days messages of the account are kept; 0 is for good."""
    found = rows.days(work)
    return installation_days if found is None else found


def expires(received_at: datetime, days: int) -> datetime | None:
    """When a message may be removed; None where never."""
    return received_at + timedelta(days=days) if days else None


def archived_as(work: Work, decision_id: str, recipient: str, at: datetime, days: int) -> InArchive | None:
    """How the copy is kept that a recipient got by a decision, about that time; None where there is none."""
    first, beyond = (least_key((at + span).timestamp()) for span in (-WRITTEN_WITHIN, WRITTEN_WITHIN))
    for row in rows.of_decision(work, decision_id, first, beyond):
        if any(one.original == recipient for one in row.envelope.recipients):
            kept = kept_for(work, days)
            return InArchive(row.received_at, expires(row.received_at, kept), kept, row.legal_hold)
    return None


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
