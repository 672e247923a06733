"""How is something done to an account, wholly or not at all?

A transaction is a function that is handed a `Work` and may be run twice: it is repeated when the database reports
a conflict, so it does nothing but queries. Each writing transaction that changes something takes the next revision
of its account, and its audit rows and the rows that others follow it by (`changes`) are committed with it.

Several that are there at once share one transaction of the database (`Store.write_together`), each with a
savepoint of its own; nobody is told what came of theirs before that is durable (ADR 0041).
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, Generic, TypeVar

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Connection, CursorResult, Executable, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from mailreeve.access.caller import Origin
from mailreeve.access.masking import masked
from mailreeve.store import audit_chain, changes
from mailreeve.store.changes import Feed, Name, Touched
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.keys import follow, new_key
from mailreeve.store.reading import UnreadableRows, made
from mailreeve.store.schema import account, audit_event

ATTEMPTS: Final = 5
ACCOUNT: Final = "account"  # the parameter by which statements that were built before are told the account
WRITE_EVERY: Final = 1.0  # seconds for which it is taken that a database that took a write takes others

T = TypeVar("T")
_NOTHING: Final[Mapping[str, object]] = {}
_log = structlog.get_logger(__name__)


class AuditEntry(Struct, frozen=True):
    """One audit row to be written at commit. `before` and `after` are the object's states as JSON; `acting_for` is
    for whom it was done, where that is not the transaction's `Origin.acting_for`."""

    action: str
    object_kind: str
    object_id: str
    before: str | None
    after: str | None
    acting_for: str = ""


