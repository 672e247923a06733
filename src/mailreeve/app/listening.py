"""Where is a listener found, and what is said when it cannot have its address?"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mailreeve.app.settings import Settings, SettingsError, split_host_port

ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where one listens, and where to find it


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


def found_at(address: str, name: str) -> tuple[str, int]:
    """Host and port where a listener is found, from the setting `name` that says where it listens. Port 0 is one
    that nobody knows beforehand. Raises `SettingsError`."""
    host, port = split_host_port(address, name)
    return ANYWHERE.get(host, host), port


def http_url(settings: Settings) -> str:
    """Where the API of a server with these settings is found, with the word PORT for a port that nobody knows
    beforehand. Raises `SettingsError`."""
    host, port = found_at(settings.http, "http")
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_cert else 'http'}://{shown}:{port or 'PORT'}"
