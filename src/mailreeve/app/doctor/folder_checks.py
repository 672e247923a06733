"""The data folder: who may use it, its key, its database, the disk and the clock."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mailreeve.app.database_file import check_file
from mailreeve.app.doctor.checks import Check, fail, ok, warn
from mailreeve.app.folder import (
    CREDENTIALS,
    DATABASE,
    KEY_FILE,
    MAILDIR,
    FolderError,
    fingerprint_of,
    read_key,
    require_initialised,
)
from mailreeve.app.private_files import open_to_others
from mailreeve.store.copying import AccountMark, CopyError, accounts_of, newest_moment, quick_faults, schema_of
from mailreeve.store.migrations import HEAD

MIB: Final = 1 << 20
FULL: Final = 100 * MIB  # octets of room below which writes are about to fail
SCARCE: Final = 1024 * MIB
AHEAD: Final = 60.0  # seconds by which what was written may be later than now
LARGE: Final = 4 * 1024 * MIB  # octets of a database that is not read through here
RESTORE: Final = "restore a backup into a new folder: mailreeve restore BACKUP --data NEW"


def accounts(data: Path) -> list[AccountMark]:
    """The folder's accounts, none where they cannot be told."""
    try:
        return accounts_of(data / DATABASE)
    except CopyError:
        return []


def folder_checks(data: Path) -> Iterator[Check]:
    """What is found of the folder. Where it is none, that alone."""
    try:
        require_initialised(data)
        check_file(data / DATABASE)
    except FolderError as problem:
        yield fail("folder", str(problem), "")
        return
    yield _owner(data)
    names = (".", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", KEY_FILE, CREDENTIALS, MAILDIR)
    loose = [path.name or str(path) for path in open_to_others(data / name for name in names)]
    if loose:
        yield warn("modes", f"others can read {', '.join(loose)}", f"chmod -R go= {data}; serve does so, too")
    else:
        yield ok("modes", "closed to others")
    found = accounts(data)
    yield _key(data, found)
    yield _database(data, found)
    yield _schema(data)
    yield _disk(data)
    yield _clock(data)


def _owner(data: Path) -> Check:
    me = os.geteuid()
    strange = [
        path for path in (data, data / DATABASE, data / KEY_FILE) if path.exists() and path.stat().st_uid != me
    ]
    if not strange:
        return ok("folder", f"{data} is yours")
    owner = strange[0].stat().st_uid
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    if me == 0:
        return ok("folder", f"{data} belongs to {name}; you are root")
    return fail("folder", f"{strange[0]} belongs to {name}, not to you", f"run this, and serve, as {name}")


def _key(data: Path, found: list[AccountMark]) -> Check:
    try:
        fingerprint = fingerprint_of(read_key(data / KEY_FILE))
    except FolderError as problem:
        return fail("key", str(problem), "")
    if any(one.key_fingerprint not in (None, fingerprint) for one in found):
        return fail("key", f"{KEY_FILE} is not the key of this database", "put back the two that belong together")
    return ok("key", f"{KEY_FILE} belongs to the database")


def _database(data: Path, found: list[AccountMark]) -> Check:
    size = (data / DATABASE).stat().st_size
    try:
        faults = quick_faults(data / DATABASE) if size <= LARGE else []
    except CopyError as problem:
        return fail("database", str(problem), RESTORE)
    if faults:
        return fail("database", f"it is damaged: {' '.join(faults[0].split())}", RESTORE)
    if not found:
        return fail("database", f"{DATABASE} holds no account", RESTORE)
    told = ", ".join(f"{one.code} at revision {one.revision}" for one in found[:3])
    more = f" and {len(found) - 3} accounts more" if len(found) > 3 else ""
    if size > LARGE:
        return ok("database", f"{told}{more}; too large to be read here: mailreeve verify does")
    return ok("database", f"every page is sound; {told}{more}")


def _schema(data: Path) -> Check:
    try:
        found = schema_of(data / DATABASE)
    except CopyError as problem:
        return fail("schema", str(problem), RESTORE)
    if found is None:
        return fail("schema", f"{DATABASE} is not a database of Mailreeve", RESTORE)
    if found > HEAD:
        return fail("schema", f"revision {found} is newer than {HEAD}, which this version knows", "upgrade")
    if found < HEAD:
        return warn(
            "schema",
            f"revision {found}; this version brings it to {HEAD} when it serves it",
            f"back up first: mailreeve backup DIR --data {data}",
        )
    return ok("schema", f"revision {found}")


def _disk(data: Path) -> Check:
    disk = os.statvfs(data)
    free = disk.f_bavail * disk.f_frsize
    told = f"{free // MIB:,} MiB free"
    if free < FULL or (disk.f_files and disk.f_favail < 100):
        return fail(
            "disk", f"{told}, {disk.f_favail:,} files", "make room: mail is put off when nothing can be kept"
        )
    if free < SCARCE:
        return warn("disk", told, "make room before it is full")
    return ok("disk", told)


def _clock(data: Path) -> Check:
    now = time.time()
    try:
        written = (newest_moment(data / DATABASE) or 0) / 1_000_000
    except CopyError:
        written = 0.0
    ahead = max(written, (data / DATABASE).stat().st_mtime) - now
    if ahead > AHEAD:
        return fail(
            "clock",
            f"what was written last is {ahead:,.0f} seconds in the future",
            "set the clock: signed calls that are off by more than clock_skew are refused",
        )
    return ok("clock", "later than all that was written")
