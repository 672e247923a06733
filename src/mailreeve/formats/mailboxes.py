"""The mailboxes of an address field and their places in it: one can be replaced and nothing else touched."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from mailreeve.formats.address_list import Entry
from mailreeve.formats.addresses import Address
from mailreeve.formats.authors import plain_address, read_address

# An address without quotes, comments or white space in it, as nearly all are written.
_PLAIN: Final = r'([^\s<>()\[\]",;:@\\]{1,254}@[^\s<>()\[\]",;:@\\]{1,254})'
_PLAIN_ALONE: Final = re.compile(rf"\s*{_PLAIN}\s*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"@', re.DOTALL)
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
    """The mailbox that an entry holds and its place, or None if it is not exactly one with a valid address.

    None as well where marks are left open, or backslashes or encoded words stand where none are needed, or words
    before the at sign are not held together by one pair of quotes: readers differ in what they take for the
    address then.
    """
    read = read_address(entry)
    if read is None or not read[0].verbatim:
        return None
    spec, address = read
    if address.local.startswith('"') and not _QUOTED.match(entry.text, spec.start, spec.end):
        return None
    return Mailbox(address, entry.start + spec.start, entry.start + spec.end)
