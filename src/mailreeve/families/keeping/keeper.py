"""What has to be durable before a message is acknowledged is written here, of many messages in one transaction.

Of one account all that a message leaves is written wholly or not at all: its outcomes, and the copies of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from mailreeve.access.caller import Origin
from mailreeve.families.archive.keep import keep as archive
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import ArchivedCopy
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.store.bodies import Bodies
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Store, Work

_ORIGIN: Final = Origin("mail door")


class _OfAccount:
    """What one message leaves of one account."""

    __slots__ = ("archived", "outcomes")

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.archived: list[ArchivedCopy] = []


class MessageKeeper:
    """Keeps what mail doors report: outcomes within a budget, copies always. `bodies` are where those of copies
    go, before the rows that name them."""

    def __init__(self, store: Store, budget: RecordBudget, bodies: Bodies | None = None) -> None:
        self._store = store
        self._budget = budget
        self._bodies = bodies
        self._began = new_key()

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
        by_account: defaultdict[str, defaultdict[int, _OfAccount]] = defaultdict(lambda: defaultdict(_OfAccount))
        for number, kept in enumerate(messages):
            octets = tracking.octets(kept.outcomes)
            for outcome in self._budget.admit(list(zip(kept.outcomes, octets, strict=True))):
                by_account[outcome.account_id][number].outcomes.append(outcome)
            for archived in kept.archived:
                by_account[archived.copy.account_id][number].archived.append(archived)
        for account_id, of_messages in by_account.items():
            for number, problem in self._keep(account_id, of_messages):
                problems[number] = problem
        return problems

    def _keep(self, account_id: str, of_messages: Mapping[int, _OfAccount]) -> Iterator[tuple[int, Exception]]:
        """Keep what messages leave in one transaction. Which could not be kept, and why."""
        copies = [copy for one in of_messages.values() for copy in one.archived]

        def add(work: Work) -> None:
            tracking.add(work, *(one.outcomes for one in of_messages.values() if one.outcomes))
            for copy, body in zip(copies, bodies, strict=True):
                archive(work, copy, body, self._began)

        try:
            bodies = self._put(account_id, copies)
            self._store.write(account_id, _ORIGIN, add)
        except Exception as problem:
            if len(of_messages) == 1:
                yield from ((number, problem) for number in of_messages)
                return
            # One that cannot be written is no reason to put off the others.
            for number, one in of_messages.items():
                yield from self._keep(account_id, {number: one})

    def _put(self, account_id: str, copies: Sequence[ArchivedCopy]) -> list[str]:
        """Keep the bodies of copies, durably, and say under which keys. Raises `OSError`."""
        if not copies:
            return []
        if self._bodies is None:
            raise OSError("there is no place for bodies")
        return self._bodies.put(account_id, [one.copy.content.body for one in copies])
