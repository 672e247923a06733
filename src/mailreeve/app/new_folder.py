"""How does a data folder come into being, wholly or not at all?

It is built in a folder inside it and moved into its place, `mailreeve.toml` last: that file marks the folder as
initialised. So it may be a mount point, and whatever ended an earlier attempt, and when, the next one clears away
what that left: it is known by the folder it was built in, and a folder is only ever built in where there was
nothing else.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mailreeve.app.folder import DATABASE, KEY_FILE, LOCK, UNFINISHED, FolderError, is_initialised
from mailreeve.app.private_files import FOLDER_MODE, close_to_others, open_to_others, sync_folder
from mailreeve.app.settings import FILE_NAME

_NOTHING: Final = frozenset((UNFINISHED, LOCK, "lost+found"))  # what a folder may hold and still count as empty
_MOVED: Final = frozenset((DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", KEY_FILE))


@contextmanager
def new_folder(data: Path, also: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Where to build what a new data folder will hold; it is moved there when the block ends without an exception.

    `also` names further files and folders that the block may make. Raises `FolderError`, and nothing is changed,
    where the folder holds anything.
    """
    made = _made(data)
    try:
        with _only_one(data):
            _clear(data, also)
            building = data / UNFINISHED
            building.mkdir(FOLDER_MODE)
            try:
                yield building
                _move(building, data)
            except BaseException:
                _clear(data, also)
                raise
    except BaseException:
        for folder in made:
            # Others may have put something there meanwhile.
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def _made(data: Path) -> list[Path]:
    """Make the folder with those above it; which were made, the innermost first."""
    if is_initialised(data):
        raise FolderError(f"{data} is initialised already; nothing was changed")
    if data.is_dir():
        return []
    if data.exists() or data.is_symlink():
        raise FolderError(f"{data} exists and is not a folder; nothing was changed")
    missing = [data, *(folder for folder in data.parents if not folder.exists())]
    for folder in reversed(missing):
        folder.mkdir(FOLDER_MODE if folder == data else 0o777)
    return missing


def _refuse_unless_empty(data: Path, also: frozenset[str]) -> None:
    names = {entry.name for entry in data.iterdir()}
    unfinished = _MOVED | also if UNFINISHED in names else frozenset()
    if other := sorted(names - _NOTHING - unfinished):
        if DATABASE in other:
            raise FolderError(
                f"{data} holds {DATABASE} but no {FILE_NAME}: put that file back, it may be empty; "
                "nothing was changed"
            )
        raise FolderError(f"{data} is not an empty folder: it holds {other[0]}; nothing was changed")


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """One `init` at a time. The lock goes with the process, whatever ends it. Raises `FolderError`."""
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise FolderError(f"{data} is being initialised by another process; nothing was changed") from problem
        yield
    finally:
        os.close(descriptor)


def _clear(data: Path, also: frozenset[str]) -> None:
    """Take away what an attempt left that did not come to its end. Raises `FolderError`."""
    if is_initialised(data):
        raise FolderError(f"{data} is initialised already; nothing was changed")
    _refuse_unless_empty(data, also)
    building = data / UNFINISHED
    if not building.exists():
        return
    for name in _MOVED | also:
        if (data / name).is_dir():
            shutil.rmtree(data / name)
        else:
            (data / name).unlink(missing_ok=True)
    with suppress(OSError):  # A disk that takes nothing more is why we are here, perhaps.
        sync_folder(data)
    # Last: as long as it is there, the others are known for what they are.
    shutil.rmtree(building)


def _move(building: Path, data: Path) -> None:
    for path in open_to_others([data]):
        with suppress(PermissionError):  # A mount point may be somebody else's; `serve` warns of it.
            close_to_others(path)
    for path in sorted(building.iterdir(), key=lambda path: path.name == FILE_NAME):
        if path.name == FILE_NAME:
            sync_folder(data)
        path.rename(data / path.name)
    sync_folder(data)
    building.rmdir()
