"""How is a flat list of names written for each program, and what of it can that program not be told?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from mailreeve.formats.weburls import domains_above
from mailreeve.policy.artefact.flat import Flat, Name, Omission
from mailreeve.policy.model.decisions import WebVerdict

_ALLOW: Final = WebVerdict.ALLOW
_BLOCK: Final = WebVerdict.BLOCK


class ArtefactFormat(StrEnum):
    """Which program a file is for."""

    DOMAINS = "domains"
    HOSTS = "hosts"
    ADBLOCK = "adblock"
    SQUID = "squid"
    SQUID_ALLOW = "squid-allow"
    UNBOUND = "unbound"


class Artefact(Struct, frozen=True):
    """The lines of a file, and what they do not say."""

    lines: Sequence[str]
    omitted: Sequence[Omission]


def write(found: Flat, format_: ArtefactFormat) -> Artefact:
    """The names as that program takes them."""
    return _WRITERS[format_](found)


def commented(artefact: Artefact, mark: str, heading: Iterable[str]) -> Iterator[str]:
    """The lines with what they do not say in front, as comments that begin with `mark`, each of one line whatever
    the names in it hold."""
    for line in (*heading, *(f"Not in this file: {one}" for one in artefact.omitted)):
        yield f"{mark} {' '.join(line.splitlines())}"
    yield from artefact.lines


def comment_mark(format_: ArtefactFormat) -> str:
    """What comments begin with."""
    return "!" if format_ is ArtefactFormat.ADBLOCK else "#"


def _domains(found: Flat) -> Artefact:
    blocked, lost = _topmost(found.names, _BLOCK)
    return Artefact([name.host for name in blocked], [*found.omitted, *_rest(found), *_lost(lost, "blocks")])


def _hosts(found: Flat) -> Artefact:
    blocked = [name for name in found.names if name.verdict is _BLOCK]
    named = [name.host for name in blocked if not name.is_address]
    addresses = [name.host for name in blocked if name.is_address]
    omitted = [*found.omitted, *_rest(found), *_addresses(addresses)]
    if named:
        omitted.append(Omission(len(named), "name", "what is below it; a hosts file names hosts alone"))
    return Artefact([f"0.0.0.0 {host}" for host in named], omitted)


def _adblock(found: Flat) -> Artefact:
    lines: list[str] = []
    allowed: set[str] = set()
    important: set[str] = set()
    deep: list[str] = []
    for name in found.names:
        above = set(domains_above(name.host))
        if name.verdict is not _BLOCK:
            allowed.add(name.host)
            lines.append(f"@@||{name.host}^")
            if above & important:
                deep.append(name.host)
        elif above & allowed:
            # In an AdBlock list what allows comes first, but for what is important.
            important.add(name.host)
            lines.append(f"||{name.host}^$important")
        else:
            lines.append(f"||{name.host}^")
    omitted = [*found.omitted, *_rest(found)]
    if deep:
        why = "an allow below a block below an allow, which an AdBlock list cannot say"
        omitted.append(Omission.of(deep, "name", why))
    return Artefact(lines, omitted)


def _squid(verdict: WebVerdict) -> Callable[[Flat], Artefact]:
    def write_squid(found: Flat) -> Artefact:
        named, lost = _topmost(found.names, verdict)
        addresses = [name.host for name in named if name.is_address]
        lines = [f".{name.host}" for name in named if not name.is_address]
        words = "blocks" if verdict is _BLOCK else "allows"
        omitted = [*found.omitted, *_addresses(addresses), *_lost(lost, words)]
        return Artefact(lines, omitted if verdict is _ALLOW else [*omitted, *_rest(found)])

    return write_squid


def _unbound(found: Flat) -> Artefact:
    lines = ["server:"]
    if found.rest is _BLOCK:
        lines.append('  local-zone: "." always_nxdomain')
    kinds = {_BLOCK: "always_nxdomain", _ALLOW: "always_transparent", WebVerdict.NONE: "always_transparent"}
    lines += [f'  local-zone: "{name.host}." {kinds[name.verdict]}' for name in found.names if not name.is_address]
    return Artefact(lines, [*found.omitted, *_addresses([n.host for n in found.names if n.is_address])])


def _topmost(names: Sequence[Name], verdict: WebVerdict) -> tuple[list[Name], list[str]]:
    """The names with this verdict that no other one covers, and the names below these that are decided
    otherwise."""
    kept: set[str] = set()
    found: list[Name] = []
    lost: list[str] = []
    for name in names:
        covered = any(above in kept for above in domains_above(name.host))
        if name.verdict is verdict and not covered:
            kept.add(name.host)
            found.append(name)
        elif name.verdict is not verdict and covered:
            lost.append(name.host)
    return found, lost


def _lost(lost: Sequence[str], words: str) -> list[Omission]:
    why = f"decided otherwise than a domain above it that the file {words}"
    return [Omission.of(lost, "name", why)] if lost else []


def _addresses(found: Sequence[str]) -> list[Omission]:
    return [Omission.of(found, "IP address", "which is no name")] if found else []


def _rest(found: Flat) -> list[Omission]:
    if found.rest is not _BLOCK:
        return []
    return [Omission(1, "default deny", "that all else is blocked, which this file cannot say")]


_WRITERS: Final[Mapping[ArtefactFormat, Callable[[Flat], Artefact]]] = MappingProxyType(
    {
        ArtefactFormat.DOMAINS: _domains,
        ArtefactFormat.HOSTS: _hosts,
        ArtefactFormat.ADBLOCK: _adblock,
        ArtefactFormat.SQUID: _squid(_BLOCK),
        ArtefactFormat.SQUID_ALLOW: _squid(_ALLOW),
        ArtefactFormat.UNBOUND: _unbound,
    }
)
