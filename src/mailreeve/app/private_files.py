"""How are files written that only their owner may read, and what is done about those that others can?"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec
from msgspec import Struct

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, and have it on the disk. Raises `FileExistsError`.

    What could not be written whole is taken away again.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def touch_private(path: Path) -> None:
    """An empty file that only its owner may read, unless there is one already. SQLite gives the files beside a
    database the modes of the database itself."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


class Reserved:
    """A place for a file that is written later: nothing stands there, and its folder lets us write.

    The file is written beside the place first and linked to it at the end, so that it is there whole or not at
    all, and nothing is ever overwritten.
    """

    def __init__(self, path: Path, beside: Path) -> None:
        self.path = path
        self.kept = False
        self._beside = beside

    def write(self, text: str) -> None:
        """Put the text on the disk, not yet in its place."""
        with self._beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def place(self) -> None:
        """Put the file in its place. Raises `OSError` that says where it is instead."""
        try:
            os.link(self._beside, self.path)
        except OSError as problem:
            self.kept = True
            said = f"{problem.strerror}; what was to be saved is in {self._beside}"
            raise OSError(problem.errno, said, str(self.path)) from problem
        sync_folder(self.path.parent)


@contextmanager
def reserved(path: Path) -> Iterator[Reserved]:
    """A place for a new file. Raises `OSError` that names the place when nothing can be written there."""
    if path.exists() or path.is_symlink():
        raise FileExistsError(errno.EEXIST, "it exists already", str(path))
    beside = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, str(path)) from problem
    place = Reserved(path, beside)
    try:
        yield place
    finally:
        if not place.kept:
            beside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive the loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_to_others(paths: Iterable[Path]) -> Iterator[Path]:
    """Those of the files and folders that are there and that others than their owner can use."""
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mode & _OTHERS:
                yield path


def close_to_others(path: Path) -> None:
    """Leave a file or folder to its owner alone. Raises `PermissionError` where it is not ours."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)


def written(credentials: Struct) -> str:
    """Credentials as they are saved, and printed for programs."""
    return msgspec.json.format(msgspec.json.encode(credentials)).decode()
