"""What can be done about held mail: list, release, turn down, ask for its release (behaviour.md section 8).

Whoever has the right to decide about everybody's held mail decides about all of it. A user decides about what is
held for the user's own mailbox, or one that the user stands in for, as far as the group of the message says
(`HeldGroup`). To everybody else a message is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import mailboxes
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.mailboxes import DelegateScope
from mailreeve.families.held import listing, notices, rows
from mailreeve.families.held.errors import (
    HELD_DECIDED,
    HELD_NO_SENDER,
    HELD_NOT_ASKED,
    HELD_NOT_FOUND,
    HELD_NOT_YOURS,
)
from mailreeve.families.held.listing import Narrowed, Owner
from mailreeve.families.held.reasons import reason_type
from mailreeve.families.held.rows import HeldGroup, HeldRow, HeldState, HeldText
from mailreeve.families.held.types import (
    DecidedNow,
    DecideHeld,
    FilterBy,
    FindHeld,
    HeldAction,
    HeldRoute,
    SearchBy,
)
from mailreeve.families.machinery.call import Call
from mailreeve.families.managed_senders import operations as managed_senders
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.families.sender_notices.rules import WORDS as NOTICE_WORDS
from mailreeve.families.sender_notices.rules import NoticeVerdict
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import LAYER_HELD, State, following
from mailreeve.policy.model.policies import ManagedAction
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import EXACTLY_ONE, FORBIDDEN, NOT_ALLOWED, ItemRefused, refused
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.tokens import Kind

KIND: Final = Kind.HELD_MESSAGE
RELEASE: Final = "release"
"""The origin of outgoing copies that were released."""

SCOPE: Final = DelegateScope.HELD
LISTS: Final = DelegateScope.LISTS
MAX_REASON: Final = 1_000
AT_ONCE: Final = 100  # messages that are decided about while others wait to write

SEES_ALL: Final = (Permission.ACCOUNT_DASHBOARD_READ, Permission.ACCOUNT_MONITORING_HELD_EDIT)
DECIDES: Final = (Permission.ACCOUNT_MONITORING_HELD_EDIT,)
VIEWS: Final = (Permission.MONITORING_HELD_CONTENT_VIEW,)
EDITS_LISTS: Final = (Permission.GATEWAY_MANAGED_SENDERS_EDIT,)

_REPLY: Final = {HeldState.RELEASED: "Released", HeldState.REJECTED: "Turned down", HeldState.EXPIRED: "Expired"}
_STATE: Final = {
    HeldState.RELEASED: State.RELEASED,
    HeldState.REJECTED: State.REJECTED,
    HeldState.EXPIRED: State.EXPIRED,
}


class Held(Struct, frozen=True):
    """Of a held message what the audit log says."""

    state: str
    sender: str
    recipient: str
    subject: str
    decision: str
    description: str
    reason: str = ""


def list_held(call: Call, item: FindHeld) -> Page[HeldRow]:
    """A page of the messages that are asked for. Raises `ItemRefused`."""
    return listing.page(call.work, call.page, narrowed(call, item))


def narrowed(call: Call, item: FindHeld) -> Narrowed:
    """Which messages an item asks for. Raises `ItemRefused`."""
    route, group = _filters(item.filter_by)
    search = item.search_by or SearchBy()
    since = None if item.start is None else fields.moment(item.start, "start")
    until = None if item.end is None else fields.moment(item.end, "end")
    return Narrowed(
        _owners(call, item), search.field_name, search.value or "", route, group, since, until, item.asked
    )


def _owners(call: Call, item: FindHeld) -> tuple[Owner, ...] | None:
    """Whose messages are asked for, None for everybody's."""
    if item.admin:
        if item.mailbox is not None:
            raise refused(EXACTLY_ONE, "mailbox", f"{EXACTLY_ONE.message}: admin, mailbox")
        if not call.caller.may(SEES_ALL):
            raise _forbidden(SEES_ALL, "admin")
        return None
    if item.mailbox is None:
        own = call.caller.user_id or _NOBODY
    elif call.caller.may(SEES_ALL):
        return (Owner(users.get_reached(call.work, item.mailbox, "mailbox").id),)
    else:
        # Nobody learns from the refusal who is there.
        own = mailboxes.open_mailbox(call, item.mailbox, "mailbox", SCOPE).id
        if own != call.caller.user_id:
            # Whoever looks into somebody's mailbox opens no further one through it (behaviour.md D-31).
            return (Owner(own, private=False),)
    if not (item.include_delegates and call.caller.in_person):
        return (Owner(own),)
    opened = mailboxes.opened_by(call.work, call.caller.user_id, SCOPE)
    return (Owner(own), *(Owner(one, private=False) for one in opened if one != own))


_NOBODY: Final = "-"


