"""How is a Postfix' configuration learnt? From its own `postconf`, else from its files; nothing is changed."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec

from mailreeve.app.doctor.postfix.configuration import DEFAULTS, Postfix, read_main, read_services

DEFAULT_FOLDER: Final = Path("/etc/postfix")
PATIENCE: Final = 20.0  # seconds
DEPTH: Final = 8  # of settings that name settings
_SEARCHED: Final = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
_NAMED: Final = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")


class UnreadableError(Exception):
    """The configuration cannot be read. The message says why."""


def read_postfix(folder: Path) -> tuple[Postfix, str]:
    """The configuration in a folder, and what was asked: `postconf`, or the files.

    Raises `UnreadableError`.
    """
    for name in ("main.cf", "master.cf"):
        try:
            (folder / name).read_bytes()
        except OSError as problem:
            raise UnreadableError(f"{folder / name} cannot be read: {problem.strerror}") from problem
    program = shutil.which("postconf", path=_SEARCHED)
    if program is None:
        return _from_files(
            folder
        ), f"the files in {folder}, since there is no postconf; defaults are Postfix 3.7's"
    main = dict(read_main(_asked(program, folder, "-x")))
    own: dict[str, dict[str, str]] = {}
    for key, value in read_main(_asked(program, folder, "-Px")):
        # A service's name may hold a slash, as a path of a socket does; a setting's does not.
        service, _, name = key.rpartition("/")
        own.setdefault(service, {})[name] = value
    services = tuple(
        msgspec.structs.replace(each, options=own.get(str(each), {}))
        for each in read_services(_asked(program, folder, "-M"))
    )
    return Postfix(str(folder), main, services), f"postconf -c {folder}"


def _asked(program: str, folder: Path, *options: str) -> str:
    command = [program, "-c", str(folder), *options]
    try:
        done = subprocess.run(  # noqa: S603 - Postfix' own program, and a folder that exists
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise UnreadableError(f"{' '.join(command)}: {problem}") from problem
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UnreadableError(f"{' '.join(command)}: {last}")
    return done.stdout


def _from_files(folder: Path) -> Postfix:
    main = DEFAULTS | dict(read_main((folder / "main.cf").read_text("utf-8", "replace")))

    def expanded(value: str) -> str:
        for _ in range(DEPTH):
            wider = _NAMED.sub(lambda found: main.get(found[1] or found[2] or found[3], ""), value)
            if wider == value:
                break
            value = wider
        return value

    services = (
        msgspec.structs.replace(each, options={name: expanded(value) for name, value in each.options.items()})
        for each in read_services((folder / "master.cf").read_text("utf-8", "replace"))
    )
    return Postfix(str(folder), {name: expanded(value) for name, value in main.items()}, tuple(services))


def barred(socket: Path, user: str) -> str:
    """What keeps a user from a unix socket: the first part of its path that they may not pass, with why. Empty
    where nothing does."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return f"there is no user {user}"
    groups = {account.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)}
    for part in (*reversed(socket.parents), socket):
        try:
            found = part.stat()
        except PermissionError:
            return f"{part} cannot be looked at from here; run this as root"
        except OSError as problem:
            return f"{part}: {problem.strerror}"
        shift = 6 if found.st_uid == account.pw_uid else 3 if found.st_gid in groups else 0
        wanted, what = (0o2, "write to") if part == socket else (0o1, "enter")
        if account.pw_uid and not found.st_mode >> shift & wanted:
            return f"user {user} may not {what} {part}"
    return ""
