"""What comes of the content: of a spam engine's verdict, and of what is broken in the form of the message?

The last layers, for a message that those before them deliver (behaviour.md section 1, row 9):

1. virus: an antivirus found something. No permit helps
2. malformed: the form is broken, and the policy does more than note it. No permit helps: it is about content
3. spam: the verdict of the engine, unless the message skips the spam checks

The strictest of what they say settles it: a refusal, then a delay, then holding it; of equals the first. Where
none says anything, the decision stays. Which options hold is said by the spam scanning policy that wins for sender
and recipient, and where none applies by `WITHOUT_POLICY`. Who knows nothing of the content pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.policy.decide.contest import contest
from mailreeve.policy.decide.replies import GREYLISTED, MALFORMED, SPAM, VIRUS
from mailreeve.policy.decide.trace import Trace
from mailreeve.policy.index.matching import case_of
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.content import (
    WITHOUT_POLICY,
    OnGreylist,
    OnMalformed,
    OnReject,
    OnSpam,
    OnVirus,
    SpamAction,
    SpamOptions,
    SpamTag,
    SpamVerdict,
)
from mailreeve.policy.model.decisions import Action, Decision, SpamChecks, Stage, Winner
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policy_types import Layer, PolicyType, SmtpReply
from mailreeve.policy.model.trace import Unmet

_TYPE: Final = PolicyType.SPAM_SCANNING
_SPAM: Final = frozenset((SpamAction.ADD_HEADER, SpamAction.REWRITE_SUBJECT))
_STRICTNESS: Final = {Action.REJECT: 2, Action.HOLD: 1, Action.DELIVER: 0}


class _Found(Struct, frozen=True, gc=False):
    """What one layer says."""

    layer: Layer
    action: Action
    reply: SmtpReply | None = None
    tag: SpamTag | None = None

    @property
    def strictness(self) -> tuple[int, bool]:
        """The higher, the stricter: a refusal for good comes before a delay."""
        return _STRICTNESS[self.action], self.reply is not None and self.reply.code >= 500


def with_content(
    policies: PolicySet, decision: Decision, facts: MessageFacts, trace: Trace | None = None
) -> Decision:
    """The decision now that the content is known as well, `decision` being that of the layers before. What is
    found is noted in the `trace`."""
    unasked = _unasked(decision, facts)
    if unasked is not None:
        if trace is not None:
            trace.set_aside(_TYPE, policies.spam, unasked)
        return decision
    policies = policies.at(facts.at)
    if trace is None:
        case = case_of(policies.identities, policies.relay_networks, facts)
        contested = contest(policies.spam, case)
    else:
        contested = trace.survey(_TYPE, policies.spam)
    match = contested.winner
    options, description = WITHOUT_POLICY, ""
    if match is not None:
        options, description = match.policy.options, match.policy.description
        decision = replace(decision, winners={**decision.winners, _TYPE: Winner(match.policy.id, description)})
    skips = decision.spam_checks is SpamChecks.SKIP
    found = max(_layers(options, facts, skips=skips), key=lambda one: one.strictness, default=None)
    if found is None:
        return decision
    refuses = found.action is Action.REJECT
    return replace(
        decision,
        action=found.action,
        stage=Stage.DATA if refuses else None,
        reply=found.reply,
        layer=found.layer,
        spam_checks=SpamChecks.RUN if refuses else decision.spam_checks,
        description=description,
        tag=found.tag,
    )


def _unasked(decision: Decision, facts: MessageFacts) -> Unmet | None:
    """Why the policies are not asked, None where they are."""
    if facts.header_from is None or (facts.spam is None and not facts.flaws):
        return Unmet.NOTHING_FOUND
    return None if decision.action is Action.DELIVER else Unmet.REFUSED_BEFORE


def _layers(options: SpamOptions, facts: MessageFacts, *, skips: bool) -> Iterator[_Found]:
    """What the layers say, in their order."""
    verdict = facts.spam
    if verdict is not None and verdict.virus:
        match options.on_virus:
            case OnVirus.REFUSE:
                yield _Found(Layer.VIRUS, Action.REJECT, VIRUS)
            case OnVirus.HOLD:
                yield _Found(Layer.VIRUS, Action.HOLD)
            case never:
                assert_never(never)
    if facts.flaws:
        match options.on_malformed:
            case OnMalformed.REFUSE:
                yield _Found(Layer.MALFORMED, Action.REJECT, MALFORMED)
            case OnMalformed.HOLD:
                yield _Found(Layer.MALFORMED, Action.HOLD)
            case OnMalformed.NOTE:
                pass
            case other:
                assert_never(other)
    if verdict is not None and not skips:
        found = _by_engine(options, verdict)
        if found is not None:
            yield found


def _by_engine(options: SpamOptions, verdict: SpamVerdict) -> _Found | None:
    """What comes of the engine's verdict, viruses apart."""
    action, score = verdict.action, verdict.score
    rejects = action is SpamAction.REJECT
    if rejects if options.reject_score is None else score >= options.reject_score:
        match options.on_reject:
            case OnReject.REFUSE:
                return _Found(Layer.SPAM, Action.REJECT, SPAM)
            case OnReject.HOLD:
                return _Found(Layer.SPAM, Action.HOLD)
            case OnReject.TAG:
                return _tagged(options, verdict)
            case never:
                assert_never(never)
    if rejects or (action in _SPAM if options.spam_score is None else score >= options.spam_score):
        match options.on_spam:
            case OnSpam.HOLD:
                return _Found(Layer.SPAM, Action.HOLD)
            case OnSpam.TAG:
                return _tagged(options, verdict)
            case OnSpam.NOTHING:
                return None
            case other:
                assert_never(other)
    # An engine that says "soft reject" counts the time itself; greylisting it leaves to others.
    waits = action is SpamAction.SOFT_REJECT or (action is SpamAction.GREYLIST and not verdict.was_put_off)
    if waits and options.on_greylist is OnGreylist.PUT_OFF:
        return _Found(Layer.SPAM, Action.REJECT, GREYLISTED)
    return None


def _tagged(options: SpamOptions, verdict: SpamVerdict) -> _Found:
    tag = SpamTag(verdict.score, verdict.action, options.subject_prefix)
    return _Found(Layer.SPAM, Action.DELIVER, tag=tag)
