"""The Received field that the door puts on top of every copy (RFC 5321 section 4.4)."""

from __future__ import annotations

import re
from email.utils import formatdate
from ipaddress import IPv6Address

from mailreeve.formats.networks import IPAddress
from mailreeve.mail.client import Client


def received_field(
    *,
    client: Client,
    client_name: str,
    hostname: str,
    protocol: str,
    id_: str,
    at: float,
    behind: Client | None = None,
) -> bytes:
    """The field with its line ends. It names no recipient: there may be hidden ones.

    `client_name` is what the client gave itself; `hostname` has to be ASCII; `at` is in POSIX seconds. `behind` is
    for whom the client handed the message on, if it said.
    """
    name = f"{trace_name(client.name)} " if client.name else ""
    before = ""
    if behind is not None:
        before = f"\r\n\t(client {trace_name(behind.helo)} [{_literal(behind.source_ip)}])"
    return (
        f"Received: from {trace_name(client_name)} ({name}[{_literal(client.source_ip)}])\r\n"
        f"\tby {hostname} (Mailreeve) with {protocol} id {id_}{before};\r\n"
        f"\t{formatdate(at, usegmt=False)}\r\n"
    ).encode("ascii")


def _literal(source_ip: IPAddress | None) -> str:
    if source_ip is None:
        return "unknown"
    return f"IPv6:{source_ip}" if isinstance(source_ip, IPv6Address) else str(source_ip)


def protocol_name(*, extended: bool, utf8: bool, tls: bool, login: bool = False) -> str:
    """How the message came, in the words of RFC 3848 and RFC 6531 section 4.3."""
    name = "UTF8SMTP" if utf8 else "ESMTP" if extended else "SMTP"
    return name + ("S" if tls else "") + ("A" if login and name != "SMTP" else "")


def trace_name(text: str) -> str:
    """The name that a client gave itself, without whatever could break a field."""
    return re.sub(r"[^A-Za-z0-9.:_\[\]-]", "", text)[:255] or "unknown"
