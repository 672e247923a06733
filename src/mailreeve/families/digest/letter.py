"""What does a digest look like? A message in plain text and HTML; values in, the message out.

Nothing a stranger wrote stands in its header. It is marked as made by a program (RFC 3834 section 5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address as MailboxField
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from mailreeve.families.digest.unlinked import unlinked
from mailreeve.formats.addresses import Address
from mailreeve.formats.message import Content, header_length
from mailreeve.formats.to_field import to_field

if TYPE_CHECKING:
    from jinja2 import Environment

SENDER_NAME: Final = "Held mail"

_QUOTED_PAIR: Final = re.compile(r"\\(.)")


@cache
def _templates() -> Environment:
    # Loaded with the first digest: they take their time, and a start does not need them (ADR 0069).
    import jinja2

    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("mailreeve.families.digest"),
        autoescape=jinja2.select_autoescape(["html.j2"], default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["unlinked"] = unlinked
    return templates


class ShownLink(Struct, frozen=True):
    """A link: what a button says, what it does in words, and where it leads."""

    label: str
    words: str
    url: str


class ShownMessage(Struct, frozen=True):
    """A held message in a digest, each text in one harmless line. Without links, others decide about it."""

    sender: str
    subject: str
    received: str
    why: str
    links: tuple[ShownLink, ...]


class Letter(Struct, frozen=True):
    """A digest before it is a message. `part` is which of how many of one digest it is; `left` is how many held
    messages the next digest will tell of."""

    sender: Address
    recipient: Address
    at: datetime
    id: str
    messages: Sequence[ShownMessage]
    part: tuple[int, int] = (1, 1)
    left: int = 0

    @property
    def is_utf8(self) -> bool:
        """Whether it needs SMTPUTF8 (RFC 6531): an address of it is not ASCII."""
        return not f"{self.sender}{self.recipient}".isascii()


def heading_of(letter: Letter) -> str:
    """The subject of the digest, with how many messages it tells of."""
    number = len(letter.messages)
    held = "1 message is held for you" if number == 1 else f"{number} messages are held for you"
    part, parts = letter.part
    return held if parts == 1 else f"{held} ({part} of {parts})"


def written(letter: Letter) -> Content:
    """The digest as a message, its lines ended as SMTP has them."""
    message = EmailMessage(policy=SMTPUTF8 if letter.is_utf8 else SMTP)
    message["Date"] = format_datetime(letter.at)
    message["From"] = _mailbox(SENDER_NAME, letter.sender)
    message["To"] = to_field(letter.recipient)
    message["Subject"] = heading_of(letter)
    message["Message-ID"] = f"<{letter.id}@{letter.sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    shown = {
        "heading": heading_of(letter),
        "intro": "They wait for you to say what is to become of them. A link shows a page that asks once more.",
        "messages": letter.messages,
        "others": "Your administrators decide about this one.",
        "more": f"{letter.left} more will be in the next digest." if letter.left else "",
        "ending": "Whoever has this message can use its links: forward it to nobody. "
        "They end when the messages do, 14 days after these came at the latest.",
    }
    message.set_content(_templates().get_template("digest.txt.j2").render(shown))
    message.add_alternative(_templates().get_template("digest.html.j2").render(shown), subtype="html")
    octets = message.as_bytes()
    end = header_length(octets)
    return Content(octets[:end], (octets[end:],))


def _mailbox(name: str, address: Address) -> MailboxField:
    """An address in a header field, which is quoted there if it has to be."""
    local = address.local
    if local.startswith('"'):
        local = _QUOTED_PAIR.sub(r"\1", local[1:-1])
    return MailboxField(name, local, address.domain)
