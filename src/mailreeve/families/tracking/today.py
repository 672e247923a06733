"""What would become of a recorded message today? Decided anew by the facts that were kept, never carried out."""

from __future__ import annotations

from datetime import datetime
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.families.tracking.outcomes import (
    LAYER_HELD,
    LAYER_LOCAL_FAULT,
    LAYER_MESSAGE_LIMITS,
    LAYER_NEXT_HOP,
    LAYER_PUT_OFF,
    REFUSED,
    Outcome,
    State,
)
from mailreeve.families.tracking.present import Teller
from mailreeve.families.tracking.types import Today
from mailreeve.formats.addresses import AddressError, parse_address, parse_sender
from mailreeve.formats.networks import parse_ip
from mailreeve.policy.decide.mail import decide_connect, decide_mail
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Action, Decision
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policy_types import SETTLED_IN, Layer

HEADER_UNSEEN: Final = "it depends on the From header, which was never seen"
HEADER_CUT: Final = "it depends on the From header, of which only the beginning was kept"
UNREADABLE: Final = "the record does not hold addresses that can be read"

_NOT_POLICIES: Final = (LAYER_NEXT_HOP, LAYER_LOCAL_FAULT, LAYER_MESSAGE_LIMITS, LAYER_HELD, LAYER_PUT_OFF)


class _Verdict(Struct, frozen=True):
    """What policies make of a message, as far as two verdicts are compared by it."""

    refused: bool
    held: bool
    layer: str
    policy_id: str
    spam_checks: str
    recipient: str


def today(policies: PolicySet, teller: Teller, one: Outcome, now: datetime) -> Today:
    """What the policies of now would make of it."""
    try:
        decision = _decided(policies, one, now.timestamp())
    except (AddressError, ValueError):
        decision = UNREADABLE
    if isinstance(decision, str):
        return Today(
            revision=policies.revision,
            verdict=None,
            reply=None,
            layer="",
            policy=None,
            spam_checks=one.spam_checks,
            recipient="",
            differs=False,
            undetermined=decision,
        )
    type_ = SETTLED_IN.get(decision.layer)
    winner = None if type_ is None else decision.winners.get(type_)
    policy_id = "" if winner is None else winner.id
    return Today(
        revision=policies.revision,
        verdict=_state(decision),
        reply=None if decision.reply is None else str(decision.reply),
        layer=decision.layer.value,
        policy=teller.settled_in(decision.layer, policy_id, decision.description),
        spam_checks=decision.spam_checks,
        recipient=decision.recipient,
        differs=_differs(one, decision, policy_id),
        undetermined="",
    )


def _decided(policies: PolicySet, one: Outcome, at: float) -> Decision | str:
    """The decision, or why there is none."""
    source_ip = parse_ip(one.source_ip) if one.source_ip else None
    if not one.recipient:
        refused = None if source_ip is None else decide_connect(policies, source_ip, at)
        return _heard_out(policies, one) if refused is None else refused
    facts = MessageFacts(
        sender=parse_sender(one.sender),
        recipient=parse_address(one.recipient),
        at=at,
        source_ip=source_ip,
        authenticated=False,  # as at the door
        source_trusted=one.source_trusted,
        spam=one.spam,
        flaws=one.flaws,
    )
    if one.header_from is not None and not one.header_cut:
        return decide_mail(policies, replace(facts, header_from=one.header_from))
    decision = decide_mail(policies, facts)
    if decision.certain:
        return decision
    return HEADER_CUT if one.header_cut else HEADER_UNSEEN


def _heard_out(policies: PolicySet, one: Outcome) -> Decision:
    """No decision yet: the client would be asked what it wants."""
    return Decision(
        action=Action.DELIVER,
        stage=None,
        reply=None,
        layer=Layer.DEFAULT,
        spam_checks=one.spam_checks,
        recipient="",
        winners={},
        revision=policies.revision,
    )


def _differs(one: Outcome, now: Decision, policy_id: str) -> bool:
    refused, held = one.state in REFUSED, one.state is State.HELD
    before = _Verdict(refused, held, one.layer, one.policy_id, one.spam_checks, one.effective_recipient)
    refused, held = now.action is Action.REJECT, now.action is Action.HOLD
    after = _Verdict(refused, held, now.layer.value, policy_id, now.spam_checks, now.recipient)
    if one.layer in _NOT_POLICIES:  # The policies let it through.
        before = replace(before, refused=False, held=after.held, layer=after.layer, policy_id=after.policy_id)
    if after.refused and before.refused:
        return (before.layer, before.policy_id) != (after.layer, after.policy_id)
    return before != after


def _state(decision: Decision) -> State:
    match decision.action:
        case Action.REJECT:
            reply = decision.reply
            return State.DEFERRED if reply is not None and reply.code < 500 else State.REJECTED
        case Action.HOLD:
            return State.HELD
        case Action.DELIVER:
            return State.DELIVERED
        case other:
            assert_never(other)
