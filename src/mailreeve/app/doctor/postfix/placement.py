"""Which of the places of docs/guides/postfix.md has Mailreeve beside this Postfix? And what do rules look at?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct

from mailreeve.app.doctor.checks import State
from mailreeve.app.doctor.postfix.configuration import (
    Milter,
    Postfix,
    Service,
    host_and_port,
    milters,
    same_place,
)
from mailreeve.app.settings import Settings

UNIX: Final = ("unix:", "local:")
MAIN: Final = "main.cf"
MASTER: Final = "master.cf"
OUR_NAME: Final = "mailreeve"  # in the path of a socket, who is meant
OURS: Final = "mailreeve.toml"


class Placement(StrEnum):
    """A place of the guide, in its words."""

    MILTER = "milter"
    BEFORE = "before the queue"
    BEHIND = "behind the queue"
    BETWEEN = "behind the queue, before another server"
    FRONT = "in front of Postfix"
    NONE = "none"


class Finding(Struct, frozen=True):
    """What was found of one thing. `line` is what to write, and `file` where: in one of Postfix' or in ours."""

    name: str
    state: State
    found: str
    advice: str = ""
    file: str = ""
    line: str = ""


class Beside(Struct, frozen=True):
    """A Postfix and a Mailreeve. `hostname` is what ours calls itself; `barred` says of each address of Postfix'
    milters and filters that is ours what keeps Postfix from it, nothing where nothing does."""

    postfix: Postfix
    settings: Settings
    hostname: str
    barred: Mapping[str, str] = {}

    @property
    def door(self) -> tuple[str, int] | None:
        """Our SMTP door."""
        return host_and_port(self.settings.smtp)

    @property
    def next_hop(self) -> tuple[str, int] | None:
        """The mail server behind us."""
        return host_and_port(self.settings.next_hop)

    def second(self) -> Service | None:
        """The listener of this Postfix that is our next hop."""
        return next((each for each in self.postfix.listeners() if same_place(_at(each), self.next_hop)), None)

    def is_our_milter(self, milter: Milter, service: Service | None) -> bool:
        """Whether an entry of `smtpd_milters`, as a service reads it, leads to our milter door."""
        ours = self.settings.milter
        if not ours:
            return False
        if ours.startswith(UNIX):
            return socket_path(milter.address, self.postfix, service) == PurePosixPath(ours.partition(":")[2])
        return same_place(host_and_port(milter.address), host_and_port(ours))

    def ours_among(self, setting: str, service: Service | None) -> Milter | None:
        """Our entry of a list of milters, as a service has it."""
        listed = milters(self.postfix.get(setting, service))
        return next((each for each in listed if self.is_our_milter(each, service)), None)

    def is_door(self, address: str) -> bool:
        """Whether an address of Postfix is that of our SMTP door."""
        return bool(address) and same_place(host_and_port(address.partition(",")[0].strip()), self.door)

    def filter_of(self, service: Service | None = None) -> str:
        """The transport that `content_filter` names, where it leads to our door; else nothing."""
        transport, _, place = self.postfix.get("content_filter", service).partition(":")
        return transport if self.is_door(place) else ""

    def relay(self) -> str:
        """The setting by which mail is relayed to our door; else nothing."""
        for name in ("relay_transport", "default_transport", "virtual_transport", "relayhost"):
            value = self.postfix.get(name)
            if self.is_door(value if name == "relayhost" else value.partition(":")[2]):
                return name
        return ""

    def passes_no_milter(self, service: Service) -> bool:
        """Whether mail that comes in there is shown to no milter of ours."""
        off = "no_milters" in self.postfix.get("receive_override_options", service)
        return off or self.ours_among("smtpd_milters", service) is None


def socket_path(address: str, postfix: Postfix, service: Service | None) -> PurePosixPath | None:
    """The unix socket of a milter as seen from outside: in a chroot an absolute path begins at the queue's folder,
    and a relative one always does (MILTER_README). None where it is no unix socket."""
    if not address.startswith(UNIX):
        return None
    path = address.partition(":")[2]
    if not path.startswith("/") or (service is not None and service.chroot):
        return PurePosixPath(postfix.get("queue_directory")) / path.lstrip("/")
    return PurePosixPath(path)


def placements(beside: Beside) -> list[Placement]:
    """The places that the two are set up for, by what Postfix does with its mail; none where it does nothing."""
    postfix = beside.postfix
    listeners = postfix.listeners()
    milter = any(beside.ours_among("smtpd_milters", each) for each in (None, *listeners))
    found = []
    if milter or beside.ours_among("non_smtpd_milters", None):
        found.append(Placement.MILTER)
    if any(beside.is_door(postfix.get("smtpd_proxy_filter", each)) for each in listeners):
        found.append(Placement.BEFORE)
    if beside.filter_of():
        found.append(Placement.BEHIND)
    elif beside.relay():
        found.append(Placement.BETWEEN)
    meant = any(OUR_NAME in each.address for each in milters(postfix.get("smtpd_milters")))
    if not found and (beside.settings.milter or meant):
        return [Placement.MILTER]  # which is what one of the two is set up for
    if not found and beside.second() is not None:
        return [Placement.FRONT]
    return found


def _at(service: Service) -> tuple[str, int]:
    return service.host, service.port


def good(name: str, found: str) -> Finding:
    """It is right."""
    return Finding(name, State.OK, found)


def add_main(name: str, state: State, found: str, line: str, advice: str = "") -> Finding:
    """A line of main.cf is missing, or is another."""
    return Finding(name, state, found, advice, MAIN, line)


def add_option(name: str, state: State, found: str, service: Service, line: str, advice: str = "") -> Finding:
    """An option of a service is missing, or is another."""
    return Finding(name, state, found, advice, f"{MASTER}, below {service}", f"-o {line}")


def add_ours(name: str, state: State, found: str, line: str, advice: str = "") -> Finding:
    """A setting of ours is missing, or is another."""
    return Finding(name, state, found, advice, OURS, line)
