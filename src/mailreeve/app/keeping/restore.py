"""A data folder made of a backup: verified first, then put in a new folder, wholly or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mailreeve.app.folder import BODIES, CREDENTIALS, DATABASE, KEY_FILE, MAILDIR, FolderError, is_served
from mailreeve.app.keeping.backup import Report
from mailreeve.app.keeping.manifest import digest
from mailreeve.app.keeping.verify import Verified, verify_backup
from mailreeve.app.new_folder import new_folder
from mailreeve.app.private_files import FILE_MODE, FOLDER_MODE
from mailreeve.app.settings import FILE_NAME


def _silent(what: str, done: int, total: int) -> None:
    pass


def restore_backup(backup: Path, data: Path, key: Path | None = None, report: Report = _silent) -> Verified:
    """Make the folder `data`, which is not there yet or empty, what it was when it was backed up.

    `key` is for a backup without one. The database is left as it was written, for whichever version serves it.
    What is returned was found of the backup. Raises `FolderError` or `OSError`, and nothing is made then.
    """
    if is_served(data):
        # Its files were taken away under it, and it works on with those.
        raise FolderError(f"{data} is being served by a process: stop that first; nothing was restored")
    found = verify_backup(backup, key, report)
    if not found.is_whole:
        raise FolderError(f"{backup} is not whole, nothing was restored: {'; '.join(found.problems)}")
    if not found.has_key:
        raise FolderError(
            f"{backup} was made without {KEY_FILE}, and nothing can be served without it; give --key with the file"
        )
    assert found.manifest is not None  # noqa: S101  of a backup
    files = found.manifest.files
    mail = [name for name in files if name.startswith(f"{MAILDIR}/")]
    bodies = [name for name in files if name.startswith(f"{BODIES}/")]
    also = frozenset((CREDENTIALS, MAILDIR, BODIES))
    with new_folder(data, also) as building:
        for name in (DATABASE, CREDENTIALS, FILE_NAME, *mail, *bodies):
            if name in files:
                _copy(backup / name, building / name)
                # Read once more: what was verified is what is served.
                if digest(building / name) != files[name]:
                    raise FolderError(f"{backup / name} changed while it was restored; nothing was restored")
        _copy(key or backup / KEY_FILE, building / KEY_FILE)
        if mail:
            for folder in {(building / name).parent.parent for name in mail}:
                for part in ("new", "cur", "tmp"):
                    (folder / part).mkdir(FOLDER_MODE, exist_ok=True)
    return found


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    target.touch(FILE_MODE)
    with source.open("rb") as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
