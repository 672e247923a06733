"""What is its sender told of a message that could not be delivered? A delivery status notification (RFC 3464).

In three parts (RFC 6522): words for people; the same for programs; and the message, or its header alone where it
is large or the sender wanted no more (RFC 3461 section 4.3). The last part is put in as it is, octet for octet: a
stranger may have written it, and no parser is to choke on it.

The recipient is named as the sender wrote it. Where addresses were altered on the way, which may be to hide one,
nothing is told in which the new one could stand: neither the words of the next hop nor the fields of addresses.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage, Message
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address
from mailreeve.formats.header_text import printable
from mailreeve.formats.message import Content, Pieces, read_message
from mailreeve.formats.to_field import to_field

REPORT: Final = "report"
"""The origin of reports among outgoing copies."""

MAX_RETURNED: Final = 50_000
"""Octets up to which a message is sent back whole, and of a header that goes back alone (as Postfix' own
`bounce_size_limit`)."""

_MAX_TEXT: Final = 500
_STATUS: Final = re.compile(r"([245])\d\d (\d\.\d{1,3}\.\d{1,3})(?:\s|\Z)")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
_SAYING_NO_ADDRESS: Final = frozenset({"date", "message-id", "subject", "in-reply-to", "references"})


class Failure(Struct, frozen=True, kw_only=True):
    """A copy that will not be delivered. `recipient` is as the sender wrote it, `reply` the last answer of the
    next hop; `gave_up` says that it would still be tried, had it not waited for too long. `is_altered` says that
    the copy is not as it came. `body` is None where it is not to be sent back, or cannot be."""

    recipient: str
    reply: str
    gave_up: bool
    arrived_at: datetime
    tried_at: datetime
    header: bytes
    body: Pieces | None
    is_utf8: bool = False
    is_altered: bool = False
    envelope_id: str = ""


def failure_report(failure: Failure, to: Address, *, domain: str, hostname: str) -> Content:
    """The report to an address, from the postmaster of a domain; `hostname` is what reports it."""
    report = EmailMessage()
    report["From"] = f"Mail delivery <postmaster@{domain}>"
    report["To"] = to_field(to)
    report["Subject"] = "Your message could not be delivered"
    report["Date"] = format_datetime(failure.tried_at)
    report["Message-ID"] = make_msgid(domain=domain)
    report["Auto-Submitted"] = "auto-replied"  # RFC 3834 section 5
    report["MIME-Version"] = "1.0"
    boundary = secrets.token_hex(24)
    report["Content-Type"] = f'multipart/report; report-type=delivery-status; boundary="{boundary}"'
    header = read_message(failure.header)
    words = EmailMessage()
    words.set_content(_words(failure, _shown(header.text("subject", _MAX_TEXT))))
    returned = _returned(failure)
    if not all(map(bytes.isascii, returned)):
        report["Content-Transfer-Encoding"] = "8bit"
    part, place = _place_of(failure, whole=len(returned) > 1)
    report.set_payload([words, _status(failure, hostname), part])
    policy = (SMTP if str(to).isascii() else SMTPUTF8).clone(max_line_length=998)
    top, _, rest = report.as_bytes(policy=policy).partition(b"\r\n\r\n")
    before, _, after = rest.partition(place)
    return Content(top + b"\r\n", (b"\r\n" + before, *returned, after))


def _words(failure: Failure, subject: str) -> str:
    lines = [f"Your message to {_shown(failure.recipient)} could not be delivered.", ""]
    if failure.gave_up:
        lines += ["It was tried for five days, and is not tried any more. The last answer was:"]
    else:
        lines += ["It is not tried again. The answer was:"]
    lines += ["", f"    {_said(failure)}", "", f"Subject: {subject}"]
    lines.append(f"Received: {format_datetime(failure.arrived_at)}")
    return "\n".join(lines) + "\n"


def _said(failure: Failure) -> str:
    """What the next hop answered, as far as the sender may know it."""
    if failure.is_altered:
        return _shown(" ".join(failure.reply.split()[:2]))
    return _shown(failure.reply)


def _shown(text: str) -> str:
    """One line, and no octet that is of no letter."""
    return printable(text, _MAX_TEXT).encode("utf-8", "replace").decode("utf-8")


def _status(failure: Failure, hostname: str) -> Message:
    kind = "utf-8" if not failure.recipient.isascii() else "rfc822"
    found = _STATUS.match(failure.reply)
    of_message = Message()
    if failure.envelope_id:
        of_message["Original-Envelope-Id"] = _decoded(failure.envelope_id)
    of_message["Reporting-MTA"] = f"dns; {hostname}"
    of_message["Arrival-Date"] = format_datetime(failure.arrived_at)
    of_recipient = Message()
    # RFC 3464 section 2.3.2: what the sender wrote, where the other one is not the sender's to know.
    recipient = _shown(failure.recipient)
    of_recipient["Final-Recipient"] = f"{kind}; {recipient}" if recipient.isascii() else _utf8(kind, recipient)
    of_recipient["Action"] = "failed"
    of_recipient["Status"] = found[2] if found is not None else "5.0.0" if failure.reply[:1] == "5" else "4.0.0"
    of_recipient["Diagnostic-Code"] = f"smtp; {_said(failure).encode('ascii', 'replace').decode('ascii')}"
    of_recipient["Last-Attempt-Date"] = format_datetime(failure.tried_at)
    status = Message()
    status["Content-Type"] = "message/delivery-status"
    status.set_payload([of_message, of_recipient])
    return status


def _utf8(kind: str, recipient: str) -> str:
    """An address with letters beyond ASCII, in a report that may hold none (`utf-8-addr-xtext`, RFC 6533 section
    3)."""
    text = "".join(one if "!" <= one <= "~" and one not in "\\+=" else f"\\x{{{ord(one):X}}}" for one in recipient)
    return f"{kind}; {text}"


def _decoded(xtext: str) -> str:
    return (
        printable(_XTEXT.sub(lambda found: chr(int(found[1], 16)), xtext), 100).encode("ascii", "replace").decode()
    )


def _returned(failure: Failure) -> Pieces:
    """What goes back of the message: all of it, or of its header as much as goes."""
    if failure.is_altered:
        fields = read_message(failure.header).fields
        return (_as_much(field.raw for field in fields if field.name in _SAYING_NO_ADDRESS),)
    if failure.body is not None and len(failure.header) + sum(map(len, failure.body)) <= MAX_RETURNED:
        return (failure.header, *failure.body)
    return (_as_much(field.raw for field in read_message(failure.header).fields),)


def _as_much(fields: Iterable[bytes]) -> bytes:
    kept: list[bytes] = []
    left = MAX_RETURNED
    for raw in fields:
        left -= len(raw)
        if left < 0:
            break
        kept.append(raw)
    return b"".join(kept)


def _place_of(failure: Failure, *, whole: bool) -> tuple[Message, bytes]:
    """The last part, with a word in it in whose place the message is put."""
    place = secrets.token_hex(24)
    part = Message()
    if whole:
        part["Content-Type"] = "message/global" if failure.is_utf8 else "message/rfc822"
    else:
        part["Content-Type"] = "message/global-headers" if failure.is_utf8 else "text/rfc822-headers"
    part["Content-Transfer-Encoding"] = "8bit"
    part.set_payload(place)
    return part, place.encode("ascii")
