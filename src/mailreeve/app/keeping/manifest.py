"""What is in a backup? A manifest beside its files names each with its digest, and says what they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from mailreeve.app.folder_files import FolderError

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
"""Counts up when an older version could no longer make sense of a backup."""

MAX_MANIFEST: Final = 64 * 1024 * 1024  # octets: a line for each message, where mail is in it
_PIECE: Final = 1 << 20
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Size = Annotated[int, Meta(ge=0)]


class File(Struct, frozen=True):
    """A file of a backup."""

    octets: _Size
    sha256: _Digest


class AccountAt(Struct, frozen=True):
    """An account, and the last revision of it that is in the backup."""

    code: str
    revision: int


class Manifest(Struct, frozen=True):
    """What a backup says of itself. `made_at` is ISO 8601 in UTC; `schema` the revision of the database's schema;
    `key_fingerprint` what the key is known by that belongs to it, in the backup or not; `files` are named by their
    path in it."""

    format: int
    version: str
    schema: str
    made_at: str
    key_fingerprint: str
    accounts: tuple[AccountAt, ...]
    files: dict[str, File]


def digest(file: Path, progress: Callable[[int], None] = lambda octets: None) -> File:
    """Size and digest of a file. Raises `OSError`."""
    found, size = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            found.update(piece)
            size += len(piece)
            progress(len(piece))
    return File(size, found.hexdigest())


def written(manifest: Manifest) -> str:
    """The manifest as it is written."""
    return msgspec.json.format(msgspec.json.encode(manifest)).decode() + "\n"


def read_manifest(backup: Path) -> Manifest:
    """The manifest of a backup. Raises `FolderError`."""
    file = backup / MANIFEST
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_MANIFEST + 1)
        if len(text) > MAX_MANIFEST:
            raise FolderError(f"{file} is too large")
        manifest = msgspec.json.decode(text, type=Manifest)
    except FileNotFoundError as problem:
        raise FolderError(f"{backup} is no backup: it holds no {MANIFEST}") from problem
    except NotADirectoryError as problem:
        raise FolderError(f"{backup} is not a folder") from problem
    except OSError as problem:
        raise FolderError(f"{file} cannot be read: {problem.strerror}") from problem
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise FolderError(f"{file} is no manifest: {problem}") from problem
    if manifest.format > FORMAT:
        raise FolderError(f"{backup} was made by version {manifest.version}, which is newer than this one")
    for name in manifest.files:
        place = Path(name)
        if place.is_absolute() or ".." in place.parts or not place.parts:
            raise FolderError(f"{file} names {name!r}, which is no file of a backup")
    return manifest
