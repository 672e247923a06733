"""Where in an address field does which address stand? So that one can be replaced and nothing else touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import _header_value_parser as parser
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address
from mailreeve.formats.authors import Entry, plain_address, read_address

# An address without quotes, comments or white space in it, as nearly all are written.
_PLAIN: Final = r'([^\s<>()\[\]",;:@\\]{1,254}@[^\s<>()\[\]",;:@\\]{1,254})'
_PLAIN_ALONE: Final = re.compile(rf"\s*{_PLAIN}\s*")
_PLAIN_IN_ANGLE: Final = re.compile(rf"<\s*{_PLAIN}\s*>\s*")


class Mailbox(Struct, frozen=True):
    """The address of one mailbox of a field, and where it stands in the field's value."""

    address: Address
    start: int
    end: int


def plain_mailbox(entry: Entry) -> Mailbox | None:
    """The mailbox that an entry holds if its address is plainly written, found quickly; None for all others."""
    start = max(entry.angle, 0)
    found = (_PLAIN_ALONE if entry.angle < 0 else _PLAIN_IN_ANGLE).fullmatch(entry.text, start)
    address = plain_address(found[1]) if found else None
    if found is None or address is None:
        return None
    return Mailbox(address, entry.start + found.start(1), entry.start + found.end(1))


def read_mailbox(entry: Entry) -> Mailbox | None:
    """The mailbox that an entry holds and its place, or None if it is not exactly one with a valid address."""
    parsed = read_address(entry)
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
