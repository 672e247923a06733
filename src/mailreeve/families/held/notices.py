"""How is a sender told that a message was turned down? By a notice, where `sender_notices.rules` allow it: whoever
stands in an envelope may never have written it, and would get an answer to a stranger's mail (backscatter)."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid
from typing import Final

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.held.rows import HeldRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.copies import Copy, KeptCopy, Routed
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.families.sender_notices import rows as sent
from mailreeve.families.sender_notices.rules import NoticeFacts, NoticeVerdict, automatic, verdict
from mailreeve.formats.addresses import NULL_SENDER, Address, Sender, parse_sender
from mailreeve.formats.message import Content, read_message
from mailreeve.formats.networks import parse_ip
from mailreeve.formats.to_field import to_field

NOTICE: Final = "notice"
"""The origin of such notices."""


def tell_sender(call: Call, row: HeldRow, header: bytes, reason: str) -> NoticeVerdict:
    """Write to the sender of a message that was turned down, which has this header; whether that was done, and if
    not why."""
    work = call.work
    sender = parse_sender(row.sender)
    found = _verdict(call, row, sender, header)
    first = domains.first(work)
    if found is not NoticeVerdict.SEND or not isinstance(sender, Address) or first is None:
        return found
    sent.add(work, sender)
    notice = EmailMessage()
    notice["From"] = f"postmaster@{first.name}"
    notice["To"] = to_field(sender)
    notice["Subject"] = "Your message was not delivered"
    notice["Date"] = format_datetime(work.now)
    notice["Message-ID"] = make_msgid(domain=first.name)
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
    return found


def _verdict(call: Call, row: HeldRow, sender: Sender, header: bytes) -> NoticeVerdict:
    is_proved, lately = False, 0
    if isinstance(sender, Address):
        is_proved, lately = _is_ours(call, row, sender), sent.lately(call.work, sender)
    return verdict(NoticeFacts(sender, is_proved, automatic(read_message(header)), lately))


def _is_ours(call: Call, row: HeldRow, sender: Address) -> bool:
    """Whether a network of our own brought it, for a domain of ours."""
    if not row.source_ip or domains.find(call.work, sender.domain) is None:
        return False
    return parse_ip(row.source_ip) in call.policies.relay_networks
