"""Which addresses stand in an address field, and where? Mailboxes are read by the standard library's parser.

That parser is exact but not built for hostile input: its time grows with the square of the length, and
it fails in various ways on broken text. So a field is first parted at its commas, by following quotes,
comments and angle brackets only, and the parser sees one short mailbox at a time. A broken mailbox then
spoils none of its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import _header_value_parser as parser
from typing import Final

from msgspec import Struct

from mailreeve.mail.message import Message, decoded_words, printable
from mailreeve.policy.addresses import Address, AddressError, parse_address
from mailreeve.policy.facts import HeaderFrom

MAX_MAILBOX_LENGTH: Final = 1_000
"""Longer text is not read as one mailbox: an address has 254 octets, and a name may be a few encoded words."""

MAX_AUTHORS: Final = 100
"""How many authors of one message a decision looks at. Honest mail has one, rarely two."""

MAX_NAME_LENGTH: Final = 500

_STRUCTURE: Final = re.compile(r'[\\",:;()<>\[\]]')
# What could be meant as an address in text that is no valid mailbox.
_LOOKS_LIKE_ADDRESS: Final = re.compile(r'[^\s<>()\[\]",;:@\\]{1,64}@[^\s<>()\[\]",;:@\\]{1,253}')
# Stands in for the question mark of "=?", so that the parser leaves encoded words to `decoded_words`,
# which knows more broken forms of them.
_QUESTION: Final = "\ue000"
_Addressed = parser.AngleAddr | parser.AddrSpec
_UNFOLDED: Final = str.maketrans("\r\n", "  ")


class Mailbox(Struct, frozen=True):
    """The address of one mailbox of a field, and where it stands in the field's value."""

    address: Address
    start: int
    end: int


class Entry(Struct, frozen=True):
    """One part of an address list: where it stands in the field's value, and its text.

    `angle` is where in the text an angle bracket opens outside quotes and comments, -1 if none does.
    """

    start: int
    text: str
    angle: int

    @property
    def addressed(self) -> str:
        """The part that holds the address: from the angle bracket on, or all.

        Line ends of folds are white space in it, as the parser takes for granted; places stay the same.
        """
        return (self.text[self.angle :] if self.angle >= 0 else self.text).translate(_UNFOLDED)


def entries(value: str) -> Iterator[Entry]:
    """The parts of an address list (RFC 5322 section 3.4) that may hold a mailbox; group names left out."""
    opened: list[str] = []  # the closing marks still awaited, innermost last
    start = position = 0
    angle = -1
    while (mark := _STRUCTURE.search(value, position)) is not None:
        at, character = mark.start(), mark[0]
        position = at + 1
        inside = opened[-1] if opened else ""
        if character == "\\":
            position += 1
        elif character == inside:
            opened.pop()
        elif inside in ('"', "]"):
            continue
        elif character == "(" or (character in '"[' and inside in ("", ">")):
            opened.append({'"': '"', "(": ")", "[": "]"}[character])
        elif character == "<" and not opened:
            opened.append(">")
            angle = at - start if angle < 0 else angle
        elif character in ",;:" and not opened:
            if character != ":":
                yield Entry(start, value[start:at], angle)
            start, angle = position, -1
    yield Entry(start, value[start:], angle)


def read_mailbox(entry: Entry) -> Mailbox | None:
    """The mailbox that an entry holds and its place, or None if it is not exactly one with a valid address."""
    parsed = _parsed(entry)
    if parsed is None:
        return None
    token, left_over, address = parsed
    # The text must come back unchanged, or places in it would mean nothing.
    if str(token) + left_over != entry.addressed:
        return None
    [(at, spec)] = _addr_specs(token, 0)
    start, end = _bare_span(spec, at)
    offset = entry.start + max(entry.angle, 0)
    return Mailbox(address, offset + start, offset + end)


