"""How long are outcomes kept, and how are the old ones forgotten?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.tracking import rows
from mailreeve.store.transactions import Store

KEEP_REFUSALS: Final = timedelta(days=7)  # behaviour.md section 3.4
KEEP_OTHERS: Final = timedelta(days=30)  # as far back as message-finder goes (api.md section 3.12)

FORGET_AT_ONCE: Final = 1_000  # rows in one transaction, so that the mail that comes meanwhile waits for no more

_ORIGIN: Final = Origin("mail door")


class OldOutcomes:
    """The outcomes of every account, which are forgotten one day."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def forget(self) -> int:
        """Remove what is older than it is kept for, in every account, batch by batch. The number removed."""
        now = datetime.now(UTC)
        forget = partial(
            rows.forget,
            refusals_before=now - KEEP_REFUSALS,
            others_before=now - KEEP_OTHERS,
            most=FORGET_AT_ONCE,
        )
        total = 0
        for account_id in self._store.look_up(accounts.codes).values():
            removed = FORGET_AT_ONCE
            while removed == FORGET_AT_ONCE:
                removed = self._store.write(account_id, _ORIGIN, forget)
                total += removed
        return total
