"""What does the text of a header field say to a reader? Text in, readable text out; a stranger wrote it."""

from __future__ import annotations

import binascii
import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.quoprimime import header_decode
from functools import lru_cache
from typing import Final

import webencodings

from mailreeve.formats.japanese import read_euc_jp, read_iso_2022_jp

# In runs, since one character may be parted between two words; not longer ones, since the library's time
# grows with the square of their number.
_WORD: Final = r"=\?([^?\s]*)\?([bBqQ])\?([^?]*)\?="
_ENCODED_WORDS: Final = re.compile(r"(?:=\?[^?\s]*\?[bBqQ]\?[^?]*\?=\s*){1,200}")
_ENCODED_WORD: Final = re.compile(_WORD + r"(\s*)")
_ANY_WORD: Final = re.compile(r"=\?([^?\s]*)\?([^?\s]*)\?([^?]*)\?=")
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LONE_OCTETS: Final = re.compile("[\udc80-\udcff]+")

INVISIBLE: Final = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What no reader shows, as the inside of a character class: controls but for white space, soft hyphens, zero-width
and direction marks, variation selectors, tags. Those of Unicode's Default_Ignorable_Code_Point, but for the Hangul
fillers, which take up room."""

# White space and line ends are made to spaces; the rest goes without a gap.
_UNSHOWN: Final = re.compile(f"[{INVISIBLE}]+")

_SURROGATES: Final = re.compile("[\ud800-\udfff]")

# The standard has a control where Python has nothing.
_WINDOWS_1252: Final = "".join(bytes([octet]).decode("cp1252", "ignore") or chr(octet) for octet in range(256))
_JAPANESE: Final = {"iso2022_jp": read_iso_2022_jp, "euc_jp": read_euc_jp}
# Labels that the Encoding Standard does not know, or knows as an attack on browsers, and mail programs read.
_BESIDE_STANDARD: Final = {
    "utf-7": "utf-7",
    "unicode-1-1-utf-7": "utf-7",
    "hz-gb-2312": "hz",
    "iso-2022-kr": "iso2022_kr",
    # As Windows labels what has the rows of NEC and IBM.
    **dict.fromkeys(("cp50220", "cp50221", "cp50222", "iso-2022-jp-ms"), "iso2022_jp"),
    **dict.fromkeys(("cp51932", "eucjp-ms", "eucjpms"), "euc_jp"),
    # Code pages by number, as programs on Windows and DOS name them.
    **dict.fromkeys(("cp932", "ms932", "windows-932"), "cp932"),
    **dict.fromkeys(("cp936", "ms936", "windows-936"), "gb18030"),
    **dict.fromkeys(("cp949", "ms949", "uhc"), "cp949"),
    **dict.fromkeys(("cp950", "ms950", "windows-950"), "cp950"),
    **dict.fromkeys(("cp437", "ibm437", "437"), "cp437"),
    **dict.fromkeys(("cp850", "ibm850", "850"), "cp850"),
    "cp65001": "utf-8",
    "latin9": "iso8859_15",
}


def decoded_words(text: str) -> str:
    """The text with its encoded words (RFC 2047) decoded, wherever they stand; broken ones as they are."""
    return _ENCODED_WORDS.sub(lambda run: _decode_run(run[0]), text) if "=?" in text else text


def can_decode(word: str) -> bool:
    """Whether an encoded word has an encoding and a charset that readers know, and well-formed Base64.

    Its octets may still be no text in that charset: a character may be parted between two words.
    """
    found = _ANY_WORD.fullmatch(word)
    if found is None or found[2] not in ("b", "B", "q", "Q") or not _is_charset(found[1]):
        return False
    if found[2] in "qQ":
        return True
    try:
        binascii.a2b_base64(found[3], strict_mode=True)
    except binascii.Error:
        return False
    return True


def octets_read(text: str) -> str:
    """The text with octets that are not UTF-8, which came as lone surrogates, read as windows-1252.

    That is what mail programs show of a header in raw 8-bit (WHATWG Encoding, the fallback of most locales).
    """
    if text.isascii():
        return text
    return _LONE_OCTETS.sub(lambda run: _decoded(run[0].encode("ascii", "surrogateescape"), "cp1252"), text)


def _decode_run(run: str) -> str:
    words = run.rstrip()
    try:
        parts = decode_header(words)
    except (HeaderParseError, ValueError):
        return _decode_each(run)
    text = ""
    for part, charset in parts:
        text += part if isinstance(part, str) else _decoded(part, codec_of(charset or "utf-8"))
    # White space after the last word parts it from what follows.
    return text + run[len(words) :]


def _decode_each(run: str) -> str:
    """The run, one of whose words is broken: each word alone, what cannot be read as it stands."""
    text = ""
    before_was_read = True
    for word in _ENCODED_WORD.finditer(run):
        charset, encoding, body, space = word.groups()
        try:
            octets = _base64(body) if encoding in "bB" else header_decode(body).encode("latin-1", "replace")
        except binascii.Error:
            text += word[0]
            before_was_read = False
            continue
        text = (text.rstrip() if before_was_read else text) + _decoded(octets, codec_of(charset)) + space
        before_was_read = True
    return text


def _base64(body: str) -> bytes:
    digits = _NO_BASE64.sub("", body)
    return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))


@lru_cache(maxsize=256)
def _is_charset(label: str) -> bool:
    """Whether the label is one that readers know."""
    label = label.partition("*")[0].strip().lower()
    return label in _BESIDE_STANDARD or (label.isascii() and webencodings.lookup(label) is not None)


@lru_cache(maxsize=256)
def codec_of(label: str) -> str:
    """Python's name of the charset that a label means to those who read mail.

    As the WHATWG Encoding Standard has it, where `iso-8859-1` and `us-ascii` are windows-1252, `gb2312` is
    gbk and `ks_c_5601-1987` is windows-949; with a language behind an asterisk (RFC 2231 section 5) or without.
    An unknown label is taken for windows-1252.
    """
    label = label.partition("*")[0].strip().strip("\"'").lower()
    if label in _BESIDE_STANDARD:
        return _BESIDE_STANDARD[label]
    encoding = webencodings.lookup(label) if label.isascii() else None
    if encoding is None or encoding.name in ("replacement", "x-user-defined"):
        return "cp1252"
    # The standard reads gbk with the decoder of its superset.
    return "gb18030" if encoding.name == "gbk" else encoding.codec_info.name


def _decoded(octets: bytes, codec: str) -> str:
    if codec == "cp1252":
        return codecs.charmap_decode(octets, "strict", _WINDOWS_1252)[0]
    if codec in _JAPANESE:
        return _JAPANESE[codec](octets)
    try:
        return octets.decode(codec, "replace")
    except UnicodeError:  # a codec with no use for "replace"
        return octets.decode("latin-1")


def text_of(octets: bytes, label: str) -> str:
    """The text that octets are in the charset that a label means; what cannot be read is replaced, and so is half
    a character, which UTF-7 can write."""
    return _SURROGATES.sub("\ufffd", _decoded(octets, codec_of(label)))


def printable(text: str, limit: int) -> str:
    """The text on one line without control characters or broken Unicode, cut to `limit` characters."""
    return " ".join(_CONTROLS.sub(" ", text).split())[:limit]


def harmless(text: str, limit: int) -> str:
    """What a stranger wrote, as one line for a page or a letter of ours: nothing that no reader shows, nothing
    that turns the direction of what stands beside it, cut to `limit` characters with an ellipsis as the last."""
    shown = printable(_UNSHOWN.sub("", text), limit + 1)
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"
