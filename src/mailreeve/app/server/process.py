"""The process that serves: prepared before a folder is opened, and alone on that folder."""

from __future__ import annotations

import fcntl
import os
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from starlette.types import ASGIApp

from mailreeve.app import logs
from mailreeve.app.folder import CREDENTIALS, DATABASE, KEY_FILE, LOCK, MAILDIR, FolderError
from mailreeve.app.private_files import close_to_others, open_to_others, touch_private
from mailreeve.app.server.mail_server import tls_of
from mailreeve.app.server.reload import Hangups, hangups
from mailreeve.app.settings import Settings
from mailreeve.app.settings import read as read_settings

DESCRIPTORS: Final = 4_096
"""Open files: of the connections to the API 2,000, of mail 500 and to its next hop as many, of milters 500."""

_log = structlog.get_logger(__name__)


class Process(NamedTuple):
    """What a process knows before it opens its folder.

    `options` are the settings that it was given directly, which win over the environment and the file; they do so
    again when `hangups` have the settings read anew. `before` puts something before the API, and `clock` tells
    the time of what is kept: a sandbox has both.
    """

    data: Path
    options: Mapping[str, object]
    settings: Settings
    hangups: Hangups
    log: logs.LogWriter
    before: Callable[[ASGIApp], ASGIApp] = lambda app: app
    clock: Callable[[], datetime] | None = None


@contextmanager
def prepared_process(data: Path, options: Mapping[str, object]) -> Iterator[Process]:
    """This process made ready to serve: SIGHUP, file modes, descriptors, settings, logs.

    To be called in the main thread, whose signals it takes. Raises `SettingsError`.
    """
    with hangups() as found:
        os.umask(0o077)  # Whatever a server writes is for its owner alone, messages in a Maildir too.
        logs.fill_standard_descriptors()
        settings = read_settings(data, options)
        settings.milter_at()
        tls_of(settings)
        log = logs.configure(settings.log_level)
        allow_descriptors()
        yield Process(data, options, settings, found, log)


def allow_descriptors() -> None:
    """Raise the limit of open files to what the doors' connections and the store need together: strangers who take
    every place that the doors give must not keep the process from opening a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= DESCRIPTORS:
        return
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < DESCRIPTORS:
        _log.warning("few open files are allowed", allowed=most, wanted=DESCRIPTORS)


@contextmanager
def only_server(data: Path) -> Iterator[None]:
    """One server per folder: another's commits would not be seen at once. Raises `FolderError`."""
    touch_private(data / LOCK)
    with (data / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise FolderError(f"{data} is being served by another process") from problem
        yield


def close_folder_to_others(data: Path) -> None:
    """Leave what is secret in the folder to its owner alone: a folder that was restored may have any modes."""
    names = (".", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", KEY_FILE, CREDENTIALS, MAILDIR)
    for path in open_to_others(data / name for name in names):
        try:
            close_to_others(path)
        except OSError as problem:
            _log.warning("others can read this", path=str(path), problem=problem.strerror)
        else:
            _log.warning("others could read this until now", path=str(path))
