"""What is in a data folder, by name, and is it one? Asked also by those who have no use for what opens it."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Final

from mailreeve.app.settings import FILE_NAME

DATABASE: Final = "mailreeve.db"
KEY_FILE: Final = "secret.key"
MAILDIR: Final = "maildir"
BODIES: Final = "bodies"
LOCK: Final = "serve.lock"
CREDENTIALS: Final = "credentials.json"
UNFINISHED: Final = ".mailreeve-init"  # what `init` works in, gone once it is done


class FolderError(RuntimeError):
    """The folder cannot be used. The message says why and what to do."""


def is_initialised(data: Path) -> bool:
    """Whether `mailreeve init` has finished here."""
    return (data / FILE_NAME).is_file()


def is_served(data: Path) -> bool:
    """Whether a server works on the folder now."""
    try:
        with (data / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
