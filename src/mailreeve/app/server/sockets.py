"""The sockets that a server listens on, and where its listeners are found."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, NamedTuple

from mailreeve.app.settings import Settings, Unavailable, split_host_port

ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where one listens, and where to find it

BACKLOG: Final = 2_048  # connections that wait to be accepted


class Sockets(NamedTuple):
    """Listening sockets, one for the API, one or more for the mail door, and one for Prometheus if it may ask.
    Several processes may share them."""

    http: socket.socket
    smtp: tuple[socket.socket, ...]
    metrics: socket.socket | None = None

    def every(self) -> tuple[socket.socket, ...]:
        """All of them."""
        return (self.http, *self.smtp, *([] if self.metrics is None else [self.metrics]))


@contextmanager
def open_sockets(settings: Settings) -> Iterator[Sockets]:
    """The sockets that the settings name, open while the block runs. Raises `SettingsError` where one cannot be
    had."""
    with ExitStack() as stack:
        http = stack.enter_context(_http_socket("http", settings.http))
        with listening("smtp", settings.smtp):
            # A name may stand for several addresses: the door listens on each.
            found = socket.getaddrinfo(
                *split_host_port(settings.smtp, "smtp"), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            smtp = tuple(
                stack.enter_context(socket.create_server(address[:2], family=family, backlog=BACKLOG))
                for family, address in dict.fromkeys((one[0], one[4]) for one in found)
            )
        metrics = stack.enter_context(_http_socket("metrics", settings.metrics)) if settings.metrics else None
        yield Sockets(http, smtp, metrics)


def _http_socket(name: str, address: str) -> socket.socket:
    with listening(name, address):
        host, port = split_host_port(address, name)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)


@contextmanager
def listening(name: str, address: str) -> Iterator[None]:
    """The block begins to listen where the setting of this name says. Raises `SettingsError` where it cannot."""
    try:
        yield
    except OSError as problem:
        other = f"choose another with --{name} or MAILREEVE_{name.upper()}"
        if problem.errno == errno.EADDRINUSE:
            raise Unavailable(f"{name}: {address} is in use; {other}") from problem
        raise Unavailable(f"{name}: {address} cannot be had: {problem.strerror or problem}; {other}") from problem


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
