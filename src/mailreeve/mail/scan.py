"""What is a spam engine asked, and what comes of it? Values that a reception and a door hand to each other.

A door asks `Reception.needs_scan` when the content has come in, has it scanned by a `Scanner` where that gives a
request, and tells `Reception.data` what came of it. Who has no scanner leaves out both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from mailreeve.families.tracking.outcomes import NotScanned
from mailreeve.formats.message import Pieces
from mailreeve.policy.model.content import SpamVerdict
from mailreeve.policy.model.policy_types import SmtpReply


class ScanRequest(Struct, frozen=True):
    """A message to look at, once for all its recipients. `recipients` are those who would get it. Texts are as the
    client said them, empty where it did not; `sender` is empty for the null sender. `hostname` is what the door
    calls itself."""

    header: bytes
    body: Pieces
    sender: str
    recipients: tuple[str, ...]
    source_ip: str
    client_name: str
    login: str
    queue_id: str
    hostname: str

    @property
    def size(self) -> int:
        """The octets of the message."""
        return len(self.header) + sum(map(len, self.body))


class Scan(Struct, frozen=True):
    """What came of a scan. Without a `verdict`, `not_scanned` says why, and `refusal` puts the message off if that
    is what is to become of it. `authentication` is what the engine found of SPF, DKIM and DMARC, see
    `spam.symbols.authentication_of`."""

    verdict: SpamVerdict | None = None
    not_scanned: NotScanned | None = None
    refusal: SmtpReply | None = None
    authentication: Mapping[str, str] = {}


class Scanner(Protocol):
    """Has messages looked at. `finds_viruses` says whether the engine looks for viruses as well: then mail that
    skips the spam checks is scanned, too."""

    finds_viruses: bool

    async def scan(self, request: ScanRequest) -> Scan:
        """Never raises: what goes wrong with the engine is a `Scan` without a verdict."""
        ...
