"""What can be done with outcomes: keep them, and forget the old ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.store.transactions import Store, Work

KEEP_REFUSALS: Final = timedelta(days=7)  # behaviour.md section 3.4
KEEP_OTHERS: Final = timedelta(days=30)  # as far back as message-finder goes (api.md section 3.12)

FORGET_AT_ONCE: Final = 1_000  # rows in one transaction, so that the mail that comes meanwhile waits for no more

_ORIGIN: Final = Origin("mail door")


class OutcomeKeeper:
    """Keeps the outcomes that a mail door reports, within a budget."""

    def __init__(self, store: Store, budget: RecordBudget) -> None:
        self._store = store
        self._budget = budget

    def record(self, messages: Sequence[Sequence[Outcome]]) -> Sequence[Exception | None]:
        """Keep the outcomes of each message; they are durable when this returns. One transaction per account,
        however many messages, unless it fails: then one for each message. The answer says of each message why its
        outcomes are not kept, None where they are.

        Given none, it raises if none could be kept now.
        """
        if not messages:
            for account_id in islice(self._store.look_up(accounts.codes).values(), 1):
                self._store.write(account_id, _ORIGIN, rows.try_to_write)
        problems: list[Exception | None] = [None] * len(messages)
        by_account: defaultdict[str, defaultdict[int, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
        for number, outcomes in enumerate(messages):
            for outcome in self._budget.admit(list(zip(outcomes, rows.octets(outcomes), strict=True))):
                by_account[outcome.account_id][number].append(outcome)
        for account_id, of_messages in by_account.items():
            for number, problem in self._keep(account_id, of_messages):
                problems[number] = problem
        return problems

    def _keep(
        self, account_id: str, of_messages: Mapping[int, Sequence[Outcome]]
    ) -> Iterator[tuple[int, Exception]]:
        """Keep the outcomes of messages in one transaction. Which could not be kept, and why."""

        def add(work: Work) -> None:
            rows.add(work, *of_messages.values())

        try:
            self._store.write(account_id, _ORIGIN, add)
        except Exception as problem:
            if len(of_messages) == 1:
                yield from ((number, problem) for number in of_messages)
                return
            # One that cannot be written is no reason to put off the others.
            for number, outcomes in of_messages.items():
                yield from self._keep(account_id, {number: outcomes})

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
