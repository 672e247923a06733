"""What becomes of this message for this recipient, and is that certain yet?

The layers, in order; the first that has something to say settles the verdict (behaviour.md 1 and 3.3):

0. a source address blocked for everybody: refused at connect
1. relay: mail to external recipients is taken from relay networks only, and so are internal recipients
   that a server behind us could read as a way to the outside
2. recipient validation
3. blocked senders, by original addresses (D-20)
4. permitted senders: deliver and skip spam checks; beats personal blocks by envelope and header (D-16)
5. the effective recipient's personal list (D-46)
6. otherwise deliver, spam checks run

Whatever the layers 3 to 6 say, a message with more authors than are looked at is refused once its header
is known: an author that nobody looked at could be one who is blocked.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.policy.addresses import Address, NullSender, is_sender_routed
from mailreeve.policy.alteration import Rewriter
from mailreeve.policy.authors import MAX_AUTHORS
from mailreeve.policy.contest import Contest, contest
from mailreeve.policy.decisions import (
    Decision,
    FieldAlteration,
    Layer,
    PolicyType,
    SmtpReply,
    SpamChecks,
    Stage,
    Verdict,
    Winner,
)
from mailreeve.policy.facts import IPAddress, MessageFacts
from mailreeve.policy.matching import Case, Match, P, case_of
from mailreeve.policy.networks import unmapped
from mailreeve.policy.personal import Hit, PersonalView, entry_description, personal_view
from mailreeve.policy.policies import (
    AddressType,
    AlterationPolicy,
    BlockedSenderPolicy,
    FromPart,
    PermittedSenderPolicy,
)
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.replies import (
    HEADER_BLOCKED,
    INVALID_RECIPIENT,
    OPEN_RELAY,
    PERSONAL_HEADER_BLOCKED,
    SENDER_ROUTED,
    SOURCE_BLOCKED,
    TOO_MANY_AUTHORS,
    blocked_reply,
    personal_reply,
)
from mailreeve.policy.trace import Trace


class Ruling(Struct, frozen=True, gc=False):
    """What one layer settled. `reply` is None where the message is delivered."""

    layer: Layer
    reply: SmtpReply | None = None
    spam_checks: SpamChecks = SpamChecks.RUN
    description: str = ""
    stage: Stage | None = None


Outcome = tuple[SmtpReply | None, SpamChecks, str]
"""What a sender and a recipient notice of a decision: refusal, spam checks, effective recipient."""

# Members of enumerations by names of our own: a look-up less wherever they occur.
_RUN: Final = SpamChecks.RUN
_SKIP: Final = SpamChecks.SKIP
_DELIVER: Final = Verdict.DELIVER
_REJECT: Final = Verdict.REJECT
_BLOCKED: Final = PolicyType.BLOCKED_SENDERS
_PERMITTED: Final = PolicyType.PERMITTED_SENDERS
_MANAGED: Final = PolicyType.MANAGED_SENDERS
_ALTERATION: Final = PolicyType.ADDRESS_ALTERATION
_NO_WINNERS: Final[dict[PolicyType, Winner | None]] = dict.fromkeys(PolicyType)  # to be copied
_ENVELOPE_FROM: Final = AddressType.ENVELOPE_FROM
_ENVELOPE_TO: Final = AddressType.ENVELOPE_TO
_FROM: Final = AddressType.FROM
_ENVELOPE: Final = FromPart.ENVELOPE_FROM
_RCPT: Final = Stage.RCPT
_DATA: Final = Stage.DATA
_LAYER_BLOCKED: Final = Layer.BLOCKED_SENDERS
_DEFAULT: Final = Ruling(Layer.DEFAULT)
_OPEN_RELAY: Final = Ruling(Layer.RELAY, OPEN_RELAY)
_SENDER_ROUTED: Final = Ruling(Layer.RELAY, SENDER_ROUTED)
_INVALID_RECIPIENT: Final = Ruling(Layer.RECIPIENT_VALIDATION, INVALID_RECIPIENT)


def decide_mail(policies: PolicySet, facts: MessageFacts, *, explain: bool = False) -> Decision:
    """The decision for one message and one recipient.

    With `explain` every policy of each type is tested instead of the index's candidates, and the
    decision carries the trace; nothing else differs.
    """
    case = case_of(policies.identities, policies.relay_networks, facts)
    trace: Trace | None = None
    if explain:
        trace = Trace(policies, case)
        blocked = trace.survey(_BLOCKED, policies.blocked)
        permitted = trace.survey(_PERMITTED, policies.permitted)
        alteration = trace.survey(_ALTERATION, policies.alteration)
    else:
        blocked = contest(policies.blocked, case)
        permitted = contest(policies.permitted, case)
        alteration = contest(policies.alteration, case)
    rewriter = Rewriter(policies.definitions, policies.identities, facts, alteration)
    effective = rewriter.recipient(facts.recipient)
    personal = personal_view(policies.managed, policies.identities, facts, effective)

    ruling = _before_policies(policies, case)
    if ruling is not None:
        certain = True
    else:
        ruling = _by_policies(blocked.winner, permitted.winner, personal)
        certain = case.header_known or _is_certain(policies, facts, blocked, permitted, rewriter, personal)
    reply = ruling.reply
    # In the order of the members: by name takes three times as long.
    decision = Decision(
        _DELIVER if reply is None else _REJECT,
        None if reply is None else _stage(policies, case, ruling, certain, blocked),
        reply,
        ruling.layer,
        ruling.spam_checks,
        f"{effective.local}@{effective.domain}",
        _winners(blocked.winner, permitted.winner, personal, alteration.winner),
        policies.revision,
        certain,
        ruling.description,
        _alterations(facts, rewriter, effective) if rewriter.concerns(facts, effective) else (),
    )
    if facts.header_from is not None and len(facts.header_from) > MAX_AUTHORS:
        decision = _with_limit(decision)
    return decision if trace is None else trace.attach(decision, personal)


def decide_connect(policies: PolicySet, source_ip: IPAddress, at: float) -> Decision | None:
    """The refusal of every message from this source address, or None if it depends on anything else.

    `decide_mail` gives the same refusal for any message from there.
    """
    source = unmapped(source_ip)
    policy = policies.source_blocks.refusing(policies.identities, source, at)
    if policy is None:
        return None
    winners = _NO_WINNERS.copy()
    winners[PolicyType.BLOCKED_SENDERS] = Winner(policy.id, policy.description)
    return Decision(
        verdict=Verdict.REJECT,
        stage=Stage.CONNECT,
        reply=SOURCE_BLOCKED,
        layer=Layer.BLOCKED_SENDERS,
        spam_checks=SpamChecks.RUN,
        recipient="",
        winners=winners,
        revision=policies.revision,
        description=policy.description,
    )


def _before_policies(policies: PolicySet, case: Case) -> Ruling | None:
    """What layers 0 to 2 settle. They look at no header, so what they say is certain."""
    if case.source_ip is not None and policies.source_blocks.blocks:
        policy = policies.source_blocks.refusing(policies.identities, case.source_ip, case.at)
        if policy is not None:
            return Ruling(Layer.BLOCKED_SENDERS, SOURCE_BLOCKED, _RUN, policy.description, Stage.CONNECT)
    identities, recipient = policies.identities, case.facts.recipient
    directory = identities.directory
    if not case.trusted_source:
        if recipient.domain not in directory.internal_domains:
            return _OPEN_RELAY
        if is_sender_routed(recipient):
            return _SENDER_ROUTED
    if recipient.domain in directory.known_only and identities.user(recipient) is None:
        return _INVALID_RECIPIENT
    return None


def _with_limit(decision: Decision) -> Decision:
    """The decision on a message with too many authors. What was refused before its header came stays as it was."""
    if decision.stage in (Stage.CONNECT, Stage.RCPT):
        return decision
    return replace(
        decision,
        verdict=Verdict.REJECT,
        stage=Stage.DATA,
        reply=TOO_MANY_AUTHORS,
        layer=Layer.MESSAGE_LIMITS,
        spam_checks=_RUN,
        description="",
    )


def _by_policies(
    blocked: Match[BlockedSenderPolicy] | None,
    permitted: Match[PermittedSenderPolicy] | None,
    personal: PersonalView,
) -> Ruling:
    """What layers 3 to 6 settle: the precedence matrix of behaviour.md section 3.3."""
    reply = blocked_reply(blocked)
    if blocked is not None and reply is not None:
        return Ruling(_LAYER_BLOCKED, reply, _RUN, blocked.policy.description)
    if permitted is not None:
        return Ruling(Layer.PERMITTED_SENDERS, None, _SKIP, permitted.policy.description)
    hit = personal.winner
    if hit is not None:
        reply = personal_reply(hit.kind, hit.part)
        spam_checks = _SKIP if reply is None else _RUN
        return Ruling(Layer.MANAGED_SENDERS, reply, spam_checks, entry_description(hit.entry))
    return _DEFAULT


def _is_certain(
    policies: PolicySet,
    facts: MessageFacts,
    blocked: Contest[BlockedSenderPolicy],
    permitted: Contest[PermittedSenderPolicy],
    rewriter: Rewriter,
    personal: PersonalView,
) -> bool:
    """Whether layers 3 to 6 come to the same outcome whatever the header will say (D-07).

    Every effect that a header could give to each layer is followed through the matrix. A refusal
    is the same outcome if its reply is the same; who is spared spam checks, and where a message
    goes, belong to the outcome of a delivery.
    """
    if not blocked.is_settled(blocked_reply):
        return False
    if blocked_reply(blocked.winner) is not None:
        return True
    permits = permitted.possible(lambda match: match is not None)
    recipients = rewriter.possible_recipients(facts.recipient)
    if permits is None or recipients is None:
        return False
    effective = rewriter.recipient(facts.recipient)
    outcomes: set[Outcome] = set()
    for recipient in recipients:
        goes_to = recipient.key
        if True in permits:
            outcomes.add((None, _SKIP, goes_to))
        if False in permits:
            view = personal
            if recipient != effective:
                view = personal_view(policies.managed, policies.identities, facts, recipient)
            for kind in view.possible():
                if kind is None:
                    outcomes.add((None, _RUN, goes_to))
                    continue
                reply = personal_reply(*kind)
                outcomes.add((None, _SKIP, goes_to) if reply is None else (reply, _RUN, ""))
    return len(outcomes) == 1


def _stage(
    policies: PolicySet, case: Case, ruling: Ruling, certain: bool, blocked: Contest[BlockedSenderPolicy]
) -> Stage:
    """When the session refuses: as soon as the refusal is certain."""
    if ruling.stage is not None:
        return ruling.stage
    if ruling is _OPEN_RELAY or ruling is _SENDER_ROUTED or ruling is _INVALID_RECIPIENT:
        return _RCPT
    if case.header_known:
        certain = _was_certain(policies, case, ruling.reply, blocked.winner)
    return _RCPT if certain else _DATA


def _was_certain(
    policies: PolicySet, case: Case, reply: SmtpReply | None, blocked: Match[BlockedSenderPolicy] | None
) -> bool:
    """Whether a refusal was certain at RCPT, when a session knows no header and nothing that vouches for one.

    `blocked` is the match that won once the header was known.
    """
    if reply is HEADER_BLOCKED or reply is PERSONAL_HEADER_BLOCKED:
        return False  # for what nobody knew yet
    early = case.before_header()
    if blocked is not None and blocked.part is _ENVELOPE:
        # It may not have won without the header: what the envelope met turned round, or by the other part, could
        # have stood above. But then that is a rival, and `is_settled` finds it.
        contested = Contest(policies.blocked, early, blocked)
    else:
        contested = contest(policies.blocked, early)
    if not contested.is_settled(blocked_reply):
        return False
    if blocked_reply(contested.winner) is not None:
        return True
    decision = decide_mail(policies, replace(case.facts, header_from=None, authenticated=None))
    return decision.certain and decision.verdict is _REJECT


def _alterations(facts: MessageFacts, rewriter: Rewriter, effective: Address) -> tuple[FieldAlteration, ...]:
    """The rewrites of the addresses among the facts. The door asks the rewriter about the others."""
    found: list[FieldAlteration | None] = []
    if type(facts.sender) is not NullSender:
        found.append(rewriter.rewrite(_ENVELOPE_FROM, facts.sender))
    if effective is not facts.recipient:
        found.append(rewriter.rewrite(_ENVELOPE_TO, facts.recipient))
    for author in facts.header_from or ():
        if author.address is not None:
            found.append(rewriter.rewrite(_FROM, author.address))
    return tuple([alteration for alteration in found if alteration is not None])


def _winners(
    blocked: Match[BlockedSenderPolicy] | None,
    permitted: Match[PermittedSenderPolicy] | None,
    personal: PersonalView,
    alteration: Match[AlterationPolicy] | None,
) -> dict[PolicyType, Winner | None]:
    winners = _NO_WINNERS.copy()
    if blocked is not None:
        winners[_BLOCKED] = _winner(blocked)
    if permitted is not None:
        winners[_PERMITTED] = _winner(permitted)
    if personal.hits:
        winners[_MANAGED] = _entry_winner(personal.hits[0])
    if alteration is not None:
        winners[_ALTERATION] = _winner(alteration)
    return winners


def _winner(match: Match[P]) -> Winner:
    return Winner(match.policy.id, match.policy.description)


def _entry_winner(hit: Hit) -> Winner:
    return Winner(hit.entry.id, entry_description(hit.entry))
