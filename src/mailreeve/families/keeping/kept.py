"""What is kept of one message?"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mailreeve.families.machinery.copies import ArchivedCopy, Copy, HeldCopy
from mailreeve.families.managed_senders.auto_allow import Correspondence
from mailreeve.families.tracking.outcomes import Outcome


class Kept(Struct, frozen=True):
    """What is kept of one message: the outcomes for its recipients, the copies that are held, those that are
    handed to the next hop after the message was acknowledged, and those that were delivered and go into the
    archive; and whose answers are expected, of those for whom it was taken. `attempt` is what the message is
    recognised by when it is sent again, empty where it could be another one."""

    outcomes: Sequence[Outcome] = ()
    held: Sequence[HeldCopy] = ()
    outgoing: Sequence[Copy] = ()
    archived: Sequence[ArchivedCopy] = ()
    correspondence: Correspondence | None = None
    attempt: str = ""
