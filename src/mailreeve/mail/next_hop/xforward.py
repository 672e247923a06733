"""Telling the next hop whose mail it gets: the commands of XFORWARD, for a Postfix behind to log the client."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final

from mailreeve.mail.client import Client

MAX_COMMAND: Final = 512  # octets, line end included
MAX_VALUE: Final = 255
_QUOTED: Final = re.compile(r"[^!-*,-<>-~]")  # what is no xchar (RFC 3461 section 4)


def xforward_commands(client: Client, taken: str) -> list[bytes]:
    """The commands, none too long. `taken` are the names of the attributes that the next hop takes."""
    commands: list[bytes] = []
    known = set(taken.upper().split())
    for name, value in _attributes(client):
        if name not in known:
            continue
        attribute = f" {name}={_xtext(value) if value else '[UNAVAILABLE]'}".encode("ascii")
        if not commands or len(commands[-1]) + len(attribute) + len(b"\r\n") > MAX_COMMAND:
            commands.append(b"XFORWARD")
        commands[-1] += attribute
    return commands


def _attributes(client: Client) -> list[tuple[str, str]]:
    address = "" if client.source_ip is None else str(client.source_ip)
    return [
        ("NAME", client.name),
        ("ADDR", f"IPV6:{address}" if isinstance(client.source_ip, IPv6Address) else address),
        ("PORT", "" if client.port is None else str(client.port)),
        ("HELO", client.helo),
        ("PROTO", client.protocol),
        ("IDENT", client.identity),
        # What is local to the server in front of us is so for the one behind, which may complete its addresses.
        ("SOURCE", "LOCAL" if client.is_local else "REMOTE"),
    ]


def _xtext(value: str) -> str:
    octets = value.encode("utf-8", "replace").decode("latin-1")
    text = _QUOTED.sub(lambda found: f"+{ord(found[0]):02X}", octets)
    # Not in the middle of an octet that is quoted.
    return re.sub(r"\+[0-9A-F]?\Z", "", text[:MAX_VALUE])
