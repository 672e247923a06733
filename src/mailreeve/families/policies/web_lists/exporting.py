"""How do the lists go out to programs that do not ask? As a file, which says itself what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.web_lists.types import ExportFile
from mailreeve.policy.artefact.flat import flat
from mailreeve.policy.artefact.written import ArtefactFormat, comment_mark, commented, write
from mailreeve.policy.model.facts import WebFacts
from mailreeve.wire import fields
from mailreeve.wire.raw_answer import RawAnswer

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
    whom = " from ".join(text for text in (item.user or "everyone", item.source_ip or "") if text)
    heading = (f"Web lists for {whom}, at revision {policies.revision}, {fields.written(call.work.now)}",)
    lines = commented(write(flat(policies, facts), item.format), comment_mark(item.format), heading)
    return RawAnswer(list(_pieces(lines)), _NAMES.get(item.format, f"{item.format.value}.txt"))


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    while piece := list(islice(lines, _PIECE)):
        yield "".join(f"{line}\n" for line in piece).encode()
