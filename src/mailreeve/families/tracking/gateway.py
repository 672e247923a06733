"""Which mail was refused, and which is still on its way? Records of mail as the gateway functions tell of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import mailboxes
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.errors import USER_NOT_FOUND
from mailreeve.families.directory.users.mailboxes import DelegateScope
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.latest import passing
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
from mailreeve.families.tracking.message_finder import info_of, route_of
from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP, State
from mailreeve.families.tracking.present import Teller
from mailreeve.families.tracking.rows import Kept
from mailreeve.families.tracking.types import EnvelopeAddress, FindMailRecords, NamedAddress
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.policy_types import Layer
from mailreeve.wire import fields
from mailreeve.wire.errors import refused
from mailreeve.wire.pagination import Page

EVERYBODYS: Final = (Permission.MONITORING_REJECTIONS_READ,)
"""What it takes to see the rejections of all mailboxes."""

TRIED_FOR: Final = timedelta(days=5)
"""How long a sender's server tries to hand on what was put off (RFC 5321 section 4.5.4.1)."""

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
            tests.append(lambda kept: kept.outcome.owner == owner.id)
    by = item.search_by
    if by is not None and by.value:
        text, member = by.value.casefold(), by.field_name
        tests.append(lambda kept: text in _searched(kept, member))
    what = _wanted(call, State.REJECTED, item.start or item.from_, item.end or item.to, item.oldest_first)
    page = _found(call, what, tests)
    return page.showing([_rejection(call, kept) for kept in page.rows])


def processing(call: Call, item: FindProcessing) -> Page[ProcessingMessage]:
    """A page of the messages that are still on their way. Raises `ItemRefused`."""
    if item.type is ProcessingType.BULK_PROCESSING:
        return Page((), 0, 0)
    tests: list[Test] = [_may_be_taken]
    routes = {one.route for one in item.filter_by if one.route} - {"all"}
    if routes:
        tests.append(lambda kept: route_of(call, kept.outcome) in routes)
    by = item.search_by
    if by is not None and by.value:
        text, member = by.value.casefold(), by.field_name
        tests.append(lambda kept: text in _processing_text(kept, member))
    tests.append(lambda kept: rows.is_last(call.work, kept))
    start = item.start or fields.written(call.work.now - TRIED_FOR)
    what = _wanted(call, State.DEFERRED, start, item.end, item.sort_order is SortOrder.ASCENDING)
    page = _found(call, what, tests)
    return page.showing([_on_its_way(call, kept) for kept in page.rows])


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


def _processing_text(kept: Kept, by: ProcessingField) -> str:
    one = kept.outcome
    texts = {
        ProcessingField.FROM: one.sender,
        ProcessingField.TO: one.recipient,
        ProcessingField.SUBJECT: one.subject,
        ProcessingField.INFO: one.reply,
        ProcessingField.REMOTE_IP: one.source_ip,
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


def _on_its_way(call: Call, kept: Kept) -> ProcessingMessage:
    one = kept.outcome
    return ProcessingMessage(
        id=Teller(call.ids, call.work.account_id).record_id(kept),
        created=_began(kept),
        from_env=EnvelopeAddress(one.sender),
        from_header=_author(kept),
        to=[NamedAddress(one.recipient)],
        subject=one.subject,
        size=one.size,
        info=one.reply,
        remote_ip=one.source_ip,
        route=route_of(call, one),
    )
