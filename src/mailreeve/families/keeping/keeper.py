"""What has to be durable before a message is acknowledged is written here, of many messages in one transaction.

Of one account all that a message leaves is written wholly or not at all: its outcomes, and the copies of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.store.transactions import Store, Work

_ORIGIN: Final = Origin("mail door")


class NotKeptError(Exception):
    """What is to be kept has no place here. Its message is put off: nothing of it is lost."""


class MessageKeeper:
    """Keeps what mail doors report: outcomes within a budget, copies always."""

    def __init__(self, store: Store, budget: RecordBudget) -> None:
        self._store = store
        self._budget = budget

    def record(self, messages: Sequence[Kept]) -> Sequence[Exception | None]:
        """Keep what is kept of each message; it is durable when this returns. One transaction per account, however
        many messages, unless it fails: then one for each message. The answer says of each message why nothing
        of it is kept, None where all is.

        Given none, it raises if none could be kept now.
        """
        if not messages:
            for account_id in islice(self._store.look_up(accounts.codes).values(), 1):
                self._store.write(account_id, _ORIGIN, tracking.try_to_write)
        problems: list[Exception | None] = [None] * len(messages)
        by_account: defaultdict[str, defaultdict[int, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
        for number, kept in enumerate(messages):
            if kept.held or kept.outgoing:
                problems[number] = NotKeptError("this version keeps no copies of messages")
                continue
            octets = tracking.octets(kept.outcomes)
            for outcome in self._budget.admit(list(zip(kept.outcomes, octets, strict=True))):
                by_account[outcome.account_id][number].append(outcome)
        for account_id, of_messages in by_account.items():
            for number, problem in self._keep(account_id, of_messages):
                problems[number] = problem
        return problems

    def _keep(
        self, account_id: str, of_messages: Mapping[int, Sequence[Outcome]]
    ) -> Iterator[tuple[int, Exception]]:
        """Keep what messages leave in one transaction. Which could not be kept, and why."""

        def add(work: Work) -> None:
            tracking.add(work, *of_messages.values())

        try:
            self._store.write(account_id, _ORIGIN, add)
        except Exception as problem:
            if len(of_messages) == 1:
                yield from ((number, problem) for number in of_messages)
                return
            # One that cannot be written is no reason to put off the others.
            for number, outcomes in of_messages.items():
                yield from self._keep(account_id, {number: outcomes})
