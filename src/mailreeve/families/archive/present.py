"""Archived messages in the words of answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from mailreeve.families.archive import operations
from mailreeve.families.archive.logs import LogRow
from mailreeve.families.archive.retention import expires
from mailreeve.families.archive.rows import ArchivedRow, Contents
from mailreeve.families.archive.types import (
    Attachment,
    FoundMessage,
    Header,
    ListedMessage,
    MessageDetail,
    Person,
    PolicyThen,
    RecipientThen,
    SearchedMessage,
    SearchLog,
    ViewLog,
)
from mailreeve.families.machinery.call import Call
from mailreeve.formats.address_list import entries
from mailreeve.formats.authors import read_address
from mailreeve.formats.header_text import decoded_words, octets_read, printable
from mailreeve.formats.message import Message, read_message
from mailreeve.formats.mime import MAX_VALUE, Part
from mailreeve.policy.model.policy_types import POLICY_TYPES
from mailreeve.wire import fields
from mailreeve.wire.tokens import Kind

MOST_HEADERS: Final = 500
MOST_PEOPLE: Final = 500
_TYPES: Final = {type_.value: row for type_, row in POLICY_TYPES.items()}


def listed(call: Call, row: ArchivedRow) -> ListedMessage:
    """A message of a mailbox."""
    return ListedMessage(
        id=call.seal(Kind.ARCHIVED_MESSAGE, row.id),
        received=fields.written(row.received_at),
        from_=_sender(row),
        to=Person(_recipients(row)[0] if row.envelope.recipients else ""),
        subject=row.subject,
        size=row.size,
        attachment_count=row.files,
        smash=row.body,
    )


def searched(call: Call, row: ArchivedRow) -> SearchedMessage:
    """A message that a search found."""
    sender = _sender(row)
    return SearchedMessage(
        id=call.seal(Kind.ARCHIVED_MESSAGE, row.id),
        subject=row.subject,
        displayfrom=sender.displayable_name or sender.email_address,
        displayfromaddress=sender.email_address,
        displayto=", ".join(_recipients(row)),
        displaytoaddresslist=[Person(one) for one in _recipients(row)],
        receiveddate=fields.written(row.received_at),
        size=row.size,
        attachmentcount=row.files,
        smash=row.body,
    )


def found(call: Call, row: ArchivedRow) -> FoundMessage:
    """A message that was found."""
    return FoundMessage(
        id=call.seal(Kind.ARCHIVED_MESSAGE, row.id),
        received=fields.written(row.received_at),
        from_=_sender(row).email_address,
        to=_recipients(row),
        subject=row.subject,
        size=row.size,
        attachment_count=row.files,
        legal_hold=row.legal_hold,
    )


def detail(call: Call, row: ArchivedRow, header: bytes, contents: Contents, days: int) -> MessageDetail:
    """All of a message but what it holds."""
    message = read_message(header)
    texts = [part.content_type for part in contents.parts if not part.is_file]
    until = None if row.legal_hold else expires(row.received_at, days)
    return MessageDetail(
        id=call.seal(Kind.ARCHIVED_MESSAGE, row.id),
        smash=row.body,
        mime_message_id=row.envelope.message_id,
        has_html_body="text/html" in texts,
        has_text_body="text/plain" in texts,
        attachments=[_attachment(call, row, part, contents) for part in contents.parts if part.is_file],
        subject=row.subject,
        header_date=message.text("date", 255),
        size=row.size,
        from_=_sender(row),
        to=list(islice(_people(message, "to"), MOST_PEOPLE)),
        cc=list(islice(_people(message, "cc"), MOST_PEOPLE)),
        reply_to=next(_people(message, "reply-to"), None),
        envelope_from=Person(row.envelope.sender),
        headers=_headers(message),
        processed=fields.written(row.received_at),
        message_body_preview=contents.preview,
        recipients=[
            RecipientThen(
                one.original,
                one.effective,
                [
                    PolicyThen(p.type, call.seal(_TYPES[p.type].kind, p.id), p.description)
                    for p in one.policies
                    if p.type in _TYPES
                ],
                one.revision,
            )
            for one in row.envelope.recipients
        ],
        decision_id=row.envelope.decision_id,
        source_ip=row.envelope.source_ip,
        legal_hold=row.legal_hold,
        is_private=row.is_private,
        expires=None if until is None else fields.written(until),
        is_readable=not contents.trouble,
    )


def search_log(row: LogRow) -> SearchLog:
    """A search, or a mailbox that was listed."""
    entry = row.entry
    return SearchLog(
        create_time=fields.written(row.at),
        email_addr=row.actor,
        source=entry.source,
        search_text=entry.text,
        search_path=entry.text if row.kind.value == "list" else "",
        search_reason=entry.reason,
        is_admin=entry.is_admin,
        muse_query=entry.query,
        description="Archive Mailbox" if row.kind.value == "list" else "Archive Search",
        mailbox=entry.mailbox,
    )


def view_log(call: Call, row: LogRow) -> ViewLog:
    """A message that was read."""
    entry = row.entry
    return ViewLog(
        viewer=row.actor,
        source=entry.source,
        viewed=fields.written(row.at),
        from_=entry.sender,
        to=entry.recipient,
        subject=entry.subject,
        message_date=entry.received,
        content_viewed=entry.content,
        id=call.seal(Kind.ARCHIVED_MESSAGE, entry.message),
        mailbox=entry.mailbox,
    )


def _sender(row: ArchivedRow) -> Person:
    envelope = row.envelope
    return Person(envelope.header_from or envelope.sender, envelope.from_name)


def _recipients(row: ArchivedRow) -> list[str]:
    return list(dict.fromkeys(one.effective for one in row.envelope.recipients))


def _people(message: Message, name: str) -> Iterator[Person]:
    for field in message.named(name):
        for entry in islice(entries(field.value[: MAX_VALUE * 4], groups=True), MOST_PEOPLE):
            read = read_address(entry)
            if read is not None:
                before = entry.text[: read[0].start].rstrip("< \t")
                yield Person(str(read[1]), printable(decoded_words(octets_read(before)), 255).strip('" '))


def _headers(message: Message) -> list[Header]:
    values: dict[str, list[str]] = {}
    for field in message.fields[:MOST_HEADERS]:
        if field.name:
            text = printable(decoded_words(octets_read(field.value[:MAX_VALUE])), MAX_VALUE)
            values.setdefault(field.name, []).append(text)
    return [Header(name, found) for name, found in values.items()]


def _attachment(call: Call, row: ArchivedRow, part: Part, contents: Contents) -> Attachment:
    _, dot, extension = part.name.rpartition(".")
    return Attachment(
        id=operations.file_id(call, row, part),
        filename=part.name,
        size=part.end - part.start,
        extension=extension.lower() if dot else "",
        content_type=part.content_type,
        content_id=part.content_id,
        body_type="inline" if part.disposition == "inline" else "attachment",
        sha256=contents.digests.get(part.number, ""),
    )
