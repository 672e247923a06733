"""How is a filter list read whose format nobody told? By its first lines, of which each format has its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

from mailreeve.formats.filter_lists.adblock import read_adblock
from mailreeve.formats.filter_lists.plain import read_domains, read_hosts, read_urlhaus
from mailreeve.formats.filter_lists.rpz import read_rpz
from mailreeve.formats.filter_lists.rules import FilterFormat, Lines, Read, Rule, Untaken

LONGEST: Final = 65_536  # characters of a line
LOOKED_AT: Final = 200  # lines by which a format is told

_READERS: Final[Mapping[FilterFormat, Callable[[Lines], Read]]] = {
    FilterFormat.DOMAINS: read_domains,
    FilterFormat.HOSTS: read_hosts,
    FilterFormat.ADBLOCK: read_adblock,
    FilterFormat.RPZ: read_rpz,
    FilterFormat.URLHAUS: read_urlhaus,
}
_SIGNS: Final[tuple[tuple[FilterFormat, re.Pattern[str]], ...]] = (
    (FilterFormat.RPZ, re.compile(r"\$(?:TTL|ORIGIN)\b|.*\sSOA\s|\S+\s.*\bCNAME\s", re.IGNORECASE)),
    (FilterFormat.ADBLOCK, re.compile(r"\[Adblock|!|@@?\|\||\|\||.*#@?[?$%]{0,2}#")),
    (FilterFormat.URLHAUS, re.compile(r'#?\s*"?(?:id,dateadded,url|\d+","\d{4}-\d\d-\d\d)')),
    (FilterFormat.HOSTS, re.compile(r"(?:[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)\s+\S")),
)


def read_filter_list(lines: Iterable[bytes], format_: FilterFormat | None = None) -> tuple[FilterFormat, Read]:
    """In which format the lines are, and what they say. Without a `format_` the first lines tell."""
    given = iter(lines)
    first = list(islice(given, LOOKED_AT)) if format_ is None else []
    found = format_ or _told_by(first)
    return found, _read(found, chain(first, given))


def _read(format_: FilterFormat, lines: Iterable[bytes]) -> Read:
    bad: list[Untaken] = []

    def texts() -> Iterator[tuple[int, str]]:
        for number, line in enumerate(lines, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                bad.append(Untaken(number, line.decode("latin-1").rstrip("\r\n"), "it is not UTF-8"))
                continue
            if len(text) > LONGEST:
                bad.append(Untaken(number, text[:LONGEST], f"it is longer than {LONGEST:,} characters"))
                continue
            yield number, text

    for found in _READERS[format_](texts()):
        yield from _flushed(bad)
        yield found
    yield from _flushed(bad)


def _flushed(bad: list[Untaken]) -> list[Untaken]:
    found = bad[:]
    bad.clear()
    return found


def _told_by(lines: Sequence[bytes]) -> FilterFormat:
    texts = [line.decode("utf-8", "replace").lstrip("\ufeff").strip() for line in lines]
    for format_, sign in _SIGNS:
        if any(sign.match(text) for text in texts):
            return format_
    return FilterFormat.DOMAINS


__all__ = ("FilterFormat", "Rule", "Untaken", "read_filter_list")
