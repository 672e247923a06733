"""What does a spam engine say of a content that came in? The step of a door between the content and the plan."""

from __future__ import annotations

import anyio.to_thread
from anyio import CapacityLimiter

from mailreeve.mail.incoming import Incoming
from mailreeve.mail.reception import Reception
from mailreeve.mail.scan import Scan, Scanner, ScanRequest


async def scanned(
    scanner: Scanner | None, reception: Reception, incoming: Incoming, limiter: CapacityLimiter | None
) -> Scan | None:
    """What came of the scan, None where nobody is to be asked. The header is read in a thread, of those that the
    `limiter` lets go on: it may be large."""
    if scanner is None or incoming.refusal is not None:
        return None

    def needed() -> ScanRequest | None:
        return reception.needs_scan(incoming, finds_viruses=scanner.finds_viruses)

    request = await anyio.to_thread.run_sync(needed, limiter=limiter)
    return None if request is None else await scanner.scan(request)
