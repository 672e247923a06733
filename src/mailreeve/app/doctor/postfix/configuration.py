"""What does a Postfix have in main.cf and master.cf? Values, and what its words for addresses and services mean.

The forms are those of postconf(5), master(5) and Postfix' MILTER_README.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from mailreeve.formats.networks import Network, parse_network

SMTP_PORT: Final = 25
PORTS: Final = {"smtp": SMTP_PORT, "submission": 587, "smtps": 465, "submissions": 465}
# What a main.cf that leaves them out means, in Postfix 3.7: for where postconf is not there to be asked.
DEFAULTS: Final = {
    "content_filter": "",
    "inet_interfaces": "all",
    "mail_owner": "postfix",
    "message_size_limit": "10240000",
    "milter_default_action": "tempfail",
    "milter_protocol": "6",
    "mynetworks": "127.0.0.0/8",
    "non_smtpd_milters": "",
    "queue_directory": "/var/spool/postfix",
    "receive_override_options": "",
    "relay_transport": "relay",
    "smtp_destination_recipient_limit": "50",
    "smtp_send_xforward_command": "no",
    "smtpd_authorized_xforward_hosts": "",
    "smtpd_discard_ehlo_keywords": "",
    "smtpd_milters": "",
    "smtpd_proxy_filter": "",
    "smtpd_proxy_options": "",
    "smtpd_recipient_limit": "1000",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "smtputf8_enable": "yes",
}
_PART: Final = re.compile(r"\{[^}]*\}|[^\s,{}]+")
_LOOPBACK_NAMES: Final = frozenset({"localhost", "loopback-only"})
_ANY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::", "all", "*"})  # noqa: S104 - looked for


class Service(Struct, frozen=True):
    """A line of master.cf: `smtp/inet` with the program that it starts and its own settings."""

    name: str
    type: str
    chroot: bool
    program: str
    options: Mapping[str, str] = {}

    def __str__(self) -> str:
        return f"{self.name}/{self.type}"

    @property
    def host(self) -> str:
        """Where it listens; empty where `inet_interfaces` says so."""
        return self.name.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port on which it listens; 0 for one whose name is not known here."""
        port = self.name.rpartition(":")[2]
        return int(port) if port.isascii() and port.isdigit() else PORTS.get(port, 0)


class Postfix(Struct, frozen=True):
    """The configuration of one instance, each value expanded. `folder` is where its files are."""

    folder: str
    main: Mapping[str, str]
    services: tuple[Service, ...]

    def get(self, name: str, service: Service | None = None) -> str:
        """A setting as a service has it; without one, as main.cf has it."""
        if service is not None and name in service.options:
            return service.options[name]
        return self.main.get(name, DEFAULTS.get(name, ""))

    def number(self, name: str, service: Service | None = None) -> int:
        """A setting that is a number; 0 if it is none."""
        text = self.get(name, service)
        return int(text) if text.isascii() and text.isdigit() else 0

    def listeners(self) -> tuple[Service, ...]:
        """The services that take mail by SMTP, also what `postscreen` passes on."""
        return tuple(each for each in self.services if each.type in ("inet", "pass") and each.program == "smtpd")

    def meets_the_world(self) -> tuple[Service, ...]:
        """The services at port 25 that others reach."""
        at_25 = (each for each in self.services if each.type == "inet" and each.port == SMTP_PORT)
        return tuple(each for each in at_25 if not self.is_local(each))

    def transport(self, name: str) -> Service | None:
        """The service that brings mail elsewhere, by its name."""
        return next((each for each in self.services if (each.name, each.type) == (name, "unix")), None)

    def is_local(self, service: Service) -> bool:
        """Whether only programs of this machine reach a listener."""
        hosts = [service.host] if service.host else parts(self.get("inet_interfaces"))
        return bool(hosts) and all(is_loopback(host) for host in hosts)

    def networks(self, service: Service | None = None) -> tuple[list[Network], list[str]]:
        """What `mynetworks` holds: networks, and what is a table or a name and cannot be told here."""
        known, unknown = [], []
        for part in parts(self.get("mynetworks", service)):
            try:
                known.append(parse_network(re.sub(r"[\[\]]", "", part)))
            except ValueError:
                unknown.append(part)
        return known, unknown


class Milter(Struct, frozen=True):
    """One entry of `smtpd_milters`: where it is, and what is said of it alone."""

    address: str
    options: Mapping[str, str] = {}


def parts(text: str) -> list[str]:
    """The parts of a list, separated by commas or white space; what is in braces is one."""
    return _PART.findall(text)


def milters(text: str) -> list[Milter]:
    """The entries of a list of milters, `{ inet:host:port, default_action=accept }` among them."""
    found = []
    for part in parts(text):
        address, *options = [each.strip() for each in re.split(r"[,\s]+", part.strip("{} \t")) if each.strip()]
        pairs = (option.partition("=") for option in options)
        found.append(Milter(address, {name: value for name, _, value in pairs}))
    return found


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine's own, and no other machine's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in _LOOPBACK_NAMES


def host_and_port(text: str) -> tuple[str, int] | None:
    """Where `[127.0.0.1]:10025`, `inet:127.0.0.1:10025` or `smtp:[host]:25` lead to. None where it is no port of a
    host."""
    address = text
    for prefix in ("inet:", "smtp:"):
        address = address.removeprefix(prefix)
    host, colon, port = address.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() else PORTS.get(port, 0)
    return (host.strip("[]"), number) if colon and number else None


def same_place(one: tuple[str, int] | None, other: tuple[str, int] | None) -> bool:
    """Whether who goes to `one` arrives at `other`: the same port, on the same host or on any of this machine."""
    if one is None or other is None or one[1] != other[1]:
        return False
    hosts = {one[0], other[0]}
    if len(hosts) == 1:
        return True
    return all(is_loopback(host) or host in _ANY_ADDRESS for host in hosts)


def read_main(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each setting in the text of a main.cf, or in what postconf prints."""
    for line in logical_lines(text):
        name, equals, value = line.partition("=")
        if equals:
            yield name.strip(), value.strip()


def read_services(text: str) -> Iterator[Service]:
    """The services in the text of a master.cf, or in what `postconf -M` prints."""
    for line in logical_lines(text):
        fields = line.split(None, 7)
        if len(fields) < 8:
            continue
        name, type_, _, _, chroot, _, _, command = fields
        program, _, arguments = command.partition(" ")
        yield Service(name, type_, chroot == "y", program, dict(_options(arguments)))


def logical_lines(text: str) -> Iterator[str]:
    """The lines without comments, those that begin with white space joined to the one before."""
    whole: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and whole:
            whole.append(line.strip())
            continue
        if whole:
            yield " ".join(whole)
        whole = [line.strip()]
    if whole:
        yield " ".join(whole)


_OPTION: Final = re.compile(r"-o\s*(?:\{\s*([^}]*?)\s*\}|(\S+))")


def _options(arguments: str) -> Iterator[tuple[str, str]]:
    for braced, plain in _OPTION.findall(arguments):
        name, _, value = (braced or plain).partition("=")
        yield name.strip(), value.strip()
