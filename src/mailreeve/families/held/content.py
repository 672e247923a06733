"""What does a held message say? Read so that nothing of it can do harm: its HTML runs nothing and loads
nothing, and reading it takes no longer than a few hundred milliseconds, whatever a stranger wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import nh3
from msgspec import Struct

from mailreeve.families.held.types import HeldAttachment, HeldHeaderLine
from mailreeve.formats.header_text import printable, text_of
from mailreeve.formats.html_text import text_of_html
from mailreeve.formats.message import Pieces, read_message
from mailreeve.formats.mime import content_of, read_parts

READ_AT_MOST: Final = 8 << 20  # octets of a message that are looked at
SHOWN_AT_MOST: Final = 256 * 1024  # characters of a text
MAX_PARTS: Final = 200
MAX_TAGS: Final = 8_000  # elements may nest, and the time that they take grows with the square of how deep they do
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
    is_cut = len(octets) > READ_AT_MOST
    octets = octets[:READ_AT_MOST]
    text = html = None
    attachments: list[HeldAttachment] = []
    parts = read_parts(header, octets)
    for part in parts[:MAX_PARTS]:
        attached = part.disposition == "attachment"
        if not attached and part.content_type == "text/plain" and text is None:
            text = text_of(content_of(part, octets), part.charset or "utf-8")
        elif not attached and part.content_type == "text/html" and html is None:
            html = text_of(content_of(part, octets), part.charset or "utf-8")
        elif part.is_file:
            attachments.append(HeldAttachment(part.name, part.content_type, len(content_of(part, octets))))
    text, html = text or "", html or ""
    is_cut = is_cut or len(parts) > MAX_PARTS or max(len(text), len(html)) > SHOWN_AT_MOST
    html = html[:SHOWN_AT_MOST]
    if html.count("<") > MAX_TAGS:
        text, html, is_cut = text or text_of_html(html), "", True
    return Said(_headers(header), text[:SHOWN_AT_MOST], sanitised(html), attachments, is_cut)


def sanitised(html: str) -> str:
    """What is harmless of HTML: no scripts, no styles, no forms, no images, links to the web and to mail alone."""
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


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