def _filters(filters: Sequence[FilterBy]) -> tuple[HeldRoute, HeldGroup | None]:
    route, group = HeldRoute.ALL, None
    for one in filters:
        route, group = one.route or route, one.held_group or group
        if one.field_name is None:
            continue
        value = (one.value or "").casefold()
        if one.field_name.casefold() == "route" and value in set(HeldRoute):
            route = HeldRoute(value)
        elif one.field_name.casefold() == "heldgroup" and value in set(HeldGroup):
            group = HeldGroup(value)
        else:
            known = f"route ({', '.join(HeldRoute)}), heldGroup ({', '.join(HeldGroup)})"
            raise refused(NOT_ALLOWED, "filterBy", f"{NOT_ALLOWED.message}: it may be {known}")
    return route, group


def seen(call: Call, wire_id: str) -> HeldRow:
    """A message that the caller may know of, held or decided about. Raises `ItemRefused`: what others have is as
    good as not there."""
    row = rows.find(call.work, call.open(KIND, wire_id))
    if row is None or not _sees(call, row):
        raise refused(HELD_NOT_FOUND, "id")
    return row


def release(call: Call, wire_id: str, reason: str | None = None, sender: ManagedAction | None = None) -> HeldRow:
    """Have a message handed on to its recipient, as it was taken. It is once, however many release it at once.
    Raises `ItemRefused`."""
    row = _to_decide(call, wire_id)
    kept = _end(call, row, HeldState.RELEASED, _reason(reason))
    outgoing.add(call.work, [rows.kept_copy(row, kept, call.work.account_id)], RELEASE, row.id)
    _list_sender(call, row, sender)
    return row


def reject(
    call: Call,
    wire_id: str,
    reason: str | None = None,
    notify: bool = False,
    sender: ManagedAction | None = None,
    type_: str | None = None,
) -> HeldRow:
    """Turn a message down: nobody gets it. With `notify` its sender is told, where that may
    be (`sender_notices.rules`); a warning says why not.
    Raises `ItemRefused`."""
    row = _to_decide(call, wire_id)
    kind = "" if type_ is None else reason_type(type_, "reasonType")
    words = ": ".join(filter(None, (kind.capitalize(), _reason(reason))))
    kept = _end(call, row, HeldState.REJECTED, words)
    if notify:
        told = notices.tell_sender(call, row, kept.header, words)
        if told is not NoticeVerdict.SEND:
            call.warnings.append(NOTICE_WORDS[told])
    _list_sender(call, row, sender)
    return row


def decide_all(call: Call, item: DecideHeld) -> list[DecidedNow]:
    """Release or turn down many messages, each by itself: one that cannot be is no matter to the others. Raises
    `ItemRefused`."""
    if bool(item.ids) == (item.search is not None):
        raise refused(EXACTLY_ONE, "ids", f"{EXACTLY_ONE.message}: ids, search")
    ids = list(item.ids)
    if item.search is not None:
        found = listing.page(call.work, Asked(AT_ONCE), narrowed(call, item.search))
        ids = [call.seal(KIND, row.id) for row in found.rows]
    return [_decided(call, item, wire_id) for wire_id in dict.fromkeys(ids)]


def _decided(call: Call, item: DecideHeld, wire_id: str) -> DecidedNow:
    try:
        with call.work.item():
            if item.action is HeldAction.RELEASE:
                row, state = release(call, wire_id, item.message, item.sender), HeldState.RELEASED
            else:
                row = reject(call, wire_id, item.message, item.notify, item.sender, item.reason_type)
                state = HeldState.REJECTED
    except ItemRefused as refusal:
        first, *_ = refusal.problems
        return DecidedNow(wire_id, "", "", HeldState.HELD, first.message, first.code)
    return DecidedNow(wire_id, row.effective_recipient, row.subject, state)


def ask(call: Call, wire_id: str, why: str) -> HeldRow:
    """Ask those who may for the release of a message, and say why. Raises `ItemRefused`."""
    row = seen(call, wire_id)
    by = call.caller.actor
    if row.state is not HeldState.HELD or not rows.ask(call.work, row.id, by, _reason(why)):
        raise refused(HELD_DECIDED, "id", f"{HELD_DECIDED.message}: it was {row.state}")
    _audit(call, row, "ask", _state(row), _state(row, reason=_reason(why)))
    return row


def decline(call: Call, wire_id: str) -> HeldRow:
    """Leave a message held whose release is asked for. Raises `ItemRefused`."""
    row = _to_decide(call, wire_id)
    if not rows.take_back(call.work, row.id):
        raise refused(HELD_NOT_ASKED, "id")
    _audit(call, row, "decline", _state(row, reason=row.asked_why), _state(row))
    return row


def may_view(call: Call, row: HeldRow) -> bool:
    """Whether the caller may read what a message says: with the permission for it, or in the own mailbox, or one
    that the caller stands in for."""
    return call.caller.may(VIEWS) or _stands_in(call, row, SCOPE)


