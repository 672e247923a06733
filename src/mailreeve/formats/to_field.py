"""What stands in the To field of a message that is written here?

The library takes such a field apart and writes it anew: it decodes encoded words in an address, refuses line ends
in one, or lets them through. So an address that it could take for anything else is not shown: the envelope has
it as it is.
"""

from __future__ import annotations

from typing import Final

from mailreeve.formats.addresses import Address

NOT_SHOWN: Final = "undisclosed-recipients:;"  # RFC 5322 section 3.4: a group of nobody


def to_field(address: Address) -> str:
    """The address, or a group of nobody where it has what readers do not agree about."""
    text = str(address)
    # What is not printable: controls, white space but for the plain one, what has no width, line ends of Unicode.
    return text if text.isprintable() and "=?" not in text else NOT_SHOWN
