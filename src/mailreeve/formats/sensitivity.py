"""Did a sender mark a message as one for its recipient alone?"""

from __future__ import annotations

from typing import Final

from mailreeve.formats.message import Message

_HIDDEN: Final = frozenset({"private", "personal"})
_MOST: Final = 64  # characters of the field that are looked at


def is_private(message: Message) -> bool:
    """Whether the header field Sensitivity (RFC 4021 section 2.1.55) says private or personal, with which a
    message is hidden from delegates (behaviour.md section 7.2). Its other value, company-confidential, says
    nothing about a colleague."""
    return message.text("sensitivity", _MOST).casefold() in _HIDDEN
