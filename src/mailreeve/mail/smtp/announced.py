"""What a server in front says of its clients: XCLIENT and XFORWARD, as Postfix defines them.

Both give attributes, `ADDR=192.0.2.7`. XCLIENT is about the session, which begins anew with it; XFORWARD about
the next message. Postfix takes XFORWARD for its log only; here both are what is decided by, since a filter has no
other way to know who is calling. So both are for hosts alone that an administrator has listed.

Values come from strangers in the end, by way of a host that is trusted to name them and not to check them. Where a
value decides anything, it has to be well formed; where it is only shown, what could break a line or a log is taken
out of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from mailreeve.formats.header_text import printable
from mailreeve.formats.networks import IPAddress, parse_ip
from mailreeve.mail.client import Client
from mailreeve.policy.model.policy_types import SmtpReply

NOT_LISTED: Final = SmtpReply(550, "5.7.0", "You may not speak for others")

XCLIENT: Final = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT")
XFORWARD: Final = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")

MAX_VALUE: Final = 255
MAX_PROTOCOL: Final = 64

_XTEXT: Final = re.compile(r"\+([0-9A-Fa-f]{2})")
_UNAVAILABLE: Final = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_IPV6: Final = "IPV6:"
_OF_CONNECTION: Final = ("ADDR", "NAME", "HELO", "PORT")

Attributes = Mapping[str, str | None]
"""Attributes by name in upper case, None for what is unavailable."""


class Speaker:
    """For whom does a connection speak? For itself, until a listed host says otherwise.

    `client` is whose message comes next, `of_session` who is connected to the server in front as far as XCLIENT
    says. What comes from a listed host that does not say is nobody's: `relay_networks`
    would else hold for all that comes through a proxy on the same machine.
    """

    def __init__(self, source_ip: IPAddress, *, listed: bool) -> None:
        self.listed = listed
        self.peer = Client(source_ip=source_ip, trusted=False if listed else None)
        self.client = self.of_session = self.peer
        self._announced: dict[str, str | None] = {}
        self._forwarded: dict[str, str | None] = {}

    @property
    def is_announced(self) -> bool:
        """Whether anything was said."""
        return self.client is not self.peer

    @property
    def forwards(self) -> bool:
        """Whether XFORWARD was said for the next message."""
        return bool(self._forwarded)

    def xclient(self, argument: str) -> SmtpReply | None:
        """The session is another client's. A refusal changes nothing.

        Of another address nothing is known but what comes with it or later: it does not have the login of whom the
        connection was used for before.
        """
        attributes = self._read(argument, XCLIENT)
        if isinstance(attributes, SmtpReply):
            return attributes
        self._forwarded = {}
        self._announced = attributes if "ADDR" in attributes else self._announced | attributes
        self.client = self.of_session = by_xclient(self.peer, self._announced)
        return None

    def xforward(self, argument: str) -> SmtpReply | None:
        """The next message is another client's. A refusal changes nothing."""
        attributes = self._read(argument, XFORWARD)
        if isinstance(attributes, SmtpReply):
            return attributes
        self._forwarded |= attributes
        self.client = by_xforward(self.peer, self._forwarded)
        return None

    def message_over(self) -> bool:
        """The message that XFORWARD was about has ended, if any. Whether that is so."""
        if not self._forwarded:
            return False
        self._forwarded = {}
        self.client = self.of_session
        return True

    def introduced(self, helo: str, protocol: str) -> Client:
        """The client, with what it says of itself here where nothing was announced."""
        client = self.client
        if self._forwarded:
            return client
        return replace(client, helo=client.helo or helo, protocol=client.protocol or protocol)

    def told(self) -> dict[str, str]:
        """What a log tells of a client whom a listed host speaks for."""
        if not self.is_announced:
            return {}
        client = self.client
        known = {"helo": client.helo, "login": client.login, "front_queue_id": client.identity}
        return {"through": self.peer.source} | {name: text for name, text in known.items() if text}

    def _read(self, argument: str, names: tuple[str, ...]) -> dict[str, str | None] | SmtpReply:
        return read_attributes(argument, names) if self.listed else NOT_LISTED


