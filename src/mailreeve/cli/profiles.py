"""Which servers does somebody at this machine call, and with which keys? A file of profiles, theirs alone.

Secrets come from a file that `init` or `keys new` saved, never from the command line, where others see them.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
import msgspec
from msgspec import Struct

from mailreeve.client import Credentials

FOLDER: Final = "MAILREEVE_CONFIG_HOME"
"""Names the folder of the file, where it is not the usual one for settings of programs."""
MAX_FILE: Final = 1 << 20  # octets
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class ProfileError(Exception):
    """The file of profiles cannot be used, or holds no such profile. The message says why."""


class Profile(Struct, frozen=True):
    """A server, the keys to call it with, and a file of certificates to trust besides the usual ones."""

    url: str
    credentials: Credentials
    ca: str = ""


def path() -> Path:
    """Where the profiles are kept."""
    return Path(os.environ.get(FOLDER) or click.get_app_dir("mailreeve")) / "profiles.json"


def every() -> Mapping[str, Profile]:
    """All profiles by their names. Raises `ProfileError`."""
    file = path()
    try:
        with file.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & _OTHERS:
                raise ProfileError(f"{file} may be read by others and holds keys; run: chmod 600 {file}")
            text = stream.read(MAX_FILE + 1)
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise ProfileError(f"{file} cannot be read: {problem.strerror}") from problem
    if len(text) > MAX_FILE:
        raise ProfileError(f"{file} is larger than {MAX_FILE} octets")
    try:
        return msgspec.json.decode(text, type=dict[str, Profile])
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not the reason: parts of what may be a key would be shown.
        raise ProfileError(f"{file} does not hold profiles") from None


def named(name: str) -> Profile:
    """One profile. Raises `ProfileError`."""
    found = every()
    if name in found:
        return found[name]
    known = f"; there {'is' if len(found) == 1 else 'are'} {', '.join(sorted(found))}" if found else ""
    raise ProfileError(f"there is no profile {name!r}{known}; `mailreeve profile add` makes one")


def save(profiles: Mapping[str, Profile]) -> None:
    """Write the file anew, readable for nobody else at any time. Raises `ProfileError`."""
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, new = tempfile.mkstemp(dir=file.parent, prefix=".profiles-")  # for the owner alone
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(msgspec.json.format(msgspec.json.encode(profiles), indent=2))
                stream.flush()
                os.fsync(stream.fileno())
            Path(new).replace(file)
        except BaseException:
            Path(new).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise ProfileError(f"{file} cannot be written: {problem.strerror}") from problem
