"""How do our own doors know a copy again that we handed on ourselves? By marks that only this installation can
make.

Copies are handed on after their message was acknowledged: those that somebody released, and those that a milter
split off. Where the next hop is a Postfix that asks us about every message, they come back while they are handed
over, and would be decided once more: held again, refused, altered twice. So each carries two marks:

- in the envelope, as the ENVID of MAIL (RFC 3461 section 4.4), where the next hop offers DSN: a recipient who
  would be refused at RCPT is heard out then
- in the header, `X-Mailreeve-Released`: at the end of the data the copy passes as it is, whatever policies say

Both are HMACs under a key of the folder. They name the row of the outgoing copy, the attempt to hand it on, and
until when they hold; the code covers these, the envelope, our own fields, the body, and those fields of the
header that say what a message is, as far as it has them. What servers add on the way (Received, a Date where
there was none) changes nothing. A mark holds for its recipient alone, in the account of the copy, and only while
that very attempt may be going on (`under_way`): once the next hop has the copy, its mark is void, so whoever
finds it in a mailbox has nothing.

What a stranger puts there is no mark, and like all such fields it never leaves a door (`edits`). Values are
compared with their white space taken together, and of the body the empty lines at its end do not count (RFC 6376
section 3.4).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

from msgspec import Struct

from mailreeve.families.outgoing.rows import Waiting
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Content, Field, Message, Pieces, read_message

FIELD: Final = "X-Mailreeve-Released"
KEY_OCTETS: Final = 32
MOST_MARKS: Final = 4  # that are looked at: a copy has one
LASTS: Final = 86_400
"""Seconds for which a mark holds: more than an attempt takes. Each attempt has marks of its own."""

_NAME: Final = FIELD.lower()
_OWN: Final = "x-mailreeve-"
_COVERED: Final = (
    "from",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)
_VALUE: Final = re.compile(
    r"\s*(?P<decision>[a-z2-7]{16});\s*(?P<key>[0-9a-f]{32});\s*(?P<attempt>[0-9]{1,9});\s*(?P<until>[0-9]{1,12});"
    r"\s*(?P<has>[0-9a-f]{2});\s*(?P<code>[0-9a-f]{64})\s*"
)
_ENVELOPE_ID: Final = re.compile(
    r"reeve\.(?P<key>[0-9a-f]{32})\.(?P<attempt>[0-9]{1,9})\.(?P<until>[0-9]{1,12})\.(?P<code>[0-9a-f]{32})"
)
_SPACE: Final = re.compile(rb"[ \t\r\n]+")

UnderWay = Callable[[str, str, int], bool]
"""Whether the copy with a key of an account waits, and so many attempts were begun. It may ask a database."""


class HandedOn(Struct, frozen=True):
    """A copy with its marks: `envelope_id` is for MAIL."""

    content: Content
    envelope_id: str


class ComesBack(Struct, frozen=True):
    """Whom a copy came back for, by the address as it is spelt, and the decision that it was made by."""

    recipient: str
    decision_id: str


class ReleaseMarks:
    """Makes marks, and knows them again, with a key of `KEY_OCTETS` octets."""

    def __init__(self, key: bytes, under_way: UnderWay) -> None:
        self._key = key
        self._under_way = under_way

    def marked(self, one: Waiting, content: Content, now: float) -> HandedOn:
        """A copy with its marks, for the attempt that has just begun. `now` is in POSIX seconds."""
        copy, until, attempt = one.kept.copy, int(now) + LASTS, one.attempts + 1
        message = read_message(content.header, content.body)
        has, body = _has(message), body_digest(message.body)
        about = _about(one.key, attempt, until, copy.sender, one.to.effective)
        code = self._code(b"header", about, copy.decision_id.encode(), _header_digest(message, has), body)
        value = f"{copy.decision_id}; {one.key}; {attempt}; {until}; {has:02x}; {code}"
        envelope_id = f"reeve.{one.key}.{attempt}.{until}.{self._code(b'envelope', about)[:32]}"
        return HandedOn(
            Content(f"{FIELD}: {value}\r\n".encode("ascii") + content.header, content.body), envelope_id
        )

    def may_come_back(
        self, envelope_id: str, sender: Sender, recipient: Address, account_id: str, now: float
    ) -> bool:
        """Whether the envelope of a message says that it is one of ours, for this recipient: then it is heard
        out."""
        found = _ENVELOPE_ID.fullmatch(envelope_id)
        if found is None:
            return False
        attempt, until = int(found["attempt"]), int(found["until"])
        about = _about(found["key"], attempt, until, sender, recipient)
        return (
            hmac.compare_digest(found["code"], self._code(b"envelope", about)[:32])
            and now <= until
            and self._under_way(account_id, found["key"], attempt)
        )

    def come_back(
        self, message: Message, sender: Sender, recipients: Collection[tuple[Address, str]], now: float
    ) -> Iterator[ComesBack]:
        """For which of these recipients, each with its account, the message is a copy of ours that comes back."""
        marks = [found for field in message.named(_NAME) if (found := _VALUE.fullmatch(field.value))]
        # Once, however many strangers put there: a body may be large.
        body = body_digest(message.body) if marks else b""
        for mark in marks[:MOST_MARKS]:
            digests = _header_digest(message, int(mark["has"], 16)), body
            attempt, until = int(mark["attempt"]), int(mark["until"])
            for recipient, account_id in recipients:
                about = _about(mark["key"], attempt, until, sender, recipient)
                code = self._code(b"header", about, mark["decision"].encode(), *digests)
                if (
                    hmac.compare_digest(mark["code"], code)
                    and now <= until
                    and self._under_way(account_id, mark["key"], attempt)
                ):
                    yield ComesBack(str(recipient), mark["decision"])

    def _code(self, kind: bytes, *texts: bytes) -> str:
        code = hmac.new(self._key, kind, hashlib.sha256)
        for text in texts:
            code.update(b"\0%d\0" % len(text) + text)
        return code.hexdigest()


def _about(key: str, attempt: int, until: int, sender: Sender, recipient: Address) -> bytes:
    return f"{key}\0{attempt}\0{until}\0{sender}\0{recipient}".encode("utf-8", "surrogateescape")


def _has(message: Message) -> int:
    """Which of the fields that are covered there are, as bits: what is added to a message later does not count."""
    there = {field.name for field in message.fields}
    return sum(1 << place for place, name in enumerate(_COVERED) if name in there)


def _header_digest(message: Message, has: int) -> bytes:
    """The digest of a header: all fields of ours count, and those that are said to be there."""
    names = {name for place, name in enumerate(_COVERED) if has & 1 << place}
    digest = hashlib.sha256()
    for field in message.fields:
        if field.name in names or (field.name.startswith(_OWN) and field.name != _NAME):
            digest.update(field.name.encode() + b":" + _relaxed(field) + b"\n")
    return digest.digest()


def _relaxed(field: Field) -> bytes:
    return _SPACE.sub(b" ", field.raw[field.value_at :]).strip(b" ")


def places_of_marks(message: Message) -> frozenset[int]:
    """The places of what looks like a mark."""
    return frozenset(place for place, field in enumerate(message.fields) if field.name == _NAME)


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
