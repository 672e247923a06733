"""The Received field that the door puts on top of every copy (RFC 5321 section 4.4)."""

from __future__ import annotations

import re
from email.utils import formatdate
from ipaddress import IPv6Address

from mailreeve.formats.networks import IPAddress


def received_field(
    *, client_name: str, source_ip: IPAddress, hostname: str, protocol: str, id_: str, at: float
) -> bytes:
    """The field with its line ends. It names no recipient: there may be hidden ones.

    `client_name` is what the client gave itself; `hostname` has to be ASCII; `at` is in POSIX seconds.
    """
    source = f"IPv6:{source_ip}" if isinstance(source_ip, IPv6Address) else str(source_ip)
    return (
        f"Received: from {trace_name(client_name)} ([{source}])\r\n"
        f"\tby {hostname} (Mailreeve) with {protocol} id {id_};\r\n"
        f"\t{formatdate(at, usegmt=False)}\r\n"
    ).encode("ascii")


def protocol_name(*, extended: bool, utf8: bool, tls: bool) -> str:
    """How the message came, in the words of RFC 3848 and RFC 6531 section 4.3."""
    name = "UTF8SMTP" if utf8 else "ESMTP" if extended else "SMTP"
    return name + "S" if tls else name


def trace_name(text: str) -> str:
    """The name that a client gave itself, without whatever could break a field."""
    return re.sub(r"[^A-Za-z0-9.:_\[\]-]", "", text)[:255] or "unknown"
