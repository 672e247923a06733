"""A backup of a data folder, made wholly or not at all, while a server works on it.

The folder is only read, and its database is not brought up to date: a backup before an upgrade is what the older
version wrote, and can be restored with that. All is built in a folder beside the place, and moved there last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from msgspec import Struct

from mailreeve.app.database_file import check_file
from mailreeve.app.folder import (
    BODIES,
    CREDENTIALS,
    DATABASE,
    KEY_FILE,
    MAILDIR,
    FolderError,
    fingerprint_of,
    read_key,
    require_initialised,
)
from mailreeve.app.keeping.manifest import FORMAT, MANIFEST, AccountAt, File, Manifest, digest, written
from mailreeve.app.private_files import FILE_MODE, FOLDER_MODE, sync_folder, write_private
from mailreeve.app.settings import FILE_NAME, config_file
from mailreeve.store.bodies import body_files
from mailreeve.store.copying import CopyError, accounts_of, copy_database, schema_of

SETTINGS: Final = "settings.toml"
"""In a backup: the settings of a folder whose settings are kept elsewhere (`--config`)."""

_PIECE: Final = 1 << 20
_MAIL: Final = ("new", "cur")  # of a Maildir what holds whole messages
Report = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


class Made(Struct, frozen=True):
    """A backup that was made. `left_out` are files of the folder that it was told to leave out, and `messages` how
    many of the folder's own Maildir are in it, or are not."""

    folder: str
    manifest: Manifest
    left_out: tuple[str, ...]
    messages: int
    messages_in_it: bool


def make_backup(
    data: Path,
    target: Path,
    *,
    with_key: bool = True,
    with_mail: bool = False,
    report: Report = lambda what, done, total: None,
) -> Made:
    """Make a backup in a folder that is not there yet, or empty.

    Without the key neither `secret.key` nor `credentials.json` are in it. Raises `FolderError` or `OSError`, and
    nothing is made then.
    """
    require_initialised(data)
    check_file(data / DATABASE)
    fingerprint = fingerprint_of(read_key(data / KEY_FILE))
    with _new_folder(target) as building:
        files: dict[str, File] = {}
        # Before the database and after it: one that a row names was there at one of the two times, and none
        # changes.
        _copy_bodies(data, building, files, report)
        try:
            (building / DATABASE).touch(FILE_MODE)
            copy_database(data / DATABASE, building / DATABASE, lambda done, total: report("pages", done, total))
            schema, accounts = schema_of(building / DATABASE), accounts_of(building / DATABASE)
        except CopyError as problem:
            raise FolderError(str(problem)) from problem
        if schema is None or not accounts:
            raise FolderError(f"{data / DATABASE} is not a database of Mailreeve, or holds no account")
        if any(one.key_fingerprint not in (None, fingerprint) for one in accounts):
            raise FolderError(f"{data / KEY_FILE} is not the key that {data / DATABASE} was written with")
        _copy_bodies(data, building, files, report)
        _sync(building / DATABASE)
        files[DATABASE] = digest(building / DATABASE)
        left_out = []
        for name in (FILE_NAME, KEY_FILE, CREDENTIALS):
            if name != FILE_NAME and not with_key:
                left_out += [name] if (data / name).exists() else []
            elif name != CREDENTIALS or (data / name).exists():
                files[name] = _copy(data / name, building / name)
        elsewhere = config_file()
        if elsewhere is not None:
            files[SETTINGS] = _copy(elsewhere, building / SETTINGS)
        found = list(_messages(data / MAILDIR))
        if with_mail:
            files |= _copy_mail(data, building, report)
            found = [Path(name) for name in files if name.startswith(f"{MAILDIR}/")]
        manifest = Manifest(
            FORMAT,
            version("mailreeve"),
            schema,
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            fingerprint,
            tuple(AccountAt(one.code, one.revision) for one in accounts),
            files,
        )
        write_private(building / MANIFEST, written(manifest))
        sync_folder(building)
    return Made(str(target), manifest, tuple(left_out), len(found), with_mail)


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Where to build what becomes the folder `target` when the block ends without an exception. Raises
    `FolderError`."""
    target = Path(os.path.abspath(target))
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise FolderError(f"{target} exists and is not a folder")
    if target.is_dir() and any(target.iterdir()):
        raise FolderError(f"{target} is not empty; name a folder that is not there yet")
    target.parent.mkdir(parents=True, exist_ok=True)
    building = target.with_name(f".{target.name}.unfinished")
    building.mkdir(FOLDER_MODE, exist_ok=True)
    descriptor = os.open(building, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise FolderError(f"{target} is being made by another process") from problem
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise FolderError(f"{building} is not yours: whoever made it could change what is put there")
        os.fchmod(descriptor, FOLDER_MODE)
        _empty(building)  # What a backup left that was killed.
        try:
            yield building
            building.rename(target)
        except BaseException:
            with suppress(OSError):
                shutil.rmtree(building)
            raise
        sync_folder(target.parent)
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _copy_bodies(data: Path, building: Path, files: dict[str, File], report: Report) -> None:
    """Copy the bodies of kept mail that are not there yet. One that goes meanwhile belongs to no row any more."""
    found = [body for body in body_files(data / BODIES) if str(body.relative_to(data)) not in files]
    for number, body in enumerate(found, 1):
        report("bodies", number, len(found))
        name = body.relative_to(data)
        (building / name).parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            files[str(name)] = _copy(body, building / name)


def _copy_mail(data: Path, building: Path, report: Report) -> dict[str, File]:
    """Copy the messages of the folder's own Maildir. One that a reader moves meanwhile is found where it went."""
    copied: dict[str, tuple[str, File]] = {}  # by what names a message, whatever a reader did to it
    for _ in range(2):
        found = list(_messages(data / MAILDIR))
        for number, message in enumerate(found, 1):
            report("messages", number, len(found))
            own = str(message.parent.parent / message.name.partition(":")[0])
            if own in copied:
                continue
            target = building / MAILDIR / message.relative_to(data / MAILDIR)
            target.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                copied[own] = (str(target.relative_to(building)), _copy(message, target))
    return dict(copied.values())


def _messages(maildir: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(maildir):
        if Path(folder).name in _MAIL:
            yield from (Path(folder) / name for name in sorted(names))


def _copy(source: Path, target: Path) -> File:
    """Copy a file, for its owner alone and durably; what was copied. Raises `OSError`."""
    with source.open("rb") as reading:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as writing:
            shutil.copyfileobj(reading, writing, _PIECE)
            writing.flush()
            os.fsync(writing.fileno())
    return digest(target)


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
