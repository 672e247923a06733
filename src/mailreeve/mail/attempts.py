"""What is a message recognised by when its sender tries again? A digest of envelope sender and content.

It must not mistake another message for the next try: somebody would never get it. A message that has neither a
Message-ID nor a Date (RFC 5322 section 3.6) may be sent again as a new one, to the octet, by a program that
reports the same every day. So such a message has none.
"""

from __future__ import annotations

import hashlib
from itertools import dropwhile
from typing import Final

from mailreeve.formats.addresses import Sender
from mailreeve.formats.message import Message

_NAMED_BY: Final = ("message-id", "date")
_TRACE: Final = frozenset(
    {
        "received",
        "return-path",
        "delivered-to",
        "x-original-to",
        "received-spf",
        "authentication-results",
        "dkim-signature",
        "arc-seal",
        "arc-message-signature",
        "arc-authentication-results",
    }
)


def message_key(sender: Sender, message: Message) -> bytes | None:
    """What a message is recognised by when the same server sends it again; None where it could be another one."""
    if not any(field.value.strip() for name in _NAMED_BY for field in message.named(name)):
        return None
    return content_key(sender, message)


def content_key(sender: Sender, message: Message) -> bytes:
    """What messages of one sender have in common that say the same, be they one or several.

    What a server in front puts on top of it is another text each time, with another id and time: so the fields of
    the trace above the first other one do not count.
    """
    digest = hashlib.blake2b(str(sender).encode(), digest_size=20)
    digest.update(b"\0")
    for field in dropwhile(lambda field: field.name in _TRACE, message.fields):
        digest.update(field.raw)
    for piece in message.body:
        digest.update(piece)
    return digest.digest()
