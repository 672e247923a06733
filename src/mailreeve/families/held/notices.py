"""Is a sender told that a message was turned down? Only one of ours: whoever else stands in an envelope may never
have written it, and would get an answer to a stranger's mail (backscatter)."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid
from typing import Final

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.held.rows import HeldRow
from mailreeve.families.machinery.copies import Copy, KeptCopy, Routed
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.formats.addresses import NULL_SENDER, Address, parse_sender
from mailreeve.formats.message import Content
from mailreeve.store.transactions import Work

NOTICE: Final = "notice"
"""The origin of such notices."""


def tell_sender(work: Work, row: HeldRow, reason: str) -> bool:
    """Write to the sender of a message that was turned down. Whether it was written to."""
    sender = parse_sender(row.sender)
    if not isinstance(sender, Address) or domains.find(work, sender.domain) is None:
        return False
    notice = EmailMessage()
    notice["From"] = f"postmaster@{sender.domain}"
    notice["To"] = str(sender)
    notice["Subject"] = "Your message was not delivered"
    notice["Date"] = format_datetime(work.now)
    notice["Message-ID"] = make_msgid(domain=sender.domain)
    notice["Auto-Submitted"] = "auto-replied"  # RFC 3834 section 5
    lines = [
        f"Your message to {row.recipient} was held, and has been turned down.",
        "",
        f"Subject: {row.subject}",
        f"Received: {format_datetime(row.received_at)}",
    ]
    if reason:
        lines.append(f"Reason: {reason}")
    notice.set_content("\n".join(lines) + "\n")
    to = Routed(sender, sender)
    text = notice.as_bytes(policy=(SMTP if str(sender).isascii() else SMTPUTF8))
    header, _, body = text.partition(b"\r\n\r\n")
    content = Content(header + b"\r\n", (b"\r\n" + body,))
    copy = Copy(work.account_id, row.decision_id, NULL_SENDER, (to,), content, not str(sender).isascii())
    outgoing.add(work, [KeptCopy(copy, "")], NOTICE)
    return True
