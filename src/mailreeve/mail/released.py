"""How do our own doors know a copy again that somebody released? By a mark that only this installation can make.

A released copy goes to the next hop. Where that is a Postfix that asks us about every message, it comes back, and
what had it held would hold it again. So it carries `X-Mailreeve-Released`: the decision by which it was held, and
an HMAC over that decision, the recipient and the body. A door that finds a valid mark for a recipient delivers to
that recipient what it would hold or refuse for its content; for everybody else, and every other body, the mark
says nothing. What a stranger puts there is no mark, and like all such fields it never leaves a door (`edits`).

The body is taken as RFC 6376 section 3.4.3 has it: mail servers add or take away empty lines at its end.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from typing import Final

from mailreeve.formats.addresses import Address
from mailreeve.formats.message import Content, Message, Pieces

FIELD: Final = "X-Mailreeve-Released"
KEY_OCTETS: Final = 32
MOST_MARKS: Final = 4  # that are looked at: a copy has one

_NAME: Final = FIELD.lower()
_VALUE: Final = re.compile(r"\s*([a-z2-7]{16});\s*([0-9a-f]{64})\s*")


class ReleaseMarks:
    """Makes marks, and knows them again, with a key of `KEY_OCTETS` octets."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def marked(self, content: Content, decision_id: str, recipient: Address) -> Content:
        """The copy with its mark, for this recipient as it is delivered to."""
        code = self._code(decision_id, recipient, body_digest(content.body))
        return Content(f"{FIELD}: {decision_id}; {code}\r\n".encode("ascii") + content.header, content.body)

    def released(self, message: Message, recipients: Collection[Address]) -> frozenset[str]:
        """To which of these recipients, by their keys, somebody released the message."""
        marks = [found for field in message.named(_NAME) if (found := _VALUE.fullmatch(field.value))]
        if not marks:
            return frozenset()
        digest = body_digest(message.body)
        return frozenset(
            recipient.key
            for recipient in recipients
            for mark in marks[:MOST_MARKS]
            if hmac.compare_digest(mark[2], self._code(mark[1], recipient, digest))
        )

    def _code(self, decision_id: str, recipient: Address, digest: bytes) -> str:
        text = b"\0".join((decision_id.encode("ascii"), recipient.key.encode(), digest))
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def body_digest(body: Pieces) -> bytes:
    """The digest of a body, which begins with the line that ends the header, without the empty lines at its
    end."""
    digest = hashlib.sha256()
    held = b""  # line ends that may be the last ones
    first = True
    for piece in body:
        text = held + piece
        if first and len(text) >= len(b"\r\n"):
            text, first = text.removeprefix(b"\r\n"), False
        kept = text.rstrip(b"\r\n")
        held = text[len(kept) :]
        digest.update(kept)
    return digest.digest()
