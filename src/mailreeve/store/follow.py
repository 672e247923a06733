"""Which policy set is in force now? Each account's newest, loaded on first use and is_reversed at every change.

A commit of this process notes the objects it touched before its caller gets an answer; whoever asks next reads
just those and swaps the set. So a decision that follows a successful answer sees the change, many writes in a row
cost one load, and a decision reads one immutable set from start to end. A set holds what this process committed up
to the set's revision, all of it and nothing later.

Sets of accounts that nobody asks for are let go, and loaded again on their next use.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import structlog
from msgspec import Struct
from sqlalchemy import select

from mailreeve.formats.networks import Network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, DirectoryChanges
from mailreeve.policy.model.policies import (
    AlterationPolicy,
    BlockedSenderPolicy,
    Changes,
    Definition,
    ManagedSender,
    PermittedSenderPolicy,
    WebPolicy,
)
from mailreeve.store.schema import account
from mailreeve.store.transactions import Name, Part, Store, Touched, Work

T = TypeVar("T")
Whole = TypeVar("Whole", covariant=True)
Some = TypeVar("Some", covariant=True)

MOST_NAMED: Final = 10_000
"""With more objects to be read again, the part is read as a whole."""

SETTLED: Final = 50_000
"""From so many policies on a set is worth keeping from the garbage collector."""

TOLD_EVERY: Final = 1.0
"""Seconds between two lines about a load that takes long."""

_LOOKED_AT_CLOCK: Final = 5_000  # objects between two looks at the clock while loading
_log = structlog.get_logger(__name__)


class Loader(Struct, Generic[Whole, Some], frozen=True):
    """Where one part of a policy set comes from: two functions of a family's rows, one that reads all objects and
    one that says what has become of some."""

    every: Callable[[Work], Whole]
    some: Callable[[Work, Collection[Name]], Some]


class Loaders(Struct, frozen=True):
    """Where each part of a policy set comes from."""

    directory: Loader[Directory, DirectoryChanges]
    blocked: Loader[Iterable[BlockedSenderPolicy], Changes[BlockedSenderPolicy]]
    permitted: Loader[Iterable[PermittedSenderPolicy], Changes[PermittedSenderPolicy]]
    managed: Loader[Iterable[ManagedSender], Changes[ManagedSender]]
    alteration: Loader[Iterable[AlterationPolicy], Changes[AlterationPolicy]]
    definitions: Loader[Iterable[Definition], Changes[Definition]]
    web: Loader[Iterable[WebPolicy], Changes[WebPolicy]]


class Keep(Struct, frozen=True):
    """How many sets are kept that nobody asks for: those asked for within `idle` seconds, and of these the last
    asked for, up to `policies` policies and entries together. The set asked for last is kept whatever its size."""

    idle: float = 3_600.0
    policies: int = 5_000_000


@dataclass(slots=True)
class _Followed:
    """One account. `marks` counts its commits in this process; `loaded` is the count that `current` covers.

    `touched` says which commit last touched an object, where `current` does not cover it, and `whole` says so of
    parts of which too many objects were touched. `in_flight` holds the commits under way. `used` is when somebody
    last asked. The lock is held while loading.
    """

    current: PolicySet | None = None
    marks: int = 0
    loaded: int = -1
    loading: bool = False
    touched: dict[tuple[Part, Name], int] = field(default_factory=dict)
    whole: dict[Part, int] = field(default_factory=dict)
    in_flight: list[Touched] = field(default_factory=list)
    used: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, touched: Touched) -> None:
        """Count a commit, and what it touched. Only under the follower's guard."""
        self.marks += 1
        if self.current is None and not self.loading:
            return  # the first load reads everything
        for part, names in touched.items():
            self.touched.update(((part, name), self.marks) for name in names)
        if len(self.touched) > MOST_NAMED:
            self.whole.update({part: self.marks for part, _ in self.touched})
            self.touched.clear()

    def stale(self) -> tuple[dict[Part, set[Name]], set[Part]]:
        """The objects and the whole parts that must be read for `current` to become the newest. Only under the
        follower's guard."""
        whole = {part for part, mark in self.whole.items() if mark > self.loaded}
        names: dict[Part, set[Name]] = {}
        for (part, name), mark in self.touched.items():
            if mark > self.loaded:
                names.setdefault(part, set()).add(name)
        for touched in self.in_flight:
            for part, several in touched.items():
                names.setdefault(part, set()).update(several)
        return {part: several for part, several in names.items() if several and part not in whole}, whole

    def forget(self) -> None:
        """Drop what `current` covers. Only under the follower's guard."""
        self.touched = {name: mark for name, mark in self.touched.items() if mark > self.loaded}
        self.whole = {part: mark for part, mark in self.whole.items() if mark > self.loaded}


