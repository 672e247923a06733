"""The sockets that a server listens on, and where its listeners are found."""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from mailreeve.app.settings import Settings, SettingsError, Unavailable, split_host_port

ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where one listens, and where to find it

BACKLOG: Final = 2_048  # connections that wait to be accepted


class Sockets(NamedTuple):
    """Listening sockets: one for the API, one or more for the mail door and for the milter door if there is one,
    one for Prometheus if it may ask, those where helpers ask about web requests, and those of the zone door if
    there is one. Several processes may share them."""

    http: socket.socket
    smtp: tuple[socket.socket, ...]
    metrics: socket.socket | None = None
    milter: tuple[socket.socket, ...] = ()
    web: tuple[socket.socket, ...] = ()
    dns: tuple[socket.socket, ...] = ()
    dns_udp: tuple[socket.socket, ...] = ()

    def every(self) -> tuple[socket.socket, ...]:
        """All of them."""
        metrics = [] if self.metrics is None else [self.metrics]
        return (self.http, *self.smtp, *self.milter, *self.web, *metrics, *self.dns, *self.dns_udp)


@contextmanager
def open_sockets(settings: Settings) -> Iterator[Sockets]:
    """The sockets that the settings name, open while the block runs. Raises `SettingsError` where one cannot be
    had."""
    with ExitStack() as stack:
        http = stack.enter_context(_http_socket("http", settings.http))
        with listening("smtp", settings.smtp):
            smtp = _tcp_sockets(stack, *split_host_port(settings.smtp, "smtp"))
        with listening("milter", settings.milter):
            milter = _either(stack, settings.milter_at(), settings.milter_group, "milter_group")
        with listening("web_socket", settings.web_socket):
            web = _either(stack, settings.web_socket_at(), settings.web_socket_group, "web_socket_group")
        metrics = stack.enter_context(_http_socket("metrics", settings.metrics)) if settings.metrics else None
        dns: tuple[socket.socket, ...] = ()
        dns_udp: tuple[socket.socket, ...] = ()
        if settings.dns:
            with listening("dns", settings.dns):
                dns = _tcp_sockets(stack, *split_host_port(settings.dns, "dns"))
                dns_udp = tuple(stack.enter_context(_udp_beside(one)) for one in dns)
        yield Sockets(http, smtp, metrics, milter, web, dns, dns_udp)


def _either(
    stack: ExitStack, at: Path | tuple[str, int] | None, group: str, name: str
) -> tuple[socket.socket, ...]:
    """The sockets of a door that may be a Unix one, for the `group` that the setting `name` says; or none."""
    match at:
        case None:
            return ()
        case Path() as path:
            return (stack.enter_context(_unix_socket(path, group, name)),)
        case host, port:
            return _tcp_sockets(stack, host, port)


def _tcp_sockets(stack: ExitStack, host: str, port: int) -> tuple[socket.socket, ...]:
    """A name may stand for several addresses: there is one for each."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return tuple(
        stack.enter_context(socket.create_server(address[:2], family=family, backlog=BACKLOG))
        for family, address in dict.fromkeys((one[0], one[4]) for one in found)
    )


def _udp_beside(tcp: socket.socket) -> socket.socket:
    """A socket for packets at the address and port of one for connections. Raises `OSError`."""
    udp = socket.socket(tcp.family, socket.SOCK_DGRAM)
    try:
        if tcp.family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        udp.bind(tcp.getsockname())
    except OSError:
        udp.close()
        raise
    return udp


@contextmanager
def _unix_socket(path: Path, group: str, name: str) -> Iterator[socket.socket]:
    """A socket in the file system, which is gone with the block. It is for its owner and the `group`, for the
    owner alone where that is empty. What a server that died left there is taken away. Raises `OSError`, or
    `SettingsError` where there is no such group."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as other:
            try:
                other.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        made = path.stat().st_ino
        try:
            if group:
                _give(path, group, name)
            listener.listen(BACKLOG)
            yield listener
        finally:
            with suppress(OSError):
                if path.stat().st_ino == made:
                    path.unlink()


def _give(path: Path, group: str, name: str) -> None:
    try:
        shutil.chown(path, group=int(group) if group.isdigit() else group)
    except LookupError as problem:
        raise SettingsError(f"{name}: there is no group {group!r}") from problem
    except PermissionError as problem:
        raise Unavailable(
            f"{name}: {path} cannot be given to {group!r}: only to a group of one's own"
        ) from problem
    path.chmod(0o660)


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
        other = f"choose another with --{name.replace('_', '-')} or MAILREEVE_{name.upper()}"
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
