"""Tell the service manager that we are ready, or about to stop: sd_notify(3), a datagram to where it says."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
_WHERE: Final = "NOTIFY_SOCKET"


def notify(state: str) -> None:
    """Tell it, if there is one that asked to be told. Whether it hears is no matter of ours."""
    where = os.environ.get(_WHERE, "")
    if not where.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.sendto(state.encode(), f"\0{where[1:]}" if where[0] == "@" else where)
