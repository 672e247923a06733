"""The endpoints about held mail: those of the API (api.md section 3.11), and ours for what it lacks."""

from __future__ import annotations

from collections import Counter
from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.held import content, listing, operations, rows
from mailreeve.families.held.errors import HELD_DECIDED, HELD_NOT_FOUND
from mailreeve.families.held.operations import KIND, moment
from mailreeve.families.held.reasons import reason_of
from mailreeve.families.held.rows import HeldRow, HeldState
from mailreeve.families.held.types import (
    AllHeld,
    AskedRelease,
    AskRelease,
    DecidedHeld,
    DecidedNow,
    DecideHeld,
    FindDecided,
    FindHeld,
    HeldAddress,
    HeldMessage,
    HeldSummary,
    OneHeld,
    RejectedHeld,
    RejectHeld,
    ReleasedHeld,
    ReleaseHeld,
    ShownHeld,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import refused
from mailreeve.wire.pagination import Page

MOST_RELEASED: Final = 25  # api.md section 1.10
MOST_REJECTED: Final = 5  # items, each of which may hold a hundred ids


@endpoint("gateway/get-hold-message-list", Permission.ACCOUNT_DASHBOARD_READ, own=True, most=1)
def get_hold_message_list(call: Call, item: FindHeld) -> Page[HeldMessage]:
    """List held messages, the newest first: the caller's own, or everybody's."""
    page = operations.list_held(call, item)
    return page.showing([_answer(call, row) for row in page.rows])


@endpoint(
    "gateway/hold-release", Permission.ACCOUNT_MONITORING_HELD_EDIT, own=True, writes=True, most=MOST_RELEASED
)
def hold_release(call: Call, item: ReleaseHeld) -> ReleasedHeld:
    """Hand a held message on to its recipient."""
    operations.release(call, item.id, item.reason)
    return ReleasedHeld(item.id)


@endpoint(
    "gateway/hold-reject", Permission.ACCOUNT_MONITORING_HELD_EDIT, own=True, writes=True, most=MOST_REJECTED
)
def hold_reject(call: Call, item: RejectHeld) -> list[RejectedHeld]:
    """Turn held messages down: nobody gets them."""
    reason = item.message or item.notes
    for wire_id in item.ids:
        operations.reject(call, wire_id, reason, item.notify, type_=item.reason_type)
    return [RejectedHeld(wire_id) for wire_id in item.ids]


@endpoint("gateway/get-hold-summary-list", Permission.ACCOUNT_MONITORING_HELD_SUMMARY_READ)
def get_hold_summary_list(call: Call, item: AllHeld) -> list[HeldSummary]:
    """Count held messages by the policy that had them held."""
    counted: Counter[str] = Counter()
    for cause, description, number in rows.summary(call.work):
        counted[description or reason_of(cause).text] += number
    return [HeldSummary(policy, number) for policy, number in counted.most_common()]


@endpoint("gateway/get-held-release-logs", Permission.MONITORING_HELD_READ, most=1)
def get_held_release_logs(call: Call, item: FindDecided) -> Page[DecidedHeld]:
    """List what became of messages that were held: released, turned down, or expired."""
    page = listing.decided(call.work, call.page, moment(item.start, "start"), moment(item.end, "end"))
    return page.showing([_decided(call, row) for row in page.rows])


@endpoint(
    "ext/show-held-message",
    Permission.MONITORING_HELD_CONTENT_VIEW,
    own=True,
    most=1,
)
def show_held_message(call: Call, item: OneHeld) -> ShownHeld:
    """Show what a held message says, without its scripts and images."""
    row = operations.seen(call, item.id)
    if not operations.may_view(call, row):
        raise refused(HELD_NOT_FOUND, "id")
    kept = rows.text_of(call.work, row.id)
    if kept is None:
        raise refused(HELD_DECIDED, "id", f"{HELD_DECIDED.message}: it was {row.state}")
    if call.bodies is None:
        raise AssertionError("where mail is held there are bodies")
    said = content.said(kept.header, content.read_some(call.bodies.read(call.work.account_id, kept.body)))
    return ShownHeld(
        id=item.id,
        message=_answer(call, row),
        headers=said.headers,
        text=said.text,
        html=said.html,
        attachments=said.attachments,
        is_cut=said.is_cut,
    )


@endpoint("ext/decide-held-messages", Permission.ACCOUNT_MONITORING_HELD_EDIT, own=True, writes=True, most=1)
def decide_held_messages(call: Call, item: DecideHeld) -> list[DecidedNow]:
    """Release or turn down many held messages, by ids or by a search, and permit or block their senders."""
    return operations.decide_all(call, item)


@endpoint("ext/ask-held-release", Permission.ACCOUNT_MONITORING_HELD_EDIT, own=True, writes=True, most=25)
def ask_held_release(call: Call, item: AskRelease) -> AskedRelease:
    """Ask those who may for the release of a held message."""
    operations.ask(call, item.id, item.reason)
    return AskedRelease(item.id, True)


@endpoint("ext/decline-held-release", Permission.ACCOUNT_MONITORING_HELD_EDIT, writes=True, most=25)
def decline_held_release(call: Call, item: OneHeld) -> AskedRelease:
    """Leave a message held whose release was asked for."""
    operations.decline(call, item.id)
    return AskedRelease(item.id, False)


def _answer(call: Call, row: HeldRow) -> HeldMessage:
    reason = reason_of(row.cause)
    return HeldMessage(
        id=call.seal(KIND, row.id),
        reason=reason.text,
        reason_id=reason.id,
        reason_code=reason.code,
        from_=HeldAddress(row.sender),
        from_header=HeldAddress(row.header_from, row.header_from_name),
        to=HeldAddress(row.effective_recipient),
        to_header=HeldAddress(row.header_to, row.header_to_name),
        subject=row.subject,
        route=row.route.upper(),
        has_attachments=row.has_attachments,
        size=row.size,
        date_received=fields.written(row.received_at),
        policy_info=row.description or reason.text,
        expires=fields.written(row.expires_at),
        held_group=row.held_group,
        sender_ip=row.source_ip,
        decision_id=row.decision_id,
        asked_by=row.asked_by or UNSET,
        asked_why=row.asked_why or UNSET,
        asked_at=UNSET if row.asked_at is None else fields.written(row.asked_at),
        **_returned(row),
    )


def _returned(row: HeldRow) -> dict[str, str]:
    if row.state is not HeldState.HELD or row.decided_at is None:
        return {}
    return {"returned_at": fields.written(row.decided_at), "returned_why": row.reason}


def _decided(call: Call, row: HeldRow) -> DecidedHeld:
    return DecidedHeld(
        id=call.seal(KIND, row.id),
        state=row.state,
        operator=row.decided_by,
        reason=row.reason,
        decided=fields.written(row.decided_at or row.received_at),
        from_=HeldAddress(row.sender),
        to=HeldAddress(row.effective_recipient),
        subject=row.subject,
        policy_info=row.description or reason_of(row.cause).text,
        date_received=fields.written(row.received_at),
        decision_id=row.decision_id,
    )


ENDPOINTS: Final = (
    get_hold_message_list,
    hold_release,
    hold_reject,
    get_hold_summary_list,
    get_held_release_logs,
    show_held_message,
    decide_held_messages,
    ask_held_release,
    decline_held_release,
)
