"""Which mail was refused, and which is still on its way? Records of mail as the gateway functions tell of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import mailboxes
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.errors import USER_NOT_FOUND
from mailreeve.families.directory.users.mailboxes import DelegateScope
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.elsewhere import WaitingCopy, WaitingPage
from mailreeve.families.machinery.latest import merged, passing
from mailreeve.families.tracking import rows
from mailreeve.families.tracking import search as records
from mailreeve.families.tracking.gateway_types import (
    FindProcessing,
    FindRejections,
    ProcessingField,
    ProcessingMessage,
    ProcessingType,
    Rejection,
    RejectionField,
    SortOrder,
)
from mailreeve.families.tracking.message_finder import info_of, route_between, route_of
from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP, State
from mailreeve.families.tracking.present import Teller
from mailreeve.families.tracking.rows import Kept
from mailreeve.families.tracking.types import EnvelopeAddress, FindMailRecords, NamedAddress
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.policy_types import Layer
from mailreeve.wire import fields
from mailreeve.wire.errors import refused
from mailreeve.wire.pagination import Asked, Page
from mailreeve.wire.tokens import Kind

EVERYBODYS: Final = (Permission.MONITORING_REJECTIONS_READ,)
"""What it takes to see the rejections of all mailboxes."""

TRIED_FOR: Final = timedelta(days=5)
"""How long a sender's server tries to hand on what was put off (RFC 5321 section 4.5.4.1)."""

NOT_TRIED: Final = "Waits to be handed on"

Test = Callable[[Kept], bool]


def rejections(call: Call, item: FindRejections) -> Page[Rejection]:
    """A page of the messages that were refused. Raises `ItemRefused`."""
    tests: list[Test] = []
    owner = _whose(call, item)
    if owner is not None:
        if call.caller.may(EVERYBODYS):
            tests.append(lambda kept: _reaches(call, kept, owner.key))
        else:
            # Whoever has the address now: it may have been somebody else's when the mail came.
            owners = {owner.id}
            if item.include_delegates and call.caller.in_person and owner.id == call.caller.user_id:
                owners |= set(mailboxes.opened_by(call.work, owner.id, DelegateScope.HELD))
            tests.append(lambda kept: kept.outcome.owner in owners)
            tests.append(lambda kept: not kept.outcome.is_private or kept.outcome.owner == call.caller.user_id)
    by = item.search_by
    if by is not None and by.value:
        text, member = by.value.casefold(), by.field_name
        tests.append(lambda kept: text in _searched(kept, member))
    what = _wanted(call, State.REJECTED, item.start or item.from_, item.end or item.to, item.oldest_first)
    page = _found(call, what, tests)
    return page.showing([_rejection(call, kept) for kept in page.rows])


def processing(call: Call, item: FindProcessing) -> Page[ProcessingMessage]:
    """A page of the messages that are still on their way: those that their senders' servers will try again, and
    the copies that wait here. Raises `ItemRefused`."""
    if item.type is ProcessingType.BULK_PROCESSING:
        return Page((), 0, 0)
    start = item.start or fields.written(call.work.now - TRIED_FOR)
    what = _wanted(call, State.DEFERRED, start, item.end, item.sort_order is SortOrder.ASCENDING)
    page = passing(
        call.page,
        lambda asked: _on_their_way(call, asked, what),
        lambda one: _is_asked_for(call, item, one),
        lambda one: one.key,
    )
    return page.showing([_on_its_way(call, one) for one in page.rows])


class _Moving(Struct, frozen=True):
    """What is on its way, by the key of its row: a record of what was put off, or a copy that waits here, with the
    record of its message, if there is one."""

    key: str
    kept: Kept | None = None
    copy: WaitingCopy | None = None


def _on_their_way(call: Call, asked: Asked, what: records.Wanted) -> Page[_Moving]:
    put_off = records.found(call.work, asked, what)
    which = WaitingPage(asked, what.oldest_first, what.since, what.until)
    waiting = call.elsewhere.waiting(call.work, which)
    about = {(one.decision_id, one.recipient) for one in waiting.rows}
    known = {pair: rows.kept_of_recipient(call.work, *pair) for pair in about}
    pages = [
        put_off.showing([_Moving(kept.key, kept) for kept in put_off.rows]),
        waiting.showing([_Moving(c.key, known[c.decision_id, c.recipient], c) for c in waiting.rows]),
    ]
    return merged(pages, asked, lambda one: one.key, oldest_first=what.oldest_first)


def _is_asked_for(call: Call, item: FindProcessing, one: _Moving) -> bool:
    shown = _on_its_way(call, one)
    routes = {one.route for one in item.filter_by if one.route} - {"all"}
    if routes and shown.route not in routes:
        return False
    by = item.search_by
    if by is not None and by.value and by.value.casefold() not in _processing_text(shown, by.field_name):
        return False
    return one.copy is not None or (
        one.kept is not None and _may_be_taken(one.kept) and rows.is_last(call.work, one.kept)
    )


def _whose(call: Call, item: FindRejections) -> UserRow | None:
    """The user whose rejections are asked for, None for everybody's. Raises `ItemRefused`."""
    may_see_all = call.caller.may(EVERYBODYS)
    if item.mailbox is not None:
        if may_see_all:
            return users.get_reached(call.work, item.mailbox, "mailbox")
        return mailboxes.open_mailbox(call, item.mailbox, "mailbox", DelegateScope.HELD)
    if may_see_all and (item.admin or not call.caller.user_id):
        return None
    own = user_rows.find(call.work, call.caller.user_id)
    if own is None:
        raise refused(USER_NOT_FOUND, "mailbox")
    return own


