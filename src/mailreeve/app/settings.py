"""What can be configured? Every setting once: an option, an environment variable, a key of the file, a default.

In that order (design.md section 7). The file is `mailreeve.toml` in the data folder, or the one that
`MAILREEVE_CONFIG` names; the variable of a setting is `MAILREEVE_` and its name in capitals.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from mailreeve.families.held.limits import MAX_DAYS, HoldLimits
from mailreeve.families.machinery.directory_source import DirectorySource
from mailreeve.formats.networks import IPAddress, Network, parse_ip, parse_network
from mailreeve.policy.lint.guard import ReachGuard
from mailreeve.policy.model.authentication import AuthenticationRules, PermitNeeds

FILE_NAME: Final = "mailreeve.toml"
DEFAULT_DATA: Final = "mailreeve-data"
UNIX: Final = "unix:"  # before the path of a Unix socket
CONFIG: Final = "MAILREEVE_CONFIG"  # names a file that is read instead of that of the folder

Count = Annotated[int, Meta(ge=0)]
Size = Annotated[int, Meta(ge=1)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
Part = Annotated[float, Meta(ge=0, le=1)]
Workers = Annotated[int, Meta(ge=1, le=64)]
HoldDays = Annotated[int, Meta(ge=1, le=MAX_DAYS)]
Idle = Annotated[float, Meta(gt=0)]
LoginLife = Annotated[int, Meta(ge=60, le=10 * 365 * 24 * 3600)]
# A day at most: the wider the window, the longer a recorded call can be repeated. Not-a-number is in no range.
Skew = Annotated[float, Meta(ge=0, le=86_400)]

# In the environment separated by commas.
_LISTS: Final = frozenset(
    {
        "relay_networks",
        "xclient_hosts",
        "trusted_authserv_ids",
        "dns_clients",
        "dns_keyless",
        "dns_notify",
        "dns_block_page",
        "resolvers",
    }
)
# What stands before the path of a link: no user, no query, nothing that a mail program would end the link at.
_PUBLIC_URL: Final = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~-]+)*"
)
_AT: Final = re.compile(r" - at `\$\.(\w+).*`$")


_OPTION: Final = "option"
_EXPECTED: Final = (
    (re.compile(r"Expected `int` >= (\S+)"), "a whole number of at least {}"),
    (re.compile(r"Expected `int` <= (\S+)"), "a whole number of at most {}"),
    (re.compile(r"Expected `int`"), "a whole number is expected"),
    (re.compile(r"Expected `float` >= (\S+)"), "a number of at least {}"),
    (re.compile(r"Expected `float` <= (\S+)"), "a number of at most {}"),
    (re.compile(r"Expected `float` > (\S+)"), "a number above {}"),
    (re.compile(r"Expected `float`"), "a number is expected"),
    (re.compile(r"Expected `bool`"), "true or false is expected"),
    (re.compile(r"Expected `str`"), "a text is expected"),
    (re.compile(r"Expected `array`"), "a list is expected"),
)


class Archiving(StrEnum):
    """Whether accepted mail is archived."""

    OFF = "off"
    ON = "on"


class NewDomains(StrEnum):
    """When a domain that is registered becomes the account's."""

    AT_ONCE = "at-once"
    VERIFIED = "verified"


_CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "reach_guard": ReachGuard,
    "archive": Archiving,
    "new_domains": NewDomains,
    "permit_needs_authentication": PermitNeeds,
}


class SettingsError(ValueError):
    """A setting is not valid. The message names it and where it came from."""


class OptionError(SettingsError):
    """A setting that was given as an option is not valid: the command was misused."""


