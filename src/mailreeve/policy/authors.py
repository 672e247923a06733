"""Whom do the From fields of a message name? Their mailboxes are read by the standard library's parser.

That parser is exact but not built for hostile input: its time grows with the square of the length, and
it fails in various ways on broken text. So a field is first parted at its commas, by following quotes,
comments and angle brackets only, and the parser sees one short mailbox at a time. A broken mailbox then
spoils none of its neighbours.

Whoever decides or explains reads authors here: two readings of one header would be two verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email import _header_value_parser as parser
from itertools import islice
from typing import Final

from msgspec import Struct

from mailreeve.policy.addresses import Address, AddressError, parse_address
from mailreeve.policy.facts import HeaderFrom
from mailreeve.policy.header_text import decoded_words, printable

MAX_MAILBOX_LENGTH: Final = 1_000
"""Longer text is not read as one mailbox: an address has 254 octets, and a name may be a few encoded words."""

MAX_AUTHORS: Final = 100
"""How many authors a message may have. Honest mail has one, rarely two. `read_authors` gives one more where there
are more, and `decide_mail` refuses the message: nobody looks at authors without end."""

MAX_NAME_LENGTH: Final = 500

_STRUCTURE: Final = re.compile(r'[\\",:;()<>\[\]]')
# An address in text that is otherwise well formed.
LOOKS_LIKE_ADDRESS: Final = re.compile(r'[^\s<>()\[\]",;:@\\]{1,64}@[^\s<>()\[\]",;:@\\]{1,253}')
# What could be meant as one in text that is no valid mailbox: no mail reader shows the invisible, none takes
# quotes around an address, or what follows a domain, for a part of it.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]"
)
_QUOTES: Final = "'`\u00b4\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a"
_BESIDE_LOCAL: Final = ' \t\r\n<>()[]",;:\\'
_ENDS_LOCAL: Final = re.compile(r'[\s<>()\[\]",;:@\\]')
_DOMAIN: Final = re.compile(r"[\s\[]{0,8}([A-Za-z0-9._\u00a1-\U0010ffff-]{1,253})")
_BEYOND_ASCII: Final = re.compile(r"[^!-~]")
_MAX_LOCAL: Final = 64  # as of `parse_address`, here in characters and in octets
# Stands in for the question mark of "=?", so that the parser leaves encoded words to `decoded_words`,
# which knows more broken forms of them.
_QUESTION: Final = "\ue000"
Addressed = parser.AngleAddr | parser.AddrSpec
_UNFOLDED: Final = str.maketrans("\r\n", "  ")


class Entry(Struct, frozen=True):
    """One part of an address list: where it stands in the field's value, and its text.

    `group` says that it is the name of a group; `angle` is where in the text an angle bracket opens
    outside quotes and comments, -1 if none does.
    """

    start: int
    text: str
    angle: int
    group: bool = False

    @property
    def addressed(self) -> str:
        """The part that holds the address: from the angle bracket on, or all.

        Line ends of folds are white space in it, as the parser takes for granted; places stay the same.
        """
        return (self.text[self.angle :] if self.angle >= 0 else self.text).translate(_UNFOLDED)


def read_authors(fields: Iterable[str]) -> tuple[HeaderFrom, ...]:
    """The authors that the From fields of one message name, given the fields' values; empty without any field.

    There should be one field with one author. Where there are more, all of them count, because readers
    differ in which one they show. Text that is no valid mailbox counts as every address that a
    forgiving reader might see in it. Beyond `MAX_AUTHORS` there is one more and no further.
    """
    authors: list[HeaderFrom] = []
    for field in fields:
        before = len(authors)
        for entry in entries(field, groups=True):
            if entry.group and "@" not in entry.text:
                continue  # a name; an address in that place is one that a forgiving reader might see
            parsed = read_address(entry)
            if parsed is not None:
                authors.append(HeaderFrom(parsed[2], _display_name(entry)))
            elif entry.text.strip():
                authors.extend(islice(_guess_authors(entry.text), MAX_AUTHORS + 1))
            if len(authors) > MAX_AUTHORS:
                return tuple(authors[: MAX_AUTHORS + 1])
        if len(authors) == before:
            authors.append(HeaderFrom(None, _name(field)))
    return tuple(authors)


def entries(value: str, *, groups: bool = False) -> Iterator[Entry]:
    """The parts of an address list (RFC 5322 section 3.4) that may hold a mailbox; group names if asked for."""
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
            group = character == ":"
            if groups or not group:
                yield Entry(start, value[start:at], angle, group)
            start, angle = position, -1
    yield Entry(start, value[start:], angle)


def read_address(entry: Entry) -> tuple[Addressed, str, Address] | None:
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


def _guess_authors(text: str) -> Iterator[HeaderFrom]:
    text = decoded_words(text)
    name = _name(text[: MAX_MAILBOX_LENGTH * 10].partition("<")[0].strip(' \t\r\n"'))
    text = _INVISIBLE.sub("", text)
    found = False
    start = 0
    while (at := text.find("@", start)) >= 0:
        address = _guess(text[max(start, at - _MAX_LOCAL - 8) : at], text, at + 1)
        start = at + 1
        if address is not None:
            found = True
            yield HeaderFrom(address, name)
    if not found:
        yield HeaderFrom(None, name)


def _guess(before: str, text: str, after: int) -> Address | None:
    """The address around an at sign: `before` it, and in the text `after` it."""
    local = _ENDS_LOCAL.split(before.rstrip(_BESIDE_LOCAL))[-1].strip(_QUOTES)
    # Cut where it is too long and quoted where it is broken: its domain is to be seen all the same.
    local = local.encode()[-_MAX_LOCAL:].decode("utf-8", "ignore")
    found = _DOMAIN.match(text, after)
    if not local or found is None:
        return None
    domain = found[1]
    trimmed = domain.rstrip("".join({c for c in domain if not c.isalnum()}))
    for likely in (domain, domain.strip(".-"), trimmed, _BEYOND_ASCII.split(trimmed, maxsplit=1)[0].strip(".-")):
        for spelling in (local, f'"{local[: _MAX_LOCAL - 2]}"'):
            address = plain_address(f"{spelling}@{likely}")
            if address is not None:
                return address
    return None


def plain_address(text: str) -> Address | None:
    """The address that the text is, or None."""
    try:
        return parse_address(text)
    except AddressError:
        return None


def _name(text: str) -> str:
    return printable(decoded_words(text), MAX_NAME_LENGTH)
