"""What can be done with the archive: list, search, read, hold, and say how long it is kept."""

from __future__ import annotations

import calendar
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from mailreeve.families.archive import access, contents, logs, retention, rows
from mailreeve.families.archive.access import Opened
from mailreeve.families.archive.errors import NO_FILE, UNREADABLE
from mailreeve.families.archive.listing import newest, paged
from mailreeve.families.archive.logs import Did, Entry, LogRow
from mailreeve.families.archive.query import Query, read_query, read_words
from mailreeve.families.archive.rows import ArchivedRow, Contents, Stretch
from mailreeve.families.archive.search_index import INDEX, Group, Sought, says_nothing
from mailreeve.families.archive.types import FindArchived, ListLogs, ListMessages, PartType, SearchArchive
from mailreeve.families.machinery.call import Call
from mailreeve.formats.mime import Part
from mailreeve.store.bodies import Bodies
from mailreeve.store.keys import least_key
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

MAX_REASON: Final = 255
MOST_LOOKED_AT: Final = 5_000
"""Messages that a search with a route looks at, which no index has."""

_AT_ONCE: Final = 500
SOURCE: Final = "archive"


def messages(call: Call, item: ListMessages) -> Page[ArchivedRow]:
    """A page of a mailbox, the newest message first. Raises `ItemRefused`."""
    found = access.mailbox(
        call, item.mailbox, "mailbox", aliases=item.include_aliases, delegates=item.include_delegates
    )
    now = call.work.now
    since = _month_before(now) if item.start is None else fields.moment(item.start, "start")
    until = _end_of_day(now) if item.end is None else fields.moment(item.end, "end")
    key = rows.archive_mailbox.c.id
    bounds = key >= least_key(since.timestamp()), key < least_key(until.timestamp())
    queries = [rows.keys_within(stretch, item.view).where(*bounds) for stretch in found.stretches]
    page = newest(call.work, call.page, queries)
    if call.page.place is None:
        path = f"/{item.view.value}/"
        entry = Entry(SOURCE, found.name, reason="", text=path, is_admin=call.caller.may((access.SEARCH,)))
        call.note(lambda work: logs.add(work, Did.LIST, entry))
    return page.showing(_in_order(call.work, page.rows))


def search(call: Call, item: SearchArchive) -> list[ArchivedRow]:
    """The messages that a client's search finds, the newest first; none without `admin`. Raises `ItemRefused`."""
    reason = fields.short(item.search_reason or "", "searchReason", MAX_REASON)
    query = read_query(item.query, call.work.now)
    names = [name for name, _ in query.mailboxes]
    entry = Entry(SOURCE, " ".join(names)[:1_000], query.text[:4_000], item.query[:4_000], reason, item.admin)
    if not item.admin:
        call.note(lambda work: logs.add(work, Did.SEARCH, entry))
        return []
    within = [
        stretch
        for name, aliases in query.mailboxes
        for stretch in access.mailbox(call, name, "query", aliases=aliases).stretches
    ]
    sought = Sought(query.groups, _seconds(query.since), _seconds(query.until), within=tuple(within) or None)
    found = _found(call, sought, query)
    call.note(lambda work: logs.add(work, Did.SEARCH, entry))
    return found


def find(call: Call, item: FindArchived) -> Page[ArchivedRow]:
    """A page of the messages that are found, the newest first. Raises `ItemRefused`."""
    reason = fields.short(item.search_reason or "", "searchReason", MAX_REASON)
    groups: list[Group] = []
    said: list[str] = []
    for text, member, columns in (
        (item.text, "text", ()),
        (item.from_, "from", ("sender",)),
        (item.to, "to", ("recipients",)),
        (item.subject, "subject", ("subject",)),
    ):
        if text is not None:
            words = read_words(text, columns)
            if text.strip() and says_nothing(words):
                raise refused(NOT_ALLOWED, member, f"{NOT_ALLOWED.message}: it holds no word to look for")
            groups.append(words)
            said.append(text)
    within: tuple[Stretch, ...] | None = None
    if item.mailbox is not None:
        within = access.mailbox(call, item.mailbox, "mailbox").stretches
    now = call.work.now
    since = None if item.since is None else fields.moment_or_ago(item.since, "since", now)
    until = None if item.until is None else fields.moment_or_ago(item.until, "until", now)
    sought = Sought(tuple(groups), _seconds(since), _seconds(until), within)
    page = paged(call.page, partial(INDEX.find_from, call.work, sought))
    if call.page.place is None:
        entry = Entry(SOURCE, item.mailbox or "", " ".join(said)[:4_000], reason=reason, is_admin=True)
        call.note(lambda work: logs.add(work, Did.SEARCH, entry))
    return page.showing(_in_order(call.work, page.rows))


def log_page(call: Call, item: ListLogs, *kinds: Did) -> Page[LogRow]:
    """A page of what was done with the archive, the newest first. Raises `ItemRefused`."""
    since = None if item.start is None else fields.moment(item.start, "start")
    until = None if item.end is None else fields.moment(item.end, "end")
    return logs.page(call.work, call.page, kinds, item.query or "", since, until)


def viewed(call: Call, opened: Opened) -> None:
    """Note that the caller read a message, and in whose mailbox."""
    row = opened.row
    first = row.envelope.recipients[0].effective if row.envelope.recipients else ""
    entry = Entry(
        SOURCE,
        opened.mailbox,
        message=row.id,
        sender=row.envelope.header_from or row.envelope.sender,
        recipient=first,
        subject=row.subject,
        received=fields.written(row.received_at),
        content=True,
    )
    call.note(lambda work: logs.add(work, Did.VIEW, entry))


