"""Do decisions wait while something else goes on in the process? One thread asks and is timed, another works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import cycle

from msgspec import Struct

from mailreeve.families.registry import LOADERS
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store.follow import Follower, Keep
from rig import worlds
from rig.changing import CREATE, DELETE, Account, message, wire_policy

EVERY = 0.001
"""Seconds from one message to the next: a thousand in a second are many for a mail server."""


class Asked(Struct, frozen=True):
    """Microseconds of each decision, those apart that had to make the new set of a change first; and the seconds
    of each piece of work that the other thread did."""

    quick: list[float]
    followed: list[float]
    work: list[float]


def asked(
    account: Account,
    questions: Sequence[MessageFacts],
    work: Callable[[], None],
    seconds: float,
    every: float = EVERY,
    again: bool = True,
) -> Asked:
    """Decide for some seconds, and for as long as the first piece of work takes, while `work` is done in another
    thread, over and over unless once is enough.

    A message is due `every` so many seconds, and what it takes is counted from then; with 0 each follows the one
    before without a pause. Every decision begins by asking for the set in force, as the mail door's do.
    """
    stop, first = threading.Event(), threading.Event()
    pieces: list[float] = []

    def working() -> None:
        time.sleep(0.1)  # so that decisions are under way
        try:
            while not stop.is_set():
                began = time.perf_counter()
                work()
                pieces.append(time.perf_counter() - began)
                first.set()
                if not again:
                    return
        finally:
            first.set()

    clock, follower = time.perf_counter, account.services.follower
    quick: list[float] = []
    followed: list[float] = []
    last = follower.current(account.id)
    worker = threading.Thread(target=working)
    worker.start()
    due = clock()
    until = due + seconds
    for facts in cycle(questions):
        now = clock()
        if now > until and first.is_set():
            break
        if due > now:
            time.sleep(due - now)
        else:
            due = now
        policies = follower.current(account.id)
        decide_mail(policies, facts)
        took = (clock() - due) * 1e6
        (quick if policies is last else followed).append(took)
        last = policies
        due += every
    stop.set()
    worker.join()
    return Asked(quick, followed, pieces)


def nothing() -> None:
    """No work."""
    time.sleep(0.05)


def counting() -> None:
    """Work in Python that has nothing to do with policies: what any other thread costs."""
    for _ in range(100_000):
        pass


class Changing:
    """A policy created and deleted in turn. What the probe meets is then told by the revision alone; `check`
    raises `SystemExit` if a decision met anything else."""

    def __init__(self, account: Account, user: str) -> None:
        self._account = account
        self._probe = message("probe@probe.test", user)
        self._item: dict[str, object] = {"option": "block_sender", "policy": wire_policy("probe@probe.test")}
        self._revision = account.policies().revision
        self._blocked: dict[int, bool] = {self._revision: False}
        self._id = ""

    def __call__(self) -> None:
        # Nobody else writes: each call takes the next revision.
        self._revision += 1
        self._blocked[self._revision] = not self._id
        if self._id:
            self._account.call(DELETE, {"id": self._id})
            self._id = ""
        else:
            self._id = self._account.call(CREATE, self._item)["id"]

    def check(self, seconds: float) -> int:
        """How many decisions were held against the revision that they name."""
        seen: list[tuple[int, bool]] = []
        stop = threading.Event()

        def working() -> None:
            while not stop.is_set():
                self()

        worker = threading.Thread(target=working)
        worker.start()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            decision = decide_mail(self._account.policies(), self._probe)
            seen.append((decision.revision, decision.winners[PolicyType.BLOCKED_SENDERS] is not None))
        stop.set()
        worker.join()
        wrong = [one for one in seen if self._blocked[one[0]] is not one[1]]
        if wrong:
            raise SystemExit(f"{len(wrong)} decisions are not what their revision says: {wrong[:3]}")
        return len(seen)


class Loading:
    """The account loaded anew from the store by a follower of its own, and what was loaded let go."""

    def __init__(self, account: Account) -> None:
        self._id = account.id
        self._follower = Follower(account.services.store, LOADERS, worlds.RELAY, Keep(idle=-1.0))

    def load(self) -> None:
        """Load it, the first time."""
        self._follower.current(self._id)

    def let_go(self) -> None:
        """Drop it."""
        self._follower.let_go()
