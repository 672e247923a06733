"""How do the lists go out to programs that do not ask? As a file, which says itself what it leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.web_lists.types import ExportFile, PacFile
from mailreeve.policy.artefact.flat import flat
from mailreeve.policy.artefact.pac import ProxyPlace, pac_file
from mailreeve.policy.artefact.written import ArtefactFormat, comment_mark, commented, write
from mailreeve.policy.model.facts import WebFacts
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, NOT_ALLOWED, refused
from mailreeve.wire.raw_answer import RawAnswer

_MOST: Final = 500
_IPV4: Final = 4
_PROXY: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}")
_PIECE: Final = 10_000  # lines of a piece of the answer
_NAMES: Final = {
    ArtefactFormat.UNBOUND: "unbound.conf",
    ArtefactFormat.HOSTS: "hosts",
}


def export(call: Call, item: ExportFile) -> RawAnswer:
    """The file. Raises `ItemRefused`."""
    facts = WebFacts(
        url="",
        at=call.work.now.timestamp(),
        user=None if item.user is None else fields.address(item.user, "user"),
        source_ip=None if item.source_ip is None else fields.ip(item.source_ip, "sourceIp"),
    )
    policies = call.policies
    whom = str(facts.user or "everyone") + ("" if facts.source_ip is None else f" from {facts.source_ip}")
    heading = (f"Web lists for {whom}, at revision {policies.revision}, {fields.written(call.work.now)}",)
    lines = commented(write(flat(policies, facts), item.format), comment_mark(item.format), heading)
    return RawAnswer(list(_pieces(lines)), _NAMES.get(item.format, f"{item.format.value}.txt"))


def pac(call: Call, item: PacFile) -> RawAnswer:
    """A proxy auto-configuration file. Raises `ItemRefused`."""
    if not item.proxies and not item.places:
        raise refused(AT_LEAST_ONE, "proxies", "At least one proxy is required")
    for member, several in (("proxies", item.proxies), ("places", item.places), ("direct", item.direct)):
        if len(several) > _MOST:
            raise refused(NOT_ALLOWED, member, f"At most {_MOST} are allowed")
    known = {one.name.casefold(): one.id for one in call.policies.places.locations.values()}
    places: list[ProxyPlace] = []
    for n, place in enumerate(item.places):
        key = known.get(place.location.strip().casefold())
        if key is None:
            raise refused(NOT_ALLOWED, f"places[{n}].location", "There is no location of this name")
        networks = call.policies.places.networks_of(key)
        if not any(network.version == _IPV4 for network in networks):
            call.warnings.append(f"{place.location} has no IPv4 network, by which browsers would know it")
        places.append(ProxyPlace(networks, _proxies(place.proxies, f"places[{n}].proxies")))
    direct = [fields.domain(text, f"direct[{n}]") for n, text in enumerate(item.direct)]
    text = pac_file(_proxies(item.proxies, "proxies"), places, direct, or_direct=item.or_direct)
    return RawAnswer([text.encode()], "proxy.pac")


def _proxies(texts: Sequence[str], field: str) -> list[str]:
    for n, text in enumerate(texts):
        if not _PROXY.fullmatch(text):
            raise refused(NOT_ALLOWED, f"{field}[{n}]", "A proxy is written HOST:PORT")
    return list(texts)


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    while piece := list(islice(lines, _PIECE)):
        yield "".join(f"{line}\n" for line in piece).encode()