class Unavailable(SettingsError):
    """A setting is valid, but what it names cannot be had: a port that is in use, a file that is not there."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. Times are in seconds, sizes in octets, unless the name says otherwise."""

    http: str = "127.0.0.1:8025"
    smtp: str = "127.0.0.1:2525"
    next_hop: str = ""
    next_hop_starttls: str = "off"
    next_hop_xforward: bool = False
    milter: str = ""
    milter_group: str = ""
    web_socket: str = ""
    web_socket_group: str = ""
    metrics: str = ""
    dns: str = ""
    dns_clients: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    dns_keyless: tuple[str, ...] = ()
    dns_notify: tuple[str, ...] = ()
    dns_block_page: tuple[str, ...] = ()
    public_url: str = ""
    workers: Workers = 1
    tls_cert: str = ""
    tls_key: str = ""
    ca: str = ""
    relay_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    xclient_hosts: tuple[str, ...] = ()
    trusted_authserv_ids: tuple[str, ...] = ()
    permit_needs_authentication: PermitNeeds = PermitNeeds.WHEN_KNOWN
    hostname: str = ""
    clock_skew: Skew = 900.0
    login_life: LoginLife = 3 * 24 * 3600
    rate_limit: Size = 5_000
    rate_window_ms: Size = 5_000
    connections_per_address: Size = 200
    max_body: Size = 16 * 1024 * 1024
    max_message: Size = 50 * 1024 * 1024
    max_receiving: Size = 256 * 1024 * 1024
    max_recipients: Size = 100
    spam_engine: str = ""
    spam_engine_absent: str = "accept"
    spam_engine_timeout: Idle = 15.0
    spam_engine_at_once: Size = 20
    spam_engine_max_size: Size = 20 * 1024 * 1024
    spam_engine_finds_viruses: bool = True
    web_urls_per_policy: Count = 5_000
    web_urls_per_account: Count = 25_000
    address_alterations: Count = 3_000
    managed_senders_per_user: Count = 10_000
    delegates_per_user: Count = 500
    hold_days: HoldDays = MAX_DAYS
    held_messages: Count = 50_000
    held_octets: Count = 5 * 1024**3
    auto_allow: bool = True
    auto_allow_recipients: Count = 20
    auto_allow_per_day: Count = 100
    auto_allow_per_user: Count = 1_000
    reach_guard: ReachGuard = ReachGuard.WARN
    web_proxy: bool = False
    web_allows_recorded: Part = 0.01
    web_checks: Size = 50_000
    new_domains: NewDomains = NewDomains.AT_ONCE
    resolvers: tuple[str, ...] = ()
    purge_days: Days = 30
    directory_url: str = ""
    directory_starttls: bool = False
    directory_bind_dn: str = ""
    directory_password_file: str = ""
    directory_base: str = ""
    directory_user_filter: str = "(mail=*)"
    directory_group_filter: str = ""
    directory_account: str = ""
    directory_hours: Count = 24
    archive: Archiving = Archiving.OFF
    archive_days: Days = 365
    account_idle: Idle = 3_600.0
    policies_kept: Size = 5_000_000
    log_level: str = "info"

    def directory(self) -> DirectorySource | None:
        """The directory whose users are taken over, or None. Raises `SettingsError`."""
        if not self.directory_url:
            return None
        if not self.directory_url.startswith(("ldap://", "ldaps://", "ldapi://")):
            raise SettingsError(f"directory_url: {self.directory_url!r} is not like ldaps://ldap.example.com")
        if not self.directory_base:
            raise SettingsError("directory_url: directory_base has to be set as well")
        if self.directory_bind_dn and not self.directory_password_file:
            raise SettingsError("directory_url: directory_bind_dn needs directory_password_file")
        for query in (self.directory_user_filter, self.directory_group_filter or "()"):
            # The program that asks takes anything else for the name of an attribute.
            if not (query.startswith("(") and query.endswith(")")):
                raise SettingsError(f"directory_url: the filter {query!r} is not like (mail=*)")
        return DirectorySource(
            self.directory_url,
            self.directory_bind_dn,
            self.directory_password_file,
            self.directory_base,
            self.directory_user_filter,
            self.directory_group_filter,
            self.directory_starttls,
            self.directory_account,
            self.directory_hours,
            self.ca,
        )

    def holding(self) -> HoldLimits:
        """For how long mail is held, and how much of it."""
        return HoldLimits(self.hold_days, self.held_messages, self.held_octets)

    def networks(self) -> tuple[Network, ...]:
        """`relay_networks`, parsed. Raises `SettingsError`."""
        return _parsed("relay_networks", self.relay_networks)

    def zone_clients(self) -> tuple[Network, ...]:
        """`dns_clients`, parsed. Raises `SettingsError`."""
        return _parsed("dns_clients", self.dns_clients)

    def zone_keyless(self) -> tuple[Network, ...]:
        """`dns_keyless`, parsed. Raises `SettingsError`."""
        return _parsed("dns_keyless", self.dns_keyless)

    def zone_notify(self) -> tuple[tuple[str, int], ...]:
        """`dns_notify`: addresses and ports. Raises `SettingsError`."""
        found = [split_host_port(text, "dns_notify", "not ADDRESS:PORT") for text in self.dns_notify]
        for host, _ in found:
            _ip("dns_notify", host)
        return tuple(found)

    def resolvers_at(self) -> tuple[tuple[str, int], ...]:
        """`resolvers`: addresses and ports, port 53 where none is given. Raises `SettingsError`."""
        found = []
        for text in self.resolvers:
            try:
                found.append((str(parse_ip(text)), 53))
            except ValueError:
                host, port = split_host_port(text, "resolvers", "neither ADDRESS nor ADDRESS:PORT")
                found.append((str(_ip("resolvers", host)), port))
        return tuple(found)

    def block_page_at(self) -> tuple[IPAddress, ...]:
        """`dns_block_page`, parsed. Raises `SettingsError`."""
        return tuple(_ip("dns_block_page", text) for text in self.dns_block_page)

    def authentication(self) -> AuthenticationRules:
        """How SPF, DKIM and DMARC are treated. They are judged where somebody is named who does."""
        is_judged = bool(self.trusted_authserv_ids or self.spam_engine)
        return AuthenticationRules(self.permit_needs_authentication, is_judged)

    def proxies(self) -> tuple[Network, ...]:
        """`xclient_hosts`, parsed. Raises `SettingsError`, also where everybody is listed."""
        hosts = _parsed("xclient_hosts", self.xclient_hosts)
        for everybody in (host for host in hosts if not host.prefixlen):
            raise SettingsError(f"xclient_hosts: {everybody} is everybody, who could then be anybody")
        return hosts

    def milter_at(self) -> Path | tuple[str, int] | None:
        """Where the milter door listens: the path of a Unix socket, or host and port. None where there is no such
        door. Raises `SettingsError`."""
        return _unix_or_tcp(self.milter, "milter")

    def web_socket_at(self) -> Path | tuple[str, int] | None:
        """Where helpers ask about web requests: the path of a Unix socket, or host and port of this machine alone,
        since whoever can connect may ask. None where nobody can. Raises `SettingsError`."""
        found = _unix_or_tcp(self.web_socket, "web_socket")
        if isinstance(found, tuple) and not _is_loopback(found[0]):
            raise SettingsError(f"web_socket: {found[0]} is no address of this machine alone, such as 127.0.0.1")
        return found

    def links_base(self) -> str:
        """`public_url` without a slash at its end. Raises `SettingsError`."""
        base = self.public_url.rstrip("/")
        if base and not _PUBLIC_URL.fullmatch(base):
            raise SettingsError(
                f"public_url: {self.public_url!r} is not like https://mail.example.com or "
                "https://example.com/mail, in ASCII"
            )
        return base


