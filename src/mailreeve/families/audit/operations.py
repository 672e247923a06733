"""What can be asked of the audit log: events by time, actor, object, category and any text of theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from mailreeve.families.audit import rows, words
from mailreeve.families.audit.rows import AuditRow, Wanted
from mailreeve.families.audit.types import (
    AuditEvent,
    AuditRecord,
    AuditVerified,
    BrokenLink,
    FindAuditEvents,
    GetAuditEvents,
    GetHistory,
)
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.latest import passing
from mailreeve.store import audit_chain
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_RANGE, EXACTLY_ONE, INVALID_TOKEN, NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import Kind

Matches = Callable[[AuditRow], bool]

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_KEY: Final = re.compile("[0-9a-f]{32}")


def events(call: Call, item: GetAuditEvents) -> Page[AuditEvent]:
    """A page of events, the newest first. Raises `ItemRefused`."""
    since = fields.moment(item.start_date_time, "startDateTime")
    until = fields.moment(item.end_date_time, "endDateTime")
    if since > until:
        raise refused(BAD_RANGE, "startDateTime")
    kinds: list[str] | None = None
    for code in item.categories:
        kinds = (kinds or []) + words.kinds_in(_category(code, "categories"))
    tests: list[Matches] = []
    if item.audit_type is not None:
        wanted = item.audit_type.casefold()
        tests.append(lambda row: words.audit_type_of(row).casefold() == wanted)
    if item.query is not None:
        tests.append(_holds(call, item.query))
    page = _page(call, Wanted(since, until, kinds), tests)
    return page.showing([_event(call, row) for row in page.rows])


def records(call: Call, item: FindAuditEvents) -> Page[AuditRecord]:
    """A page of events with the objects before and after. Raises `ItemRefused`."""
    now = call.work.now
    since = None if item.since is None else fields.moment_or_ago(item.since, "since", now)
    until = None if item.until is None else fields.moment_or_ago(item.until, "until", now)
    if since is not None and until is not None and since >= until:
        raise refused(BAD_RANGE, "since")
    kinds = None if item.category is None else words.kinds_in(_category(item.category, "category"))
    if item.object_kind is not None:
        kinds = [item.object_kind] if kinds is None or item.object_kind in kinds else []
    wanted = Wanted(
        since,
        until,
        kinds,
        object_id=_object_key(call, item.object_id) if item.object_id is not None else "",
        action=item.action or "",
        actor=_lowered(item.actor or ""),
        oldest_first=item.oldest_first,
    )
    page = _page(call, wanted, [] if item.query is None else [_holds(call, item.query)])
    return page.showing([_record(call, row) for row in page.rows])


def history(call: Call, item: GetHistory) -> Page[AuditRecord]:
    """A page of the versions of an object, or of what a request changed; or one event. Raises `ItemRefused`."""
    if sum(map(bool, (item.object_id, item.request_id, item.event_id))) != 1:
        raise refused(EXACTLY_ONE, "objectId", f"{EXACTLY_ONE.message}: objectId, requestId, eventId")
    if item.event_id:
        event = rows.find(call.work, call.open(Kind.AUDIT_EVENT, item.event_id, "eventId"))
        return Page.of_all([] if event is None else [_record(call, event)])
    wanted = Wanted(
        object_id=_object_key(call, item.object_id) if item.object_id else "",
        request_id=item.request_id or "",
        oldest_first=item.oldest_first,
    )
    page = _page(call, wanted, [])
    return page.showing([_record(call, row) for row in page.rows])


def verified(call: Call, known: str) -> AuditVerified:
    """Whether the account's log is as it was written, see `audit_chain`. Raises `ItemRefused`."""
    if known and not _DIGEST.fullmatch(known):
        raise refused(NOT_ALLOWED, "known", "A digest is 64 hexadecimal digits")
    found = audit_chain.check(call.work.connection, call.work.account_id, known)
    broken = [
        BrokenLink(call.seal(Kind.AUDIT_EVENT, one.key) if _KEY.fullmatch(one.key) else one.key, one.why)
        for one in found.broken
    ]
    return AuditVerified(not broken, found.rows, found.head, broken)


def _page(call: Call, wanted: Wanted, tests: list[Matches]) -> Page[AuditRow]:
    """A page of the rows that pass the tests as well, of as many as one call reads."""
    if not tests:
        return rows.page(call.work, call.page, wanted)
    return passing(
        call.page,
        lambda asked: rows.page(call.work, asked, wanted),
        lambda row: all(test(row) for test in tests),
        lambda row: row.id,
    )


def _holds(call: Call, text: str) -> Matches:
    """Whether an event holds a text, case aside, in anything that is told of it."""
    wanted = text.casefold()

    def holds(row: AuditRow) -> bool:
        found = words.changes(row.before, row.after)
        told = [words.event_info(row, found), words.audit_type_of(row), row.actor, row.action, row.request_id]
        told += [row.application, row.app_id]
        told += [f"{one.member} {one.before} {one.after}" for one in found]
        return any(wanted in one.casefold() for one in told)

    return holds


def _category(code: str, field: str) -> str:
    if code not in words.CATEGORIES:
        raise refused(NOT_ALLOWED, field, f"Field must be one of [{','.join(words.CATEGORIES)}]")
    return code


def _object_key(call: Call, wire_id: str) -> str:
    found = words.open_object(call.ids, call.work.account_id, wire_id, "objectId")
    if found is None:
        raise refused(INVALID_TOKEN, "objectId", f"{INVALID_TOKEN.message}: this account has no such id")
    return found[1]


def _event(call: Call, row: AuditRow) -> AuditEvent:
    before, after = _states(call, row)
    return AuditEvent(
        id=call.seal(Kind.AUDIT_EVENT, row.id),
        audit_type=words.audit_type_of(row),
        user=row.actor,
        event_time=_written(row.at),
        event_info=words.event_info(row, words.changes(before, after)),
        category=words.category_of(row),
    )


def _record(call: Call, row: AuditRow) -> AuditRecord:
    before, after = _states(call, row)
    is_known = row.object_kind in words.KINDS_WITH_IDS
    return AuditRecord(
        id=call.seal(Kind.AUDIT_EVENT, row.id),
        at=_written(row.at),
        revision=row.revision,
        actor=row.actor,
        application=row.application,
        app_id=row.app_id,
        acting_for=row.acting_for,
        source_ip=row.source_ip,
        request_id=row.request_id,
        action=row.action,
        object_kind=row.object_kind,
        object_name=words.name_of(row),
        object_id=call.seal(row.object_kind, row.object_id) if is_known else "",
        category=words.category_of(row),
        changes=words.changes(before, after),
        before=before,
        after=after,
    )


def _states(call: Call, row: AuditRow) -> tuple[dict[str, object] | None, dict[str, object] | None]:
    account_id = call.work.account_id
    return (
        words.shown(row.before, row, call.ids, account_id),
        words.shown(row.after, row, call.ids, account_id),
    )


def _written(at: datetime) -> str:
    return fields.written(at)


def _lowered(text: str) -> str:
    """In small letters as the database has them: of ASCII."""
    return "".join(c.lower() if c.isascii() else c for c in text)
