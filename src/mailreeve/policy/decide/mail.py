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
7. anti-spoofing: mail from outside that would be delivered by now, by a permit or without one, and claims to be
   from inside though nothing vouches for that, is tagged, held or refused as a policy says, unless another one
   lets it past
8. what is known of the content of a message that would be delivered: see `content`

Whatever the layers 3 to 7 say, a message with more authors than are looked at is refused once its header
is known: an author that nobody looked at could be one who is blocked. And so is one of which an address is to
be altered into one that is too long for mail.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.addresses import Address, NullSender, is_sendable, is_sender_routed
from mailreeve.formats.authors import MAX_AUTHORS, HeaderFrom
from mailreeve.formats.networks import IPAddress, unmapped
from mailreeve.policy.decide.certainty import could_be_delivered
from mailreeve.policy.decide.content import with_content
from mailreeve.policy.decide.contest import Contest, contest, possible_policies
from mailreeve.policy.decide.replies import (
    CANNOT_ALTER,
    INVALID_RECIPIENT,
    OPEN_RELAY,
    SENDER_ROUTED,
    SOURCE_BLOCKED,
    TOO_MANY_AUTHORS,
    blocked_reply,
    personal_reply,
    spoofing_reply,
)
from mailreeve.policy.decide.rewrite import Rewriter
from mailreeve.policy.decide.trace import Trace
from mailreeve.policy.index.definitions import ROOT
from mailreeve.policy.index.matching import Case, Match, P, case_of
from mailreeve.policy.index.personal import Hit, PersonalView, entry_description, list_key, personal_view
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.authentication import SUPPOSED
from mailreeve.policy.model.decisions import Action, Decision, FieldAlteration, SpamChecks, Stage, Winner
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import (
    AddressType,
    AntiSpoofingBypassPolicy,
    AntiSpoofingPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    BypassOption,
    FromPart,
    ManagedAction,
    PermittedSenderPolicy,
    SpoofingOption,
)
from mailreeve.policy.model.policy_types import Layer, PolicyType, SmtpReply


class Ruling(Struct, frozen=True, gc=False):
    """What one layer settled: what becomes of the message, and what is told of a refusal. `by` is the id of the
    policy or entry that did it, empty where none did; `stage` is when layers that look at no header refuse."""

    layer: Layer
    action: Action
    reply: SmtpReply | None = None
    spam_checks: SpamChecks = SpamChecks.RUN
    description: str = ""
    stage: Stage | None = None
    by: str = ""


Outcome = tuple[Action, SpamChecks, str]
"""What a sender and a recipient notice of a decision: the action, spam checks and effective recipient."""

# Members of enumerations by names of our own: a look-up less wherever they occur.
_RUN: Final = SpamChecks.RUN
_SKIP: Final = SpamChecks.SKIP
_DELIVER: Final = Action.DELIVER
_REJECT: Final = Action.REJECT
_REFUSED: Final[Outcome] = (_REJECT, _RUN, "")  # whatever the words
_NO_ACTION: Final = BlockedOption.NO_ACTION
_PERMIT: Final = ManagedAction.PERMIT
_BLOCKED: Final = PolicyType.BLOCKED_SENDERS
_PERMITTED: Final = PolicyType.PERMITTED_SENDERS
_MANAGED: Final = PolicyType.MANAGED_SENDERS
_SPOOFING: Final = PolicyType.ANTI_SPOOFING
_BYPASS: Final = PolicyType.ANTI_SPOOFING_BYPASS
_ALTERATION: Final = PolicyType.ADDRESS_ALTERATION
_NO_WINNERS: Final[dict[PolicyType, Winner | None]] = dict.fromkeys(PolicyType)  # to be copied
_ENVELOPE_FROM: Final = AddressType.ENVELOPE_FROM
_ENVELOPE_TO: Final = AddressType.ENVELOPE_TO
_FROM: Final = AddressType.FROM
_ENVELOPE: Final = FromPart.ENVELOPE_FROM
_RCPT: Final = Stage.RCPT
_DATA: Final = Stage.DATA
_LAYER_BLOCKED: Final = Layer.BLOCKED_SENDERS
_DEFAULT: Final = Ruling(Layer.DEFAULT, _DELIVER)
_OPEN_RELAY: Final = Ruling(Layer.RELAY, _REJECT, OPEN_RELAY, stage=_RCPT)
_SENDER_ROUTED: Final = Ruling(Layer.RELAY, _REJECT, SENDER_ROUTED, stage=_RCPT)
_INVALID_RECIPIENT: Final = Ruling(Layer.RECIPIENT_VALIDATION, _REJECT, INVALID_RECIPIENT, stage=_RCPT)


