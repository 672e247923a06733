"""Where in an address field does which address stand? So that one can be replaced and nothing else touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import _header_value_parser as parser
from typing import Final

from msgspec import Struct

from mailreeve.policy.addresses import MAX_ADDRESS_OCTETS, Address
from mailreeve.policy.authors import Entry, plain_address, read_address


class Mailbox(Struct, frozen=True):
    """The address of one mailbox of a field, and where it stands in the field's value."""

    address: Address
    start: int
    end: int


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


# The ends of an address in text that is otherwise well formed; nothing but the window before the at sign is tried.
_LIKELY_LOCAL: Final = re.compile(r'[^\s<>()\[\]",;:@\\]+\Z')
_LIKELY_DOMAIN: Final = re.compile(r'[^\s<>()\[\]",;:@\\]{1,253}')


def likely_address(entry: Entry) -> Address | None:
    """The one plainly written address of an entry, found quickly; None if only the parser can tell."""
    text = entry.text
    at = text.find("@")
    if at < 0 or text.find("@", at + 1) >= 0:
        return None
    local = _LIKELY_LOCAL.search(text, max(0, at - MAX_ADDRESS_OCTETS), at)
    domain = _LIKELY_DOMAIN.match(text, at + 1)
    return plain_address(f"{local[0]}@{domain[0]}") if local and domain else None
