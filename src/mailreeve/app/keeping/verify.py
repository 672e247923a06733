"""Is a backup, or a data folder, whole? Its files, its database page by page and row by row, its key.

Nothing is changed. Rows are read in a copy of the database, in a folder for temporary files (TMPDIR), which is
brought up to date: so what is proven of a backup of an older version is that it can be upgraded, too.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from mailreeve.app.database_file import check_file
from mailreeve.app.folder import (
    BODIES,
    CREDENTIALS,
    DATABASE,
    KEY_FILE,
    FolderError,
    derived,
    fingerprint_of,
    read_key,
    require_initialised,
)
from mailreeve.app.keeping.backup import Report
from mailreeve.app.keeping.every_row import AccountRows, Read, read_every_row
from mailreeve.app.keeping.manifest import MANIFEST, Manifest, digest, read_manifest
from mailreeve.app.private_files import FILE_MODE
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.registry import bodies_named
from mailreeve.store.bodies import DamagedBody, FolderBodies
from mailreeve.store.copying import CopyError, accounts_of, copy_database, faults, schema_of
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.migrations import HEAD, SchemaError, bring_up_to_date
from mailreeve.store.reading import NAMED, UnreadableRow
from mailreeve.store.secrets import KEY_OCTETS, Vault
from mailreeve.store.transactions import Store

_log = structlog.get_logger(__name__)


class Verified(Struct, frozen=True):
    """What was found. With any of the `problems` it is not whole; `unreadable` rows are left out by a server that
    serves it. `has_key` says whether it could be proven that the key belongs to the database."""

    place: str
    schema: str | None
    has_key: bool
    accounts: tuple[AccountRows, ...]
    problems: tuple[str, ...]
    unreadable: tuple[UnreadableRow, ...]
    manifest: Manifest | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it can be restored, or served."""
        return not self.problems


def _silent(what: str, done: int, total: int) -> None:
    pass


def verify_backup(backup: Path, key: Path | None = None, report: Report = _silent) -> Verified:
    """Verify a backup, with the key that is in it, or with another file's. Raises `FolderError` for what is no
    backup, or `OSError`."""
    manifest = read_manifest(backup)
    problems = list(_wrong_files(backup, manifest, report))
    database = backup / DATABASE
    if DATABASE not in manifest.files:
        problems.append(f"{MANIFEST} names no {DATABASE}")
    if not database.is_file():
        return Verified(str(backup), None, False, (), tuple(problems), (), manifest)
    key_file = key or backup / KEY_FILE
    master = None
    if key is not None or KEY_FILE in manifest.files:
        try:
            master = read_key(key_file)
        except FolderError as problem:
            problems.append(str(problem))
    if master is not None and fingerprint_of(master) != manifest.key_fingerprint:
        problems.append(f"{key_file} is not the key that the database was written with")
        master = None
    found = _database(str(backup), database, master, problems, report)
    if found.schema != manifest.schema:
        problems.append(f"the database is at revision {found.schema}, {MANIFEST} says {manifest.schema}")
    if {(one.code, one.revision) for one in found.accounts} != {
        (one.code, one.revision) for one in manifest.accounts
    } and found.accounts:
        problems.append(f"accounts and revisions are not those that {MANIFEST} names")
    return Verified(
        found.place, found.schema, found.has_key, found.accounts, tuple(problems), found.unreadable, manifest
    )


def verify_folder(data: Path, report: Report = _silent) -> Verified:
    """Verify a data folder as it is at one moment; a server may work on it. Raises `FolderError` or `OSError`."""
    require_initialised(data)
    check_file(data / DATABASE)
    problems: list[str] = []
    master = None
    try:
        master = read_key(data / KEY_FILE)
    except FolderError as problem:
        problems.append(str(problem))
    found = _database(str(data), data / DATABASE, master, problems, report)
    return Verified(found.place, found.schema, found.has_key, found.accounts, tuple(problems), found.unreadable)


