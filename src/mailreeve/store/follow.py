"""Which policy set is in force now? Each account's newest, loaded on first use and swapped at every change.

A commit of this process marks the parts it touched before its caller gets an answer; whoever asks next loads just
those parts and swaps the set. So a decision that follows a successful answer sees the change, many writes in a row
cost one load, and a decision reads one immutable set from start to end. A set holds what this process committed up
to the set's revision, all of it and nothing later.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec import Struct
from sqlalchemy import select

from mailreeve.policy.facts import Directory
from mailreeve.policy.policies import (
    AlterationPolicy,
    BlockedSenderPolicy,
    Definition,
    ManagedSender,
    Network,
    PermittedSenderPolicy,
    WebPolicy,
)
from mailreeve.policy.policy_set import PolicySet
from mailreeve.store.schema import account
from mailreeve.store.transactions import Part, Store, Work


class Loaders(Struct, frozen=True):
    """Where each part of a policy set comes from: one function of each family's rows."""

    directory: Callable[[Work], Directory]
    blocked: Callable[[Work], Sequence[BlockedSenderPolicy]]
    permitted: Callable[[Work], Sequence[PermittedSenderPolicy]]
    managed: Callable[[Work], Sequence[ManagedSender]]
    alteration: Callable[[Work], Sequence[AlterationPolicy]]
    definitions: Callable[[Work], Sequence[Definition]]
    web: Callable[[Work], Sequence[WebPolicy]]


@dataclass(slots=True)
class _Followed:
    """One account. `marks` counts its commits in this process; `touched` says which of them last changed a part;
    `loaded` is the count that `current` covers; `in_flight` counts the commits under way that touch a part. The
    lock is held while loading."""

    current: PolicySet | None = None
    marks: int = 0
    loaded: int = -1
    touched: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(Part, 0))
    in_flight: Counter[Part] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Follower:
    """Hands out policy sets that are never older than the last commit of this process."""

    def __init__(self, store: Store, loaders: Loaders, relay_networks: tuple[Network, ...]) -> None:
        self._store = store
        self._loaders = loaders
        self._relay_networks = relay_networks
        self._accounts: dict[str, _Followed] = {}
        self._guard = threading.Lock()
        store.around_commit(self._committing)

    def current(self, account_id: str) -> PolicySet:
        """The account's policy set. Quick when nothing changed, else it reads the changed parts."""
        followed = self._followed(account_id)
        # In this order: what is read after the two counts were equal covers them.
        if followed.loaded == followed.marks:
            current = followed.current
            if current is not None:
                return current
        with followed.lock:
            return self._load(account_id, followed)

    def rehearsed(self, work: Work, base: PolicySet) -> PolicySet:
        """The set as it would be if this transaction were committed. `base` is the one that was current when it
        began to write, since when nobody else can have committed anything."""
        load, touched = self._loaders, work.touched
        return base.changed(
            revision=base.revision,
            directory=load.directory(work) if Part.DIRECTORY in touched else None,
            blocked=load.blocked(work) if Part.BLOCKED_SENDERS in touched else None,
            permitted=load.permitted(work) if Part.PERMITTED_SENDERS in touched else None,
            managed=load.managed(work) if Part.MANAGED_SENDERS in touched else None,
            alteration=load.alteration(work) if Part.ALTERATION_POLICIES in touched else None,
            definitions=load.definitions(work) if Part.DEFINITIONS in touched else None,
            web=load.web(work) if Part.WEB_LISTS in touched else None,
        )

    @contextmanager
    def _committing(self, account_id: str, touched: frozenset[Part]) -> Iterator[None]:
        followed = self._followed(account_id)
        with self._guard:
            followed.in_flight.update(touched)
        try:
            yield
        finally:
            with self._guard:
                followed.in_flight.subtract(touched)
                followed.marks += 1
                followed.touched.update(dict.fromkeys(touched, followed.marks))

    def _followed(self, account_id: str) -> _Followed:
        followed = self._accounts.get(account_id)
        if followed is None:
            with self._guard:
                followed = self._accounts.setdefault(account_id, _Followed())
        return followed

    def _load(self, account_id: str, followed: _Followed) -> PolicySet:
        with self._guard:
            # Counted before the rows are read: what is committed from now on is loaded by the next caller.
            marks = followed.marks
        current = followed.current
        if current is not None and followed.loaded == marks:
            return current
        loaded = self._store.read(account_id, lambda work: self._read(work, followed))
        # In this order: a reader without the lock that sees the new count also sees the new set.
        followed.current = loaded
        followed.loaded = marks
        return loaded

    def _read(self, work: Work, followed: _Followed) -> PolicySet:
        revision: int = work.execute(
            select(account.c.revision).where(account.c.id == work.account_id)
        ).scalar_one()
        with self._guard:
            # Asked after the first row was read, which fixes the state that all others are read in: a commit in
            # that state is either marked or still in flight.
            stale = {part for part, mark in followed.touched.items() if mark > followed.loaded}
            stale |= {part for part, count in followed.in_flight.items() if count}
        base = followed.current or PolicySet.build(
            account_id=work.account_id, revision=revision, relay_networks=self._relay_networks
        )
        load = self._loaders
        return base.changed(
            revision=revision,
            directory=load.directory(work) if Part.DIRECTORY in stale else None,
            blocked=load.blocked(work) if Part.BLOCKED_SENDERS in stale else None,
            permitted=load.permitted(work) if Part.PERMITTED_SENDERS in stale else None,
            managed=load.managed(work) if Part.MANAGED_SENDERS in stale else None,
            alteration=load.alteration(work) if Part.ALTERATION_POLICIES in stale else None,
            definitions=load.definitions(work) if Part.DEFINITIONS in stale else None,
            web=load.web(work) if Part.WEB_LISTS in stale else None,
        )
