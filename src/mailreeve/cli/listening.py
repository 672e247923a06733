"""What is said when a listener cannot have its address?"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from mailreeve.settings import SettingsError


@contextmanager
def listening(name: str, address: str) -> Iterator[None]:
    """The block begins to listen where the setting of this name says. Raises `SettingsError` where it cannot."""
    try:
        yield
    except OSError as problem:
        other = f"choose another with --{name} or MAILREEVE_{name.upper()}"
        if problem.errno == errno.EADDRINUSE:
            raise SettingsError(f"{name}: {address} is in use; {other}") from problem
        raise SettingsError(
            f"{name}: {address} cannot be had: {problem.strerror or problem}; {other}"
        ) from problem
