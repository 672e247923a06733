"""What does a spam engine say of a content that came in? The step of a door between the content and the plan."""

from __future__ import annotations

from anyio import CapacityLimiter

from mailreeve.mail.incoming import Incoming
from mailreeve.mail.promptly import worked_out
from mailreeve.mail.reception import Reception
from mailreeve.mail.scan import Scan, Scanner, ScanRequest


async def scanned(
    scanner: Scanner | None, reception: Reception, incoming: Incoming, limiter: CapacityLimiter | None
) -> Scan | None:
    """What came of the scan, None where nobody is to be asked. A large header is read in a thread, of those that
    the `limiter` lets go on."""
    if scanner is None or incoming.refusal is not None:
        return None

    def needed() -> ScanRequest | None:
        return reception.needs_scan(incoming, finds_viruses=scanner.finds_viruses)

    request = await worked_out(reception, incoming, limiter, needed)
    return None if request is None else await scanner.scan(request)
