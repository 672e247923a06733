"""What differs between databases? Connections, how a transaction begins, and which errors mean "again".

SQLite is the engine served today. Everything that another engine would do differently is asked of `Engine` here,
so that nothing else in the store knows which one it runs on.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, event
from sqlalchemy.exc import DatabaseError as DatabaseError  # Its `orig` says what the database said.
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT: Final = 10_000  # milliseconds that a statement waits for another process's write
PATIENCE: Final = 1.0  # seconds that a trial write waits for another write of this process
POOL_SIZE: Final = 24  # connections kept; one worker thread holds at most one


class StillLocked(Exception):
    """Others wrote for as long as the caller would wait."""


class SqliteEngine:
    """A SQLite database in WAL mode, durable at every commit.

    `synchronous=FULL` makes a commit survive the loss of power, not only of the process. Writers of this process
    take turns at a lock, which is cheaper and fairer than SQLite's own polling; other processes are waited for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._gate = threading.Lock()
        self.sqlalchemy = self._engine(POOL_SIZE, BUSY_TIMEOUT)
        self._at_once = self._engine(1, 0)
        self._kept: Connection | None = None
        self._kept_turn = threading.RLock()
        self._writer: Connection | None = None
        self._foreign: int | None = None  # the writer's `data_version` when it was last looked at

    def _engine(self, pool_size: int, busy_timeout: int) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(
            sqlalchemy.URL.create("sqlite", database=str(self._path)),  # A path may hold what a URL would not.
            pool_size=pool_size,
            max_overflow=POOL_SIZE,
            hide_parameters=True,  # An exception's text is logged, and parameters are addresses and hashes.
            pool_reset_on_return=None,  # The transactions below end before their connections are given back.
        )
        event.listen(engine, "connect", partial(_configure, busy_timeout=busy_timeout))
        event.listen(engine, "connect", self._remember_file)
        return engine

    @contextmanager
    def reading(self, *, at_once: bool = False) -> Iterator[Connection]:
        """A connection inside a transaction that sees one state of the database and changes nothing. `at_once` is
        for whoever must not be held up: where others keep the database locked, the first statement raises what
        `is_conflict` knows."""
        with self._kept_open() if at_once else self.sqlalchemy.connect() as connection:
            transaction = connection.begin()
            try:
                # Takes no lock: nothing can go wrong, so what SQLAlchemy does about that is not needed.
                connection.connection.cursor().execute("BEGIN")
                yield connection
            finally:
                transaction.rollback()

    @contextmanager
    def _kept_open(self) -> Iterator[Connection]:
        """The connection of those who must not be held up, one at a time. It is not given back to its pool: that,
        and taking it out again, costs more than reading a row."""
        with self._kept_turn:
            if self._kept is None:
                self._kept = self._at_once.connect()
            yield self._kept

    @contextmanager
    def writing(self, within: float | None = None) -> Iterator[Connection]:
        """A connection inside a transaction that is committed when the block ends without an exception. It waits
        for others that write, for `within` seconds at most where that is given: then it raises what `is_conflict`
        knows."""
        until = None if within is None else time.monotonic() + within
        if not self._gate.acquire(timeout=-1 if within is None else within):
            raise StillLocked(f"others were writing for {within} seconds")
        try:
            with self._committing(until) as connection:
                yield connection
        finally:
            self._gate.release()

    @contextmanager
    def _committing(self, until: float | None = None) -> Iterator[Connection]:
        """The connection that all commits of this process are made by, for whoever holds the gate; other processes
        are waited for until this time by the monotonic clock. It is given back to its pool only when something
        went wrong."""
        if self._writer is None:
            self._writer, self._foreign = self.sqlalchemy.connect(), None
        connection = self._writer
        try:
            with connection.begin():
                if until is None:
                    connection.exec_driver_sql(_BEGIN_WRITING)
                else:
                    left = max(0, int((until - time.monotonic()) * 1_000))
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={min(left, BUSY_TIMEOUT)}")
                    try:
                        connection.exec_driver_sql(_BEGIN_WRITING)
                    finally:
                        # Whoever writes next may wait longer.
                        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
                yield connection
        except BaseException:
            self._writer = None
            try:
                # Where it is the commit that failed SQLAlchemy leaves the rest to the pool, which leaves it to us:
                # else the connection would wait there with the write lock.
                connection.connection.rollback()
            finally:
                connection.close()
            raise

    @contextmanager
    def undoing(self) -> Iterator[Connection]:
        """A connection inside a transaction that may change anything and is undone when the block ends."""
        with self._gate, self.sqlalchemy.connect() as connection:
            transaction = connection.begin()
            try:
                connection.exec_driver_sql(_BEGIN_WRITING)
                yield connection
            finally:
                transaction.rollback()

    @contextmanager
    def watching(self) -> Iterator[Callable[[], int]]:
        """A function whose answer is another after each commit of another process; perhaps as well after one of
        this process, whose commits are known without it."""
        # A connection of its own, so that it can be asked at any time. What it counts are all commits but its own.
        connection = self.sqlalchemy.raw_connection()
        answer, seen = 0, -1

        def version() -> int:
            nonlocal answer, seen
            now = int(connection.cursor().execute(_DATA_VERSION).fetchone()[0])
            if now != seen:
                seen = now
                if not self._all_were_ours():
                    answer += 1
            return answer

        try:
            yield version
        finally:
            connection.close()

    def _all_were_ours(self) -> bool:
        """Whether no other process has committed anything since this was asked last. False where it cannot be
        told, as while this process writes."""
        if not self._gate.acquire(timeout=_TURN):
            return False
        try:
            if self._writer is None:
                return False
            # The writer's own count leaves out what the writer commits: which is all that this process does.
            found = self._writer.connection.cursor().execute(_DATA_VERSION).fetchone()
            before, self._foreign = self._foreign, int(found[0])
            return before == self._foreign
        finally:
            self._gate.release()

    def try_to_write(self) -> None:
        """Write something that means nothing, durably, unless somebody else is writing. Raises `DatabaseError`, or
        `OSError` when the file is no longer where it was opened: what is written to a file without a name is lost
        with the process."""
        found = self._path.stat()
        if self._file not in (None, (found.st_dev, found.st_ino)):
            raise OSError("its file was replaced by another")
        if not self._gate.acquire(timeout=PATIENCE):
            return
        try:
            with self._committing() as connection:
                # A number in the file's header, kept for applications, for which we have no other use.
                number: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                connection.exec_driver_sql(f"PRAGMA user_version = {(number + 1) % 2**31}")
        finally:
            self._gate.release()

    def is_conflict(self, problem: Exception) -> bool:
        """Whether the same transaction may succeed when it is run again."""
        if isinstance(problem, StillLocked):
            return True
        return isinstance(problem, OperationalError) and "locked" in str(problem.orig)

    def _remember_file(self, *_: object) -> None:
        if self._file is None:
            opened = self._path.stat()
            self._file = opened.st_dev, opened.st_ino

    def dispose(self) -> None:
        """Close all connections."""
        with self._kept_turn:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
        with self._gate:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        self.sqlalchemy.dispose()
        self._at_once.dispose()


_DATA_VERSION: Final = "PRAGMA data_version"
_TURN: Final = 0.01  # seconds that a look for commits of other processes waits for one of ours

_BEGIN_WRITING: Final = "BEGIN IMMEDIATE"
"""It takes the write lock at once: a transaction that read first could not be promoted safely."""


def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry, *, busy_timeout: int) -> None:
    connection.isolation_level = None  # The driver begins nothing by itself; whoever reads or writes does.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={busy_timeout}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("casefold", 1, _casefold, deterministic=True)


def _casefold(text: str | None) -> str | None:
    """Text without case, as Python has it: SQLite's own `lower` knows no letters but those of ASCII."""
    return None if text is None else text.casefold()
