"""What stands in an archived message: its parts, the beginning of its text, and the words that it is found by?

It may be as large as the door allows, and a stranger wrote it. So it is read after it was acknowledged, one
message at a time, and no more of it than the limits say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.families.archive.file_texts import file_texts
from mailreeve.families.archive.room import Room
from mailreeve.families.archive.rows import ArchivedRow, Contents, Envelope
from mailreeve.families.archive.search_index import Words
from mailreeve.formats.header_text import decoded_words, octets_read, printable
from mailreeve.formats.message import read_message
from mailreeve.formats.mime import MAX_VALUE, Part, content_of, read_parts, text_in
from mailreeve.store.bodies import Bodies

MOST_TEXT: Final = 64 * 1024
"""Octets of a message's text that are searched."""

PREVIEW: Final = 100  # characters (api.md section 3.13)
MOST_FIELDS: Final = 20  # fields of one name that are looked at

_room: Final = Room()


class Found(Struct, frozen=True):
    """What was found in a message."""

    contents: Contents
    files: int
    words: Words


@contextmanager
def whole_body(bodies: Bodies, account_id: str, row: ArchivedRow) -> Iterator[bytes]:
    """The body of a message in one piece, of as many at a time as there is room for. Raises `OSError`."""
    with _room.taken(row.size):
        yield b"".join(bodies.read(account_id, row.body))


def content_in(bodies: Bodies, account_id: str, row: ArchivedRow, part: Part) -> bytes:
    """What a part of a message holds. The rest of the body is read as well, which tells whether it is whole, and
    not kept. Raises `OSError`."""
    with _room.taken(part.end - part.start):
        kept: list[bytes] = []
        at = 0
        for piece in bodies.read(account_id, row.body):
            if at < part.end and at + len(piece) > part.start:
                kept.append(piece[max(part.start - at, 0) : part.end - at])
            at += len(piece)
        raw = b"".join(kept)
        return content_of(replace(part, start=0, end=len(raw)), raw)


def read(row: ArchivedRow, header: bytes, body: bytes) -> Found:
    """What stands in a message, with its header and body."""
    parts = read_parts(header, body)
    text = " ".join(text_in(parts, body, MOST_TEXT).split())
    files = [part for part in parts if part.is_file]
    digests = {part.number: hashlib.sha256(content_of(part, body)).hexdigest() for part in files}
    contents = Contents(parts, printable(text, PREVIEW), digests)
    said = [*(one.name for one in files), file_texts(files, body)]
    return Found(contents, len(files), _words(row.envelope, row.subject, header, text, said))


def unreadable(row: ArchivedRow, header: bytes, trouble: str) -> Found:
    """What is known of a message whose body cannot be read."""
    return Found(Contents(trouble=trouble), 0, _words(row.envelope, row.subject, header, "", []))


def _words(envelope: Envelope, subject: str, header: bytes, text: str, files: list[str]) -> Words:
    recipients = _field_texts(header, "to", "cc")
    # Mail is found by the addresses that it was altered to, not by those before (behaviour.md section 5.4).
    for one in envelope.recipients:
        if one.original.casefold() != one.effective.casefold():
            recipients = _without(recipients, one.original)
    effective = " ".join(one.effective for one in envelope.recipients)
    sender = _field_texts(header, "from", "sender", "reply-to")
    return Words(
        sender=f"{envelope.original_sender} {envelope.sender} {sender}",
        recipients=f"{effective} {recipients}",
        subject=subject,
        body=text,
        files=" ".join(files),
    )


def _field_texts(header: bytes, *names: str) -> str:
    found = [field for field in read_message(header).fields if field.name in names][:MOST_FIELDS]
    return " ".join(printable(decoded_words(octets_read(field.value[:MAX_VALUE])), MAX_VALUE) for field in found)


def _without(text: str, address: str) -> str:
    """The text without an address, in any case."""
    lowered, sought = text.casefold(), address.casefold()
    if len(lowered) != len(text):  # Folding moved what stands behind: leave out more rather than less.
        text = lowered
    kept, at = [], 0
    while (found := lowered.find(sought, at)) >= 0:
        kept.append(text[at:found])
        at = found + len(sought)
    return " ".join([*kept, text[at:]])
