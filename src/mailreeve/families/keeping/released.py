"""When is a copy archived that was held, and then released? Once: when the next hop has taken it.

Until then nobody has it. Where the next hop brings it back to a door of ours, it passes there as it is, and that
door archives nothing.
"""

from __future__ import annotations

from mailreeve.families.archive.keep import keep as archive
from mailreeve.families.held.operations import RELEASE
from mailreeve.families.machinery.copies import Applied, ArchivedCopy, RecipientOfCopy
from mailreeve.families.outgoing.rows import Waiting
from mailreeve.families.tracking.outcomes import MAX_MESSAGE_ID, MAX_SUBJECT, Outcome
from mailreeve.formats.message import read_message
from mailreeve.store.transactions import Work


def archive_released(work: Work, one: Waiting, before: Outcome | None) -> None:
    """Put a copy into the archive that the next hop has taken now, if it is one that somebody released. `before`
    is the outcome of the message when it came, None where there was no room to record it."""
    if one.origin != RELEASE:
        return
    copy = one.kept.copy
    (to,) = copy.recipients
    message = read_message(copy.content.header)
    applied = () if before is None else tuple(Applied(won.type, won.id, won.description) for won in before.winners)
    author = None if before is None else next(iter(before.header_from or ()), None)
    archived = ArchivedCopy(
        copy,
        (RecipientOfCopy(str(to.original), str(to.effective), applied, 0 if before is None else before.revision),),
        str(copy.sender) if before is None else before.sender,
        work.now.timestamp(),  # It is kept for as long as any that is delivered now.
        "" if before is None else before.source_ip,
        message.text("subject", MAX_SUBJECT),
        message.text("message-id", MAX_MESSAGE_ID),
        "" if author is None or author.address is None else str(author.address),
        "" if author is None else author.display_name,
    )
    archive(work, archived, one.kept.body, size=one.size)
