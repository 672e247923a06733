"""The functions of archive. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from mailreeve.client.api import given

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class Attachment(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"content_type": "contentType", "content_id": "contentId", "body_type": "bodyType"},
):
    """A file of a message. `size` is that of its text in the message, `sha256` that of what it holds."""

    id: str = ""
    filename: str = ""
    size: int = 0
    extension: str = ""
    content_type: str = ""
    content_id: str = ""
    body_type: str = ""
    sha256: str = ""


class FoundMessage(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"from_": "from", "attachment_count": "attachmentCount", "legal_hold": "legalHold"},
):
    """An archived message that was found."""

    id: str = ""
    received: str = ""
    from_: str = ""
    to: tuple[str, ...] = ()
    subject: str = ""
    size: int = 0
    attachment_count: int = 0
    legal_hold: bool = False


class Header(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A field of the header, by its name in small letters, with its values in their order."""

    name: str = ""
    values: tuple[str, ...] = ()


class LegalHold(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"legal_hold": "legalHold"}):
    """Whether a message is under legal hold."""

    id: str = ""
    legal_hold: bool = False


class ListedMessage(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"from_": "from", "attachment_count": "attachmentCount"},
):
    """A message of a mailbox. `to` is the first recipient, by the address that it was delivered to."""

    id: str = ""
    status: str = ""
    received: str = ""
    from_: Person = field(default_factory=lambda: Person())
    to: Person = field(default_factory=lambda: Person())
    subject: str = ""
    size: int = 0
    attachment_count: int = 0
    smash: str = ""
    read: bool = False
    ccm: bool = False
    recalled: bool = False
    expired: bool = False


class MessageDetail(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "mime_message_id": "mimeMessageId",
        "has_html_body": "hasHtmlBody",
        "has_text_body": "hasTextBody",
        "header_date": "headerDate",
        "from_": "from",
        "reply_to": "replyTo",
        "envelope_from": "envelopeFrom",
        "message_body_preview": "messageBodyPreview",
        "decision_id": "decisionId",
        "source_ip": "sourceIp",
        "legal_hold": "legalHold",
        "is_private": "isPrivate",
        "is_readable": "isReadable",
    },
):
    """A message. `to` and `cc` are of its header, `recipients` of its envelope. `expires` is when it may be
    removed, null where never; `legal_hold` that it is not. `is_readable` says that all of it could be read.
    """

    id: str = ""
    status: str = ""
    smash: str = ""
    mime_message_id: str = ""
    has_html_body: bool = False
    has_text_body: bool = False
    attachments: tuple[Attachment, ...] = ()
    subject: str = ""
    header_date: str = ""
    size: int = 0
    from_: Person = field(default_factory=lambda: Person())
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    reply_to: Person | None = None
    envelope_from: Person = field(default_factory=lambda: Person())
    headers: tuple[Header, ...] = ()
    processed: str = ""
    message_body_preview: str = ""
    recipients: tuple[RecipientThen, ...] = ()
    decision_id: str = ""
    source_ip: str = ""
    legal_hold: bool = False
    is_private: bool = False
    expires: str | None = None
    is_readable: bool = False


class Person(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"email_address": "emailAddress", "displayable_name": "displayableName"},
):
    """An address with the name that stands beside it."""

    email_address: str = ""
    displayable_name: str = ""


class PolicyThen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy that applied, as it was called then. While it is there, `id` is what the functions of its
    family take.
    """

    type: str = ""
    id: str = ""
    description: str = ""


class RecipientThen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who got the message: as the sender wrote the address and as it was delivered to, which policies
    applied, and on which revision of them that was decided.
    """

    original: str = ""
    effective: str = ""
    policies: tuple[PolicyThen, ...] = ()
    revision: int = 0


class Retention(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"is_own": "isOwn"}):
    """For how many days the account keeps its archive, 0 for good; `is_own` says that the account says so
    itself. `messages` is how many there are.
    """

    days: int = 0
    is_own: bool = False
    messages: int = 0


class SearchLog(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "create_time": "createTime",
        "email_addr": "emailAddr",
        "search_text": "searchText",
        "search_path": "searchPath",
        "search_reason": "searchReason",
        "is_admin": "isAdmin",
        "muse_query": "museQuery",
    },
):
    """Somebody searched the archive, or listed a mailbox."""

    create_time: str = ""
    email_addr: str = ""
    source: str = ""
    search_text: str = ""
    search_path: str = ""
    search_reason: str = ""
    is_admin: bool = False
    muse_query: str = ""
    description: str = ""
    mailbox: str = ""


