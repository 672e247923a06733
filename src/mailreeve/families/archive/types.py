"""The items and answers of the archive's functions (api.md section 3.13, clients.md)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import Struct, field

from mailreeve.families.archive.query import MOST_CHARACTERS
from mailreeve.families.archive.rows import View
from mailreeve.wire.items import ForeignText, longest

ARCHIVED = "ARCHIVED"
"""The status of every message here."""


class Context(StrEnum):
    """Which form of a message is meant. There is one here: as it was delivered."""

    DELIVERED = "DELIVERED"
    RECEIVED = "RECEIVED"


class PartType(StrEnum):
    """What of a message is asked for: a text, or the whole as it was delivered."""

    HTML = "HTML"
    PLAIN = "PLAIN"
    RFC822 = "RFC822"


class ListMessages(Struct, frozen=True, rename="camel", kw_only=True):
    """Which side of which mailbox to list: without `mailbox` the caller's own. `start` is a month ago where
    nothing is said, `end` the end of today. `include_delegates` adds the mailboxes that the mailbox's user may
    open."""

    view: View = View.INBOX
    mailbox: str | None = None
    start: str | None = None
    end: str | None = None
    include_delegates: bool = False
    include_aliases: bool = True


class Person(Struct, frozen=True, rename="camel"):
    """An address with the name that stands beside it."""

    email_address: str
    displayable_name: str = ""


class ListedMessage(Struct, frozen=True, rename="camel", kw_only=True):
    """A message of a mailbox. `to` is the first recipient, by the address that it was delivered to."""

    id: str
    status: str = ARCHIVED
    received: str
    from_: Person = field(name="from")
    to: Person
    subject: str
    size: int
    attachment_count: int
    smash: str
    read: bool = False
    ccm: bool = False
    recalled: bool = False
    expired: bool = False


class OneMessage(Struct, frozen=True, rename="camel", kw_only=True):
    """A message to show, by its id. `mailbox` says in whose mailbox, where it lies in several; it has to lie
    there."""

    id: str
    context: Context = Context.DELIVERED
    mailbox: str | None = None


class OnePart(Struct, frozen=True, rename="camel", kw_only=True):
    """What of a message to give: one of its texts, or all of it as it was delivered."""

    id: str
    type: PartType = PartType.PLAIN
    context: Context = Context.DELIVERED
    mailbox: str | None = None


class OneFile(Struct, frozen=True, rename="camel", kw_only=True):
    """A file to give, by its `id` in a message's details."""

    id: str
    mailbox: str | None = None


class Attachment(Struct, frozen=True, rename="camel", kw_only=True):
    """A file of a message. `size` is that of its text in the message, `sha256` that of what it holds."""

    id: str
    filename: str
    size: int
    extension: str
    content_type: str
    content_id: str
    body_type: str
    sha256: str


class Header(Struct, frozen=True):
    """A field of the header, by its name in small letters, with its values in their order."""

    name: str
    values: Sequence[str]


class PolicyThen(Struct, frozen=True):
    """A policy that applied, as it was called then. While it is there, `id` is what the functions of its family
    take."""

    type: str
    id: str
    description: str


class RecipientThen(Struct, frozen=True, rename="camel"):
    """Somebody who got the message: as the sender wrote the address and as it was delivered to, which policies
    applied, and on which revision of them that was decided (behaviour.md D-35)."""

    original: str
    effective: str
    policies: Sequence[PolicyThen]
    revision: int


class MessageDetail(Struct, frozen=True, rename="camel", kw_only=True):
    """A message. `to` and `cc` are of its header, `recipients` of its envelope. `expires` is when it may be
    removed, null where never; `legal_hold` that it is not. `is_readable` says that all of it could be read."""

    id: str
    status: str = ARCHIVED
    smash: str
    mime_message_id: str
    has_html_body: bool
    has_text_body: bool
    attachments: Sequence[Attachment]
    subject: str
    header_date: str
    size: int
    from_: Person = field(name="from")
    to: Sequence[Person]
    cc: Sequence[Person]
    reply_to: Person | None
    envelope_from: Person
    headers: Sequence[Header]
    processed: str
    message_body_preview: str
    recipients: Sequence[RecipientThen]
    decision_id: str
    source_ip: str
    legal_hold: bool
    is_private: bool
    expires: str | None
    is_readable: bool