@dataclass(slots=True)
class Work:
    """One transaction of one account. `now` is the time of its start, in UTC; it may be earlier than that of one
    before, where the clock was set back. `revision` is the account's last one: what is written now is of the
    next. `committed` is the last one that others see; `unseen` are the parts that the revisions between touched,
    which are those of the transactions before it that it is committed with. What is changed while `acting_for` is
    set is noted as done for that user."""

    connection: Connection
    account_id: str
    origin: Origin
    now: datetime
    revision: int = 0
    committed: int = 0
    unseen: frozenset[str] = frozenset()
    unreadable: UnreadableRows = field(default_factory=UnreadableRows)
    touched: list[tuple[str, Name]] = field(default_factory=list)
    audits: list[AuditEntry] = field(default_factory=list)
    acting_for: str = ""

    def read(
        self, table: str, rows: Iterable[Sequence[Any]], make: Callable[[Any], T], *, moments: bool = True
    ) -> Iterator[T]:
        """What `make` makes of the rows of a table, whose first column is their key. One that cannot be read is
        left out, and noted. See `reading.made`."""
        return made(self.unreadable, self.account_id, table, rows, make, moments=moments)

    def read_one(self, table: str, row: Sequence[Any] | None, make: Callable[[Any], T]) -> T | None:
        """What `make` makes of the row; None where there is none, or it cannot be read."""
        return None if row is None else next(self.read(table, [row], make), None)

    def execute(self, statement: Executable) -> CursorResult[*tuple[Any, ...]]:
        """Run one statement. It names the account; nothing here adds that for it."""
        return self.connection.execute(statement)

    def run(
        self, statement: Executable, parameters: Mapping[str, object] = _NOTHING
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement that was built before (`records.ours`): it is told the account, and these parameters."""
        return self.connection.execute(statement, {ACCOUNT: self.account_id, **parameters})

    def insert(self, statement: Executable, row: Mapping[str, object]) -> None:
        """Run an insert that was built before for one row, which becomes the account's."""
        self.connection.execute(statement, {"account_id": self.account_id, **row})

    def insert_many(self, statement: Executable, rows: Sequence[dict[str, object]]) -> None:
        """Run an insert for many rows at once; for none, nothing."""
        if rows:
            self.connection.execute(statement, rows)

    def changed(
        self,
        part: str | None,
        action: str,
        object_kind: str,
        object_id: str,
        *,
        before: object = None,
        after: object = None,
        names: Iterable[Name] | None = None,
        acting_for: str = "",
    ) -> None:
        """Note a change: which part it touches, for those who follow that, and what the audit log says about it.

        `names` are the objects of the part to be read again, where that is not just the object itself;
        `acting_for` is whose affair it is, where somebody else does it.
        """
        if part is not None:
            objects = [Name(object_kind, object_id)] if names is None else names
            self.touched += [(part, name) for name in objects]
        acting_for = acting_for or self.acting_for or self.origin.acting_for
        entry = AuditEntry(action, object_kind, object_id, _json(before), _json(after), acting_for)
        self.audits.append(entry)

    def touch(self, part: str, *names: Name) -> None:
        """Note that a change touched objects of another part as well."""
        self.touched += [(part, name) for name in names]

    def see_committed(self, *parts: str) -> None:
        """To be asked before looking at what others see of the account, or of some parts of it. Raises
        `NotCommitted` where that lacks what is committed together with this transaction."""
        if self.unseen.intersection(parts) if parts else self.unseen:
            raise NotCommitted

    def touched_by_part(self) -> Touched:
        """Which objects of which parts were touched so far."""
        parts = {part for part, _ in self.touched}
        return {part: frozenset(name for other, name in self.touched if other == part) for part in parts}

    @property
    def rows_changed(self) -> int:
        """How many rows this connection has written so far, in all. Whoever finds it as it was has nothing to
        undo."""
        driver = self.connection.connection.driver_connection
        if driver is None:
            raise AssertionError("a transaction has a connection")
        changed: int = driver.total_changes
        return changed

    @contextmanager
    def item(self) -> Iterator[None]:
        """A part of the transaction that is undone alone when it raises; the exception goes on."""
        touched, audits = len(self.touched), len(self.audits)
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            del self.touched[touched:]
            del self.audits[audits:]
            raise


class WouldWait(Exception):
    """Somebody keeps the database locked, and the caller is not to be held up."""


class NotCommitted(Exception):
    """A transaction looks at what others see of the account, and those before it are still to be committed. It is
    run again when they are."""


class Write(Struct, Generic[T], frozen=True):
    """A transaction that is to be carried out for an account, and for whom."""

    account_id: str
    origin: Origin
    transaction: Callable[[Work], T]


@dataclass(slots=True)
class _Account:
    """An account in a transaction of the database: the revision that others see, the digest of the newest row of
    its audit log, and what was done since."""

    committed: int
    audit_head: str = audit_chain.START
    changed: list[Work] = field(default_factory=list)
    unseen: frozenset[str] = frozenset()

    def add(self, work: Work) -> None:
        self.changed.append(work)
        self.unseen |= {part for part, _ in work.touched}


class Store:
    """The accounts' rows in one database. `feed` is how to follow what becomes of them."""

    def __init__(self, engine: SqliteEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        self._written_at = -math.inf
        self.feed = Feed(engine)
        self.unreadable = UnreadableRows()

    def read(self, account_id: str, transaction: Callable[[Work], T], *, at_once: bool = False) -> T:
        """The result of a transaction that changes nothing. What it changes all the same is undone. For `at_once`
        see `read_at_once`."""
        with self._engine.reading(at_once=at_once) as connection:
            work = Work(connection, account_id, Origin(""), self._clock(), unreadable=self.unreadable)
            result = transaction(work)
            if work.touched or work.audits:
                raise AssertionError(f"a reading transaction changed {work.audits or work.touched}")
            return result

    def read_at_once(self, account_id: str, transaction: Callable[[Work], T]) -> T:
        """As `read`, for whoever must not be held up. Raises `WouldWait` where others keep the database locked."""
        try:
            return self.read(account_id, transaction, at_once=True)
        except Exception as problem:
            if self._engine.is_conflict(problem):
                raise WouldWait from problem
            raise

    def look_up(self, transaction: Callable[[Connection], T]) -> T:
        """The result of a query made before the account is known: who is calling, whose domain is this."""
        with self._engine.reading() as connection:
            return transaction(connection)

    def trouble(self) -> str:
        """Why the database cannot be read or written now; empty when it can. Whoever asks often has it written to
        once in a while only."""
        try:
            self.look_up(lambda connection: connection.execute(select(account.c.id).limit(1)).first())
            if time.monotonic() - self._written_at >= WRITE_EVERY:
                self._engine.try_to_write()
                self._written_at = time.monotonic()
        except DBAPIError as problem:
            return str(problem.orig)
        except OSError as problem:
            return problem.strerror or str(problem)
        return ""

    def write(
        self,
        account_id: str,
        origin: Origin,
        transaction: Callable[[Work], T],
        *,
        within: float | None = None,
    ) -> T:
        """The result of a transaction, once it is durable. It may be run up to `ATTEMPTS` times. With `within`
        others that write are waited for that many seconds at most, in all: `is_locked` knows what is raised
        then."""
        (result,) = self.write_together([Write(account_id, origin, transaction)], within=within)
        if isinstance(result, Exception):
            raise result
        return result

    def is_locked(self, problem: Exception) -> bool:
        """Whether a transaction failed since others were writing, so that any other would fail for that now."""
        return self._engine.is_conflict(problem)

    def write_together(self, writes: Sequence[Write[T]], *, within: float | None = None) -> list[T | Exception]:
        """What came of each, once it is durable: its result, or what it raised and was undone for, it alone.

        They are done in their order, each as if those before it had been committed, and share one transaction of
        the database. Where that fails each has one for itself, lest one keep the others from being written. For
        `within` see `write`.
        """
        if not writes:
            return []
        results = self._write_some(writes, within)
        # Where one looked at what others see, the rest may do so as well, and would be begun in vain.
        return results + self._write_apart(writes[len(results) :])

    def _write_apart(self, writes: Sequence[Write[T]]) -> list[T | Exception]:
        one_by_one = [self._write_some([write]) for write in writes]
        return list(chain.from_iterable(one_by_one))

    def _write_some(self, writes: Sequence[Write[T]], within: float | None = None) -> list[T | Exception]:
        """What came of the first, and of as many of the others as could be committed with it."""
        try:
            until = None if within is None else time.monotonic() + within
            results, revisions = self._repeated(
                "transaction", writes[0].account_id, lambda: self._write_once(writes, until), until
            )
        except Exception as problem:
            if len(writes) == 1 or self._engine.is_conflict(problem):  # A conflict is everybody's.
                return [problem] * len(writes)
            return self._write_apart(writes)
        for account_id, revision, touched in revisions:
            self.feed.hint(account_id, revision, touched)
        return results

    def rehearse(self, account_id: str, origin: Origin, transaction: Callable[[Work], T]) -> T:
        """The result of a transaction that is undone, whatever it did; nobody else sees anything of it.

        It waits for its turn as a write does, and other writes wait while it runs: what takes its time belongs
        outside. It may be run up to `ATTEMPTS` times.
        """

        def once() -> T:
            with self._engine.undoing() as connection:
                state = self._begun(connection, account_id)
                return transaction(self._work(connection, Write(account_id, origin, transaction), state))

        return self._repeated("rehearsal", account_id, once)

    def _repeated(self, what: str, account_id: str, once: Callable[[], T], until: float | None = None) -> T:
        """What `once` returns, done again as long as another transaction is in its way, and not after `until`."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return once()
            except Exception as problem:
                is_late = until is not None and time.monotonic() >= until
                if attempt == ATTEMPTS or is_late or not self._engine.is_conflict(problem):
                    raise
                _log.info(f"{what} repeated", attempt=attempt, account=account_id)
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - spreads writers, no secret
        raise AssertionError("unreachable")

    def _write_once(
        self, writes: Sequence[Write[T]], until: float | None = None
    ) -> tuple[list[T | Exception], list[_Taken]]:
        """What came of the first writes, of one at least, and the revisions taken."""
        results: list[T | Exception] = []
        alone = len(writes) == 1  # then it is undone with the whole transaction
        accounts: dict[str, _Account] = {}
        within = None if until is None else max(0.0, until - time.monotonic())
        with self._engine.writing(within) as connection:
            for write in writes:
                if write.account_id not in accounts:
                    accounts[write.account_id] = self._begun(connection, write.account_id)
                state = accounts[write.account_id]
                work = self._work(connection, write, state)
                savepoint = None if alone else connection.begin_nested()
                try:
                    result = write.transaction(work)
                except Exception as problem:
                    if savepoint is None or self._engine.is_conflict(problem):
                        raise
                    # This raises where the database has undone more than that, which then goes for all.
                    savepoint.rollback()
                    if isinstance(problem, NotCommitted):
                        break
                    results.append(problem)
                else:
                    if savepoint is not None:
                        savepoint.commit()
                    results.append(result)
                    if work.touched or work.audits:
                        state.add(work)
            taken: list[_Taken] = []
            for account_id, state in accounts.items():
                if state.changed:
                    taken += _take_revisions(connection, account_id, state)
        return results, taken

    def _begun(self, connection: Connection, account_id: str) -> _Account:
        """An account that may be written to. What is made from now on comes after all that was ever committed,
        whatever the clock says now (behaviour.md D-50): every commit that takes a revision ends with keys of the
        audit log."""
        found = connection.execute(_STATE, {ACCOUNT: account_id}).one_or_none()
        revision, head, key = (0, audit_chain.START, None) if found is None else found
        if key is not None:
            follow(key)
        return _Account(revision, head)

    def _work(self, connection: Connection, write: Write[T], state: _Account) -> Work:
        return Work(
            connection,
            write.account_id,
            write.origin,
            self._clock(),
            state.committed + len(state.changed),
            state.committed,
            state.unseen,
            self.unreadable,
        )


_Taken = tuple[str, int, Touched]
"""The account, the revision that it took, and what that touched."""


def _take_revisions(connection: Connection, account_id: str, state: _Account) -> list[_Taken]:
    """Take a revision for each of the transactions, in their order, and write their audit rows and what they
    touched."""
    numbered = list(enumerate(state.changed, state.committed + 1))
    rows: list[dict[str, object]] = [
        {
            "account_id": account_id,
            "id": new_key(),
            "at": work.now,
            "revision": revision,
            "actor": work.origin.actor,
            "application": work.origin.application,
            "app_id": work.origin.app_id,
            "source_ip": work.origin.source_ip,
            "request_id": work.origin.request_id,
            **msgspec.structs.asdict(entry),
            "acting_for": entry.acting_for or work.origin.acting_for,
        }
        for revision, work in numbered
        for entry in work.audits
    ]
    rows = audit_chain.chained(state.audit_head, rows)
    new = {"number": len(numbered), "head": rows[-1]["digest"] if rows else state.audit_head}
    last: int = connection.execute(_TAKE_REVISIONS, {ACCOUNT: account_id, **new}).scalar_one()
    if last != numbered[-1][0]:
        raise AssertionError(f"revision {numbered[-1][0]} was to be taken, and {last} was")
    if rows:
        connection.execute(_AUDIT, rows)
    taken = [(account_id, revision, work.touched_by_part()) for revision, work in numbered]
    changes.write(connection, account_id, {revision: touched for _, revision, touched in taken})
    return taken


_LAST_AUDIT: Final = (
    select(audit_event.c.id)
    .where(audit_event.c.account_id == bindparam(ACCOUNT))
    .order_by(audit_event.c.id.desc())
    .limit(1)
)
_STATE: Final = select(account.c.revision, account.c.audit_head, _LAST_AUDIT.scalar_subquery()).where(
    account.c.id == bindparam(ACCOUNT)
)
_TAKE_REVISIONS: Final = (
    update(account)
    .where(account.c.id == bindparam(ACCOUNT))
    .values(revision=account.c.revision + bindparam("number"), audit_head=bindparam("head"))
    .returning(account.c.revision)
)
_AUDIT: Final = insert(audit_event)


def _json(value: object) -> str | None:
    """A state as the audit log has it: no secret, whatever is handed in."""
    if value is None:
        return None
    state = msgspec.to_builtins(value)
    return msgspec.json.encode(masked(state) if isinstance(state, dict) else state).decode()