def _wrong_files(backup: Path, manifest: Manifest, report: Report) -> Iterator[str]:
    total = sum(file.octets for file in manifest.files.values())
    done = 0

    def count(octets: int) -> None:
        nonlocal done
        done += octets
        report("octets", done, total)

    for name, expected in manifest.files.items():
        file = backup / name
        try:
            if _leads_out(backup, Path(name)) or not file.is_file():
                yield f"{name} is missing"
            elif digest(file, count) != expected:
                yield f"{name} is not what was backed up: its digest is another"
        except OSError as problem:
            yield f"{name} cannot be read: {problem.strerror}"
    known = {*manifest.files, MANIFEST}
    for folder, folders, names in os.walk(backup):
        linked = [one for one in folders if (Path(folder) / one).is_symlink()]
        for name in sorted(names + linked):
            found = str((Path(folder) / name).relative_to(backup))
            if found not in known and found != CREDENTIALS:
                yield f"{found} is not of this backup"


def _leads_out(backup: Path, name: Path) -> bool:
    """Whether a file, or a folder that it is in, is a link."""
    return any((backup / part).is_symlink() for part in (name, *list(name.parents)[:-1]))


def _database(place: str, file: Path, master: bytes | None, problems: list[str], report: Report) -> Verified:
    """The database, copied to where it can be brought up to date and read. What is wrong goes to the problems."""
    schema, read, was_tried = None, Read((), (), 0), False
    with tempfile.TemporaryDirectory(prefix="mailreeve-verify-") as temporary:
        copy = Path(temporary) / DATABASE
        copy.touch(FILE_MODE)
        try:
            copy_database(file, copy, lambda done, total: report("pages", done, total))
            found = faults(copy)
            problems += [f"{DATABASE} is damaged: {' '.join(one.split())}" for one in found]
            schema = schema_of(copy)
            if schema is None:
                problems.append(f"{DATABASE} is not a database of Mailreeve")
            elif not found:
                marks = {one.key_fingerprint for one in accounts_of(copy)} - {None}
                if not accounts_of(copy):
                    problems.append(f"{DATABASE} holds no account")
                if master is not None and marks - {fingerprint_of(master)}:
                    problems.append(f"{KEY_FILE} is not the key that {DATABASE} was written with")
                    master = None
                read = _read(copy, master, report)
                problems += _wrong_bodies(copy, Path(place) / BODIES, report)
                was_tried = master is not None and not read.sealed_wrongly
                if read.sealed_wrongly:
                    problems.append(f"{read.sealed_wrongly} stored keys cannot be opened with {KEY_FILE}")
        except (CopyError, SchemaError) as problem:
            # Of the copy nobody knows.
            problems.append(str(problem).replace(str(copy), DATABASE))
        except SQLAlchemyError as problem:
            problems.append(f"{DATABASE} cannot be read: {' '.join(str(problem).split())}")
    return Verified(place, schema, was_tried, read.accounts, tuple(problems), read.unreadable)


def _read(copy: Path, master: bytes | None, report: Report) -> Read:
    engine = SqliteEngine(copy)
    try:
        with engine.writing() as connection:
            bring_up_to_date(connection)
        vault = None if master is None else Vault(derived(master, "vault", KEY_OCTETS))
        return read_every_row(engine, vault, lambda done, total: report("rows", done, total))
    finally:
        engine.dispose()


def _wrong_bodies(copy: Path, folder: Path, report: Report) -> list[str]:
    """What is wrong with the bodies that rows name: each is there, and is what was kept. The first of many."""
    engine = SqliteEngine(copy)
    try:
        store, bodies = Store(engine), FolderBodies(folder)
        named = [
            (code, account_id, key)
            for code, account_id in sorted(store.look_up(accounts.codes).items())
            for key in sorted(store.read(account_id, bodies_named))
        ]
    finally:
        engine.dispose()
    wrong = []
    for number, (code, account_id, key) in enumerate(named, 1):
        report("bodies", number, len(named))
        try:
            for _ in bodies.read(account_id, key):
                pass
        except FileNotFoundError:
            wrong.append(f"the body {key} of a message that account {code} keeps is missing")
        except DamagedBody:
            wrong.append(f"the body {key} of a message that account {code} keeps is damaged")
        except (OSError, ValueError) as problem:
            wrong.append(f"the body {key} of a message that account {code} keeps cannot be read: {problem}")
    more = [f"{len(wrong) - NAMED} more bodies are missing or damaged"] if len(wrong) > NAMED else []
    return wrong[:NAMED] + more


NEWEST: Final = HEAD
"""The revision of the schema that this version brings a database to."""