class Follower:
    """Hands out policy sets that are never older than the last commit of this process."""

    def __init__(
        self,
        store: Store,
        loaders: Loaders,
        relay_networks: tuple[Network, ...],
        keep: Keep = Keep(),  # noqa: B008 - immutable
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._loaders = loaders
        self._relay_networks = relay_networks
        self._keep = keep
        self._clock = clock
        self._accounts: dict[str, _Followed] = {}
        self._guard = threading.Lock()
        store.around_commit(self._committing)

    def current(self, account_id: str) -> PolicySet:
        """The account's policy set. Quick when nothing changed, else it reads the objects that did."""
        followed = self._followed(account_id)
        followed.used = self._clock()
        # In this order: what is read after the two counts were equal covers them.
        if followed.loaded == followed.marks:
            current = followed.current
            if current is not None:
                return current
        with followed.lock:
            return self._load(account_id, followed)

    def current_for_writer(self, account_id: str) -> PolicySet:
        """As `current`, for whoever is writing to the account; what they have changed themselves is not in it.

        A writer's turn comes once the commit before it is over, which may be a moment before that commit's thread
        has told the follower. So here a commit of which nobody has heard counts as well.
        """
        followed = self._followed(account_id)
        if not followed.in_flight:
            return self.current(account_id)
        followed.used = self._clock()
        with followed.lock:
            return self._load(account_id, followed, unheard_of=True)

    def let_go(self) -> int:
        """Drop the sets that `Keep` says are not worth their room; how many. For calling now and then."""
        now = self._clock()
        with self._guard:
            held = [followed for followed in self._accounts.values() if followed.current is not None]
        held.sort(key=lambda followed: followed.used, reverse=True)
        room, dropped = self._keep.policies, 0
        for place, followed in enumerate(held):
            current = followed.current
            room -= 0 if current is None else current.size
            if now - followed.used <= self._keep.idle and (room >= 0 or place == 0):
                continue
            # Whoever loads it now wants it.
            if followed.lock.acquire(blocking=False):
                try:
                    with self._guard:
                        # In this order: a reader without the lock that still sees the set finds it current.
                        followed.loaded = -1
                        followed.current = None
                        followed.touched, followed.whole = {}, {}
                        dropped += 1
                finally:
                    followed.lock.release()
        return dropped

    def rehearsed(self, work: Work, base: PolicySet) -> PolicySet:
        """The set as it would be if this transaction were committed. `base` is the one that was current when it
        began to write, since when nobody else can have committed anything."""
        return _read(work, self._loaders, base, base.revision, work.touched_by_part(), ())

    @contextmanager
    def _committing(self, account_id: str, touched: Touched) -> Iterator[None]:
        followed = self._followed(account_id)
        with self._guard:
            followed.in_flight.append(touched)
        try:
            yield
        finally:
            with self._guard:
                # In this order: who finds nothing in flight without the guard finds it noted.
                followed.note(touched)
                followed.in_flight.remove(touched)

    def _followed(self, account_id: str) -> _Followed:
        followed = self._accounts.get(account_id)
        if followed is None:
            with self._guard:
                followed = self._accounts.setdefault(account_id, _Followed())
        return followed

    def _load(self, account_id: str, followed: _Followed, *, unheard_of: bool = False) -> PolicySet:
        with self._guard:
            # Counted before the rows are read: what is committed from now on is loaded by the next caller.
            marks = followed.marks
            followed.loading = True
        try:
            current = followed.current
            if current is not None and followed.loaded == marks and not unheard_of:
                return current
            loaded = self._store.read(account_id, lambda work: self._read(work, followed))
            with self._guard:
                # In this order: a reader without the lock that sees the new count also sees the new set.
                followed.current = loaded
                followed.loaded = marks
                followed.forget()
            if current is None:
                _collector.settle(loaded.size)
            return loaded
        finally:
            followed.loading = False

    def _read(self, work: Work, followed: _Followed) -> PolicySet:
        revision: int = work.execute(
            select(account.c.revision).where(account.c.id == work.account_id)
        ).scalar_one()
        current = followed.current
        if current is None:
            base = PolicySet.build(
                account_id=work.account_id, revision=revision, relay_networks=self._relay_networks
            )
            with _collector.at_rest():
                return _read(work, self._loaders, base, revision, {}, frozenset(Part))
        with self._guard:
            # Asked after the first row was read, which fixes the state that all others are read in: a commit in
            # that state is either marked or still in flight.
            names, whole = followed.stale()
        if whole:
            with _collector.at_rest():
                return _read(work, self._loaders, current, revision, names, whole)
        return _read(work, self._loaders, current, revision, names, whole)


class _Collector:
    """The cyclic garbage collector, kept from looking again and again at what is being made and stays.

    A set of a million policies holds no cycles, and looking through it stops every thread for a tenth of a second.
    What is there once a large set is made is looked through one last time and then left alone (`gc.freeze`).
    """

    def __init__(self) -> None:
        self._resting = 0
        self._guard = threading.Lock()

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nothing is collected while the block runs, in any thread."""
        with self._guard:
            self._resting += 1
            gc.disable()
        try:
            yield
        finally:
            with self._guard:
                self._resting -= 1
                if not self._resting:
                    gc.enable()

    def settle(self, size: int) -> None:
        """Leave a set of this size alone from now on, if it is worth the while."""
        if size >= SETTLED:
            gc.unfreeze()
            gc.collect()
            gc.freeze()


_collector: Final = _Collector()


def _read(
    work: Work,
    loaders: Loaders,
    base: PolicySet,
    revision: int,
    names: Mapping[Part, Collection[Name]],
    whole: Collection[Part],
) -> PolicySet:
    """The set with the named objects and these whole parts read anew."""
    told = _Told(work.account_id)

    def load(part: Part, loader: Loader[Iterable[T], Changes[T]]) -> Iterable[T] | Changes[T] | None:
        if part in whole:
            return told.counted(part, loader.every(work))
        return loader.some(work, names[part]) if part in names else None

    directory: Directory | DirectoryChanges | None = None
    if Part.DIRECTORY in whole:
        directory = loaders.directory.every(work)
    elif Part.DIRECTORY in names:
        directory = loaders.directory.some(work, names[Part.DIRECTORY])
    changed = base.changed(
        revision=revision,
        directory=directory,
        blocked=load(Part.BLOCKED_SENDERS, loaders.blocked),
        permitted=load(Part.PERMITTED_SENDERS, loaders.permitted),
        managed=load(Part.MANAGED_SENDERS, loaders.managed),
        alteration=load(Part.ALTERATION_POLICIES, loaders.alteration),
        definitions=load(Part.DEFINITIONS, loaders.definitions),
        web=load(Part.WEB_LISTS, loaders.web),
    )
    told.ready()
    return changed


class _Told:
    """Says in the log how far a load is, as long as it takes: an account may hold a million policies."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._started = self._last = time.monotonic()
        self._total = 0

    def counted(self, part: Part, objects: Iterable[T]) -> Iterator[T]:
        """The objects, counted as they come."""
        count = 0
        for count, one in enumerate(objects, 1):
            yield one
            if not count % _LOOKED_AT_CLOCK:
                now = time.monotonic()
                if now - self._last >= TOLD_EVERY:
                    self._last = now
                    _log.info("loading policies", account=self._account_id, part=part.value, read=count)
        self._total += count

    def ready(self) -> None:
        """The set is made."""
        now = time.monotonic()
        if self._last > self._started or now - self._started >= TOLD_EVERY:
            seconds = round(now - self._started, 1)
            _log.info("policies loaded", account=self._account_id, objects=self._total, seconds=seconds)
