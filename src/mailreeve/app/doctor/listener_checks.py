"""The settings, the addresses that they name, and the certificate."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import os
import resource
import smtplib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mailreeve.app.certificate import CertificateError, is_for, public_key_of, read_certificate
from mailreeve.app.doctor.checks import Check, fail, ok, warn
from mailreeve.app.server.process import DESCRIPTORS
from mailreeve.app.server.sockets import found_at
from mailreeve.app.settings import Settings, SettingsError, split_host_port

PATIENCE: Final = 5.0  # seconds for an answer of our own server
SOON: Final = timedelta(days=14)
_ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - looked for


def settings_checks(settings: Settings, source: str) -> Iterator[Check]:
    """What is found of the settings as such."""
    yield ok("settings", f"{source} can be read")
    wide = [str(network) for network in settings.networks() if network.prefixlen == 0]
    if wide:
        yield fail(
            "relay", f"relay_networks holds {', '.join(wide)}: everybody may send to everybody",
            "name your own networks alone",
        )  # fmt: skip
    else:
        yield ok("relay", f"{', '.join(settings.relay_networks) or 'nobody'} may send to others")
    name = settings.hostname or socket.getfqdn()
    if "." not in name and ":" not in name:
        yield warn("hostname", f"the mail door calls itself {name}", "set hostname to its full name in DNS")
    else:
        yield ok("hostname", f"the mail door calls itself {name}")
    cores = len(os.sched_getaffinity(0))
    if settings.workers > cores:
        yield warn("workers", f"{settings.workers} on {cores} cores", "as many as there are cores are enough")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        yield warn(
            "files", f"{hard} may be open", f"raise the hard limit to {DESCRIPTORS}: LimitNOFILE, ulimit -Hn"
        )
    else:
        yield ok("files", f"{'any number' if hard == resource.RLIM_INFINITY else hard} may be open")


def listener_checks(settings: Settings, *, served: bool) -> Iterator[Check]:
    """What is found at the addresses: with a server there, whether it answers, else whether they can be had."""
    for name in ("http", "smtp", "metrics"):
        address = str(getattr(settings, name))
        if not address:
            continue
        try:
            host, port = split_host_port(address, name)
        except SettingsError as problem:
            yield fail(name, str(problem), "")
            continue
        if not port:
            yield ok(name, f"{host}, a free port")
        elif served:
            yield _answers(name, settings)
        else:
            yield _can_be_had(name, host, port)
        yield from _exposed(name, host, settings)


def _can_be_had(name: str, host: str, port: int) -> Check:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            socket.create_server((str(address[0]), port), family=family).close()
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            return fail(
                name, f"{host}:{port} is in use by another program", f"stop that, or set {name} to another"
            )
        if problem.errno == errno.EACCES:
            return fail(
                name, f"{host}:{port} is a low port, which you may not have",
                "grant CAP_NET_BIND_SERVICE, as packaging/mailreeve.service does",
            )  # fmt: skip
        return fail(name, f"{host}:{port} cannot be had: {problem.strerror or problem}", f"set {name} to another")
    return ok(name, f"{host}:{port} is free; no server works on the folder now")


def _answers(name: str, settings: Settings) -> Check:
    host, port = found_at(str(getattr(settings, name)), name)
    lines: list[str] = []
    try:
        if name == "smtp":
            with smtplib.SMTP(host, port, timeout=PATIENCE) as smtp:
                code = smtp.noop()[0]
            said, well = str(code), code == 250
        else:
            path = "/readyz" if name == "http" else "/metrics"
            said, lines, well = _asked(host, port, path, tls=name == "http" and bool(settings.tls_cert))
    except (OSError, smtplib.SMTPException, http.client.HTTPException) as problem:
        return fail(
            name, f"a server works on the folder, and {host}:{port} does not answer: {problem}", "see its log"
        )
    if not well:
        return fail(name, f"{host}:{port} says {said}", "see the log of the server")
    if name == "http" and len(lines) > 1:
        return warn(name, f"{host}:{port} is ready, but: {'; '.join(lines[1:4])}", "mailreeve verify says more")
    return ok(name, f"{host}:{port} answers")


def _asked(host: str, port: int, path: str, *, tls: bool) -> tuple[str, list[str], bool]:
    connection: http.client.HTTPConnection
    if tls:
        # Whether it lives is asked; whose certificate it has is looked at in the file.
        trusting = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=trusting)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        lines = answer.read(1 << 20).decode("utf-8", "replace").splitlines()
        return f"{answer.status} {' '.join(lines[:1])}", lines, answer.status == 200
    finally:
        connection.close()


def _exposed(name: str, host: str, settings: Settings) -> Iterator[Check]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if address.is_loopback or name == "smtp":
        return
    if name == "metrics" and (host in _ANYWHERE or address.is_global):
        yield warn(
            "metrics", "strangers may reach it, and it asks for no credentials", "use a network of your own"
        )
    if name == "http" and not settings.tls_cert:
        yield warn("http", "the API is reached without TLS", "set tls_cert and tls_key, or put a proxy in front")


def certificate_checks(settings: Settings) -> Iterator[Check]:
    """What is found of the certificate, if the settings name one."""
    if not settings.tls_cert:
        return
    try:
        found = read_certificate(Path(settings.tls_cert))
        key = public_key_of(Path(settings.tls_key))
    except CertificateError as problem:
        yield fail("certificate", str(problem), "")
        return
    if key != found.public_key:
        yield fail("certificate", f"{settings.tls_key} is not its key", "name the two that belong together")
        return
    now = datetime.now(UTC)
    until = f"until {found.expires:%Y-%m-%d}"
    renew = "renew it, then have it read: kill -HUP PID"
    if now < found.begins:
        yield fail("certificate", f"it is not valid before {found.begins:%Y-%m-%d}", "look at the clock")
    elif now >= found.expires:
        yield fail("certificate", f"it expired on {found.expires:%Y-%m-%d}", renew)
    elif found.expires - now < SOON:
        yield warn("certificate", f"it is valid for {(found.expires - now).days} days more, {until}", renew)
    else:
        yield ok("certificate", f"valid {until} for {', '.join(found.names[:3]) or 'no name'}")
    if settings.hostname and not is_for(found, settings.hostname):
        yield warn(
            "certificate",
            f"it is not for {settings.hostname}, the setting hostname",
            "get one that has both names",
        )
