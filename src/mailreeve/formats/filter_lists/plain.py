"""Lists with a domain or URL on each line, hosts files, and the CSV of URLhaus."""

from __future__ import annotations

import csv
import re
from ipaddress import ip_address
from typing import Final

from mailreeve.formats.filter_lists.rules import NOWHERE, Lines, Read, Rule, Untaken
from mailreeve.formats.weburls import says_more_than_host

_LOCAL: Final = frozenset(
    (
        "localhost",
        "localhost.localdomain",
        "local",
        "broadcasthost",
        "ip6-localhost",
        "ip6-loopback",
        "ip6-localnet",
        "ip6-mcastprefix",
        "ip6-allnodes",
        "ip6-allrouters",
        "ip6-allhosts",
    )
)
"""Names that every hosts file begins with, whatever it is for."""

_URL_COLUMN: Final = 2
"""Of URLhaus: `id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter`."""


def read_domains(lines: Lines) -> Read:
    """A domain or URL on each line. What follows a `#` after a blank is a comment; `*.` in front of a domain says
    what is so anyway."""
    for number, line in lines:
        text = _without_comment(line)
        if not text:
            continue
        if len(text.split()) > 1:
            yield Untaken(number, line, "more than one word on a line; a hosts file is another format")
            continue
        yield Rule(number, text.removeprefix("*."), is_url=says_more_than_host(text))


def read_hosts(lines: Lines) -> Read:
    """An address that leads nowhere, then names. A hosts file names hosts alone, not what is below them."""
    for number, line in lines:
        words = _without_comment(line).split()
        if not words:
            continue
        address, names = words[0], words[1:]
        if not _is_address(address):
            yield Untaken(number, line, "no IP address in front; a list of plain domains is another format")
        elif address not in NOWHERE:
            if not all(name.lower() in _LOCAL for name in names):
                yield Untaken(number, line, "it leads to an address instead of nowhere")
        elif not names:
            yield Untaken(number, line, "it names no host")
        else:
            yield from (
                Rule(number, name, wide=False)
                for name in names
                if name.lower() not in _LOCAL and name not in NOWHERE
            )


def read_urlhaus(lines: Lines) -> Read:
    """The CSV that URLhaus publishes: the third column is a URL."""
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            (cells,) = csv.reader([text], strict=True)
        except (csv.Error, ValueError):
            yield Untaken(number, line, "this is no line of a CSV file")
            continue
        if len(cells) <= _URL_COLUMN:
            yield Untaken(number, line, "it has no third column, which is where URLhaus has the URL")
        elif cells[_URL_COLUMN] != "url":  # the names of the columns
            yield Rule(number, cells[_URL_COLUMN], is_url=True)


def _without_comment(line: str) -> str:
    text = line.strip()
    if text.startswith("#"):
        return ""
    found = re.search(r"\s#", text)
    return text if found is None else text[: found.start()].rstrip()


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return text == "0"
    return True
