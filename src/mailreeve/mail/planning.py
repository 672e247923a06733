"""Who gets the message, and which copy of it? The decisions at the end of its data.

Each recipient is decided alone. Those who get equal copies, marks and alterations included, are delivered
to together; whoever's copy differs gets one of his own, so that no copy tells of another recipient. Recipients
whom alteration leads to one mailbox get one copy there.

A message in which an address would have to be altered and cannot be is refused (`address_fields`): it would show
what is to be hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.families.machinery.copies import HoldCause, Routed
from mailreeve.families.tracking.outcomes import LAYER_MESSAGE_LIMITS, LAYER_PUT_OFF, NotScanned, Outcome
from mailreeve.formats.addresses import Address, AddressError, Sender, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.malformed import Flaw
from mailreeve.formats.message import Message
from mailreeve.mail.correspondence import correspondence
from mailreeve.mail.edits import AddressFields, Edits, claims_of_results, envelope_originals, marks, tagged
from mailreeve.mail.outcomes import (
    Recipient,
    described,
    refused_outcome,
    stopped_outcome,
    taken_outcome,
)
from mailreeve.mail.plan import Deliver, Hold, Plan, Record, Reject
from mailreeve.mail.released import places_of_marks
from mailreeve.mail.results import NOBODY_ASKED, FoundResults
from mailreeve.policy.decide.address_fields import CannotAlterError, are_made
from mailreeve.policy.decide.content import with_content
from mailreeve.policy.decide.mail import unless_refused_before
from mailreeve.policy.decide.replies import CANNOT_ALTER
from mailreeve.policy.decide.rewrite import Rewriter, rewriter
from mailreeve.policy.decide.with_header import decide_with_header
from mailreeve.policy.model.authentication import Authentication
from mailreeve.policy.model.content import SpamTag, SpamVerdict
from mailreeve.policy.model.decisions import Action, Decision, FieldAlteration, SpamChecks, Stage
from mailreeve.policy.model.policies import AddressType
from mailreeve.policy.model.policy_types import SETTLED_IN, Layer, SmtpReply

NewId = Callable[[], str]
NOBODY: Final[Mapping[str, str]] = {}


class _Copy(Struct, frozen=True):
    """What one recipient's copy will be, but for the decision id. Equal ones are delivered together."""

    account_id: str
    sender: Sender
    spam_checks: SpamChecks
    originals: tuple[tuple[str, str], ...]
    replaced: tuple[tuple[int, bytes], ...]
    is_utf8: bool = False
    held: HoldCause | None = None
    tag: SpamTag | None = None
    is_spoofed: bool = False


class _Member(Struct, frozen=True):
    """One recipient of a copy."""

    recipient: Recipient
    decision: Decision
    route: Routed
    alterations: tuple[FieldAlteration, ...]


class Decided(Struct, frozen=True):
    """One recipient, with the header among the facts, and what is decided without the content."""

    recipient: Recipient
    decision: Decision

    @property
    def wants_scan(self) -> bool:
        """Whether the recipient would get the message, as far as is known without its content."""
        return self.decision.action is not Action.REJECT

    def with_note(self, not_scanned: NotScanned) -> Decided:
        """The same, with why a spam engine said nothing, where it was to look for this recipient."""
        if not self.wants_scan:
            return self
        return replace(self, recipient=replace(self.recipient, not_scanned=not_scanned.value))


def decide_headers(
    authors: tuple[HeaderFrom, ...], authentication: Authentication | None, recipients: Iterable[Recipient]
) -> list[Decided]:
    """What is decided for each recipient now that the header is known, and what was found about who wrote it."""
    decided = []
    for early in recipients:
        facts = replace(early.facts, header_from=authors, authentication=authentication)
        recipient = replace(early, facts=facts)
        decision = decide_with_header(recipient.policies, early.decision, recipient.facts)
        decided.append(Decided(recipient, decision))
    return decided


