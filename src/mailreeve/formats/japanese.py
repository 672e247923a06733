"""ISO-2022-JP and EUC-JP as browsers and mail programs read them (WHATWG Encoding Standard, section 12).

They know more characters than the standards' own: the rows that NEC and IBM added, with the usual form of the name
Takahashi among them, and Python's codecs leave those out. Both charsets number characters by row and cell of one
table, and Shift_JIS does so too, in another form; so they are read as Shift_JIS, whose codec cp932 has all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# A designation and what it holds for. Where the text begins without one it is ASCII.
_DESIGNATED: Final = re.compile(rb"(\x1b[$(][@A-Z]|\x1b\$\([@A-Z]|)([^\x1b]*|.)", re.DOTALL)
_PAIRS: Final = (b"\x1b$@", b"\x1b$B")
_PAIR: Final = re.compile(rb"([\x21-\x7e])([\x21-\x7e])|[\x00-\x20]|.", re.DOTALL)
_EUC: Final = re.compile(
    rb"(?P<pairs>(?:[\xa1-\xfe]{2})+)|(?P<kana>(?:\x8e[\xa1-\xdf])+)|(?P<others>(?:\x8f[\xa1-\xfe]{2}|[\x00-\x7f])+)|.",
    re.DOTALL,
)
_UNKNOWN: Final = "\ufffd"
_TO_7_BIT: Final = bytes(octet & 0x7F for octet in range(256))


def read_iso_2022_jp(octets: bytes) -> str:
    """The text; what cannot be read is U+FFFD."""
    return "".join(_designated(*found.groups()) for found in _DESIGNATED.finditer(octets))


def read_euc_jp(octets: bytes) -> str:
    """The text; what cannot be read is U+FFFD."""
    return "".join(_euc(octets))


def _designated(designation: bytes, text: bytes) -> str:
    if designation in _PAIRS:
        return _read_pairs(text)
    return (designation + text).decode("iso2022_jp_ext", "replace")


def _euc(octets: bytes) -> Iterator[str]:
    for found in _EUC.finditer(octets):
        if found["pairs"]:
            yield _read_pairs(found[0].translate(_TO_7_BIT))
        else:
            yield found[0].decode("euc_jp", "replace")


def _read_pairs(text: bytes) -> str:
    return "".join(map(_character, _PAIR.finditer(text)))


def _character(found: re.Match[bytes]) -> str:
    """What stands at a row and a cell. Shift_JIS has a lead octet for two rows."""
    if found[1] is None:
        return found[0].decode("ascii") if found[0] <= b" " else _UNKNOWN
    row, cell = found[1][0] - 0x21, found[2][0] - 0x21
    lead, trail = 0x81 + row // 2, 0x40 + cell + row % 2 * 94
    pair = bytes((lead if lead < 0xA0 else lead + 0x40, trail if trail < 0x7F else trail + 1))
    character = pair.decode("cp932", "replace")
    return _UNKNOWN if _UNKNOWN in character else character