def read_attributes(argument: str, names: tuple[str, ...]) -> dict[str, str | None] | SmtpReply:
    """The attributes of a command, decoded and each checked, or the refusal of all of them."""
    found: dict[str, str | None] = {}
    for word in argument.split():
        name, equals, value = word.partition("=")
        name = name.upper()
        if not equals or name not in names or name in found:
            return _bad(f"{printable(name, MAX_PROTOCOL)} is no attribute, or comes twice")
        decoded = _decoded(value)
        if decoded is None:
            return _bad(f"The value of {name} is no xtext, or too long")
        given = None if not decoded or decoded.upper() in _UNAVAILABLE else decoded
        if given is not None and not _is_well_formed(name, given, names is XFORWARD):
            return _bad(f"The value of {name} is not of its form")
        found[name] = given
    return found or _bad("An attribute is needed")


def by_xclient(peer: Client, attributes: Attributes) -> Client:
    """The client that `peer` speaks for. `attributes` are all that were given since its address was.

    Without an address it is nobody known, and has only the trust of whoever signed in.
    """
    login = _shown(attributes.get("LOGIN"))
    source_ip = _address(attributes["ADDR"]) if "ADDR" in attributes else peer.source_ip
    by_address = None if attributes.get("ADDR") is not None else False
    client = Client(source_ip=source_ip, login=login, trusted=True if login else by_address)
    return _described(client, attributes)


def by_xforward(peer: Client, attributes: Attributes) -> Client:
    """The client of the next message, which `peer` hands on. `attributes` are all that were given for it.

    With an address, that is what counts. Postfix says `SOURCE=LOCAL` of every client of a proxy on its machine,
    since it looks at the connection and not at what the proxy announced. So it counts for what came by no
    connection, of which nothing else is known: that is the server's own. Whatever else is without an address is
    nobody's.
    """
    source = attributes.get("SOURCE")
    is_local = None if source is None else source.upper() == "LOCAL"
    address = _address(attributes.get("ADDR"))
    is_own = is_local is True and not any(attributes.get(name) for name in _OF_CONNECTION)
    client = Client(
        source_ip=peer.source_ip if is_own else address,
        trusted=True if is_own else False if address is None else None,
        is_local=is_local,
        identity=_shown(attributes.get("IDENT")),
    )
    return _described(client, attributes)


def _described(client: Client, attributes: Attributes) -> Client:
    given: dict[str, object] = {}
    for name, member in (("NAME", "name"), ("HELO", "helo"), ("PROTO", "protocol")):
        if name in attributes:
            given[member] = _shown(attributes[name])
    if "PORT" in attributes:
        port = attributes["PORT"]
        given["port"] = None if port is None else int(port)
    return replace(client, **given)


def _decoded(value: str) -> str | None:
    """A value without its xtext (RFC 3461 section 4); None if it is not of that form. Older servers send values as
    they are, which is the same unless there is a plus sign."""
    text = _XTEXT.sub(lambda found: chr(int(found[1], 16)), value)
    if value.count("+") != len(_XTEXT.findall(value)) or len(text) > MAX_VALUE:
        return None
    # The octets are those of UTF-8, if of anything.
    return text.encode("latin-1", "replace").decode("utf-8", "replace") if value.isascii() else text


def _is_well_formed(name: str, value: str, forwarded: bool) -> bool:
    match name:
        case "ADDR":
            # A message may have come by another way than IP, as XFORWARD has it; then nobody known handed it in.
            return forwarded or _address(value) is not None
        case "DESTADDR":
            return _address(value) is not None
        case "PORT" | "DESTPORT":
            return value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= 65_535
        case "PROTO":
            return len(value) <= MAX_PROTOCOL if forwarded else value.upper() in ("SMTP", "ESMTP")
        case "SOURCE":
            return value.upper() in ("LOCAL", "REMOTE")
        case _:
            return True


def _address(value: str | None) -> IPAddress | None:
    """The address that a value gives. A zone (`fe80::1%eth0`) is no part of one, and could hold anything."""
    if value is None or "%" in value:
        return None
    text = value[len(_IPV6) :] if value[: len(_IPV6)].upper() == _IPV6 else value
    try:
        return parse_ip(text)
    except ValueError:
        return None


def _shown(value: str | None) -> str:
    return "" if value is None else printable(value, MAX_VALUE)


def _bad(why: str) -> SmtpReply:
    return SmtpReply(501, "5.5.4", why.encode("ascii", "replace").decode("ascii"))
