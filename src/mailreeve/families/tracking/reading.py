"""What can be asked of the records: a list of them, and one decision with all that is kept of it."""

from __future__ import annotations

from mailreeve.families.machinery.call import Call
from mailreeve.families.tracking import rows, search
from mailreeve.families.tracking.errors import NO_RECORD
from mailreeve.families.tracking.present import Teller
from mailreeve.families.tracking.rows import Kept
from mailreeve.families.tracking.terms import Field, bare_message_id
from mailreeve.families.tracking.today import today
from mailreeve.families.tracking.types import FindMailRecords, MailRecordDetail, OneMailRecord
from mailreeve.wire.errors import EXACTLY_ONE, NOT_ALLOWED, ItemRefused, refused
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.tokens import Kind

MOST_OF_ONE = 100
"""Recipients of a decision, or of a message, that are shown together."""

_RECORD_ID = 43  # characters of a sealed id


def find(call: Call, item: FindMailRecords) -> Page[Kept]:
    """A page of the records that meet what is asked for."""
    what = search.wanted(item, call.ids, call.work.account_id, call.work.now)
    return search.found(call.work, call.page, what)


def show(call: Call, item: OneMailRecord) -> list[MailRecordDetail]:
    """The records of one decision, or of one message: a record for each recipient. Raises `ItemRefused`."""
    if (item.id is None) == (item.message_id is None):
        raise refused(EXACTLY_ONE, "id", f"{EXACTLY_ONE.message}: id, messageId")
    kept = _of_message(call, item.message_id) if item.id is None else _of_id(call, item.id)
    policies, teller = call.policies, Teller(call.ids, call.work.account_id)
    return [teller.detail(one, today(policies, teller, one.outcome, call.work.now)) for one in kept]


def of_record_id(call: Call, wire_id: str) -> Kept:
    """The record with this id. Raises `ItemRefused`."""
    key = call.open(Kind.MAIL_RECORD, wire_id)
    kept = rows.kept(call.work, [key]).get(key)
    if kept is None:
        raise refused(NO_RECORD, "id")
    return kept


def _of_message(call: Call, message_id: str | None) -> list[Kept]:
    wanted = search.Wanted(all_of=[(Field.MESSAGE_ID, bare_message_id(message_id or ""))])
    found = list(search.found(call.work, Asked(MOST_OF_ONE), wanted).rows)
    if not found:
        raise refused(NO_RECORD, "messageId")
    return found


def _of_id(call: Call, text: str) -> list[Kept]:
    if len(text) == _RECORD_ID:
        try:
            return [of_record_id(call, text)]
        except ItemRefused:
            pass  # it may still be a reply of that length
    beginning = search.decision_of(text, "id")
    found = rows.of_decision(call.work, beginning, search.beyond(beginning), MOST_OF_ONE)
    if not found:
        raise refused(NO_RECORD, "id", f"{NO_RECORD.message}: no decision of this account is {beginning!r}")
    ids = sorted({one.outcome.decision_id for one in found})
    if len(ids) > 1:
        named = ", ".join(ids[:3]) + (" and others" if len(ids) > 3 else "")
        raise refused(NOT_ALLOWED, "id", f"{beginning!r} is the beginning of several decision ids: {named}")
    return found
