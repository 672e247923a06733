"""How is a sandbox served? As any other server, from a folder that is made for it and gone when it ends."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mailreeve.app.folder import FolderError
from mailreeve.app.sandbox.contents import CREDENTIALS, fill, make, settings_of
from mailreeve.app.sandbox.pages import Clock, Sandbox
from mailreeve.app.server.process import prepared_process
from mailreeve.app.server.serving import Listeners, serve
from mailreeve.client import Client, Credentials

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one
PREFIX: Final = "mailreeve-sandbox-"


def serve_sandbox(options: Mapping[str, object], announce: Callable[[Listeners], None]) -> None:
    """Serve a sandbox until SIGTERM or SIGINT. `announce` is called once it is filled. Raises what `serve` does,
    and `FolderError` where it cannot be filled."""
    # The environment is that of a real server, whose addresses, next hop and directory are no business of a
    # sandbox, whose credentials everybody knows. So it has no say, neither now nor when settings are read again.
    for name in [name for name in os.environ if name.startswith("MAILREEVE_")]:
        del os.environ[name]
    with _folder() as data:
        make(data)
        clock = Clock()
        sandbox = Sandbox(clock)
        chosen = settings_of(dict(options))
        with prepared_process(data, chosen) as process:
            problems: list[Exception] = []

            def fill_it(found: Listeners) -> None:
                try:
                    _fill(sandbox, found, announce)
                except Exception as problem:
                    # Told below, once the server has ended as at any SIGTERM.
                    problems.append(problem)
                    os.kill(os.getpid(), signal.SIGTERM)

            def started(found: Listeners) -> None:
                # The loop that serves is the one that we are called in, so whoever calls it needs a thread.
                threading.Thread(target=fill_it, args=(found,), daemon=True).start()

            serve(process._replace(before=sandbox.before, clock=clock), started)
            for problem in problems:
                raise FolderError(f"the sandbox cannot be filled: {problem}") from problem


def _fill(sandbox: Sandbox, found: Listeners, announce: Callable[[Listeners], None]) -> None:
    keys = Credentials(CREDENTIALS.app_id, CREDENTIALS.app_key, CREDENTIALS.access_key, CREDENTIALS.secret_key)
    with Client(found.http, keys, verify=False) as api:
        fill(api, found.smtp)
    sandbox.smtp = found.smtp
    sandbox.open()
    announce(found)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory, or where temporary files go."""
    parent = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        yield folder / "data"
    finally:
        shutil.rmtree(folder)