class SearchLogs(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Searches, the newest first."""

    logs: tuple[SearchLog, ...] = ()


class SearchedMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that a search found. The members are written small."""

    id: str = ""
    subject: str = ""
    displayfrom: str = ""
    displayfromaddress: str = ""
    displayto: str = ""
    displaytoaddresslist: tuple[Person, ...] = ()
    receiveddate: str = ""
    size: int = 0
    attachmentcount: int = 0
    status: str = ""
    smash: str = ""


class SearchedMessages(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The messages that a search found, the newest first."""

    items: tuple[SearchedMessage, ...] = ()


class ViewLog(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "message_date": "messageDate",
        "content_viewed": "contentViewed",
        "discovery_case": "discoveryCase",
    },
):
    """Somebody read an archived message."""

    viewer: str = ""
    source: str = ""
    viewed: str = ""
    from_: str = ""
    to: str = ""
    subject: str = ""
    message_date: str = ""
    content_viewed: bool = False
    discovery_case: bool = False
    id: str = ""
    mailbox: str = ""


class ArchiveFunctions:
    """What can be asked about archive."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_message_list(
        self,
        *,
        view: Literal["INBOX", "SENT"] | None = None,
        mailbox: str | None = None,
        start: str | None = None,
        end: str | None = None,
        include_delegates: bool | None = None,
        include_aliases: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[ListedMessage]:
        """List a mailbox of the archive; the own one, or one that the caller may open, without a permission."""
        return self._api.every_of(
            ListedMessage,
            "archive/get-message-list",
            {
                "view": view,
                "mailbox": mailbox,
                "start": start,
                "end": end,
                "includeDelegates": include_delegates,
                "includeAliases": include_aliases,
            },
            page_size=page_size,
        )

    def get_message_detail(
        self, *, id: str, context: Literal["DELIVERED", "RECEIVED"] | None = None, mailbox: str | None = None
    ) -> MessageDetail:
        """Show an archived message: header, files, the beginning of its text, and which policies applied."""
        return self._api.one_of(
            MessageDetail, "archive/get-message-detail", {"id": id, "context": context, "mailbox": mailbox}
        )

    def get_message_part(
        self,
        *,
        id: str,
        type: Literal["HTML", "PLAIN", "RFC822"] | None = None,
        context: Literal["DELIVERED", "RECEIVED"] | None = None,
        mailbox: str | None = None,
    ) -> bytes:
        """Give a text of an archived message, or all of it as it was delivered, as octets."""
        return self._api.octets(
            "archive/get-message-part", given({"id": id, "type": type, "context": context, "mailbox": mailbox})
        )

    def get_file(self, *, id: str, mailbox: str | None = None) -> bytes:
        """Give a file of an archived message, or with the id of a message all of it, as octets."""
        return self._api.octets("archive/get-file", given({"id": id, "mailbox": mailbox}))

    def search(
        self, *, query: str, admin: bool | None = None, search_reason: str | None = None
    ) -> SearchedMessages:
        """Search the archive by words, addresses and dates, in the XML of clients."""
        return self._api.one_of(
            SearchedMessages, "archive/search", {"query": query, "admin": admin, "searchReason": search_reason}
        )

    def get_archive_search_logs(
        self,
        *,
        query: str | None = None,
        start: str | None = None,
        end: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[SearchLogs]:
        """List who searched the archive."""
        return self._api.every_of(
            SearchLogs,
            "archive/get-archive-search-logs",
            {"query": query, "start": start, "end": end},
            page_size=page_size,
        )

    def get_search_logs(
        self,
        *,
        query: str | None = None,
        start: str | None = None,
        end: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[SearchLogs]:
        """List who searched the archive, or listed a mailbox of it."""
        return self._api.every_of(
            SearchLogs,
            "archive/get-search-logs",
            {"query": query, "start": start, "end": end},
            page_size=page_size,
        )

    def get_view_logs(
        self,
        *,
        query: str | None = None,
        start: str | None = None,
        end: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[ViewLog]:
        """List who read which archived message."""
        return self._api.every_of(
            ViewLog, "archive/get-view-logs", {"query": query, "start": start, "end": end}, page_size=page_size
        )

    def find_archived_messages(
        self,
        *,
        text: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        subject: str | None = None,
        mailbox: str | None = None,
        since: str | None = None,
        until: str | None = None,
        search_reason: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[FoundMessage]:
        """Find archived messages by words, sender, recipient, subject, mailbox and time."""
        return self._api.every_of(
            FoundMessage,
            "ext/find-archived-messages",
            {
                "text": text,
                "from": from_,
                "to": to,
                "subject": subject,
                "mailbox": mailbox,
                "since": since,
                "until": until,
                "searchReason": search_reason,
            },
            page_size=page_size,
        )

    def set_legal_hold(self, *, id: str, legal_hold: bool) -> LegalHold:
        """Put an archived message under legal hold, or end that."""
        return self._api.one_of(LegalHold, "ext/set-legal-hold", {"id": id, "legalHold": legal_hold})

    def get_archive_retention(self) -> Retention:
        """Show for how many days the account keeps its archive, and how much is in it."""
        return self._api.one_of(Retention, "ext/get-archive-retention", {})

    def set_archive_retention(self, *, days: int | None = None) -> Retention:
        """Say for how many days the account keeps its archive."""
        return self._api.one_of(Retention, "ext/set-archive-retention", {"days": days})


class AsyncArchiveFunctions:
    """What can be asked about archive."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def get_message_list(
        self,
        *,
        view: Literal["INBOX", "SENT"] | None = None,
        mailbox: str | None = None,
        start: str | None = None,
        end: str | None = None,
        include_delegates: bool | None = None,
        include_aliases: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[ListedMessage]:
        """List a mailbox of the archive; the own one, or one that the caller may open, without a permission."""
        return self._api.every_of(
            ListedMessage,
            "archive/get-message-list",
            {
                "view": view,
                "mailbox": mailbox,
                "start": start,
                "end": end,
                "includeDelegates": include_delegates,
                "includeAliases": include_aliases,
            },
            page_size=page_size,
        )

    async def get_message_detail(
        self, *, id: str, context: Literal["DELIVERED", "RECEIVED"] | None = None, mailbox: str | None = None
    ) -> MessageDetail:
        """Show an archived message: header, files, the beginning of its text, and which policies applied."""
        return await self._api.one_of(
            MessageDetail, "archive/get-message-detail", {"id": id, "context": context, "mailbox": mailbox}
        )

    async def get_message_part(
        self,
        *,
        id: str,
        type: Literal["HTML", "PLAIN", "RFC822"] | None = None,
        context: Literal["DELIVERED", "RECEIVED"] | None = None,
        mailbox: str | None = None,
    ) -> bytes:
        """Give a text of an archived message, or all of it as it was delivered, as octets."""
        return await self._api.octets(
            "archive/get-message-part", given({"id": id, "type": type, "context": context, "mailbox": mailbox})
        )

    async def get_file(self, *, id: str, mailbox: str | None = None) -> bytes:
        """Give a file of an archived message, or with the id of a message all of it, as octets."""
        return await self._api.octets("archive/get-file", given({"id": id, "mailbox": mailbox}))

    async def search(
        self, *, query: str, admin: bool | None = None, search_reason: str | None = None
    ) -> SearchedMessages:
        """Search the archive by words, addresses and dates, in the XML of clients."""
        return await self._api.one_of(
            SearchedMessages, "archive/search", {"query": query, "admin": admin, "searchReason": search_reason}
        )

    def get_archive_search_logs(
        self,
        *,
        query: str | None = None,
        start: str | None = None,
        end: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[SearchLogs]:
        """List who searched the archive."""
        return self._api.every_of(
            SearchLogs,
            "archive/get-archive-search-logs",
            {"query": query, "start": start, "end": end},
            page_size=page_size,
        )

    def get_search_logs(
        self,
        *,
        query: str | None = None,
        start: str | None = None,
        end: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[SearchLogs]:
        """List who searched the archive, or listed a mailbox of it."""
        return self._api.every_of(
            SearchLogs,
            "archive/get-search-logs",
            {"query": query, "start": start, "end": end},
            page_size=page_size,
        )

    def get_view_logs(
        self,
        *,
        query: str | None = None,
        start: str | None = None,
        end: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[ViewLog]:
        """List who read which archived message."""
        return self._api.every_of(
            ViewLog, "archive/get-view-logs", {"query": query, "start": start, "end": end}, page_size=page_size
        )

    def find_archived_messages(
        self,
        *,
        text: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        subject: str | None = None,
        mailbox: str | None = None,
        since: str | None = None,
        until: str | None = None,
        search_reason: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[FoundMessage]:
        """Find archived messages by words, sender, recipient, subject, mailbox and time."""
        return self._api.every_of(
            FoundMessage,
            "ext/find-archived-messages",
            {
                "text": text,
                "from": from_,
                "to": to,
                "subject": subject,
                "mailbox": mailbox,
                "since": since,
                "until": until,
                "searchReason": search_reason,
            },
            page_size=page_size,
        )

    async def set_legal_hold(self, *, id: str, legal_hold: bool) -> LegalHold:
        """Put an archived message under legal hold, or end that."""
        return await self._api.one_of(LegalHold, "ext/set-legal-hold", {"id": id, "legalHold": legal_hold})

    async def get_archive_retention(self) -> Retention:
        """Show for how many days the account keeps its archive, and how much is in it."""
        return await self._api.one_of(Retention, "ext/get-archive-retention", {})

    async def set_archive_retention(self, *, days: int | None = None) -> Retention:
        """Say for how many days the account keeps its archive."""
        return await self._api.one_of(Retention, "ext/set-archive-retention", {"days": days})