def expire(work: Work, most: int) -> int:
    """End what was held for as long as it may be, at most so many. How many."""
    found = rows.expired(work, most)
    for row in found:
        rows.decide(work, row.id, HeldState.EXPIRED, "")
        _record(work, row, HeldState.EXPIRED, "")
    return len(found)


def _to_decide(call: Call, wire_id: str) -> HeldRow:
    row = seen(call, wire_id)
    if not call.caller.may(DECIDES) and not (row.held_group is HeldGroup.USER and _stands_in(call, row, SCOPE)):
        if _stands_in(call, row, SCOPE):
            raise refused(HELD_NOT_YOURS, "id")
        raise _forbidden(DECIDES, "id")
    return row


def _end(call: Call, row: HeldRow, state: HeldState, reason: str) -> HeldText:
    """Have a message held no more, once. Its text, as it was held. Raises `ItemRefused`."""
    kept = rows.text_of(call.work, row.id)
    if kept is None or not rows.decide(call.work, row.id, state, call.caller.actor, reason):
        raise refused(HELD_DECIDED, "id", f"{HELD_DECIDED.message}: it was {row.state}")
    _record(call.work, row, state, reason)
    _audit(
        call, row, "release" if state is HeldState.RELEASED else "reject", _state(row), _state(row, state, reason)
    )
    return kept


def _record(work: Work, row: HeldRow, state: HeldState, reason: str) -> None:
    before = tracking.of_recipient(work, row.decision_id, row.recipient)
    if before is not None:  # There is none where there was no room for it.
        layer = before.layer if state is HeldState.RELEASED else LAYER_HELD
        reply = f"{_REPLY[state]}: {reason}" if reason else _REPLY[state]
        tracking.add(work, [following(before, _STATE[state], work.now, layer, " ".join(reply.split()))])


def _audit(call: Call, row: HeldRow, action: str, before: Held, after: Held) -> None:
    """Note who did it, and whose mail it is (behaviour.md section 12, case 32)."""
    owner = user_rows.find(call.work, row.owner_id) if row.owner_id else None
    acting_for = "" if owner is None or owner.id == call.caller.user_id else owner.address
    call.work.changed(None, action, KIND, row.id, before=before, after=after, acting_for=acting_for)


def note_return(work: Work, row: HeldRow, why: str) -> None:
    """Note in the audit log that what was released is held again."""
    owner = user_rows.find(work, row.owner_id) if row.owner_id else None
    acting_for = "" if owner is None else owner.address
    after = _state(row, HeldState.HELD, why)
    work.changed(None, "return", KIND, row.id, before=_state(row), after=after, acting_for=acting_for)


def _state(row: HeldRow, state: HeldState | None = None, reason: str = "") -> Held:
    return Held(
        state or row.state,
        row.sender,
        row.effective_recipient,
        row.subject,
        row.decision_id,
        row.description,
        reason,
    )


def _list_sender(call: Call, row: HeldRow, action: ManagedAction | None) -> None:
    """Permit or block the sender from now on for whom the message is for (behaviour.md section 8.2)."""
    if action is None:
        return
    if not call.caller.may(EDITS_LISTS) and not _stands_in(call, row, LISTS):
        raise _forbidden(EDITS_LISTS, "sender")
    sender = row.sender or row.header_from
    if not sender:
        raise refused(HELD_NO_SENDER, "sender")
    # The list is that of whom the message is for, whoever has the address now.
    owner = user_rows.find(call.work, row.owner_id) if row.owner_id else None
    to = row.effective_recipient if owner is None else owner.address
    managed_senders.permit_or_block(call, sender, to, action)


def _sees(call: Call, row: HeldRow) -> bool:
    if call.caller.may(SEES_ALL):
        return True
    return row.held_group is not HeldGroup.ADMINISTRATOR and _stands_in(call, row, SCOPE)


def _stands_in(call: Call, row: HeldRow, scope: str) -> bool:
    """Whether a message is for the caller's own mailbox, or for one that the caller stands in for: which is not
    for what its sender marked private (behaviour.md section 7.2)."""
    if not row.owner_id or not call.caller.in_person:
        return False
    if row.is_private and row.owner_id != call.caller.user_id:
        return False
    return mailboxes.may_open(call.work, call.caller.user_id, row.owner_id, scope)


def _forbidden(any_of: Sequence[Permission], field: str) -> ItemRefused:
    return refused(FORBIDDEN, field, f"{FORBIDDEN.message}: the permission {' or '.join(any_of)} is required")


def _reason(text: str | None) -> str:
    return "" if text is None else fields.short(text.strip(), "message", MAX_REASON)


def moment(text: str | None, field: str) -> datetime | None:
    """A point in time, None where none is given. Raises `ItemRefused`."""
    return None if text is None else fields.moment(text, field)
