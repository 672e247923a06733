"""A database file seen from outside: copied while others write to it, looked at without changing anything.

Nothing here brings a database up to date. What is copied before an upgrade is what the older version wrote.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

PAGES: Final = 2_000  # copied in one go: 8 MB
BUSY: Final = 10.0  # seconds that a statement waits for another process's write
NAMED: Final = 20  # faults that are told of a database

Progress = Callable[[int, int], None]
"""Is told how many pages are done, and of how many."""


class CopyError(RuntimeError):
    """A database cannot be read or copied. The message says why."""


def copy_database(source: Path, target: Path, progress: Progress = lambda done, total: None) -> None:
    """Copy a database as it is at one moment, whoever writes to it meanwhile, into a file that is there and empty.

    The copy is one file alone, without a log beside it. Raises `CopyError`.
    """
    with _opened(source, "ro") as reading, _opened(target, "rw") as writing:
        try:
            # With a transaction of its own the copy sees one state from start to end. Without, SQLite would begin
            # anew at every commit of another process, and on a busy server never come to an end.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(
                writing, pages=PAGES, progress=lambda _, left, total: progress(total - left, total), sleep=0
            )
            reading.execute("ROLLBACK")
            writing.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as problem:
            raise CopyError(f"{source} cannot be copied: {problem}") from problem


def faults(file: Path) -> list[str]:
    """What is wrong with the pages, indexes and references of a database, the first of it; empty for a sound one.
    Raises `CopyError` where it cannot even be asked."""
    with _opened(file, "ro") as connection:
        try:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({NAMED})")]
            if found != ["ok"]:
                return found
            lost = connection.execute("PRAGMA foreign_key_check").fetchmany(NAMED)
        except sqlite3.Error as problem:
            raise CopyError(f"{file} cannot be read: {problem}") from problem
    return [f"row {row} of {table} names a row of {of} that is not there" for table, row, of, _ in lost]


def quick_faults(file: Path) -> list[str]:
    """What is wrong with the pages alone, which is quicker told. Raises `CopyError`."""
    with _opened(file, "ro") as connection:
        try:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({NAMED})")]
        except sqlite3.Error as problem:
            raise CopyError(f"{file} cannot be read: {problem}") from problem
    return [] if found == ["ok"] else found


class AccountMark(NamedTuple):
    """What an account says of itself. `key_fingerprint` is that of the key that sealed its secrets."""

    code: str
    revision: int
    key_fingerprint: str | None
    admin_email: str


def schema_of(file: Path) -> str | None:
    """The revision of a database's schema, None where it has none of ours. Raises `CopyError`."""
    with _opened(file, "ro") as connection:
        try:
            if not _columns(connection, "alembic_version"):
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.Error as problem:
            raise CopyError(f"{file} cannot be read: {problem}") from problem
    return None if row is None else str(row[0])


def accounts_of(file: Path) -> list[AccountMark]:
    """The accounts of a database of any schema that we ever had, in order of their codes. Raises `CopyError`."""
    with _opened(file, "ro") as connection:
        try:
            marked = "key_fingerprint" if "key_fingerprint" in _columns(connection, "account") else "NULL"
            rows = connection.execute(
                f"SELECT code, revision, {marked}, admin_email FROM account ORDER BY code"  # noqa: S608 - names of our own
            ).fetchall()
        except sqlite3.Error as problem:
            raise CopyError(f"{file} cannot be read: {problem}") from problem
    return [AccountMark(str(code), int(revision), mark, str(admin)) for code, revision, mark, admin in rows]


def newest_moment(file: Path) -> int | None:
    """When the newest entry of the audit log was made, in microseconds since 1970. Raises `CopyError`."""
    with _opened(file, "ro") as connection:
        try:
            row = connection.execute("SELECT max(at) FROM audit_event").fetchone()
        except sqlite3.Error as problem:
            raise CopyError(f"{file} cannot be read: {problem}") from problem
    return row[0] if row and isinstance(row[0], int) else None


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}


@contextmanager
def _opened(file: Path, mode: str) -> Iterator[sqlite3.Connection]:
    try:
        connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY, isolation_level=None
        )
    except sqlite3.Error as problem:
        raise CopyError(f"{file} cannot be opened: {problem}") from problem
    with closing(connection):
        yield connection