def _may_be_taken(kept: Kept) -> bool:
    """Whether trying again could help: who may not relay, or is kept out at connect, is told 4xx as well."""
    one = kept.outcome
    return one.stage is not Stage.CONNECT and one.layer != Layer.RELAY.value


def _reaches(call: Call, kept: Kept, owner: str) -> bool:
    try:
        return call.identities.person(parse_address(kept.outcome.recipient)) == owner
    except AddressError:  # of a source that was refused at connect nobody is named
        return False


def _wanted(call: Call, state: State, start: str | None, end: str | None, oldest_first: bool) -> records.Wanted:
    return records.wanted(
        FindMailRecords(
            since=None if start is None else fields.written(fields.moment(start, "start")),
            until=None if end is None else fields.written(fields.moment(end, "end")),
            verdict=state,
            oldest_first=oldest_first,
        ),
        call.ids,
        call.work.account_id,
        call.work.now,
    )


def _found(call: Call, what: records.Wanted, tests: Sequence[Test]) -> Page[Kept]:
    if not tests:
        return records.found(call.work, call.page, what)
    return passing(
        call.page,
        lambda asked: records.found(call.work, asked, what),
        lambda kept: all(test(kept) for test in tests),
        lambda kept: kept.key,
    )


def _type(kept: Kept) -> str:
    """What refused it, in words."""
    layer = kept.outcome.layer
    return "Next mail server" if layer == LAYER_NEXT_HOP else layer.replace("_", " ").capitalize()


def _searched(kept: Kept, by: RejectionField) -> str:
    one = kept.outcome
    texts = {
        RejectionField.FROM: one.sender,
        RejectionField.TO: one.recipient,
        RejectionField.TYPE: _type(kept),
        RejectionField.INFO: f"{info_of(one)} {one.reply}",
        RejectionField.REMOTE_IP: one.source_ip,
    }
    return ("\n".join(texts.values()) if by is RejectionField.ALL else texts[by]).casefold()


def _processing_text(one: ProcessingMessage, by: ProcessingField) -> str:
    texts = {
        ProcessingField.FROM: one.from_env.email_address,
        ProcessingField.TO: "\n".join(to.email_address for to in one.to),
        ProcessingField.SUBJECT: one.subject,
        ProcessingField.INFO: one.info,
        ProcessingField.REMOTE_IP: one.remote_ip,
    }
    return ("\n".join(texts.values()) if by is ProcessingField.ALL else texts[by]).casefold()


def _author(kept: Kept) -> NamedAddress:
    author = next(iter(kept.outcome.header_from or ()), None)
    if author is None:
        return NamedAddress("")
    return NamedAddress("" if author.address is None else str(author.address), author.display_name)


def _began(kept: Kept) -> str:
    return fields.written(datetime.fromtimestamp(kept.outcome.at, UTC))


def _rejection(call: Call, kept: Kept) -> Rejection:
    one = kept.outcome
    return Rejection(
        id=Teller(call.ids, call.work.account_id).record_id(kept),
        created=_began(kept),
        from_env=EnvelopeAddress(one.sender),
        from_hdr=_author(kept),
        to=NamedAddress(one.recipient),
        subject=one.subject,
        type=_type(kept),
        info=one.reply,
        remote_ip=one.source_ip,
        remote_host=one.client_name,
        route=route_of(call, one),
        policy_info=one.description,
        decision_id=one.decision_id,
    )


def _on_its_way(call: Call, one: _Moving) -> ProcessingMessage:
    if one.copy is not None:
        return _waiting(call, one.copy, one.kept)
    if one.kept is None:
        raise AssertionError("what is on its way is a record or a copy")
    outcome = one.kept.outcome
    return ProcessingMessage(
        id=Teller(call.ids, call.work.account_id).record_id(one.kept),
        created=_began(one.kept),
        from_env=EnvelopeAddress(outcome.sender),
        from_header=_author(one.kept),
        to=[NamedAddress(outcome.recipient)],
        subject=outcome.subject,
        size=outcome.size,
        info=outcome.reply,
        remote_ip=outcome.source_ip,
        route=route_of(call, outcome),
    )


def _waiting(call: Call, copy: WaitingCopy, kept: Kept | None) -> ProcessingMessage:
    """A copy that waits here. Of what was written here, such as a digest, there is no record."""
    outcome = None if kept is None else kept.outcome
    id_ = (
        call.seal(Kind.OUTGOING_MESSAGE, copy.key)
        if kept is None
        else Teller(call.ids, call.work.account_id).record_id(kept)
    )
    return ProcessingMessage(
        id=id_,
        created=fields.written(copy.created_at),
        from_env=EnvelopeAddress(copy.sender),
        from_header=NamedAddress("") if kept is None else _author(kept),
        to=[NamedAddress(copy.effective_recipient)],
        subject="" if outcome is None else outcome.subject,
        size=copy.size,
        info=copy.last_reply or NOT_TRIED,
        remote_ip="" if outcome is None else outcome.source_ip,
        route=route_between(call, copy.sender, copy.effective_recipient),
        origin=copy.origin,
        attempts=copy.attempts,
        next_attempt=fields.written(copy.due_at),
    )
