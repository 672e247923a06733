"""What does a held message say? Read so that nothing of it can do harm: its HTML runs nothing and loads
nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import nh3
from msgspec import Struct

from mailreeve.families.held.types import HeldAttachment, HeldHeaderLine
from mailreeve.formats.header_text import printable, text_of
from mailreeve.formats.message import Pieces, read_message
from mailreeve.formats.mime import Part, content_of, read_parts

READ_AT_MOST: Final = 8 << 20  # octets of a message that are looked at
SHOWN_AT_MOST: Final = 256 * 1024  # characters of a text
MAX_PARTS: Final = 200
MAX_TAGS: Final = 3_000  # of HTML: parsers take time by the square of what is left open
MAX_TAG: Final = 16 * 1024  # characters of one: they take time by the square of its attributes
MAX_VALUE: Final = 2_000  # characters of a field
MAX_FIELDS: Final = 200

_TAGS: Final = nh3.ALLOWED_TAGS - {"img", "map", "area", "link", "base", "form"}
"""No image is shown: a remote one would tell the sender who reads it, and when."""

_ATTRIBUTES: Final = {
    tag: names - {"src", "srcset", "background", "style", "cite"} for tag, names in nh3.ALLOWED_ATTRIBUTES.items()
}


class Said(Struct, frozen=True):
    """What a message says. `is_cut` tells that there is more."""

    headers: Sequence[HeldHeaderLine]
    text: str
    html: str
    attachments: Sequence[HeldAttachment]
    is_cut: bool


def said(header: bytes, body: Pieces) -> Said:
    """What a message says. Takes whatever a stranger wrote."""
    octets = b"".join(body)
    is_cut, octets = len(octets) > READ_AT_MOST, octets[:READ_AT_MOST]
    text = html = ""
    attachments: list[HeldAttachment] = []
    for part in read_parts(header, octets):
        if part.number >= MAX_PARTS:
            is_cut = True
            break
        kind, attached = part.content_type, part.disposition == "attachment"
        if not attached and kind == "text/plain" and not text:
            text = _text(part, octets)
        elif not attached and kind == "text/html" and not html:
            written = _text(part, octets)
            looked_at = _beginning(written)
            is_cut = is_cut or len(looked_at) < len(written)
            html = sanitised(looked_at)
        elif attached or part.name or not kind.startswith(("text/", "multipart/")):
            attachments.append(HeldAttachment(part.name, kind, len(content_of(part, octets))))
    is_cut = is_cut or max(len(text), len(html)) > SHOWN_AT_MOST
    return Said(_headers(header), text[:SHOWN_AT_MOST], _cut(html), attachments, is_cut)


def sanitised(html: str) -> str:
    """What is harmless of HTML: no scripts, no styles, no forms, no images, links to the web and to mail alone."""
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _cut(html: str) -> str:
    # Cut HTML is broken HTML: so it is made whole once more.
    return html if len(html) <= SHOWN_AT_MOST else sanitised(html[:SHOWN_AT_MOST])


def _beginning(html: str) -> str:
    """As much of HTML as is read: so many characters, and so many tags, none of which is without end."""
    html = html[:SHOWN_AT_MOST]
    at = -1
    for _ in range(MAX_TAGS):
        opened = html.find("<", at + 1)
        if opened < 0:
            return html
        at = html.find(">", opened, opened + MAX_TAG)
        if at < 0:
            # What stands here may be no tag. It is none either where nothing is left of it.
            return html if len(html) - opened <= MAX_TAG else html[:opened]
    return html[: at + 1]


def _text(part: Part, body: bytes) -> str:
    # Of a character at most four octets are read, and one more character tells that there are more.
    return text_of(content_of(part, body, 4 * SHOWN_AT_MOST + 4), part.charset or "utf-8")


def _headers(header: bytes) -> list[HeldHeaderLine]:
    message = read_message(header)
    shown: list[HeldHeaderLine] = []
    for field in message.fields[:MAX_FIELDS]:
        name = field.raw[: len(field.name)].decode("ascii", "replace") if field.name else ""
        alone = type(message)((field,), (), 0)
        value = alone.text(field.name, MAX_VALUE) if field.name else printable(field.value, MAX_VALUE)
        shown.append(HeldHeaderLine(name, value))
    return shown


def read_some(pieces: Iterator[bytes]) -> Pieces:
    """Of a body that is read piece by piece as much as is looked at, and a little more, which says that there
    is."""
    found: list[bytes] = []
    left = READ_AT_MOST + 1
    for piece in pieces:
        found.append(piece)
        left -= len(piece)
        if left <= 0:
            break
    return tuple(found)
