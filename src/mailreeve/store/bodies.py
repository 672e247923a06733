"""Where are the bodies of kept messages? Under keys that name their content, in a folder or in another store.

A body is what follows a header. It is kept once for each account, however many copies have it, compressed. Rows
that refer to it are written after it: what `put` returned is durable, so a row never names a body that is not
there; a body that no row names is a leftover, and removed once it is so old that no row can be on its way.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

_LEVEL: Final = 1  # compresses text to a third in a tenth of the time of the highest
_PIECE: Final = 1 << 18
LEFT_OVER: Final = 3_600.0
"""Seconds after which a body that no row names is taken to be a leftover."""

SWEPT_AT_ONCE: Final = 10_000
"""Bodies after which a sweep ends, to go on from there the next time: an archive may have millions."""


class Bodies(Protocol):
    """Keeps bodies. Its methods block. What they raise is `OSError`."""

    def put(self, account_id: str, bodies: Sequence[Sequence[bytes]]) -> list[str]:
        """Keep bodies, each in pieces. Their keys; all are durable when this returns."""
        ...

    def read(self, account_id: str, key: str) -> Iterator[bytes]:
        """The body, in pieces. Raises `FileNotFoundError` where it is not there, and `DamagedBody`."""
        ...

    def sweep(self, account_id: str, named: Callable[[Collection[str]], Collection[str]]) -> int:
        """Remove leftovers of an account. `named` says which of some keys rows refer to. How many. Of many bodies
        some are looked at, and others the next time."""
        ...

    def accounts(self) -> list[str]:
        """The accounts that there are bodies of, perhaps such as are gone."""
        ...


class DamagedBody(OSError):
    """A body that is not what was kept under its key."""


class FolderBodies:
    """Keeps bodies in the files of a folder, which is made when it is first written to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._swept_to: dict[str, str] = {}  # by account, up to which folder

    def put(self, account_id: str, bodies: Sequence[Sequence[bytes]]) -> list[str]:
        keys = [_key(pieces) for pieces in bodies]
        wanted = {self._file(account_id, key): pieces for key, pieces in zip(keys, bodies, strict=True)}
        there = self._renewed(account_id, wanted)
        for file, pieces in wanted.items():
            if file not in there:
                self._write(file, pieces)
        # Those too where it was there: whoever put it there may not have come as far as this.
        for folder in {file.parent for file in wanted}:
            _sync(folder)
        return keys

    def read(self, account_id: str, key: str) -> Iterator[bytes]:
        digest = hashlib.sha256()
        unpack = zlib.decompressobj()
        with self._file(account_id, key).open("rb") as file:
            try:
                while data := file.read(_PIECE):
                    while data:
                        piece = unpack.decompress(data, _PIECE)
                        data = unpack.unconsumed_tail
                        digest.update(piece)
                        yield piece
            except zlib.error as problem:
                raise DamagedBody(f"body {key} of account {account_id} is damaged: {problem}") from problem
        if digest.hexdigest() != key or not unpack.eof:
            raise DamagedBody(f"body {key} of account {account_id} is damaged")

    def sweep(self, account_id: str, named: Callable[[Collection[str]], Collection[str]]) -> int:
        before = time.time() - LEFT_OVER
        looked_at = removed = 0
        for folder in self._next_folders(account_id):
            files = list(folder.iterdir())
            old = [file for file in files if _is_older(file, before)]
            wanted = set(named([file.name for file in old])) if old else set()
            for file in old:
                if file.name in wanted:
                    continue
                # Between the question and now the same body may have come again.
                with _locked(self._folder(account_id), fcntl.LOCK_EX), suppress(FileNotFoundError):
                    if _is_older(file, before):
                        file.unlink()
                        removed += 1
            self._swept_to[account_id] = folder.name
            looked_at += len(files)
            if looked_at >= SWEPT_AT_ONCE:
                break
        return removed

    def _next_folders(self, account_id: str) -> list[Path]:
        """The folders of an account, those first that come behind the last that was swept. A process begins
        anywhere: whatever is behind the place where one begins would else be left by all that do not live long."""
        folders = sorted(self._folder(account_id).glob("*"))
        place = self._swept_to.setdefault(account_id, secrets.token_hex(1))
        return [one for one in folders if one.name > place] + [one for one in folders if one.name <= place]

    def accounts(self) -> list[str]:
        return [folder.name for folder in self._path.iterdir()] if self._path.is_dir() else []

    def _folder(self, account_id: str) -> Path:
        return self._path / account_id

    def _file(self, account_id: str, key: str) -> Path:
        if len(key) != hashlib.sha256().digest_size * 2 or not key.isalnum():
            raise ValueError(f"{key!r} is no key of a body")
        return self._folder(account_id) / key[:2] / key

    def _renewed(self, account_id: str, files: Iterable[Path]) -> set[Path]:
        """Those of the files that are there. They are young again: no sweep takes one before the row that will
        name it is there, nor while this looks."""
        there: set[Path] = set()
        with suppress(FileNotFoundError), _locked(self._folder(account_id), fcntl.LOCK_SH):
            for file in files:
                with suppress(FileNotFoundError):
                    os.utime(file)
                    there.add(file)
        return there

    def _write(self, file: Path, pieces: Sequence[bytes]) -> None:
        for folder in (self._path, file.parent.parent, file.parent):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
                _sync(folder.parent)
        beside = file.with_name(f".{file.name}.{os.getpid()}.{time.monotonic_ns()}")
        pack = zlib.compressobj(_LEVEL)
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                for piece in pieces:
                    out.write(pack.compress(piece))
                out.write(pack.flush())
                out.flush()
                os.fdatasync(out.fileno())
            beside.rename(file)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def body_files(path: Path) -> Iterator[Path]:
    """The files of a folder that hold whole bodies, for who copies them."""
    return (file for file in sorted(path.glob("*/*/*")) if not file.name.startswith(".") and file.is_file())


def _key(pieces: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _is_older(file: Path, moment: float) -> bool:
    """Whether a file is there that is older. One that is being written is renamed once it is whole."""
    try:
        return file.stat().st_mtime < moment
    except FileNotFoundError:
        return False


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Keep a folder locked (flock(2)) against other threads and processes. Raises `FileNotFoundError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
