"""What does a copy of a message look like when it leaves? Marks, traces, and altered addresses.

Edits touch our own fields and the addresses that a definition rewrites, and nothing else: every other
octet of the header and the whole body stay as they came. One thing is added to what came: a message
whose first line begins with white space would have that line read as a continuation of our last field,
so it gets a field name of its own, `X-Mailreeve-Stray`. Nothing of it is lost, and our mark stays ours.

- Incoming `X-Mailreeve-*` fields are always taken out, so that a stranger cannot forge a mark.
- Incoming `Authentication-Results` fields that claim our own host name, or that of a server in front which is
  believed (`results`), are taken out for the same reason, unless they are its own.
- `X-Mailreeve-Spam-Checks: skip` or `run` tells a spam engine behind us whether to look.
- `X-Mailreeve-Spam` says of a copy that is delivered in spite of it what a spam engine said of the message. Where
  a policy wants it, the subject of such a copy gets a prefix, which breaks signatures that cover it.
- `X-Mailreeve-Spoofed: yes` is on what claims an internal sender whom nothing vouches for, where an anti-spoofing
  policy says so.
- `X-Mailreeve-Decision` carries the id under which the outcome is recorded.
- `X-Mailreeve-Original-<field>` names each address as it was before alteration. Only copies that stay
  inside carry them, by the recipient as written and as altered: on outbound mail the very purpose may be
  to hide the original. `Original-Envelope-To` names who the copy was written to and is delivered to, and
  nobody else. Of a long list of addresses the first `MAX_ORIGINALS` are named. Letters beyond ASCII are in encoded
  words (RFC 2047): these fields never make a message one that needs SMTPUTF8.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable
from email.header import Header
from functools import cached_property
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.message import Content, Field, Message
from mailreeve.policy.decide.address_fields import MAX_ADDRESSES, AddressField, CannotAlterError
from mailreeve.policy.decide.rewrite import Rewriter
from mailreeve.policy.model.content import SpamTag
from mailreeve.policy.model.decisions import FieldAlteration, SpamChecks
from mailreeve.policy.model.facts import MAX_HEADER_OCTETS
from mailreeve.policy.model.policies import AddressType

OWN_PREFIX: Final = "x-mailreeve-"
SPAM_CHECKS: Final = "X-Mailreeve-Spam-Checks"
SPAM: Final = "X-Mailreeve-Spam"
DECISION: Final = "X-Mailreeve-Decision"
SPOOFED: Final = "X-Mailreeve-Spoofed"
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

MAX_ORIGINALS: Final = 100
"""So many original addresses of the header are named, and of each field but From so many rewrites told."""

_PIECE: Final = re.compile(r'\\.|["();]|[^\\"();]+|\\', re.DOTALL)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_SERVICE: Final = re.compile(r"[\s;]")

_ENVELOPE_NAMES: Final = {
    AddressType.ENVELOPE_FROM: "Envelope-From",
    AddressType.ENVELOPE_TO: "Envelope-To",
}


class Edits(Struct, frozen=True):
    """What is done to a message. Equal edits make equal copies.

    `added` are fields put on top, in order. `replaced` gives a field, by its place among all fields of
    the message, its new text with line ends; `removed` are the places of fields that are taken out. `keeps_own` is
    for a copy of our own that comes back: our fields stay.
    """

    added: tuple[tuple[str, str], ...] = ()
    replaced: tuple[tuple[int, bytes], ...] = ()
    removed: frozenset[int] = frozenset()
    keeps_own: bool = False

    def takes_out(self, place: int, field: Field) -> bool:
        """Whether the field at this place is taken out."""
        return place in self.removed or (not self.keeps_own and field.name.startswith(OWN_PREFIX))


def apply(message: Message, edits: Edits, *, on_top: bytes = b"") -> Content:
    """The edited message, with `on_top` (complete fields, such as a Received) above all else."""
    replaced = dict(edits.replaced)
    parts = [on_top]
    parts += [f"{name}: {encoded(text, len(name))}\r\n".encode("ascii") for name, text in edits.added]
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
        if not edits.takes_out(place, field):
            parts.append(replaced.get(place, field.raw))
    return Content(b"".join(parts), message.body)


def encoded(text: str, before: int) -> str:
    """The text of a field of ours, whose name has so many characters, in ASCII, such that readers see just it.

    A field that no standard gives a structure may hold encoded words anywhere (RFC 2047 section 5).
    """
    if text.isascii() and "=?" not in text:
        return text
    return Header(text, "utf-8", maxlinelen=78, header_name="x" * before).encode(linesep="\r\n")


def marks(spam_checks: SpamChecks, decision_id: str, *, is_spoofed: bool = False) -> tuple[tuple[str, str], ...]:
    """The fields that every delivered copy gets, and the one for what is spoofed."""
    spoofed = ((SPOOFED, "yes"),) if is_spoofed else ()
    return (SPAM_CHECKS, spam_checks.value), (DECISION, decision_id), *spoofed


def tagged(message: Message, edits: Edits, tag: SpamTag) -> Edits:
    """The edits with the tag of a copy that a spam engine spoke against. What readers may take for the subject all
    gets the prefix."""
    mark = SPAM, f"score={tag.score:.2f} action={tag.action.value.replace(' ', '_')}"
    if not tag.subject_prefix:
        return replace(edits, added=(*edits.added, mark))
    prefix = tag.subject_prefix.encode("ascii", "replace")
    subjects = [
        (place, field.raw[: field.value_at] + b" " + prefix + b" " + field.raw[field.value_at :].lstrip(b" \t"))
        for place, field in enumerate(message.fields)
        if field.name == "subject"
    ]
    added = (*edits.added, mark) if subjects else (*edits.added, mark, ("Subject", tag.subject_prefix))
    return replace(edits, added=added, replaced=(*edits.replaced, *subjects))


def envelope_originals(alterations: Iterable[FieldAlteration]) -> tuple[tuple[str, str], ...]:
    """The fields that name the original envelope addresses of one recipient's copy."""
    return tuple(
        (ORIGINAL + _ENVELOPE_NAMES[alteration.field], alteration.original)
        for alteration in alterations
        if alteration.field in _ENVELOPE_NAMES
    )


