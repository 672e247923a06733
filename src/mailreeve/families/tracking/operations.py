"""What can be done with outcomes: keep them, and forget the old ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.store.transactions import Store

KEEP_REFUSALS: Final = timedelta(days=7)  # behaviour.md section 3.4
KEEP_OTHERS: Final = timedelta(days=30)  # as far back as message-finder goes (api.md section 3.12)

FORGET_AT_ONCE: Final = 5_000  # rows in one transaction, so that the mail that comes meanwhile waits for no more

_ORIGIN: Final = Origin("mail door")


class OutcomeKeeper:
    """Keeps the outcomes that a mail door reports, within a budget."""

    def __init__(self, store: Store, budget: RecordBudget) -> None:
        self._store = store
        self._budget = budget

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Keep them; they are durable when this returns. One transaction per account.

        Given none, it raises if none could be kept now.
        """
        if not outcomes:
            for account_id in islice(self._store.look_up(accounts.codes).values(), 1):
                self._store.write(account_id, _ORIGIN, rows.try_to_write)
            return
        by_account: defaultdict[str, list[Outcome]] = defaultdict(list)
        for outcome in self._budget.admit(list(zip(outcomes, rows.octets(outcomes), strict=True))):
            by_account[outcome.account_id].append(outcome)
        for account_id, theirs in by_account.items():
            self._store.write(account_id, _ORIGIN, partial(rows.add, outcomes=theirs))

    def forget_old(self) -> int:
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
