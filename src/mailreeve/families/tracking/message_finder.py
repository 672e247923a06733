"""Records of mail in the words of message-finder (api.md section 3.12; behaviour.md section 8.5).

A record is of one message for one recipient, so each entry has one recipient in `to`, and a message that was
deferred first and taken later has an entry for each. What is handed on has the status `accepted`; message-finder
has no word for what the next hop makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import UNSET

from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.latest import passing
from mailreeve.families.tracking import reading
from mailreeve.families.tracking import search as records
from mailreeve.families.tracking.operations import KEEP_OTHERS, KEEP_REFUSALS
from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP, REFUSED, Outcome, State
from mailreeve.families.tracking.present import Teller, authors_text, recorded_at
from mailreeve.families.tracking.rows import Kept
from mailreeve.families.tracking.types import (
    Allowance,
    AppliedPolicy,
    DeliveredMessage,
    EnvelopeAddress,
    FindMailRecords,
    MessageFound,
    MessageInfo,
    MetaInfo,
    NamedAddress,
    RecipientInfo,
    Retention,
    SearchMessages,
    SpamInfo,
    SpamProcessing,
    TrackedEmail,
)
from mailreeve.families.tracking.types import TrackOptions as Options
from mailreeve.policy.model.authentication import Authentication, Result
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.policy.model.policy_types import POLICY_TYPES, Layer, PolicyType
from mailreeve.wire import fields
from mailreeve.wire.errors import EXACTLY_ONE, NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page

ALL_STATUSES: Final = (
    "processing",
    "delivery",
    "system",
    "held",
    "accepted",
    "bulk_processing",
    "bulk_delivery",
    "bounced",
    "deferred",
    "rejected",
    "archived",
    "delivered",
    "released",
    "expired",
    "connection",
)
"""Those of message-finder, and of ours those that it has no word for (behaviour.md D-36)."""

_HANDED_ON: Final = (State.ACCEPTED, State.DELIVERED, State.RELEASED)
_STATES: Final = {
    "rejected": (State.REJECTED,),
    "deferred": (State.DEFERRED,),
    "held": (State.HELD,),
    "bounced": (State.BOUNCED,),
    "released": (State.RELEASED,),
    "expired": (State.EXPIRED,),
    "connection": (State.CONNECTION,),
    "archived": (*_HANDED_ON, State.ARCHIVED),
    **dict.fromkeys(("accepted", "delivery", "delivered"), _HANDED_ON),
}
_ROUTES: Final = ("all", "internal", "outbound", "inbound", "external")
_EVERYTHING: Final = "all"

RECEIVED: Final = "received"
LEGAL_HOLD: Final = "Legal hold"

Matches = Callable[[Outcome], bool]


def search(call: Call, item: SearchMessages) -> Page[TrackedEmail]:
    """A page of the messages that were searched for. Raises `ItemRefused`."""
    options = item.advanced_track_and_trace_options
    if (item.message_id is None) == (options is None):
        names = "messageId, advancedTrackAndTraceOptions"
        raise refused(EXACTLY_ONE, "messageId", f"{EXACTLY_ONE.message}: {names}")
    options = options or Options()
    states = _states(_texts(item.status))
    routes = frozenset(_known(_texts(options.route) or _texts(item.route), _ROUTES, "route")) - {_EVERYTHING}
    what = records.wanted(
        FindMailRecords(
            from_=options.from_,
            to=options.to,
            message_id=item.message_id,
            source_ip=options.sender_ip,
            since=None if item.start is None else fields.written(fields.moment(item.start, "start")),
            until=None if item.end is None else fields.written(fields.moment(item.end, "end")),
            verdict=next(iter(states)) if states is not None and len(states) == 1 else None,
        ),
        call.ids,
        call.work.account_id,
        call.work.now,
    )
    if states is not None and not states:
        return Page((), 0, 0)
    tests = list(_tests(call, options.subject, states, routes))
    page = _narrowed(call, what, tests) if tests else records.found(call.work, call.page, what)
    return page.showing([_tracked(call, kept) for kept in page.rows])


def info(call: Call, wire_id: str) -> MessageFound:
    """All that is known of a message. Raises `ItemRefused`."""
    kept = reading.of_record_id(call, wire_id)
    one = kept.outcome
    message, meta = _message_info(kept, one.recipient), _meta_info(kept)
    applied = [AppliedPolicy(_words_of(won.type), won.description) for won in one.winners]
    to = one.effective_recipient
    delivered = {to: DeliveredMessage(_message_info(kept, to), applied, meta)}
    won = {winner.type for winner in one.winners}
    # The own list also blocks: then it is no permit that was passed over.
    managed = PolicyType.MANAGED_SENDERS.value in won and not (
        one.state in REFUSED and one.layer == Layer.MANAGED_SENDERS.value
    )
    spared = one.spam_checks is SpamChecks.SKIP
    known = one.authentication or Authentication()
    return MessageFound(
        id=wire_id,
        status=_status(one),
        recipient_info=RecipientInfo(message, meta, meta),
        delivered_message=delivered if one.state in _HANDED_ON else UNSET,
        policy_info=applied,
        retention_info=_retention(call, kept),
        spam_info=SpamInfo(
            SpamProcessing(
                permitted_sender=_allowance(PolicyType.PERMITTED_SENDERS.value in won, spared),
                managed_sender=_allowance(managed, spared),
                spf=_result(known.spf),
                dkim=_result(known.dkim[0].result if known.dkim else None),
                dmarc=_result(known.dmarc),
            ),
            spam_score=_score(one),
            detection_level=_level(one),
        ),
    )


def _retention(call: Call, kept: Kept) -> Retention:
    """How long the message is kept: in the archive, where it is there; else it is the record alone."""
    one = kept.outcome
    archived = None
    if one.state in _HANDED_ON:
        days = call.installation.archive_days
        archived = call.elsewhere.archived(call.work, one.decision_id, one.recipient, recorded_at(kept), days)
    if archived is None:
        keep = KEEP_REFUSALS if one.state in REFUSED else KEEP_OTHERS
        ends = datetime.fromtimestamp(one.at, UTC) + keep
        return Retention(keep.days, RECEIVED, fields.written(ends), is_archived=False)
    return Retention(
        archived.days,
        RECEIVED,
        "" if archived.until is None or archived.legal_hold else fields.written(archived.until),
        is_archived=True,
        litigation_hold_info=[LEGAL_HOLD] if archived.legal_hold else [],
    )


def _score(one: Outcome) -> int:
    """The score of a spam engine as the live service has it, a whole number; 0 where none said anything."""
    return 0 if one.spam is None else round(one.spam.score)


def _level(one: Outcome) -> str:
    return "" if one.spam is None else one.spam.action.value


def _allowance(won: bool, spared: bool) -> Allowance:
    """Whether a permit spared the message spam checks; one that won its type and did not is `ignored`."""
    return Allowance(won and spared, "none" if not won else "whitelist" if spared else "ignored")


def _words_of(type_: str) -> str:
    """How a type of policy is called. One that a later version knows has the name that it wrote."""
    known = {one.value: row.words for one, row in POLICY_TYPES.items()}
    return known.get(type_, type_.replace("_", " ")).title()


def _result(found: Result | None) -> Allowance:
    """What a check came to; of several signatures one that passes stands first."""
    return Allowance(found is Result.PASS, "none" if found is None else found.value)


def _narrowed(call: Call, what: records.Wanted, tests: Sequence[Matches]) -> Page[Kept]:
    """A page of the records that pass the tests as well: what no index has is subjects, routes, and several
    statuses at once."""
    return passing(
        call.page,
        lambda asked: records.found(call.work, asked, what),
        lambda kept: all(test(kept.outcome) for test in tests),
        lambda kept: kept.key,
    )


def _tests(
    call: Call, subject: str | None, states: Collection[State] | None, routes: Collection[str]
) -> Iterable[Matches]:
    if subject is not None:
        words = subject.casefold()
        yield lambda one: words in one.subject.casefold()
    if states is not None and len(states) > 1:
        yield lambda one: one.state in states or (State.CONNECTION in states and one.stage is Stage.CONNECT)
    if routes:
        yield lambda one: route_of(call, one) in routes


def _states(statuses: Sequence[str]) -> frozenset[State] | None:
    """The states that are meant; None for all of them."""
    known = _known(statuses, (*ALL_STATUSES, _EVERYTHING), "status")
    if not known or _EVERYTHING in known:
        return None
    return frozenset(state for status in known for state in _STATES.get(status, ()))


def _known(texts: Sequence[str], allowed: Sequence[str], field: str) -> Sequence[str]:
    for text in texts:
        if text not in allowed:
            raise refused(NOT_ALLOWED, field, f"Field must be one of [{','.join(allowed)}]")
    return texts


def _texts(value: Sequence[str] | str) -> Sequence[str]:
    """What some clients send as a list and others as a text."""
    return [value.lower()] if isinstance(value, str) else [one.lower() for one in value]


def _tracked(call: Call, kept: Kept) -> TrackedEmail:
    one = kept.outcome
    author = one.header_from[0] if one.header_from else None
    address = "" if author is None or author.address is None else str(author.address)
    received = fields.written(datetime.fromtimestamp(one.at, UTC))
    return TrackedEmail(
        id=Teller(call.ids, call.work.account_id).record_id(kept),
        status=_status(one),
        info=info_of(one),
        from_env=EnvelopeAddress(one.sender),
        from_hdr=NamedAddress(address, "" if author is None else author.display_name),
        to=[NamedAddress(one.recipient)],
        received=received,
        sent=received,
        subject=one.subject,
        sender_ip=one.source_ip,
        route=route_of(call, one),
        spam_score=_score(one),
        detection_level=_level(one),
    )


def _status(one: Outcome) -> str:
    return "accepted" if one.state in _HANDED_ON else one.state.value


def info_of(one: Outcome) -> str:
    """Why it has its status. A mail refused at the envelope is `Envelope Rejected` (api.md section 3.12)."""
    if one.state not in REFUSED and one.state not in _HANDED_ON:
        return f"{one.state.value.capitalize()}: {one.description or one.hop_reply or one.layer}"
    if one.state not in REFUSED:
        return f"Delivered, {one.hop_reply}" if one.hop_reply else "Delivered"
    if one.layer == LAYER_NEXT_HOP:
        return f"Refused by the next mail server: {one.reply}"
    if one.state is State.REJECTED and one.stage is not Stage.DATA:
        return "Envelope Rejected"
    return one.reply


def route_of(call: Call, one: Outcome) -> str:
    """Between whom it went: those inside and those outside (behaviour.md section 2.3)."""
    return route_between(call, one.sender, one.recipient)


def route_between(call: Call, sender: str, recipient: str) -> str:
    """The same of two addresses."""
    internal = call.policies.directory.internal_domains
    from_us = sender.rpartition("@")[2].lower() in internal
    to_us = recipient.rpartition("@")[2].lower() in internal
    if to_us:
        return "internal" if from_us else "inbound"
    return "outbound" if from_us else "external"


def _message_info(kept: Kept, recipient: str) -> MessageInfo:
    one = kept.outcome
    return MessageInfo(
        from_header=authors_text(one) or "",
        from_envelope=one.sender,
        to=[recipient],
        subject=one.subject,
        sent=fields.written(datetime.fromtimestamp(one.at, UTC)),
        processed=fields.written(recorded_at(kept)),
        transmission_info=one.reply,
    )


def _meta_info(kept: Kept) -> MetaInfo:
    one = kept.outcome
    return MetaInfo(
        remote_ip=one.source_ip,
        remote_host=one.client_name,
        transmission_start=fields.written(datetime.fromtimestamp(one.at, UTC)),
        transmission_end=fields.written(recorded_at(kept)),
        transmission_size=one.size,
        receipt_event=info_of(one),
        receipt_acknowledgement=one.hop_reply or one.reply,
        message_id=one.message_id,
    )