def _parsed(entry: Entry) -> tuple[_Addressed, str, Address] | None:
    """The parser's reading of an entry's address, the white space behind it, and the address."""
    if "@" not in entry.text or len(entry.text) > MAX_MAILBOX_LENGTH:
        return None
    read = parser.get_angle_addr if entry.angle >= 0 else parser.get_addr_spec
    try:
        token, left_over = read(entry.addressed)
        return None if left_over.strip() else (token, left_over, parse_address(token.addr_spec))
    except Exception:
        # The parser raises HeaderParseError, IndexError, RecursionError and more for what it cannot
        # read, and `parse_address` refuses the rest. All of it means just that: no mailbox.
        return None


def _display_name(entry: Entry) -> str:
    if entry.angle < 0:
        return ""
    text = entry.text[: entry.angle].translate(_UNFOLDED)
    try:
        token, left_over = parser.get_display_name(text.replace("=?", "=" + _QUESTION))
        name = text if left_over.strip() else token.display_name.replace(_QUESTION, "?")
    except Exception:  # as above; what is no phrase is shown by mail readers as it stands
        name = text
    return _name(name)


def _addr_specs(token: parser.TokenList, at: int) -> Iterator[tuple[int, parser.AddrSpec]]:
    """Every address below or at this token, with its place in the text."""
    if isinstance(token, parser.AddrSpec):
        yield at, token
        return
    for part in token:
        if isinstance(part, parser.TokenList):
            yield from _addr_specs(part, at)
        at += len(str(part))


def _bare_span(spec: parser.AddrSpec, at: int) -> tuple[int, int]:
    """Where the address begins and ends, without the comments and white space around it."""
    places: list[tuple[int, int]] = []

    def walk(token: parser.TokenList, at: int) -> None:
        for part in token:
            end = at + len(str(part))
            if isinstance(part, parser.BareQuotedString):
                places.append((at, end))  # the quotes are no parts of their own
            elif isinstance(part, parser.TokenList):
                if not isinstance(part, parser.CFWSList | parser.Comment):
                    walk(part, at)
            elif not isinstance(part, parser.WhiteSpaceTerminal):
                places.append((at, end))
            at = end

    walk(spec, at)
    return places[0][0], places[-1][1]


def read_authors(message: Message) -> tuple[HeaderFrom, ...]:
    """The authors that the From fields name, for the facts; empty if there is no From field at all.

    There should be one field with one author. Where there are more, all of them count, because readers
    differ in which one they show. Text that is no valid mailbox counts as every address that a
    forgiving reader might see in it.
    """
    authors: list[HeaderFrom] = []
    for field in message.named("from"):
        before = len(authors)
        for entry in entries(field.value):
            parsed = _parsed(entry)
            if parsed is not None:
                authors.append(HeaderFrom(parsed[2], _display_name(entry)))
            elif entry.text.strip():
                authors.extend(_guess_authors(entry.text))
            if len(authors) >= MAX_AUTHORS:
                return tuple(authors[:MAX_AUTHORS])
        if len(authors) == before:
            authors.append(HeaderFrom(None, _name(field.value)))
    return tuple(authors)


def _guess_authors(text: str) -> Iterator[HeaderFrom]:
    text = decoded_words(text[: MAX_MAILBOX_LENGTH * 10])
    name = _name(text.partition("<")[0].strip(' \t\r\n"'))
    found = False
    for guess in _LOOKS_LIKE_ADDRESS.findall(text):
        address = plain_address(guess)
        if address is not None:
            found = True
            yield HeaderFrom(address, name)
    if not found:
        yield HeaderFrom(None, name)


def plain_address(text: str) -> Address | None:
    """The address that the text is, or None."""
    try:
        return parse_address(text)
    except AddressError:
        return None


def likely_address(entry: Entry) -> Address | None:
    """The one plainly written address of an entry, found quickly; None if only the parser can tell."""
    if entry.text.count("@") != 1:
        return None
    match = _LOOKS_LIKE_ADDRESS.search(entry.text)
    return plain_address(match[0]) if match else None


def _name(text: str) -> str:
    return printable(decoded_words(text), MAX_NAME_LENGTH)
