"""What is found of the Postfix beside us? Its configuration is read, our doors are tried, the rules are asked."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.app.doctor.checks import State
from mailreeve.app.doctor.postfix.configuration import host_and_port
from mailreeve.app.doctor.postfix.milter_rules import milter_findings, our_places
from mailreeve.app.doctor.postfix.placement import Beside, Finding, Placement, placements
from mailreeve.app.doctor.postfix.reading import barred, read_postfix
from mailreeve.app.doctor.postfix.shared_rules import shared_findings
from mailreeve.app.doctor.postfix.smtp_rules import before_findings, behind_findings, front_findings
from mailreeve.app.settings import Settings

PATIENCE: Final = 5.0  # seconds for a connection


class Looked(Struct, frozen=True):
    """Where Mailreeve stands beside a Postfix, what told of that, and what was found."""

    placement: Placement
    source: str
    findings: list[Finding]

    @property
    def well(self) -> bool:
        """Whether nothing is missing and nothing is dangerous."""
        return not any(each.state is State.FAIL for each in self.findings)


def look_beside(folder: Path, settings: Settings) -> Looked:
    """What is found of the Postfix whose configuration is in the folder. Raises `UnreadableError`."""
    postfix, source = read_postfix(folder)
    beside = Beside(postfix, settings, settings.hostname or socket.getfqdn())
    owner = postfix.get("mail_owner")
    tried = {where: _tried(where, owner) for _, where in our_places(beside)}
    found, placement = findings_of(msgspec.structs.replace(beside, barred=tried))
    return Looked(placement, source, found)


def findings_of(beside: Beside) -> tuple[list[Finding], Placement]:
    """What the rules say, and the place for which they were asked. Where there are several, it is the first."""
    places = placements(beside)
    if not places:
        return [
            Finding(
                "place", State.FAIL, "Postfix leads no mail to Mailreeve, and Mailreeve none to Postfix",
                "choose a place: docs/guides/postfix.md has the lines for each",
            )
        ], Placement.NONE  # fmt: skip
    found = list(_doubled(places))
    for place in places:
        found += _asked(beside, place)
    found += shared_findings(beside, places[0])
    return list(dict.fromkeys(found)), places[0]


def _doubled(places: list[Placement]) -> Iterator[Finding]:
    if len(places) > 1:
        yield Finding(
            "place", State.WARN, f"Mailreeve is asked in {len(places)} places: {'; '.join(places)}",
            "every message is decided again in each: keep one",
        )  # fmt: skip


def _asked(beside: Beside, placement: Placement) -> Iterator[Finding]:
    match placement:
        case Placement.MILTER:
            yield from milter_findings(beside)
        case Placement.BEFORE:
            yield from before_findings(beside)
        case Placement.BEHIND | Placement.BETWEEN:
            yield from behind_findings(beside, placement)
        case Placement.FRONT:
            yield from front_findings(beside)
        case Placement.NONE:
            return


def _tried(where: str, owner: str) -> str:
    """What keeps the user from our door at a path or a HOST:PORT; nothing where nothing does."""
    if where.startswith("/"):
        if why := barred(Path(where), owner):
            return why
        family, address = socket.AF_UNIX, where
    else:
        place = host_and_port(where)
        if place is None:
            return "it is no HOST:PORT"
        try:
            socket.create_connection(place, timeout=PATIENCE).close()
        except OSError as problem:
            return problem.strerror or str(problem)
        return ""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(PATIENCE)
            client.connect(address)
    except OSError as problem:
        return problem.strerror or str(problem)
    return ""