class Reading(Struct, frozen=True, gc=False):
    """What the layers say of one message and recipient, on the header as far as it is known.

    `is_early` says that a layer settled it that looks at no header, so that nothing can change it.
    """

    case: Case
    blocked: Contest[BlockedSenderPolicy]
    permitted: Contest[PermittedSenderPolicy]
    rewriter: Rewriter
    effective: Address
    personal: PersonalView
    ruling: Ruling
    is_early: bool
    trace: Trace | None
    spoofing: Match[AntiSpoofingPolicy] | None = None
    bypass: Match[AntiSpoofingBypassPolicy] | None = None


def decide_mail(policies: PolicySet, facts: MessageFacts, *, explain: bool = False) -> Decision:
    """The decision for one message and one recipient.

    A session refuses as soon as every header leads to a refusal (D-07), in the words that are known by then. So
    with a header that would have brought another refusal, this is still the one that was given before.

    With `explain` every policy of each type is tested instead of the index's candidates, and the
    decision carries the trace; nothing else differs.
    """
    policies = policies.at(facts.at)
    reading = _read(policies, facts, explain)
    certain = True
    if reading.is_early:
        stage = reading.ruling.stage
    elif facts.header_from is None:
        refusing, certain = _known_at_rcpt(policies, reading)
        stage = _DATA if refusing is None else _RCPT
        if refusing is not None and refusing is not reading:
            reading = _again(policies, refusing, explain)
    elif reading.ruling.action is not _REJECT:
        stage = None
    else:
        refusing = _refusing_at_rcpt(policies, reading)
        stage = _DATA if refusing is None else _RCPT
        if refusing is not None and refusing.ruling != reading.ruling:
            if refusing.ruling.by == reading.ruling.by:
                # The same policy, which meets the header as well: that is said, but not told to the sender.
                reading = replace(reading, ruling=refusing.ruling)
            else:
                reading = _again(policies, refusing, explain)
    decision = _decision(policies, reading, stage, certain)
    if facts.header_from is not None:
        if len(facts.header_from) > MAX_AUTHORS:
            decision = unless_refused_before(decision, TOO_MANY_AUTHORS)
        elif decision.alterations and not all(is_sendable(made.new) for made in decision.alterations):
            decision = unless_refused_before(decision, CANNOT_ALTER)
    decision = with_content(policies, decision, facts, reading.trace)
    return decision if reading.trace is None else reading.trace.attach(decision, reading.personal)