class SearchArchive(Struct, frozen=True, rename="camel", kw_only=True):
    """A search in the XML of clients. Without `admin` nothing is found. `search_reason` goes to the log."""

    query: Annotated[ForeignText, longest(MOST_CHARACTERS)]
    admin: bool = False
    search_reason: str | None = None


class SearchedMessage(Struct, frozen=True, kw_only=True):
    """A message that a search found. The members are written small."""

    id: str
    subject: str
    displayfrom: str
    displayfromaddress: str
    displayto: str
    displaytoaddresslist: Sequence[Person]
    receiveddate: str
    size: int
    attachmentcount: int
    status: str = ARCHIVED
    smash: str


class SearchedMessages(Struct, frozen=True):
    """The messages that a search found, the newest first."""

    items: Sequence[SearchedMessage]


class FindArchived(Struct, frozen=True, rename="camel", kw_only=True):
    """Which archived messages to find, the newest first. `text` is words that all stand somewhere in the message,
    with `or`, `not`, quotes and `subject:`, `from:`, `to:`, `body:` or `attachment:` before them. `from_` and `to`
    are an address or a domain. `since` and `until` are a time or how long ago (`7d`)."""

    text: str | None = None
    from_: str | None = field(name="from", default=None)
    to: str | None = None
    subject: str | None = None
    mailbox: str | None = None
    since: str | None = None
    until: str | None = None
    search_reason: str | None = None


class FoundMessage(Struct, frozen=True, rename="camel", kw_only=True):
    """An archived message that was found."""

    id: str
    received: str
    from_: str = field(name="from")
    to: Sequence[str]
    subject: str
    size: int
    attachment_count: int
    legal_hold: bool


class ListLogs(Struct, frozen=True, rename="camel", kw_only=True):
    """Which entries to list, the newest first: those with the text `query` in them, by `start` and `end`."""

    query: str | None = None
    start: str | None = None
    end: str | None = None


class SearchLog(Struct, frozen=True, rename="camel", kw_only=True):
    """Somebody searched the archive, or listed a mailbox."""

    create_time: str
    email_addr: str
    source: str
    search_text: str
    search_path: str
    search_reason: str
    is_admin: bool
    muse_query: str
    description: str
    mailbox: str


class SearchLogs(Struct, frozen=True):
    """Searches, the newest first."""

    logs: Sequence[SearchLog]


class ViewLog(Struct, frozen=True, rename="camel", kw_only=True):
    """Somebody read an archived message."""

    viewer: str
    source: str
    viewed: str
    from_: str = field(name="from")
    to: str
    subject: str
    message_date: str
    content_viewed: bool
    discovery_case: bool = False
    id: str
    mailbox: str


class SetLegalHold(Struct, frozen=True, rename="camel"):
    """Whether a message is under legal hold, which keeps it from being removed."""

    id: str
    legal_hold: bool


class LegalHold(Struct, frozen=True, rename="camel"):
    """Whether a message is under legal hold."""

    id: str
    legal_hold: bool


class SetRetention(Struct, frozen=True):
    """For how many days the account keeps its archive: 0 is for good, null as the installation says."""

    days: int | None = None


class NoMembers(Struct, frozen=True):
    """Nothing is asked for but the answer."""


class Retention(Struct, frozen=True, rename="camel"):
    """For how many days the account keeps its archive, 0 for good; `is_own` says that the account says so itself.
    `messages` is how many there are."""

    days: int
    is_own: bool
    messages: int
