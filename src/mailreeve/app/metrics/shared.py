"""Where do several workers keep their numbers, so that whichever is asked tells those of all?

In files of one folder, which the Prometheus client maps into memory. It reads where they are from the environment
when it is loaded, and only then. So nothing here loads it, and whoever does, does so after this.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_numbers() -> Iterator[None]:
    """A folder for the numbers of the workers that are started while the block runs."""
    folder = tempfile.mkdtemp(prefix="mailreeve-metrics-")
    os.environ[_FOLDER] = folder
    try:
        yield
    finally:
        os.environ.pop(_FOLDER, None)
        shutil.rmtree(folder, ignore_errors=True)


def keep_numbers_to_oneself() -> None:
    """For a process that serves alone, whatever it inherited."""
    os.environ.pop(_FOLDER, None)


def are_shared() -> bool:
    """Whether there are other workers' numbers besides one's own."""
    return _FOLDER in os.environ


def forget_worker(pid: int) -> None:
    """A worker has died: what it had is no more, what it counted stays counted."""
    if are_shared():
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