def _read(policies: PolicySet, facts: MessageFacts, explain: bool = False) -> Reading:
    rules = policies.authentication
    case = case_of(policies.identities, policies.relay_networks, facts, rules)
    trace: Trace | None = None
    spoofing: Match[AntiSpoofingPolicy] | None = None
    bypass: Match[AntiSpoofingBypassPolicy] | None = None
    if explain:
        trace = Trace(policies, case)
        blocked = trace.survey(_BLOCKED, policies.blocked)
        permitted = trace.survey(_PERMITTED, policies.permitted)
        spoofing = trace.survey(_SPOOFING, policies.spoofing).winner
        bypass = trace.survey(_BYPASS, policies.bypass).winner
        alteration = trace.survey(_ALTERATION, policies.alteration)
    else:
        blocked = contest(policies.blocked, case)
        permitted = contest(policies.permitted, case)
        alteration = contest(policies.alteration, case)
        if case.is_spoofed:
            spoofing = contest(policies.spoofing, case).winner
            bypass = contest(policies.bypass, case).winner
    rewriter = Rewriter(policies.definitions, policies.identities, facts, alteration)
    effective = rewriter.recipient(facts.recipient)
    personal = personal_view(policies.managed, policies.identities, facts, effective, rules)
    ruling = _before_policies(policies, case)
    is_early = ruling is not None
    if ruling is None:
        ruling = _by_policies(blocked.winner, permitted.winner, personal)
        if spoofing is not None:
            ruling = _against_spoofing(ruling, spoofing, bypass)
    return Reading(
        case, blocked, permitted, rewriter, effective, personal, ruling, is_early, trace, spoofing, bypass
    )


def _again(policies: PolicySet, reading: Reading, explain: bool) -> Reading:
    """The same, explained if that is asked for."""
    return _read(policies, reading.case.facts, explain) if explain else reading


def _decision(policies: PolicySet, reading: Reading, stage: Stage | None, certain: bool) -> Decision:
    ruling, effective, rewriter = reading.ruling, reading.effective, reading.rewriter
    facts, action = reading.case.facts, ruling.action
    # In the order of the members: by name takes three times as long.
    return Decision(
        action,
        stage if action is _REJECT else None,
        ruling.reply,
        ruling.layer,
        ruling.spam_checks,
        f"{effective.local}@{effective.domain}",
        _winners(reading),
        policies.revision,
        certain,
        ruling.description,
        _alterations(facts, rewriter, effective) if rewriter.concerns(facts, effective) else (),
    )


