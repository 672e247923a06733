"""What becomes of an address field when its addresses are altered (behaviour.md section 5)?

Whatever address a policy reads in a field must not be there any more once a definition has rewritten it: often the
purpose is to hide it. So the field is read as `authors` reads it, forgivingly, and rewritten in the gentlest way
that does it:

1. A valid mailbox: the address is replaced, and every other octet stays as it came, names and comments too.
2. Text that is no valid mailbox, but in which readers may see addresses: each that stands there as such is
   replaced.
3. Where an address is still to be seen, such as one in an encoded word: the new address takes the place of the
   whole text between two commas.

If none of it does, the field cannot be altered, and the message must not be sent. Doors and explanations both ask
here, so that nobody is told of an alteration that was not made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from mailreeve.formats.address_list import Entry, entries
from mailreeve.formats.addresses import Address, is_sendable
from mailreeve.formats.authors import (
    MAX_AUTHORS,
    WHITE_SPACE,
    is_odd,
    plain_address,
    read_authors,
    without_unreadable,
)
from mailreeve.formats.header_text import octets_read
from mailreeve.formats.mailboxes import Mailbox, plain_mailbox, read_mailbox
from mailreeve.policy.decide.rewrite import Rewriter
from mailreeve.policy.model.decisions import FieldAlteration
from mailreeve.policy.model.policies import AddressType

MAX_ADDRESSES: Final = 10_000
"""So many addresses are altered in the header of one message: as many as there is room for in the longest."""

MAX_PARSED: Final = 2_000
"""So many of one field may stand there in other than the plainest way, with comments or quotes, which takes the
parser several times as long."""

MAX_DOUBTFUL: Final = 200
"""So many texts of one field may be no valid mailbox: readers guess at those, which takes longer still."""

_BEFORE: Final = re.compile(r"[^\s<>()\[\]\",;:@\\]{1,254}\Z")
_BEHIND: Final = re.compile(r"[^\s<>()\[\]\",;:@\\]{1,254}")


class CannotAlterError(Exception):
    """A definition rewrites an address, and the field cannot be made such that it is gone."""


def are_made(promised: Iterable[FieldAlteration], made: Iterable[FieldAlteration]) -> bool:
    """Whether each alteration that a decision speaks of is among those that were made in the message."""
    return {_named(alteration) for alteration in promised} <= {_named(alteration) for alteration in made}


def _named(alteration: FieldAlteration) -> tuple[AddressType, str]:
    return alteration.field, alteration.original.lower()


class AlteredField(Struct, frozen=True):
    """The value of a field after alteration, and what was altered in it, in order."""

    value: str
    alterations: tuple[FieldAlteration, ...]


class _Part(Struct, frozen=True):
    """What stands between two commas: one valid mailbox, or text in which these addresses may be seen."""

    entry: Entry
    mailbox: Mailbox | None
    addresses: tuple[Address, ...]


class AddressField:
    """One address field of a message, read once however many ways it is altered in."""

    def __init__(self, kind: AddressType, value: str) -> None:
        self._kind = kind
        # White space around the text belongs to the header, as in `read_authors`.
        self._value = value.strip(WHITE_SPACE)
        self._ahead, _, self._behind = value.partition(self._value) if self._value else (value, "", "")
        self._parts: list[_Part] | None = None

    def altered(self, rewriter: Rewriter) -> AlteredField | None:
        """The field as one recipient gets it, None where nothing is altered. Raises `CannotAlterError`."""
        if self._parts is None:
            self._parts = [*_parts_of(self._value)]
        texts: list[str] = []
        made: list[FieldAlteration] = []
        known: dict[str, FieldAlteration | None] = {}
        forgiving = False
        done = 0
        for part in self._parts:
            found: dict[str, FieldAlteration] = {}
            for address in part.addresses:
                text = str(address)
                if text not in known:
                    known[text] = _possible(rewriter.rewrite(self._kind, address))
                if (alteration := known[text]) is not None:
                    found[text] = alteration
            if not found:
                continue
            made += found.values()
            if part.mailbox is not None:
                [alteration] = found.values()
                texts += self._value[done : part.mailbox.start], alteration.new
                done = part.mailbox.end
            else:
                forgiving = True
                start = part.entry.start
                texts += self._value[done:start], _respelled(part, found)
                done = start + len(part.entry.text)
        if not made:
            return None
        value = "".join([*texts, self._value[done:]])
        if forgiving and _still_seen(value, made):
            raise CannotAlterError
        return AlteredField(self._ahead + value + self._behind, tuple(made))


def _possible(alteration: FieldAlteration | None) -> FieldAlteration | None:
    if alteration is not None and not is_sendable(alteration.new):
        raise CannotAlterError
    return alteration


def _parts_of(value: str) -> Iterator[_Part]:
    parsed = doubtful = 0
    is_readable = octets_read(value) == value  # else it is read in two ways, and each of its parts too
    for entry in entries(value, groups=True):
        text = entry.text
        if "@" not in text and "=?" not in text:
            continue  # nothing that anybody could take for an address
        mailbox = None if entry.group else plain_mailbox(entry)
        if mailbox is None and not entry.group:
            parsed += 1
            if parsed > MAX_PARSED:
                raise CannotAlterError
            mailbox = read_mailbox(entry)
        # What looks encoded, readers decode; what nobody sees, they leave out.
        if mailbox is not None and "=?" not in mailbox.address.local and not is_odd(mailbox.address.local):
            yield _Part(entry, mailbox, (mailbox.address,))
            continue
        doubtful += 1
        if doubtful > MAX_DOUBTFUL:
            raise CannotAlterError
        if seen := _addresses_in([text] if is_readable else [text, without_unreadable(text)]):
            yield _Part(entry, None, seen)


def _addresses_in(texts: list[str]) -> tuple[Address, ...]:
    """The addresses that a forgiving reader sees in the texts, each as often as it is spelt differently."""
    authors = read_authors(texts)
    if len(authors) > MAX_AUTHORS:
        raise CannotAlterError
    return tuple({str(a.address): a.address for a in authors if a.address is not None}.values())


def _respelled(part: _Part, found: dict[str, FieldAlteration]) -> str:
    """Text that is no valid mailbox with other addresses in it."""
    text = part.entry.text
    by_key = {_key(alteration.original): alteration for alteration in found.values()}
    texts: list[str] = []
    done = 0
    for start, end in _spelt(text):
        address = plain_address(text[start:end])
        if address is not None and address.key in by_key and start >= done:
            texts += text[done:start], by_key[address.key].new
            done = end
    respelled = "".join([*texts, text[done:]])
    # One spot may be part of several addresses to different readers, who then see others than the new ones: still
    # the old one, or one made of both. All the new ones are to be seen, and nothing that was not there before.
    new = {_key(one.new) for one in found.values()}
    seen = {address.key for other in _parts_of(respelled) for address in other.addresses}
    known = new.union(address.key for address in part.addresses)
    if new <= seen <= known and not _still_seen(respelled, found.values()):
        return respelled
    # White space at the ends parts the entry from its neighbours, and may be a fold.
    ahead = text[: len(text) - len(text.lstrip())]
    behind = text[len(text.rstrip()) :]
    return ahead + ", ".join(dict.fromkeys(alteration.new for alteration in found.values())) + behind


def _spelt(text: str) -> Iterator[tuple[int, int]]:
    """Where something like an address stands in the text as such, around each at sign."""
    at = text.find("@")
    while at >= 0:
        before = _BEFORE.search(text, max(0, at - 254), at)
        behind = _BEHIND.match(text, at + 1)
        if before and behind:
            yield before.start(), behind.end()
        at = text.find("@", at + 1)


def _still_seen(text: str, made: Iterable[FieldAlteration]) -> bool:
    """Whether readers may still see an address that was altered, and that is none of the new ones."""
    made = list(made)
    gone = {_key(one.original) for one in made} - {_key(one.new) for one in made}
    return any(address.key in gone for part in _parts_of(text) for address in part.addresses)


def _key(text: str) -> str:
    address = plain_address(text)
    return text if address is None else address.key