def plan_message(
    message: Message,
    authors: tuple[HeaderFrom, ...],
    decided: Iterable[Decided],
    refused: Iterable[Outcome],
    new_id: NewId,
    hostname: str = "",
    *,
    passing: Mapping[str, str] = NOBODY,
    results: FoundResults = NOBODY_ASKED,
    spam: SpamVerdict | None = None,
    flaws: tuple[Flaw, ...] = (),
) -> Plan:
    """The plan for a message. `refused` are the outcomes settled at RCPT, `hostname` is what the door calls
    itself; `results` are what those in front of it found about who sent the message, `spam` and `flaws` what is
    known of the content. `passing` are the recipients, as they are spelt, for whom it is a copy of our own that
    comes back (`released`), with the decision that made it: it passes as it is, whatever is decided."""
    everybody = list(decided)
    decided = [one for one in everybody if str(one.recipient.address) not in passing]
    address_fields = AddressFields(message)
    rejects: list[Reject] = []
    outcomes = list(refused)
    boxes: dict[tuple[str, str, HoldCause | None], tuple[_Copy, list[_Member]]] = {}
    found = [_with_content(one, spam, flaws) for one in decided]
    put_off = next((reply for one in found if (reply := _delay(one.decision)) is not None), None)
    for one in found:
        recipient, decision = one.recipient, one.decision
        if put_off is not None and decision.action is not Action.REJECT:
            # A message has one answer, and is put off for all or for none.
            decision_id, reply = new_id(), put_off
            rejects.append(Reject(recipient.address, reply, decision_id))
            outcomes.append(stopped_outcome(recipient, decision, decision_id, reply, Stage.DATA, LAYER_PUT_OFF))
            continue
        made = _copy_or_refusal(recipient, decision, address_fields)
        if isinstance(made, Decision):
            decision_id, reply = new_id(), in_session(made.refusal)
            rejects.append(Reject(recipient.address, reply, decision_id, made))
            outcomes.append(refused_outcome(recipient, made, decision_id, reply, Stage.DATA))
            continue
        copy, member = made
        box = copy.account_id, str(member.route.effective), copy.held
        there = boxes.get(box)
        boxes[box] = (copy, [member]) if there is None else (_for_both(there[0], copy), [*there[1], member])
    copies: dict[_Copy, list[_Member]] = {}
    for copy, members in boxes.values():
        copies.setdefault(copy, []).extend(members)
    own = {hostname} if hostname else set[str]()
    removed = claims_of_results(message, own | results.asked) - results.places
    steps: list[Deliver | Hold] = []
    for copy, members in copies.items():
        decision_id = new_id()
        for member in members:
            outcome = taken_outcome(member.recipient, member.decision, decision_id)
            outcomes.append(replace(outcome, alterations=member.alterations, spam_checks=copy.spam_checks))
        marked = marks(copy.spam_checks, decision_id, is_spoofed=copy.is_spoofed)
        edits = Edits((*marked, *copy.originals), copy.replaced, removed)
        if copy.tag is not None:
            edits = tagged(message, edits, copy.tag)
        routes = tuple(member.route for member in members)
        if copy.held is None:
            steps.append(Deliver(copy.account_id, decision_id, copy.sender, routes, edits, copy.is_utf8))
        else:
            steps.append(Hold(copy.account_id, decision_id, copy.sender, routes, edits, copy.held, copy.is_utf8))
    for one in everybody:
        recipient, made_by = one.recipient, passing.get(str(one.recipient.address))
        if made_by is None:
            continue
        if put_off is not None:
            decision_id = new_id()
            rejects.append(Reject(recipient.address, put_off, decision_id))
            outcomes.append(
                stopped_outcome(recipient, one.decision, decision_id, put_off, Stage.DATA, LAYER_PUT_OFF)
            )
            continue
        delivered = replace(one.decision, action=Action.DELIVER, reply=None, stage=None)
        outcomes.append(taken_outcome(recipient, delivered, made_by))
        edits = Edits(removed=places_of_marks(message), keeps_own=True)
        route = Routed(recipient.address, recipient.address)
        account_id, sender = recipient.policies.account_id, recipient.facts.sender
        steps.append(Deliver(account_id, made_by, sender, (route,), edits, passes=True))
    # Where some are refused for good and others put off, what is said is that it is put off.
    rejects.sort(key=lambda reject: put_off is not None and reject.reply.code >= 500)
    record = Record(described(outcomes, message, authors))
    return Plan(message, (*rejects, *steps, record), correspondence(message, [one.recipient for one in decided]))


def plan_refusal(
    reply: SmtpReply,
    message: Message,
    recipients: Iterable[Recipient],
    refused: Iterable[Outcome],
    new_id: NewId,
    layer: str = LAYER_MESSAGE_LIMITS,
) -> Plan:
    """The plan for a message that nobody gets, for a cause that is no policy: the `layer` says which."""
    rejects: list[Reject] = []
    outcomes = list(refused)
    for recipient in recipients:
        decision_id = new_id()
        rejects.append(Reject(recipient.address, reply, decision_id))
        outcomes.append(stopped_outcome(recipient, recipient.decision, decision_id, reply, Stage.DATA, layer))
    record = Record(described(outcomes, message, None))
    return Plan(message, (*rejects, record))


