"""Which policy set is in force now? Each account's newest, loaded on first use and brought up to date on use.

Whoever asks after a commit reads the objects that the feed of changes names since the set's revision, just those,
and swaps the set. So a decision that follows a successful answer sees the change, many writes in a row cost one
load, and a decision reads one immutable set from start to end. A set holds what was committed up to its revision,
whichever process did it, all of it and nothing later.

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

from mailreeve.formats.networks import Network
from mailreeve.policy.index.network_table import NetworkTable
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.authentication import UNJUDGED, AuthenticationRules
from mailreeve.policy.model.facts import Directory, DirectoryChanges
from mailreeve.policy.model.policies import (
    Changes,
    Definition,
    ManagedSender,
    ScopedPolicy,
    WebPolicy,
)
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.web_places import Places
from mailreeve.store import changes
from mailreeve.store.changes import EVERYTHING, WHOLE, Name, Part
from mailreeve.store.transactions import Store, Work

T = TypeVar("T")
Whole = TypeVar("Whole", covariant=True)
Some = TypeVar("Some", covariant=True)

SETTLED: Final = 50_000
"""From so many policies on a set is worth keeping from the garbage collector."""

LOGGED_EVERY: Final = 1.0
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
    scoped: Mapping[PolicyType, Loader[Iterable[ScopedPolicy], Changes[ScopedPolicy]]]
    managed: Loader[Iterable[ManagedSender], Changes[ManagedSender]]
    definitions: Loader[Iterable[Definition], Changes[Definition]]
    web: Loader[Iterable[WebPolicy], Changes[WebPolicy]]
    places: Callable[[Work], Places]


class Keep(Struct, frozen=True):
    """How many sets are kept that nobody asks for: those asked for within `idle` seconds, and of these the last
    asked for, up to `policies` policies and entries together. The set asked for last is kept whatever its size."""

    idle: float = 3_600.0
    policies: int = 5_000_000


@dataclass(slots=True)
class _Followed:
    """One account. `used` is when somebody last asked, `since` the POSIX time from which the set is in force. The
    lock is held while loading."""

    current: PolicySet | None = None
    used: float = 0.0
    since: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Follower:
    """Hands out policy sets that are never older than the last commit that this process knows of."""

    def __init__(
        self,
        store: Store,
        loaders: Loaders,
        relay_networks: tuple[Network, ...],
        keep: Keep = Keep(),  # noqa: B008 - immutable
        clock: Callable[[], float] = time.monotonic,
        authentication: AuthenticationRules = UNJUDGED,
    ) -> None:
        self._store = store
        self._loaders = loaders
        self._relay_networks = NetworkTable.of(relay_networks)  # one for all accounts
        self._keep = keep
        self._authentication = authentication
        self._clock = clock
        self._accounts: dict[str, _Followed] = {}
        self._guard = threading.Lock()

    def current(self, account_id: str, at_least: int = 0) -> PolicySet:
        """The account's policy set. Quick when nothing changed, else it reads the objects that did.

        Whoever is writing to the account names its revision in their transaction, of which the news may not have
        gone round yet; what they have changed themselves is not in the set.
        """
        followed = self._followed(account_id)
        followed.used = self._clock()
        # Asked before the set is looked at: what is committed later is the caller's future.
        wanted = self._store.feed.newest(account_id)
        if wanted < at_least:
            wanted = at_least
        current = followed.current
        if current is not None and current.revision >= wanted:
            return current
        with followed.lock:
            current = followed.current
            if current is not None and current.revision >= wanted:
                return current
            loaded = self._store.read(account_id, lambda work: self._read(work, current))
            followed.current = loaded
            followed.since = time.time()
        if current is None:
            _collector.settle(loaded.size)
        return loaded

    def at_hand(self, account_id: str) -> PolicySet | None:
        """The account's policy set where nothing has to be read for it, else None: for whoever must not wait."""
        followed = self._accounts.get(account_id)
        current = None if followed is None else followed.current
        if followed is None or current is None or current.revision < self._store.feed.newest(account_id):
            return None
        followed.used = self._clock()
        return current

    def in_force(self) -> list[tuple[PolicySet, float]]:
        """The sets that are kept now, each with the POSIX time from which it has been in force here."""
        with self._guard:
            held = [(followed.current, followed.since) for followed in self._accounts.values()]
        return [(current, since) for current, since in held if current is not None]

    def seen_by(self, work: Work, *parts: str) -> PolicySet:
        """The account's policy set for a transaction: without what that has changed itself. Raises `NotCommitted`,
        which is the store's to handle. Where only some parts are to be looked at, others may be older."""
        work.see_committed(*parts)
        return self.current(work.account_id, work.committed)

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
                    followed.current = None
                    dropped += 1
                finally:
                    followed.lock.release()
        return dropped

    def rehearsed(self, work: Work, base: PolicySet) -> PolicySet:
        """The set as it would be if this transaction were committed. `base` is the one that was current when it
        began to write, since when nobody else can have committed anything."""
        return _read(work, self._loaders, base, base.revision, work.touched_by_part())

    def _followed(self, account_id: str) -> _Followed:
        followed = self._accounts.get(account_id)
        if followed is None:
            with self._guard:
                followed = self._accounts.setdefault(account_id, _Followed())
        return followed

    def _read(self, work: Work, current: PolicySet | None) -> PolicySet:
        # The first row fixes the state that all others are read in.
        revision = changes.revision_of(work.connection, work.account_id)
        if current is None:
            base = PolicySet.build(
                account_id=work.account_id,
                revision=revision,
                relay_networks=self._relay_networks,
                authentication=self._authentication,
            )
            touched = EVERYTHING
        elif current.revision == revision:
            return current
        else:
            base = current
            touched = changes.since(work.connection, work.account_id, current.revision, revision)
        if any(WHOLE in names for names in touched.values()):
            with _collector.at_rest():
                return _read(work, self._loaders, base, revision, touched)
        return _read(work, self._loaders, base, revision, touched)


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
    work: Work, loaders: Loaders, base: PolicySet, revision: int, touched: Mapping[str, Collection[Name]]
) -> PolicySet:
    """The set with what was touched read anew."""
    progress = _Progress(work.account_id)

    def load(part: str, loader: Loader[Iterable[T], Changes[T]]) -> Iterable[T] | Changes[T] | None:
        names = touched.get(part, ())
        if WHOLE in names:
            return progress.counted(part, loader.every(work))
        return loader.some(work, names) if names else None

    directory: Directory | DirectoryChanges | None = None
    names = touched.get(Part.DIRECTORY, ())
    if WHOLE in names:
        directory = loaders.directory.every(work)
    elif names:
        directory = loaders.directory.some(work, names)
    changed = base.changed(
        revision=revision,
        directory=directory,
        scoped={
            type_: found for type_, loader in loaders.scoped.items() if (found := load(type_, loader)) is not None
        },
        managed=load(PolicyType.MANAGED_SENDERS, loaders.managed),
        definitions=load(Part.DEFINITIONS, loaders.definitions),
        web=load(Part.WEB_LISTS, loaders.web),
        # Locations and clients are few: they are read as a whole.
        places=loaders.places(work) if touched.get(Part.WEB_PLACES) else None,
    )
    progress.ready()
    return changed


class _Progress:
    """Says in the log how far a load is, as long as it takes: an account may hold a million policies."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._started = self._last = time.monotonic()
        self._total = 0

    def counted(self, part: str, objects: Iterable[T]) -> Iterator[T]:
        """The objects, counted as they come."""
        count = 0
        for count, one in enumerate(objects, 1):
            yield one
            if not count % _LOOKED_AT_CLOCK:
                now = time.monotonic()
                if now - self._last >= LOGGED_EVERY:
                    self._last = now
                    _log.info("loading policies", account=self._account_id, part=str(part), read=count)
        self._total += count

    def ready(self) -> None:
        """The set is made."""
        now = time.monotonic()
        if self._last > self._started or now - self._started >= LOGGED_EVERY:
            seconds = round(now - self._started, 1)
            _log.info("policies loaded", account=self._account_id, objects=self._total, seconds=seconds)