def config_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file of settings where that is not the folder's own."""
    named = environment.get(CONFIG)
    return Path(named) if named else None


def read(data: Path, options: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force for a data folder. `options` holds what the command line gave; None is absent.

    Raises `SettingsError`.
    """
    names = {field.name for field in msgspec.structs.fields(Settings)}
    found: dict[str, object] = {}
    sources: dict[str, str] = {}
    elsewhere = config_file(environment)
    file = elsewhere or data / FILE_NAME
    # One that was named is there, or it is not read and nobody knows.
    if elsewhere is not None or file.is_file():
        try:
            text = file.read_text("utf-8")
            found = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise SettingsError(f"{file}: {problem}") from problem
        except OSError as problem:
            raise SettingsError(f"{file} cannot be read: {problem.strerror}") from problem
        for name in found.keys() - names:
            near = get_close_matches(name, names, 1)
            meant = f"; {near[0]} is one" if near else ""
            raise SettingsError(f"{file}{_line(text, name)}: there is no setting {name}{meant}")
        sources = {name: f"{file}{_line(text, name)}" for name in found}
    for name in names:
        variable = f"MAILREEVE_{name.upper()}"
        value = environment.get(variable)
        if value is not None:
            parts = [part.strip() for part in value.split(",")]
            found[name] = list(filter(None, parts)) if name in _LISTS else value
            sources[name] = variable
    given = {name: value for name, value in options.items() if value is not None}
    found |= given
    sources |= dict.fromkeys(given, _OPTION)
    try:
        settings = msgspec.convert(found, Settings, strict=False)
    except msgspec.ValidationError as problem:
        place = _AT.search(str(problem))
        if place is None:
            raise SettingsError(str(problem)) from problem
        name = place.group(1)
        raise _invalid(name, f"{found[name]!r}: {_expected(name, str(problem))}", sources[name]) from problem
    checked: tuple[tuple[str, Callable[[], object]], ...] = (
        ("relay_networks", settings.networks),
        ("xclient_hosts", settings.proxies),
        ("public_url", settings.links_base),
        ("dns_clients", settings.zone_clients),
        ("dns_keyless", settings.zone_keyless),
        ("dns_notify", settings.zone_notify),
        ("resolvers", settings.resolvers_at),
        ("directory_url", settings.directory),
        ("dns_block_page", settings.block_page_at),
    )
    for listed, parse in checked:
        try:
            parse()
        except SettingsError as problem:
            raise _invalid(listed, str(problem).partition(": ")[2], sources[listed]) from problem
    return settings


def _unix_or_tcp(text: str, name: str) -> Path | tuple[str, int] | None:
    if not text:
        return None
    path = text.removeprefix(UNIX)
    if path == text:
        return split_host_port(text, name, f"neither {UNIX}PATH nor HOST:PORT")
    if not Path(path).is_absolute():
        raise SettingsError(f"{name}: {text!r}: the path has to begin with a slash")
    return Path(path)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _invalid(name: str, why: str, source: str) -> SettingsError:
    if source == _OPTION:
        return OptionError(f"--{name.replace('_', '-')} {why}")
    return SettingsError(f"{source}: {name}: {why}")


def _expected(name: str, complaint: str) -> str:
    """What a decoder says of a value, for a reader who does not know types by its names."""
    text = _AT.sub("", complaint)
    if text.startswith("Invalid enum value"):
        return f"it is one of {', '.join(_CHOICES[name])}"
    for pattern, words in _EXPECTED:
        if found := pattern.match(text):
            return words.format(*found.groups())
    return text


def _line(text: str, name: str) -> str:
    """Where a setting is in the text of a file."""
    found = re.search(rf"^[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*=", text, re.MULTILINE)
    return "" if found is None else f", line {text.count(chr(10), 0, found.start()) + 1}"


def _parsed(name: str, networks: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(map(parse_network, networks))
    except ValueError as problem:
        raise SettingsError(f"{name}: {problem}") from problem


def _ip(name: str, text: str) -> IPAddress:
    try:
        return parse_ip(text)
    except ValueError as problem:
        raise SettingsError(f"{name}: {text!r} is no IP address") from problem


def split_host_port(text: str, name: str, wanted: str = "not HOST:PORT") -> tuple[str, int]:
    """Host and port of a `HOST:PORT`, the host of an IPv6 address in brackets. Raises `SettingsError`, which says
    what is `wanted` of the text."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and len(port) < 6) or int(port) > 65_535:
        raise SettingsError(f"{name}: {text!r} is {wanted}")
    return host.strip("[]") or "127.0.0.1", int(port)