def header_and_contents(call: Call, row: ArchivedRow) -> tuple[bytes, Contents]:
    """The header of a message and what stands in it, read now where nobody has yet. Raises `ItemRefused`."""
    header = _header(call.work, row)
    if row.contents is not None:
        return header, row.contents
    try:
        with contents.whole_body(bodies_of(call), call.work.account_id, row) as body:
            return header, contents.read(row, header, body).contents
    except OSError as problem:
        return header, Contents(trouble=str(problem))


def whole(call: Call, row: ArchivedRow) -> list[bytes]:
    """A message as it was delivered, in pieces. Raises `ItemRefused`."""
    try:
        return [_header(call.work, row), *bodies_of(call).read(call.work.account_id, row.body)]
    except OSError as problem:
        raise refused(UNREADABLE, "id", f"{UNREADABLE.message}: {problem}") from problem


def text_part(call: Call, row: ArchivedRow, kind: PartType) -> list[bytes]:
    """The first text of this kind, as it was written, its transfer encoding undone. Raises `ItemRefused`."""
    content_type = {PartType.HTML: "text/html", PartType.PLAIN: "text/plain"}[kind]
    _, found = header_and_contents(call, row)
    for part in found.parts:
        if not part.is_file and part.content_type == content_type:
            return [_content(call, row, part)]
    raise refused(NO_FILE, "type")


def file(call: Call, row: ArchivedRow, number: int) -> tuple[Part, bytes]:
    """A part that is a file, and what it holds. Raises `ItemRefused`."""
    _, found = header_and_contents(call, row)
    for part in found.parts:
        if part.number == number and part.is_file:
            return part, _content(call, row, part)
    raise refused(NO_FILE, "id")


def file_id(call: Call, row: ArchivedRow, part: Part) -> str:
    """The id of a file: that of its message, and which part it is."""
    return f"{call.seal(Kind.ARCHIVED_MESSAGE, row.id)}.{part.number}"


def open_file_id(text: str) -> tuple[str, int | None]:
    """The id of the message, and the number of the part; None where the whole message is meant."""
    message, dot, number = text.partition(".")
    if not dot:
        return message, None
    if not (number.isascii() and number.isdigit() and len(number) < 6):
        raise refused(NO_FILE, "id")
    return message, int(number)


def set_legal_hold(call: Call, wire_id: str, hold: bool) -> ArchivedRow:
    """Put a message under legal hold, or end that. Raises `ItemRefused`."""
    row = access.message(call, wire_id, access.SEARCH).row
    if row.legal_hold != hold:
        rows.set_legal_hold(call.work, row.id, hold)
        call.work.changed(
            None,
            "update",
            Kind.ARCHIVED_MESSAGE,
            row.id,
            before={"subject": row.subject, "legal_hold": row.legal_hold},
            after={"subject": row.subject, "legal_hold": hold},
        )
    return row


def set_retention(call: Call, days: int | None) -> None:
    """Have the account keep its archive for so many days, or as the installation says. Raises `ItemRefused`."""
    if days is not None and not 0 <= days <= retention.MOST_DAYS:
        message = f"{NOT_ALLOWED.message}: 0, which is for good, to {retention.MOST_DAYS}"
        raise refused(NOT_ALLOWED, "days", message)
    old = rows.days(call.work)
    if old != days:
        rows.set_days(call.work, days)
        call.work.changed(
            None,
            "update",
            Kind.ACCOUNT,
            call.work.account_id,
            before={"archive_days": old},
            after={"archive_days": days},
        )


def bodies_of(call: Call) -> Bodies:
    """Where the bodies of kept messages are. Raises `ItemRefused` where there is no such place."""
    if call.bodies is None:
        raise refused(UNREADABLE, "id")
    return call.bodies


def _content(call: Call, row: ArchivedRow, part: Part) -> bytes:
    try:
        return contents.content_in(bodies_of(call), call.work.account_id, row, part)
    except OSError as problem:
        raise refused(UNREADABLE, "id", f"{UNREADABLE.message}: {problem}") from problem


def _header(work: Work, row: ArchivedRow) -> bytes:
    try:
        return rows.header_of(work, row.id)
    except zlib.error as problem:
        raise refused(UNREADABLE, "id", f"{UNREADABLE.message}: {problem}") from problem


def _found(call: Call, sought: Sought, query: Query) -> list[ArchivedRow]:
    if not query.route:
        return _in_order(call.work, INDEX.find(call.work, sought, query.rows, query.start))
    passed: list[ArchivedRow] = []
    wanted = query.start + query.rows
    for skip in range(0, MOST_LOOKED_AT, _AT_ONCE):
        keys = INDEX.find(call.work, sought, _AT_ONCE, skip)
        passed += [row for row in _in_order(call.work, keys) if _route(call, row) == query.route]
        if len(passed) >= wanted or len(keys) < _AT_ONCE:
            break
    return passed[query.start : wanted]


def _route(call: Call, row: ArchivedRow) -> str:
    internal = call.policies.directory.internal_domains
    from_us = row.envelope.original_sender.rpartition("@")[2].lower() in internal
    to_us = any(one.effective.rpartition("@")[2].lower() in internal for one in row.envelope.recipients)
    if to_us:
        return "internal" if from_us else "inbound"
    return "outbound" if from_us else "external"


def _in_order(work: Work, keys: Sequence[str]) -> list[ArchivedRow]:
    found = rows.some(work, keys)
    return [found[key] for key in keys if key in found]


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _month_before(now: datetime) -> datetime:
    year, month = (now.year, now.month - 1) if now.month > 1 else (now.year - 1, 12)
    day = min(now.day, calendar.monthrange(year, month)[1])
    return now.replace(year=year, month=month, day=day, hour=0, minute=0, second=0, microsecond=0)


def _end_of_day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
