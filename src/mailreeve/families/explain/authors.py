"""Whom does the text of a From header name? Read with the standard library's parser (RFC 5322 section 3.6.2)."""

from __future__ import annotations

import re
from email.policy import SMTPUTF8
from typing import Any, Final

from mailreeve.policy.addresses import Address, AddressError, parse_address
from mailreeve.policy.facts import HeaderFrom

# What a forgiving reader would take for an address in text that is no valid mailbox.
_LOOKS_LIKE_ADDRESS: Final = re.compile(r'[^\s<>()\[\]",;:@\\]{1,64}@[^\s<>()\[\]",;:@\\]{1,253}')
# White space between two encoded words is no part of the text (RFC 2047 section 6.2), yet the parser of
# Python 3.11 keeps it.
_BETWEEN_ENCODED_WORDS: Final = re.compile(r"(=\?[^?\s]*\?[bBqQ]\?[^?]*\?=)\s+(?==\?)")


def read_authors(text: str) -> tuple[HeaderFrom, ...]:
    """The authors that the header names, their display names decoded.

    Of text that is no valid list of mailboxes every address counts that somebody might see in it, since
    readers differ. There is always at least one author: text without any address is a display name.
    """
    unfolded = _BETWEEN_ENCODED_WORDS.sub(r"\1", " ".join(text.split()))
    try:
        header: Any = SMTPUTF8.header_factory("From", unfolded)
        named = [(_address(found.addr_spec), str(found.display_name)) for found in header.addresses]
    except Exception:
        # The parser raises HeaderParseError, IndexError and more for what it cannot read. All of them mean
        # that the text is no list of mailboxes.
        named = []
    if not named or not all(address for address, _ in named):
        name = unfolded.partition("<")[0].strip(' "')
        guesses = (_address(guess) for guess in _LOOKS_LIKE_ADDRESS.findall(unfolded))
        named = [(address, name) for address in guesses if address is not None] or [(None, name)]
    return tuple(HeaderFrom(address, name) for address, name in named)


def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except AddressError:
        return None
