"""What does a copy of a message look like when it leaves? Marks, traces, and altered addresses.

Edits touch our own fields and the addresses that a definition rewrites, and nothing else: every other
octet of the header and the whole body stay as they came. One thing is added to what came: a message
whose first line begins with white space would have that line read as a continuation of our last field,
so it gets a field name of its own, `X-Mailreeve-Stray`. Nothing of it is lost, and our mark stays ours.

- Incoming `X-Mailreeve-*` fields are always taken out, so that a stranger cannot forge a mark.
- `X-Mailreeve-Spam-Checks: skip` or `run` tells a spam engine behind us whether to look.
- `X-Mailreeve-Decision` carries the id under which the outcome is recorded.
- `X-Mailreeve-Original-<field>` names each address as it was before alteration. Only copies that stay
  inside carry them, by the recipient as written and as altered: on outbound mail the very purpose may be
  to hide the original. The records have them in either case. `Original-Envelope-To` names the copy's own
  recipient and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from msgspec import Struct

from mailreeve.mail.mailboxes import Mailbox, likely_address, read_mailbox
from mailreeve.mail.message import Content, Message
from mailreeve.policy.addresses import Address
from mailreeve.policy.alteration import Rewriter
from mailreeve.policy.authors import Entry, entries
from mailreeve.policy.decisions import FieldAlteration, SpamChecks
from mailreeve.policy.policies import AddressType

OWN_PREFIX: Final = "x-mailreeve-"
SPAM_CHECKS: Final = "X-Mailreeve-Spam-Checks"
DECISION: Final = "X-Mailreeve-Decision"
ORIGINAL: Final = "X-Mailreeve-Original-"
STRAY: Final = b"X-Mailreeve-Stray:"
MBOX: Final = b"X-Mailbox-Line: "

_MBOX_LINE: Final = re.compile(rb">*From ")

ADDRESS_FIELDS: Final[dict[str, AddressType]] = {
    "from": AddressType.FROM,
    "reply-to": AddressType.REPLY_TO,
    "to": AddressType.TO_CC_BCC,
    "cc": AddressType.TO_CC_BCC,
    "bcc": AddressType.TO_CC_BCC,
    "sender": AddressType.SENDER,
}
"""Which type of definition holds for which header field (api.md section 3.4.2)."""

_ENVELOPE_NAMES: Final = {
    AddressType.ENVELOPE_FROM: "Envelope-From",
    AddressType.ENVELOPE_TO: "Envelope-To",
}


class Edits(Struct, frozen=True):
    """What is done to a message. Equal edits make equal copies.

    `added` are fields put on top, in order. `replaced` gives a field, by its place among all fields of
    the message, its new text with line ends.
    """

    added: tuple[tuple[str, str], ...] = ()
    replaced: tuple[tuple[int, bytes], ...] = ()


def apply(message: Message, edits: Edits, *, on_top: bytes = b"") -> Content:
    """The edited message, with `on_top` (complete fields, such as a Received) above all else."""
    replaced = dict(edits.replaced)
    parts = [on_top]
    parts += [f"{name}: {text}\r\n".encode() for name, text in edits.added]
    begun = False
    for place, field in enumerate(message.fields):
        if not begun:
            if not field.name and _MBOX_LINE.match(field.raw):
                parts.append(MBOX)
            else:
                begun = True
                if field.raw[:1] in (b" ", b"\t"):
                    # Only the first line can be such a one: any other belongs to the field before it.
                    parts.append(STRAY)
        if not field.name.startswith(OWN_PREFIX):
            parts.append(replaced.get(place, field.raw))
    return Content(b"".join(parts), message.body)


def marks(spam_checks: SpamChecks, decision_id: str) -> tuple[tuple[str, str], ...]:
    """The fields that every delivered copy gets."""
    return (SPAM_CHECKS, spam_checks.value), (DECISION, decision_id)


def envelope_originals(alterations: Iterable[FieldAlteration]) -> tuple[tuple[str, str], ...]:
    """The fields that name the original envelope addresses of one recipient's copy."""
    return tuple(
        (ORIGINAL + _ENVELOPE_NAMES[alteration.field], alteration.original)
        for alteration in alterations
        if alteration.field in _ENVELOPE_NAMES
    )


class HeaderAlteration(Struct, frozen=True):
    """What alteration does to the header of one recipient's copy."""

    replaced: tuple[tuple[int, bytes], ...] = ()
    originals: tuple[tuple[str, str], ...] = ()
    alterations: tuple[FieldAlteration, ...] = ()


class AddressFields:
    """The address fields of one message. They are read once, however many recipients there are."""

    def __init__(self, message: Message) -> None:
        self._message = message

    @cached_property
    def _fields(self) -> list[tuple[int, AddressType, list[_Listed]]]:
        return [
            (place, ADDRESS_FIELDS[field.name], [_Listed(entry) for entry in entries(field.value)])
            for place, field in enumerate(self._message.fields)
            if field.name in ADDRESS_FIELDS
        ]

    def altered(self, rewriter: Rewriter) -> HeaderAlteration:
        """The rewrites of one recipient's copy, with nothing but the addresses themselves replaced."""
        replaced: list[tuple[int, bytes]] = []
        originals: list[tuple[str, str]] = []
        alterations: list[FieldAlteration] = []
        for place, kind, listed in self._fields:
            field = self._message.fields[place]
            changes: list[tuple[Mailbox, str]] = []
            for item in listed:
                if item.address is None:
                    continue
                alteration = rewriter.rewrite(kind, item.address)
                if alteration is None or item.mailbox is None:
                    continue
                changes.append((item.mailbox, alteration.new))
                name = field.raw[: len(field.name)].decode("ascii")
                originals.append((ORIGINAL + name, alteration.original))
                alterations.append(alteration)
            if changes:
                value = _spliced(field.value, changes)
                replaced.append((place, field.raw[: field.value_at] + value))
        return HeaderAlteration(tuple(replaced), tuple(originals), tuple(alterations))


class _Listed:
    """One entry of an address field, parsed exactly only when its address is to be rewritten."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    @cached_property
    def address(self) -> Address | None:
        likely = likely_address(self._entry)
        if likely is not None:
            return likely
        return self.mailbox.address if self.mailbox else None

    @cached_property
    def mailbox(self) -> Mailbox | None:
        """The parser's reading; None where it disagrees with the quick one, and nothing is touched."""
        mailbox = read_mailbox(self._entry)
        likely = likely_address(self._entry)
        return mailbox if mailbox is not None and likely in (None, mailbox.address) else None


def _spliced(value: str, changes: Iterable[tuple[Mailbox, str]]) -> bytes:
    parts: list[str] = []
    done = 0
    for mailbox, new in changes:
        parts += value[done : mailbox.start], new
        done = mailbox.end
    parts.append(value[done:])
    return "".join(parts).encode("utf-8", "surrogateescape")
