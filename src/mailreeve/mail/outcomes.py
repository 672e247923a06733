"""From a decision to the row that is kept of it (design.md section 3, behaviour.md D-35 and D-36)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.families.machinery.copies import (
    Applied,
    ArchivedCopy,
    Copy,
    HeldCopy,
    HoldCause,
    RecipientOfCopy,
)
from mailreeve.families.tracking.outcomes import (
    MAX_ALTERATIONS,
    MAX_AUTHORS,
    MAX_DESCRIPTION,
    MAX_HELO,
    MAX_MESSAGE_ID,
    MAX_NAME,
    MAX_SUBJECT,
    MAX_SYMBOLS,
    Outcome,
    State,
    Won,
)
from mailreeve.formats.addresses import Address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.message import Message
from mailreeve.formats.networks import IPAddress
from mailreeve.formats.sensitivity import is_private
from mailreeve.mail.plan import reply_line
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Action, Decision, Stage
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import AddressType
from mailreeve.policy.model.policy_types import SETTLED_IN, SmtpReply

TAKEN: Final = SmtpReply(250, "2.0.0", "Taken")
"""What a sender is told of a copy that is kept here: that it is held is not for them."""

LOCAL_FAULT: Final = SmtpReply(451, "4.3.0", "Local fault, try again later")
NO_ROOM: Final = SmtpReply(452, "4.3.1", "Insufficient system storage")


class Recipient(Struct, frozen=True):
    """One envelope recipient: the facts, the policies, and what these decided at RCPT, without the header.
    `client_name` is what the client called itself, `login` as whom it signed in, says a server in front;
    `not_scanned` says why a spam engine that was to look at the message did not, as in `Outcome`."""

    facts: MessageFacts
    policies: PolicySet
    decision: Decision
    client_name: str = ""
    login: str = ""
    not_scanned: str = ""

    @property
    def address(self) -> Address:
        """The recipient as the sender wrote it."""
        return self.facts.recipient


def taken_outcome(recipient: Recipient, decision: Decision, decision_id: str) -> Outcome:
    """The outcome of a recipient whose message is taken: `held`, or `accepted` until the door knows more."""
    if decision.action is Action.HOLD:
        return _outcome(recipient, decision, decision_id, State.HELD, None, reply_line(TAKEN, decision_id))
    return _outcome(recipient, decision, decision_id, State.ACCEPTED, None, "")


def refused_outcome(
    recipient: Recipient, decision: Decision, decision_id: str, reply: SmtpReply, stage: Stage
) -> Outcome:
    """The outcome of a recipient whom the policies refuse the message."""
    line = reply_line(reply, decision_id)
    return _outcome(recipient, decision, decision_id, _state(reply), stage, line)


def stopped_outcome(
    recipient: Recipient, decision: Decision, decision_id: str, reply: SmtpReply, stage: Stage, layer: str
) -> Outcome:
    """The outcome of a recipient whom the policies would let have it, but whom `layer` does not."""
    outcome = refused_outcome(recipient, decision, decision_id, reply, stage)
    return replace(outcome, layer=layer, policy_id="", description="")


def undelivered(outcome: Outcome, reply: SmtpReply, layer: str) -> Outcome:
    """The outcome of a delivery that the next hop did not take."""
    return replace(
        outcome,
        state=_state(reply),
        stage=Stage.DATA,
        layer=layer,
        reply=reply_line(reply, outcome.decision_id),
        policy_id="",
        description="",
    )


def described(
    outcomes: Iterable[Outcome], message: Message, authors: tuple[HeaderFrom, ...] | None
) -> tuple[Outcome, ...]:
    """The outcomes with what is known of the message only at the end of its data.

    All of it is a stranger's, and stands in the record of every recipient: so only the beginning is kept.
    """
    subject = message.text("subject", MAX_SUBJECT)
    message_id = message.text("message-id", MAX_MESSAGE_ID)
    private = is_private(message)
    kept = None if authors is None else tuple(_shortened(author) for author in authors[:MAX_AUTHORS])
    return tuple(
        replace(
            outcome,
            header_from=kept,
            header_cut=kept != authors,
            subject=subject,
            message_id=message_id,
            size=message.size,
            is_private=private,
            alterations=outcome.alterations[:MAX_ALTERATIONS],
        )
        for outcome in outcomes
    )


def _shortened(author: HeaderFrom) -> HeaderFrom:
    others = tuple(name[:MAX_NAME] for name in author.other_names)
    return replace(author, display_name=author.display_name[:MAX_NAME], other_names=others)


def _state(reply: SmtpReply) -> State:
    return State.DEFERRED if reply.code < 500 else State.REJECTED


def _outcome(
    recipient: Recipient, decision: Decision, decision_id: str, state: State, stage: Stage | None, line: str
) -> Outcome:
    facts = recipient.facts
    type_ = SETTLED_IN.get(decision.layer)
    winner = None if type_ is None else decision.winners.get(type_)
    sender = str(facts.sender)
    owner = recipient.policies.identities.user(facts.recipient)
    altered = (a.new for a in decision.alterations if a.field is AddressType.ENVELOPE_FROM)
    return Outcome(
        account_id=recipient.policies.account_id,
        decision_id=decision_id,
        at=facts.at,
        source_ip="" if facts.source_ip is None else str(facts.source_ip),
        source_trusted=facts.source_trusted,
        sender=sender,
        effective_sender=next(altered, sender),
        recipient=str(facts.recipient),
        effective_recipient=decision.recipient,
        header_from=facts.header_from,
        subject="",
        message_id="",
        size=0,
        state=state,
        stage=stage,
        layer=decision.layer.value,
        reply=line,
        policy_id="" if winner is None else winner.id,
        description=decision.description,
        revision=decision.revision,
        spam_checks=decision.spam_checks,
        alterations=decision.alterations,
        winners=won(decision),
        client_name=recipient.client_name[:MAX_HELO],
        login=recipient.login,
        owner="" if owner is None else owner.id,
        authentication=facts.authentication,
        spam=None if facts.spam is None else replace(facts.spam, symbols=facts.spam.symbols[:MAX_SYMBOLS]),
        not_scanned=recipient.not_scanned,
        flaws=facts.flaws,
    )


def won(decision: Decision) -> tuple[Won, ...]:
    """The policies that won their types."""
    return tuple(
        Won(type_.value, winner.id, winner.description[:MAX_DESCRIPTION])
        for type_, winner in decision.winners.items()
        if winner is not None
    )


def connect_outcome(policies: PolicySet, decision: Decision, source_ip: IPAddress, at: float, id_: str) -> Outcome:
    """The outcome of a source that is refused at connect: neither sender nor recipient was named."""
    type_ = SETTLED_IN.get(decision.layer)
    winner = None if type_ is None else decision.winners.get(type_)
    return Outcome(
        account_id=policies.account_id,
        decision_id=id_,
        at=at,
        source_ip=str(source_ip),
        sender="",
        effective_sender="",
        recipient="",
        effective_recipient="",
        header_from=None,
        subject="",
        message_id="",
        size=0,
        state=_state(decision.refusal),
        stage=Stage.CONNECT,
        layer=decision.layer.value,
        reply=reply_line(decision.refusal, id_),
        policy_id="" if winner is None else winner.id,
        description=decision.description,
        revision=decision.revision,
        spam_checks=decision.spam_checks,
        winners=won(decision),
    )


def held_copy(copy: Copy, cause: HoldCause, outcome: Outcome) -> HeldCopy:
    """A copy that is held, with what its list shows of the message."""
    author = next(iter(outcome.header_from or ()), None)
    header_from = "" if author is None or author.address is None else str(author.address)
    return HeldCopy(copy, cause, outcome.at, outcome.source_ip, outcome.subject, header_from)


def archived_copy(copy: Copy, outcomes: Mapping[str, Outcome], key: bytes | None) -> ArchivedCopy:
    """A copy that was delivered, with what the archive keeps of its decisions. `outcomes` are those of the copy's
    recipients, by the recipient as the sender wrote it, and `key` what the message is recognised by when it is
    sent again."""
    first = outcomes[str(copy.recipients[0].original)]
    author = next(iter(first.header_from or ()), None)
    return ArchivedCopy(
        copy,
        tuple(_recipient_of_copy(outcomes[str(one.original)], str(one.effective)) for one in copy.recipients),
        first.sender,
        first.at,
        first.source_ip,
        first.subject,
        first.message_id,
        "" if author is None or author.address is None else str(author.address),
        "" if author is None else author.display_name,
        "" if key is None else key.hex(),
    )


def _recipient_of_copy(outcome: Outcome, effective: str) -> RecipientOfCopy:
    policies = tuple(Applied(one.type, one.id, one.description) for one in outcome.winners)
    return RecipientOfCopy(outcome.recipient, effective, policies, outcome.revision)
