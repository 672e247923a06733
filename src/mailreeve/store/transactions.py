"""How is something done to an account, wholly or not at all?

A transaction is a function that is handed a `Work` and may be run twice: it is repeated when the database reports
a conflict, so it does nothing but queries. Each writing transaction that changes something takes the next revision
of its account, and its audit rows and the rows that others follow it by (`changes`) are committed with it.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Connection, CursorResult, Executable, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from mailreeve.access.caller import Origin
from mailreeve.access.masking import masked
from mailreeve.store import changes
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
    """One audit row to be written at commit. `before` and `after` are the object's states as JSON."""

    action: str
    object_kind: str
    object_id: str
    before: str | None
    after: str | None


@dataclass(slots=True)
class Work:
    """One transaction of one account. `now` is the time of its start, in UTC; it may be earlier than that of one
    before, where the clock was set back. `revision` is the account's last one: what is written now is of the
    next."""

    connection: Connection
    account_id: str
    origin: Origin
    now: datetime
    revision: int = 0
    unreadable: UnreadableRows = field(default_factory=UnreadableRows)
    touched: list[tuple[str, Name]] = field(default_factory=list)
    audits: list[AuditEntry] = field(default_factory=list)

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
    ) -> None:
        """Note a change: which part it touches, for those who follow that, and what the audit log says about it.

        `names` are the objects of the part to be read again, where that is not just the object itself.
        """
        if part is not None:
            objects = [Name(object_kind, object_id)] if names is None else names
            self.touched += [(part, name) for name in objects]
        self.audits.append(AuditEntry(action, object_kind, object_id, _json(before), _json(after)))

    def touched_by_part(self) -> Touched:
        """Which objects of which parts were touched so far."""
        parts = {part for part, _ in self.touched}
        return {part: frozenset(name for other, name in self.touched if other == part) for part in parts}

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

    def write(self, account_id: str, origin: Origin, transaction: Callable[[Work], T]) -> T:
        """The result of a transaction, once it is durable. It may be run up to `ATTEMPTS` times."""
        result, revision, touched = self._repeated(
            "transaction", account_id, lambda: self._write_once(account_id, origin, transaction)
        )
        if revision:
            self.feed.hint(account_id, revision, touched)
        return result

    def rehearse(self, account_id: str, origin: Origin, transaction: Callable[[Work], T]) -> T:
        """The result of a transaction that is undone, whatever it did; nobody else sees anything of it.

        It waits for its turn as a write does, and other writes wait while it runs: what takes its time belongs
        outside. It may be run up to `ATTEMPTS` times.
        """

        def once() -> T:
            with self._engine.undoing() as connection:
                return transaction(self._begun(connection, account_id, origin))

        return self._repeated("rehearsal", account_id, once)

    def _repeated(self, what: str, account_id: str, once: Callable[[], T]) -> T:
        """What `once` returns, done again as long as another transaction is in its way."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return once()
            except Exception as problem:
                if attempt == ATTEMPTS or not self._engine.is_conflict(problem):
                    raise
                _log.info(f"{what} repeated", attempt=attempt, account=account_id)
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - spreads writers, no secret
        raise AssertionError("unreachable")

    def _write_once(
        self, account_id: str, origin: Origin, transaction: Callable[[Work], T]
    ) -> tuple[T, int, Touched]:
        """The result, the revision taken or 0, and what was touched."""
        revision = 0
        with self._engine.writing() as connection:
            work = self._begun(connection, account_id, origin)
            result = transaction(work)
            touched = work.touched_by_part()
            if work.touched or work.audits:
                revision = self._take_revision(work, touched)
        return result, revision, touched

    def _begun(self, connection: Connection, account_id: str, origin: Origin) -> Work:
        """A transaction that may write. What it makes comes after all that was ever committed, whatever the clock
        says now (behaviour.md D-50): every commit that takes a revision ends with keys of the audit log."""
        found = connection.execute(_STATE, {ACCOUNT: account_id}).one_or_none()
        revision, key = (0, None) if found is None else found
        if key is not None:
            follow(key)
        return Work(connection, account_id, origin, self._clock(), revision, self.unreadable)

    @staticmethod
    def _take_revision(work: Work, touched: Touched) -> int:
        revision: int = work.run(_TAKE_REVISION).scalar_one()
        rows = [
            {
                "account_id": work.account_id,
                "id": new_key(),
                "at": work.now,
                "revision": revision,
                "actor": work.origin.actor,
                "acting_for": work.origin.acting_for,
                "source_ip": work.origin.source_ip,
                "request_id": work.origin.request_id,
                **msgspec.structs.asdict(entry),
            }
            for entry in work.audits
        ]
        work.insert_many(_AUDIT, rows)
        changes.write(work.connection, work.account_id, revision, touched)
        return revision


_LAST_AUDIT: Final = (
    select(audit_event.c.id)
    .where(audit_event.c.account_id == bindparam(ACCOUNT))
    .order_by(audit_event.c.id.desc())
    .limit(1)
)
_STATE: Final = select(account.c.revision, _LAST_AUDIT.scalar_subquery()).where(account.c.id == bindparam(ACCOUNT))
_TAKE_REVISION: Final = (
    update(account)
    .where(account.c.id == bindparam(ACCOUNT))
    .values(revision=account.c.revision + 1)
    .returning(account.c.revision)
)
_AUDIT: Final = insert(audit_event)


def _json(value: object) -> str | None:
    """A state as the audit log has it: no secret, whatever is handed in."""
    if value is None:
        return None
    state = msgspec.to_builtins(value)
    return msgspec.json.encode(masked(state) if isinstance(state, dict) else state).decode()
