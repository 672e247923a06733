"""What does a held message say? Read so that nothing of it can do harm: its HTML runs nothing and loads
nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesFeedParser
from typing import Final

import nh3
from msgspec import Struct

from mailreeve.families.held.types import HeldAttachment, HeldHeaderLine
from mailreeve.formats.header_text import printable
from mailreeve.formats.message import Pieces, read_message

READ_AT_MOST: Final = 8 << 20  # octets of a message that are looked at
SHOWN_AT_MOST: Final = 256 * 1024  # characters of a text
MAX_PARTS: Final = 200
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
    message, is_cut = _parsed(header, body)
    text = html = ""
    attachments: list[HeldAttachment] = []
    for number, part in enumerate(_leaves(message)):
        if number >= MAX_PARTS:
            is_cut = True
            break
        kind = part.get_content_type()
        attached = part.get_content_disposition() == "attachment"
        if not attached and kind == "text/plain" and not text:
            text = _text(part)
        elif not attached and kind == "text/html" and not html:
            html = sanitised(_text(part))
        elif attached or part.get_filename() or not kind.startswith(("text/", "multipart/")):
            attachments.append(_attachment(part, kind))
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


def _parsed(header: bytes, body: Pieces) -> tuple[EmailMessage, bool]:
    parser: BytesFeedParser[EmailMessage] = BytesFeedParser(EmailMessage, policy=policy.default)
    parser.feed(header)
    left = READ_AT_MOST
    for piece in body:
        parser.feed(piece[:left])
        left -= len(piece)
        if left < 0:
            break
    return parser.close(), left < 0


def _leaves(part: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold something, in order; a message within is one of them."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        inner = one.get_payload()
        if one.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += [each for each in reversed(inner) if isinstance(each, EmailMessage)]
        else:
            yield one


def _text(part: EmailMessage) -> str:
    octets = _octets(part)
    charset = part.get_content_charset("utf-8")
    try:
        return octets.decode(charset, "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def _octets(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachment(part: EmailMessage, kind: str) -> HeldAttachment:
    name = printable(part.get_filename() or "", 255)
    if part.get_content_maintype() in ("message", "multipart"):
        return HeldAttachment(name, kind, len(part.as_bytes()))
    return HeldAttachment(name, kind, len(_octets(part)))


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