class HeaderAlteration(Struct, frozen=True):
    """What alteration does to the header of one recipient's copy. `is_utf8` says that addresses came into it that
    hold letters beyond ASCII."""

    replaced: tuple[tuple[int, bytes], ...] = ()
    originals: tuple[tuple[str, str], ...] = ()
    alterations: tuple[FieldAlteration, ...] = ()
    is_utf8: bool = False


class AddressFields:
    """The address fields of one message. They are read once, and altered once for each way they are altered in,
    however many recipients there are."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._made: dict[tuple[str, Hashable], HeaderAlteration] = {}

    @cached_property
    def _fields(self) -> list[tuple[int, AddressField]]:
        found = [(n, field) for n, field in enumerate(self._message.fields) if field.name in ADDRESS_FIELDS]
        if sum(field.raw.count(b"@") for _, field in found) > MAX_ADDRESSES:
            raise CannotAlterError
        return [(place, AddressField(ADDRESS_FIELDS[field.name], field.value)) for place, field in found]

    def altered(self, account_id: str, rewriter: Rewriter) -> HeaderAlteration:
        """The rewrites of one recipient's copy, by policies of this account. Raises `CannotAlterError`.

        All rewriters of one account are of one policy set: a message is decided at one revision.
        """
        key = account_id, rewriter.outcome
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._altered(rewriter)
        return made

    def _altered(self, rewriter: Rewriter) -> HeaderAlteration:
        replaced: list[tuple[int, bytes]] = []
        originals: dict[tuple[str, str], None] = {}
        alterations: list[FieldAlteration] = []
        grown = 0
        is_utf8 = False
        for place, address_field in self._fields:
            altered = address_field.altered(rewriter)
            if altered is None:
                continue
            field = self._message.fields[place]
            raw = field.raw[: field.value_at] + altered.value.encode("utf-8", "surrogateescape")
            replaced.append((place, raw))
            grown += len(raw) - len(field.raw)
            is_utf8 = is_utf8 or any(not alteration.new.isascii() for alteration in altered.alterations)
            name = ORIGINAL + field.raw[: len(field.name)].decode("ascii")
            originals.update(((name, alteration.original), None) for alteration in altered.alterations)
            # A decision speaks of authors only, and records keep but a few.
            is_from = field.name == "from"
            alterations += altered.alterations if is_from else altered.alterations[:MAX_ORIGINALS]
        if sum(len(field.raw) for field in self._message.fields) + grown > MAX_HEADER_OCTETS:
            raise CannotAlterError
        named = tuple(islice(originals, MAX_ORIGINALS))
        return HeaderAlteration(tuple(replaced), named, tuple(alterations), is_utf8)


def claims_of_results(message: Message, names: Collection[str]) -> frozenset[int]:
    """The places of the fields that claim to be results of authentication by one of these names.

    Whoever reads `Authentication-Results` behind us trusts those with our name, and we write none; so what comes
    with it is forged (RFC 8601 section 5). Names are compared without case, as domains are.
    """
    wanted = {name.rstrip(".").casefold() for name in names}
    return frozenset(
        place
        for place, field in enumerate(message.fields)
        if field.name == "authentication-results" and _service(field.value) in wanted
    )


def _service(value: str) -> str:
    """The name of the service in a field of results (RFC 8601 section 2.2), without what may stand around it."""
    text = _without_comments(value).strip()
    quoted = _QUOTED.match(text)
    name = _QUOTED_PAIR.sub(r"\1", quoted[1]) if quoted else _SERVICE.split(text, maxsplit=1)[0]
    return name.strip().rstrip(".").casefold()


def _without_comments(value: str) -> str:
    """The text ahead of the first semicolon, comments taken out of it; they may be nested."""
    kept: list[str] = []
    depth = 0
    quoted = False
    for found in _PIECE.finditer(value):
        piece = found[0]
        if piece == '"' and not depth:
            quoted = not quoted
        elif not quoted and piece == "(":
            depth += 1
        elif not quoted and piece == ")" and depth:
            depth -= 1
            kept.append(" ")
            continue
        elif not quoted and not depth and piece == ";":
            break
        if not depth:
            kept.append(piece)
    return "".join(kept)