def _with_content(one: Decided, spam: SpamVerdict | None, flaws: tuple[Flaw, ...]) -> Decided:
    """The recipient with what is known of the content, decided by that as well."""
    if spam is None and not flaws:
        return one
    recipient = one.recipient
    facts = replace(recipient.facts, spam=spam, flaws=flaws)
    decision = with_content(recipient.policies, one.decision, facts)
    return Decided(replace(recipient, facts=facts), decision)


def _delay(decision: Decision) -> SmtpReply | None:
    """The reply of a decision that puts the message off because of its content, None for any other."""
    reply = decision.reply
    return reply if decision.layer is Layer.SPAM and reply is not None and reply.code < 500 else None


def hold_cause(decision: Decision) -> HoldCause | None:
    """Why the recipient's copy is held, None where it is not."""
    if decision.action is not Action.HOLD:
        return None
    type_ = SETTLED_IN.get(decision.layer)
    winner = None if type_ is None else decision.winners.get(type_)
    return HoldCause(decision.layer, "" if winner is None else winner.id, decision.description)


def in_session(reply: SmtpReply) -> SmtpReply:
    """The reply to a single recipient. A 421 would end the session for the other recipients too."""
    return replace(reply, code=451) if reply.code == 421 else reply


def altered_sender(rewrites: Rewriter, sender: Sender) -> tuple[Sender, tuple[FieldAlteration, ...]]:
    """The envelope sender after alteration. The null sender is nobody's address and stays. Raises
    `CannotAlterError` where the new address is none that could be sent."""
    if isinstance(sender, Address):
        alteration = rewrites.rewrite(AddressType.ENVELOPE_FROM, sender)
        if alteration is not None:
            try:
                return parse_address(alteration.new), (alteration,)
            except AddressError as problem:
                raise CannotAlterError from problem
    return sender, ()


def _copy_or_refusal(
    recipient: Recipient, decision: Decision, address_fields: AddressFields
) -> tuple[_Copy, _Member] | Decision:
    """The copy that the recipient gets, or the decision that refuses it."""
    match decision.action:
        case Action.REJECT:
            return decision
        case Action.DELIVER | Action.HOLD:
            try:
                return _copy_for(recipient, decision, address_fields)
            except CannotAlterError:
                return unless_refused_before(decision, CANNOT_ALTER)
        case other:
            assert_never(other)


def _copy_for(recipient: Recipient, decision: Decision, address_fields: AddressFields) -> tuple[_Copy, _Member]:
    policies, address, sender = recipient.policies, recipient.address, recipient.facts.sender
    held, is_spoofed = hold_cause(decision), decision.layer is Layer.ANTI_SPOOFING
    if not policies.definitions:
        copy = _Copy(
            policies.account_id,
            sender,
            decision.spam_checks,
            (),
            (),
            held=held,
            tag=decision.tag,
            is_spoofed=is_spoofed,
        )
        return copy, _Member(recipient, decision, Routed(address, address), ())
    rewrites = rewriter(policies, recipient.facts)
    sender, envelope = altered_sender(rewrites, sender)
    to = rewrites.rewrite(AddressType.ENVELOPE_TO, address)
    if to is not None:
        envelope = (*envelope, to)
    header = address_fields.altered(policies.account_id, rewrites)
    made = (*envelope, *header.alterations)
    # What the decision says of an author is so, or the message is not sent.
    if not are_made(decision.alterations, made):
        raise CannotAlterError
    effective = rewrites.recipient(address)
    # Mail that goes outside does not tell strangers what was hidden from them.
    inside = {address.domain, effective.domain} <= policies.directory.internal_domains
    originals = (*envelope_originals(envelope), *header.originals) if inside else ()
    copy = _Copy(
        policies.account_id,
        sender,
        decision.spam_checks,
        originals,
        header.replaced,
        header.is_utf8,
        held,
        decision.tag,
        is_spoofed,
    )
    return copy, _Member(recipient, decision, Routed(address, effective), made)


def _for_both(first: _Copy, second: _Copy) -> _Copy:
    """The one copy for two recipients with one mailbox: as the first would have it, with both originals named; and
    looked at by a spam engine, tagged, or marked as spoofed, if either was to be."""
    spared = first.spam_checks is SpamChecks.SKIP and second.spam_checks is SpamChecks.SKIP
    return replace(
        first,
        originals=tuple(dict.fromkeys((*first.originals, *second.originals))),
        spam_checks=SpamChecks.SKIP if spared else SpamChecks.RUN,
        tag=first.tag or second.tag,
        is_spoofed=first.is_spoofed or second.is_spoofed,
    )
