"""Is this file the database of a data folder? Asked before anything is read from it or written to it.

SQLite makes a file anew that is not there, and takes an empty one for an empty database. Here either means that
what the folder held is lost.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from mailreeve.app.folder_files import FolderError
from mailreeve.families.directory.account import rows as accounts
from mailreeve.store.engines import DatabaseError, SqliteEngine
from mailreeve.store.migrations import current

PUT_BACK: Final = "put it back from a backup, with the secret.key that belongs to it"
CHECKED_WHOLE: Final = 64 * 1024 * 1024  # octets; a larger file is checked by its size alone
_HEADER: Final = 32  # octets: the page size stands at 16, the number of pages at 28 (sqlite.org/fileformat2.html)


def check_file(file: Path) -> None:
    """Raises `FolderError` for a file that cannot be a database in use: missing, empty or cut off."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FolderError(f"{file} is not a file; {PUT_BACK}")
        with file.open("rb") as opened:
            header = opened.read(_HEADER)
    except FileNotFoundError as problem:
        raise FolderError(f"{file} is missing; {PUT_BACK}") from problem
    except OSError as problem:
        raise FolderError(f"{file} cannot be read: {problem.strerror}") from problem
    if not os.access(file, os.W_OK):
        raise FolderError(f"{file} cannot be written: {os.strerror(13)}")
    if not header:
        raise FolderError(f"{file} is empty; {PUT_BACK}")
    # Pages that are in the log beside it alone need not be in the file yet.
    logged = file.with_name(f"{file.name}-wal")
    if header.startswith(b"SQLite format 3\0") and not (logged.exists() and logged.stat().st_size):
        size = int.from_bytes(header[16:18]) or 1
        expected = (65_536 if size == 1 else size) * int.from_bytes(header[28:32])
        if status.st_size < expected:
            raise FolderError(
                f"{file} is cut off: it has {status.st_size} octets and should have {expected}; {PUT_BACK}"
            )


def check_contents(engine: SqliteEngine, file: Path) -> None:
    """Raises `FolderError` for a database that is none of ours, or holds no account; `DatabaseError` for one that
    cannot be read."""
    with engine.reading() as connection:
        if current(connection) is None:
            raise FolderError(f"{file} is not a database of Mailreeve, or a new one; {PUT_BACK}")
        if not accounts.codes(connection):
            raise FolderError(f"{file} holds no account; {PUT_BACK}")


def check_whole(engine: SqliteEngine, file: Path) -> None:
    """Raises `FolderError` when any page of a database of ordinary size is damaged."""
    if file.stat().st_size > CHECKED_WHOLE:
        return
    with engine.reading() as connection:
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if found != "ok":
        raise FolderError(f"{file} is damaged: {' '.join(found.split())}; {PUT_BACK}")


def unusable(file: Path, problem: DatabaseError) -> str:
    """What is said of a database that turned out not to be one."""
    said = " ".join(str(problem.orig).split())
    return f"{file} cannot be used: {said}"
