"""What has to be durable before a message is acknowledged is written here, of many messages in one transaction.

Of one account all that a message leaves is written wholly or not at all: its outcomes, and the copies of it.
Bodies come first, so that no row names one that is not there; one that no row names in the end is swept up later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final

from msgspec.structs import replace

from mailreeve.access.caller import Origin
from mailreeve.families.archive import keep as archive
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.held import arrival
from mailreeve.families.held.arrival import Arrived
from mailreeve.families.held.limits import DEFAULT, HoldLimits
from mailreeve.families.keeping import rows as attempts
from mailreeve.families.keeping.answers import expected, may_send, note
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import ArchivedCopy, Copy, KeptCopy
from mailreeve.families.managed_senders.auto_allow import AutoAllowLimits, Correspondence
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.families.tracking.rows import Written
from mailreeve.store.bodies import Bodies
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Store, Work

SPLIT_OFF: Final = "split-off"
"""The origin of copies that doors could not hand on while the sender waited."""

WAITS: Final = 5.0
"""Seconds that a message waits for others that write to the database; then its sender is told to try again. It is
in less time than any sender waits for an answer, also where one batch waits behind another."""

_ORIGIN: Final = Origin("mail door")


@dataclass(slots=True)
class _Part:
    """What one message leaves in one account."""

    outcomes: list[Written] = field(default_factory=list)
    held: list[Arrived] = field(default_factory=list)
    outgoing: list[Copy] = field(default_factory=list)
    archived: list[ArchivedCopy] = field(default_factory=list)
    answers: list[Correspondence] = field(default_factory=list)
    attempt: str = ""

    def copies(self) -> Iterator[Copy]:
        yield from (one.held.copy for one in self.held)
        yield from self.outgoing
        yield from (one.copy for one in self.archived)


_ByAccount = defaultdict[str, defaultdict[int, _Part]]


def _any_held(parts: Mapping[int, _Part]) -> bool:
    return any(part.held for part in parts.values())


class MessageKeeper:
    """Keeps what mail doors report: outcomes within a budget, copies always, as far as `limits` go.

    `bodies` has those of copies; without it none can be kept. `added` is called when copies were kept that are to
    be handed on, in the thread of whoever reports.
    """

    def __init__(
        self,
        store: Store,
        budget: RecordBudget,
        bodies: Bodies | None = None,
        limits: HoldLimits = DEFAULT,
        added: Callable[[], None] = lambda: None,
        auto_allow: AutoAllowLimits | None = None,
    ) -> None:
        self._store = store
        self._budget = budget
        self._bodies = bodies
        self._limits = limits
        self._added = added
        self._auto_allow = auto_allow or AutoAllowLimits()
        self._began = new_key()

    def record(self, messages: Sequence[Kept]) -> Sequence[Exception | None]:
        """Keep what is kept of each message; it is durable when this returns. One transaction per account, however
        many messages, unless it fails: then one for each message. The answer says of each message why it is not
        kept, None where all of it is. Its sender tries again then: so no account keeps copies of what another one
        was found to be unable to keep, which would have them with every try.

        Given none, it raises if none could be kept now.
        """
        if not messages:
            for account_id in islice(self._store.look_up(accounts.codes).values(), 1):
                self._store.write(account_id, _ORIGIN, tracking.try_to_write, within=WAITS)
        problems: list[Exception | None] = [None] * len(messages)
        by_account: _ByAccount = defaultdict(lambda: defaultdict(_Part))
        for number, kept in enumerate(messages):
            try:
                self._part(kept, number, by_account)
            except Exception as problem:
                # A stranger wrote it: that is no reason to put off the others.
                problems[number] = problem
        self._look_for_room(by_account, problems)
        # Those first that may say that there is no room.
        ordered = sorted(by_account.items(), key=lambda one: not _any_held(one[1]))
        for place, (account_id, all_parts) in enumerate(ordered, 1):
            parts = {
                number: part
                for number, part in all_parts.items()
                if problems[number] is None or not any(part.copies())
            }
            for number, why in self._keep(account_id, parts) if parts else ():
                problems[number] = why
            locked = next((one for one in problems if one is not None and self._store.is_locked(one)), None)
            if locked is not None:
                # Whoever is still to be kept would wait for the same lock, and their senders with them.
                left = {number for _, rest in ordered[place:] for number in rest}
                for number in left:
                    problems[number] = problems[number] or locked
                break
        if any(kept.outgoing for kept in messages):
            self._added()
        return problems

    def _part(self, kept: Kept, number: int, by_account: _ByAccount) -> None:
        """Part what a message leaves by account."""
        answers, outcomes = expected(kept, self._auto_allow, partial(may_send, self._store))
        if answers is not None:
            by_account[answers.account_id][number].answers.append(answers)
        written = tracking.written(outcomes)
        admitted = self._budget.admit([(one.outcome, one.octets) for one in written])
        accounts_of = {outcome.account_id for outcome in admitted}
        if len(accounts_of) == 1 and len(admitted) == len(written):
            by_account[admitted[0].account_id][number].outcomes = written
        else:
            # One that is left out, or goes elsewhere, may be the one that has the header of the others.
            for account_id in accounts_of:
                theirs = [outcome for outcome in admitted if outcome.account_id == account_id]
                by_account[account_id][number].outcomes = tracking.written(theirs)
        for copy in (*(held.copy for held in kept.held), *kept.outgoing):
            by_account[copy.account_id][number].attempt = kept.attempt
        for held in kept.held:
            by_account[held.copy.account_id][number].held.append(arrival.read(held))
        for copy in kept.outgoing:
            by_account[copy.account_id][number].outgoing.append(copy)
        for archived in kept.archived:
            by_account[archived.copy.account_id][number].archived.append(archived)

    def _look_for_room(self, by_account: _ByAccount, problems: list[Exception | None]) -> None:
        """Look whether there is room for messages that several accounts hold, before any of them does."""
        holders = Counter(number for parts in by_account.values() for number, part in parts.items() if part.held)
        for account_id, parts in by_account.items():
            for number, part in parts.items():
                if holders[number] > 1 and problems[number] is None:
                    look = partial(arrival.require_room, arrived=part.held, limits=self._limits)
                    try:
                        self._store.read(account_id, look)
                    except Exception as problem:
                        problems[number] = problem

    def _keep(self, account_id: str, parts: Mapping[int, _Part]) -> Iterator[tuple[int, Exception]]:
        """Keep what messages leave in one transaction. Which could not be kept, and why."""
        try:
            keys = self._put(account_id, [copy for part in parts.values() for copy in part.copies()])
            self._store.write(
                account_id, _ORIGIN, lambda work: self._add(work, list(parts.values()), keys), within=WAITS
            )
        except Exception as problem:
            if len(parts) == 1 or self._store.is_locked(problem):  # A lock is everybody's.
                yield from ((number, problem) for number in parts)
                return
            # One that cannot be written is no reason to put off the others.
            for number, part in parts.items():
                yield from self._keep(account_id, {number: part})

    def _put(self, account_id: str, copies: Sequence[Copy]) -> dict[int, str]:
        """Keep the bodies of copies. The key of each by the identity of its copy."""
        if not copies:
            return {}
        if self._bodies is None:
            raise RuntimeError("there is no place for the bodies of copies")
        keys = self._bodies.put(account_id, [copy.content.body for copy in copies])
        return {id(copy): key for copy, key in zip(copies, keys, strict=True)}

    def _kept_before(self, work: Work, part: _Part) -> frozenset[str]:
        """The recipients whose copies were kept by a process that died, perhaps before it could say so; those of
        the others are noted."""
        copies = [*(one.held.copy for one in part.held), *part.outgoing]
        if not part.attempt or not copies:
            return frozenset()
        there = attempts.kept_before(work, part.attempt, self._began)
        recipients = {str(to.original) for copy in copies for to in copy.recipients}
        attempts.add(work, part.attempt, sorted(recipients - there))
        return there

    def _add(self, work: Work, parts: Sequence[_Part], keys: Mapping[int, str]) -> None:
        tracking.put(work, [part.outcomes for part in parts])
        held: list[tuple[Arrived, str]] = []
        copies: list[KeptCopy] = []
        for part in parts:
            there = self._kept_before(work, part)
            for one in part.held:
                lacking = _without(one.held.copy, there)
                if lacking is not None:
                    left = replace(one, held=replace(one.held, copy=lacking))
                    held.append((left, keys[id(one.held.copy)]))
            for copy in part.outgoing:
                lacking = _without(copy, there)
                if lacking is not None:
                    copies.append(KeptCopy(lacking, keys[id(copy)]))
        arrival.keep(work, held, self._limits)
        outgoing.add(work, copies, SPLIT_OFF)
        archived = [(one, keys[id(one.copy)]) for part in parts for one in part.archived]
        archive.keep_all(work, archived, self._began)
        note(work, [answers for part in parts for answers in part.answers], self._auto_allow)


def _without(copy: Copy, recipients: frozenset[str]) -> Copy | None:
    """The copy without these recipients; None where nobody is left."""
    if not recipients:
        return copy
    left = tuple(one for one in copy.recipients if str(one.original) not in recipients)
    return replace(copy, recipients=left) if left else None