def decide_connect(policies: PolicySet, source_ip: IPAddress, at: float) -> Decision | None:
    """The refusal of every message from this source address, or None if it depends on anything else.

    `decide_mail` gives the same refusal for any message from there.
    """
    source = unmapped(source_ip)
    policies = policies.at(at)
    policy = policies.source_blocks.refusing(policies.identities, source, at)
    if policy is None:
        return None
    winners = _NO_WINNERS.copy()
    winners[PolicyType.BLOCKED_SENDERS] = Winner(policy.id, policy.description)
    return Decision(
        action=_REJECT,
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
            described = policy.description
            return Ruling(_LAYER_BLOCKED, _REJECT, SOURCE_BLOCKED, _RUN, described, Stage.CONNECT, policy.id)
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


def unless_refused_before(decision: Decision, reply: SmtpReply) -> Decision:
    """The decision on a message that nobody gets, for a cause that is no policy and is found at the end of its
    data. What was refused before stays as it was."""
    if decision.stage in (Stage.CONNECT, Stage.RCPT):
        return decision
    return replace(
        decision,
        action=_REJECT,
        stage=Stage.DATA,
        reply=reply,
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
    if blocked is not None and _refuses(blocked):
        described, by = blocked.policy.description, blocked.policy.id
        return Ruling(_LAYER_BLOCKED, _REJECT, blocked_reply(blocked), _RUN, described, by=by)
    if permitted is not None:
        described, by = permitted.policy.description, permitted.policy.id
        return Ruling(Layer.PERMITTED_SENDERS, _DELIVER, None, _SKIP, described, by=by)
    hit = personal.winner
    if hit is not None:
        described, by = entry_description(hit.entry), hit.entry.id
        if hit.entry.action is _PERMIT:
            return Ruling(Layer.MANAGED_SENDERS, _DELIVER, None, _SKIP, described, by=by)
        reply = personal_reply(hit.kind, hit.part)
        return Ruling(Layer.MANAGED_SENDERS, _REJECT, reply, _RUN, described, by=by)
    return _DEFAULT


def _against_spoofing(
    ruling: Ruling, spoofing: Match[AntiSpoofingPolicy], bypass: Match[AntiSpoofingBypassPolicy] | None
) -> Ruling:
    """What layer 7 makes of what the others let through. Whom they refuse is refused for their reasons."""
    option = spoofing.policy.option
    if ruling.action is not _DELIVER or option is SpoofingOption.NONE:
        return ruling
    if bypass is not None and bypass.policy.option is BypassOption.ENABLE:
        return ruling
    described, by = spoofing.policy.description, spoofing.policy.id
    if option is SpoofingOption.REJECT:
        return Ruling(Layer.ANTI_SPOOFING, _REJECT, spoofing_reply(spoofing.part), _RUN, described, by=by)
    action = Action.HOLD if option is SpoofingOption.HOLD else _DELIVER
    return Ruling(Layer.ANTI_SPOOFING, action, None, _RUN, described, by=by)


def _known_at_rcpt(policies: PolicySet, reading: Reading) -> tuple[Reading | None, bool]:
    """The reading on which the session refuses at RCPT, None where it does not, and whether the outcome is the
    same whatever the header will say. In the `reading` the header is not known."""
    refuses = reading.ruling.action is _REJECT
    if _is_certain(policies, reading):
        return (reading, True) if refuses else (None, True)
    if not refuses and not policies.alteration.reads_header:
        # Only a block that a missing header meets could make a refusal of this.
        found = contest(policies.blocked, reading.case.without_header()) if policies.blocked.reads_header else None
        if found is None or not _refuses(found.winner):
            return None, False
    facts = reading.case.facts
    # The more is vouched for, the more is delivered: permits count, and nothing is spoofed.
    at_best = SUPPOSED if policies.authentication.is_judged else None

    def delivers(header: tuple[HeaderFrom, ...]) -> bool:
        tried = replace(facts, header_from=header, authentication=at_best)
        rules = policies.authentication
        return (
            _action(policies, case_of(policies.identities, policies.relay_networks, tried, rules)) is not _REJECT
        )

    # A missing header is met by fewer policies than most, so it is the likeliest to be delivered.
    if delivers(()):
        return None, False
    lists = [
        policies.managed.of(list_key(policies.identities, recipient))
        for recipient in _possible_recipients(policies, reading)
    ]
    if could_be_delivered(
        policies.identities,
        reading.blocked,
        reading.permitted,
        reading.rewriter.choice,
        lists,
        delivers,
    ):
        return None, False
    if refuses:
        return reading, True
    # Refused even if something came to vouch for the header; what is told is what is known: nothing does yet.
    return _read(policies, replace(facts, header_from=(), authentication=None)), True


def _action(policies: PolicySet, case: Case) -> Action:
    """What layers 3 to 6 do, each asked only where those before it leave that open. Layer 7 is for what is known
    to be spoofed."""
    if _refuses(contest(policies.blocked, case).winner):
        return _REJECT
    if contest(policies.permitted, case).winner is not None:
        return _DELIVER
    facts = case.facts
    rewriter = Rewriter(policies.definitions, policies.identities, facts, contest(policies.alteration, case))
    effective = rewriter.recipient(facts.recipient)
    hit = personal_view(policies.managed, policies.identities, facts, effective, policies.authentication).winner
    return _DELIVER if hit is None or hit.entry.action is _PERMIT else _REJECT


def _possible_recipients(policies: PolicySet, reading: Reading) -> set[Address]:
    """All whom the message could go to with any header, and perhaps others."""
    original = reading.case.facts.recipient
    return reading.rewriter.recipients_by(
        {ROOT, *(policy.set_id for policy in possible_policies(policies.alteration, reading.case))}, original
    )


def _is_certain(policies: PolicySet, reading: Reading) -> bool:
    """Whether layers 3 to 7 come to the same outcome whatever the header will say, and those who judge its
    authentication (D-07).

    Every effect that a header could give to each layer is followed through the matrix. All refusals are one
    outcome, whatever their texts; who is spared spam checks, and where a message goes, belong to the outcome of
    a delivery. This is the quick answer: a doubt may turn out to be none.
    """
    facts, blocked, rewriter = reading.case.facts, reading.blocked, reading.rewriter
    if not blocked.is_settled(_refuses):
        return False
    if _refuses(blocked.winner):
        return True
    permits = reading.permitted.possible(lambda match: match is not None)
    recipients = rewriter.possible_recipients(facts.recipient)
    if permits is None or recipients is None:
        return False
    is_judged = policies.authentication.is_judged
    if is_judged and True not in permits and len(policies.permitted):
        # SPF may come to vouch for a sender whose permit does not count so far.
        at_best = replace(reading.case, permit_envelope=reading.case.envelope)
        if contest(policies.permitted, at_best).winner is not None:
            permits.add(True)
    outcomes: set[Outcome] = set()
    for recipient in recipients:
        goes_to = recipient.key
        if True in permits:
            outcomes.add((_DELIVER, _SKIP, goes_to))
        if False in permits:
            view = reading.personal
            if recipient != reading.effective:
                view = personal_view(
                    policies.managed, policies.identities, facts, recipient, policies.authentication
                )
            for kind in view.possible():
                if kind is None:
                    outcomes.add((_DELIVER, _RUN, goes_to))
                else:
                    is_permit = kind[0].action is _PERMIT
                    outcomes.add((_DELIVER, _SKIP, goes_to) if is_permit else _REFUSED)
    if outcomes != {_REFUSED} and is_judged and len(policies.spoofing) and not reading.case.trusted_source:
        for _ in possible_policies(policies.spoofing, reading.case):
            return False  # it may turn out to be spoofed
    return len(outcomes) == 1


def _refuses(match: Match[BlockedSenderPolicy] | None) -> bool:
    """Whether the blocked sender policy that won, if any, refuses rather than exempts."""
    return match is not None and match.policy.option is not _NO_ACTION


def _refusing_at_rcpt(policies: PolicySet, reading: Reading) -> Reading | None:
    """The reading on which a session refused at RCPT what is refused now that its header is known; None where it
    waited. At RCPT it knows no header, and nothing that vouches for one."""
    if reading.ruling.layer is Layer.ANTI_SPOOFING:
        return None  # but for that it would be delivered, and at RCPT nobody knows of it
    if reading.ruling.layer is _LAYER_BLOCKED and not policies.blocked.reads_header:
        return reading
    blocked = reading.blocked.winner
    if blocked is not None and blocked.part is _ENVELOPE and _refuses(blocked):
        # In most mail the very block that won at RCPT, where nothing could have stood above it.
        early = contest(policies.blocked, reading.case.before_header())
        if early.winner == blocked and early.is_settled(_refuses):
            return reading
    before = _read(policies, replace(reading.case.facts, header_from=None, authentication=None))
    return _known_at_rcpt(policies, before)[0]


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


def _winners(reading: Reading) -> dict[PolicyType, Winner | None]:
    blocked, permitted, personal = reading.blocked.winner, reading.permitted.winner, reading.personal
    alteration = reading.rewriter.choice.winner
    winners = _NO_WINNERS.copy()
    if blocked is not None:
        winners[_BLOCKED] = _winner(blocked)
    if permitted is not None:
        winners[_PERMITTED] = _winner(permitted)
    if personal.hits:
        winners[_MANAGED] = _entry_winner(personal.hits[0])
    if reading.spoofing is not None:
        winners[_SPOOFING] = _winner(reading.spoofing)
    if reading.bypass is not None:
        winners[_BYPASS] = _winner(reading.bypass)
    if alteration is not None:
        winners[_ALTERATION] = _winner(alteration)
    return winners


def _winner(match: Match[P]) -> Winner:
    return Winner(match.policy.id, match.policy.description)


def _entry_winner(hit: Hit) -> Winner:
    return Winner(hit.entry.id, entry_description(hit.entry))
