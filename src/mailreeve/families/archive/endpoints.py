"""The functions of the archive (api.md section 3.13), and ours about how long it is kept."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.archive import access, operations, present, retention, rows
from mailreeve.families.archive.logs import Did
from mailreeve.families.archive.types import (
    FindArchived,
    FoundMessage,
    LegalHold,
    ListedMessage,
    ListLogs,
    ListMessages,
    MessageDetail,
    NoMembers,
    OneFile,
    OneMessage,
    OnePart,
    PartType,
    Retention,
    SearchArchive,
    SearchedMessages,
    SearchLogs,
    SetLegalHold,
    SetRetention,
    ViewLog,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.raw_answer import RawAnswer

SEARCH: Final = Permission.ARCHIVE_SEARCH_READ
EDIT: Final = Permission.ARCHIVE_RETENTION_EDIT


@endpoint("archive/get-message-list", most=10)
def get_message_list(call: Call, item: ListMessages) -> Page[ListedMessage]:
    """List a mailbox of the archive; the own one, or one that the caller may open, without a permission."""
    page = operations.messages(call, item)
    return page.showing([present.listed(call, row) for row in page.rows])


@endpoint("archive/get-message-detail", most=10)
def get_message_detail(call: Call, item: OneMessage) -> MessageDetail:
    """Show an archived message: header, files, the beginning of its text, and which policies applied."""
    opened = access.message(call, item.id, access.CONTENT, mailbox=item.mailbox)
    row = opened.row
    header, contents = operations.header_and_contents(call, row)
    operations.viewed(call, opened)
    return present.detail(call, row, header, contents, _days(call))


@endpoint("archive/get-message-part", most=1)
def get_message_part(call: Call, item: OnePart) -> RawAnswer:
    """Give a text of an archived message, or all of it as it was delivered, as octets."""
    opened = access.message(call, item.id, access.READ, mailbox=item.mailbox)
    row = opened.row
    operations.viewed(call, opened)
    if item.type is PartType.RFC822:
        return RawAnswer(operations.whole(call, row), "message.eml")
    name = "message.html" if item.type is PartType.HTML else "message.txt"
    return RawAnswer(operations.text_part(call, row, item.type), name)


@endpoint("archive/get-file", most=1)
def get_file(call: Call, item: OneFile) -> RawAnswer:
    """Give a file of an archived message, or with the id of a message all of it, as octets."""
    message_id, number = operations.open_file_id(item.id)
    opened = access.message(call, message_id, access.READ, mailbox=item.mailbox)
    row = opened.row
    operations.viewed(call, opened)
    if number is None:
        return RawAnswer(operations.whole(call, row), "message.eml")
    part, content = operations.file(call, row, number)
    return RawAnswer([content], part.name or "file")


@endpoint("archive/search", SEARCH, most=10)
def search(call: Call, item: SearchArchive) -> SearchedMessages:
    """Search the archive by words, addresses and dates, in the XML of clients."""
    return SearchedMessages([present.searched(call, row) for row in operations.search(call, item)])


@endpoint("archive/get-archive-search-logs", Permission.ARCHIVE_SEARCH_LOGS_READ, most=10)
def get_archive_search_logs(call: Call, item: ListLogs) -> Page[SearchLogs]:
    """List who searched the archive."""
    page = operations.log_page(call, item, Did.SEARCH)
    return page.showing([SearchLogs([present.search_log(row) for row in page.rows])])


@endpoint("archive/get-search-logs", Permission.ARCHIVE_SEARCH_LOGS_READ, most=10)
def get_search_logs(call: Call, item: ListLogs) -> Page[SearchLogs]:
    """List who searched the archive, or listed a mailbox of it."""
    page = operations.log_page(call, item, Did.SEARCH, Did.LIST)
    return page.showing([SearchLogs([present.search_log(row) for row in page.rows])])


@endpoint("archive/get-view-logs", Permission.ARCHIVE_VIEW_LOGS_READ, most=10)
def get_view_logs(call: Call, item: ListLogs) -> Page[ViewLog]:
    """List who read which archived message."""
    page = operations.log_page(call, item, Did.VIEW)
    return page.showing([present.view_log(call, row) for row in page.rows])


@endpoint("ext/find-archived-messages", SEARCH, most=10)
def find_archived_messages(call: Call, item: FindArchived) -> Page[FoundMessage]:
    """Find archived messages by words, sender, recipient, subject, mailbox and time."""
    page = operations.find(call, item)
    return page.showing([present.found(call, row) for row in page.rows])


@endpoint("ext/set-legal-hold", EDIT, writes=True)
def set_legal_hold(call: Call, item: SetLegalHold) -> LegalHold:
    """Put an archived message under legal hold, or end that."""
    operations.set_legal_hold(call, item.id, item.legal_hold)
    return LegalHold(item.id, item.legal_hold)


@endpoint("ext/get-archive-retention", SEARCH)
def get_archive_retention(call: Call, item: NoMembers) -> Retention:
    """Show for how many days the account keeps its archive, and how much is in it."""
    return _retention(call)


@endpoint("ext/set-archive-retention", EDIT, writes=True)
def set_archive_retention(call: Call, item: SetRetention) -> Retention:
    """Say for how many days the account keeps its archive."""
    operations.set_retention(call, item.days)
    return _retention(call)


def _retention(call: Call) -> Retention:
    return Retention(_days(call), rows.days(call.work) is not None, rows.count(call.work))


def _days(call: Call) -> int:
    return retention.kept_for(call.work, call.installation.archive_days)


ENDPOINTS: Final = (
    get_message_list,
    get_message_detail,
    get_message_part,
    get_file,
    search,
    get_archive_search_logs,
    get_search_logs,
    get_view_logs,
    find_archived_messages,
    set_legal_hold,
    get_archive_retention,
    set_archive_retention,
)
