"""How does a person read the trace of a decision? Its values in words, all of them made here.

Whatever kind of finding there is has its words, or mypy refuses the module: that is what `assert_never` is for.
Ids are said as the values hold them; who shows others, such as those of the API, puts them into the values first.
"""

from __future__ import annotations

from typing import Final, assert_never

from mailreeve.formats.addresses import Address
from mailreeve.policy.model.content import SpamOptions
from mailreeve.policy.model.decisions import Action, Decision
from mailreeve.policy.model.policies import ALL_ELSE, Effect, EffectKind, WebPolicyKind
from mailreeve.policy.model.policy_types import POLICY_TYPES, Layer
from mailreeve.policy.model.trace import (
    AssumedHeader,
    AuthenticationFinding,
    Candidate,
    ContentFinding,
    EffectiveRecipient,
    FreeMailList,
    GroupPath,
    PersonalFinding,
    PoliciesFinding,
    RecipientFinding,
    RelayFinding,
    StandInsFinding,
    Step,
    Survey,
    TieBreaker,
    UnknownHeader,
    Unmet,
    WebCandidate,
    WebUnmet,
)
from mailreeve.policy.model.wording import listed, moment_words, renamed_words, stand_in_words

VERDICT: Final = "verdict: "
EFFECTIVE_RECIPIENT: Final = "effective recipient: "
FREE_MAIL_LIST: Final = "free-mail list: "
"""How these steps begin. A page that says the same elsewhere leaves them out."""

_SYMBOLS: Final = 5  # of a verdict that are named


def unmet_words(unmet: Unmet | WebUnmet) -> str:
    """The first test that was not passed."""
    match unmet:
        case Unmet.DISABLED:
            return "it is disabled"
        case Unmet.NOT_STARTED:
            return "it has not started yet"
        case Unmet.EXPIRED:
            return "it has expired"
        case Unmet.SOURCE_UNKNOWN:
            return "it asks for a source address and none is known"
        case Unmet.SOURCE_OUTSIDE:
            return "the source address is outside its ranges"
        case Unmet.BOUNCE:
            return "a bounce may leave through a relay network"
        case Unmet.RECIPIENT:
            return "the recipient does not match"
        case Unmet.SENDER:
            return "the sender does not match"
        case Unmet.HEADER_UNKNOWN:
            return "it looks at the From header, which is not known yet"
        case Unmet.UNAUTHENTICATED:
            return "nothing vouches for the sender, and a permit counts only if the message authenticates"
        case Unmet.NOTHING_FOUND:
            return "no spam engine has judged the message, and nothing is known to be broken in its form"
        case Unmet.REFUSED_BEFORE:
            return "the message is refused before its content is looked at"
        case Unmet.NOT_SPOOFED:
            return "the message is not known to claim an inside sender whom nothing vouches for"
        case Unmet.SPF_DOMAIN:
            return "SPF passes for none of its domains"
        case WebUnmet.HOST:
            return "the host does not match"
        case WebUnmet.PATH:
            return "the path does not match"
        case WebUnmet.QUERY:
            return "the query does not match"
        case WebUnmet.RECIPIENT_NAMED:
            return "its `to` names somebody, and a web request has no recipient"
        case WebUnmet.USER_UNKNOWN:
            return "the user is unknown"
        case WebUnmet.USER:
            return "the user does not match"
        case WebUnmet.NO_TARGET:
            return "it has no target"
    assert_never(unmet)


def tie_words(breaker: TieBreaker) -> str:
    """Which of two equally narrow policies wins."""
    match breaker:
        case TieBreaker.SOURCE:
            return "the one with a source address condition wins"
        case TieBreaker.DATES:
            return "the one with dates wins"
        case TieBreaker.CREATED:
            return "the one created later wins"
        case TieBreaker.ID:
            return "the one with the higher id wins"
    assert_never(breaker)


def effect_words(effect: Effect) -> str:
    """What a policy does, in a word or two."""
    match effect.kind:
        case EffectKind.BLOCK_SENDER:
            return "block_sender"
        case EffectKind.REFUSE_RELAY:
            return "block_sender as an open relay"
        case EffectKind.NO_ACTION:
            return "no_action"
        case EffectKind.PERMIT | EffectKind.PERSONAL_PERMIT:
            return "permit"
        case EffectKind.PERSONAL_BLOCK:
            return "block"
        case EffectKind.SPOOFING_IGNORED:
            return "none"
        case EffectKind.SPOOFING_TAGGED:
            return "tag"
        case EffectKind.SPOOFING_HELD:
            return "hold"
        case EffectKind.SPOOFING_REFUSED:
            return "reject"
        case EffectKind.BYPASS:
            return "enable_bypass"
        case EffectKind.NO_BYPASS:
            return "disable_bypass"
        case EffectKind.ALTER:
            return f"set {effect.set_id}"
        case EffectKind.SCAN:
            return "nothing" if effect.options is None else options_words(effect.options)
    assert_never(effect.kind)


def options_words(options: SpamOptions) -> str:
    """What a spam scanning policy does, in a line."""
    from_reject = "" if options.reject_score is None else f" from {options.reject_score:g}"
    from_spam = "" if options.spam_score is None else f" from {options.spam_score:g}"
    words = [
        f"reject{from_reject}: {options.on_reject.value}",
        f"spam{from_spam}: {options.on_spam.value}",
        f"greylist: {options.on_greylist.value}",
        f"virus: {options.on_virus.value}",
        f"malformed: {options.on_malformed.value}",
    ]
    return ", ".join(words)


def note_words(candidate: Candidate) -> str:
    """What a reader would ask next about a policy that applied; empty where there is nothing to say."""
    notes = [*map(stand_in_words, candidate.stand_ins), *map(_path_words, candidate.groups)]
    notes += map(renamed_words, candidate.renamed)
    if candidate.tie is not None:
        notes.append(f"as narrow as the winner: {tie_words(candidate.tie)}")
    return "; ".join(notes)


def web_note_words(candidate: WebCandidate) -> str:
    """The same of an entry of a web list."""
    notes = [*map(stand_in_words, candidate.stand_ins), *map(renamed_words, candidate.renamed)]
    if candidate.entry is ALL_ELSE:
        notes.append("a default deny: the list blocks whatever no entry speaks of")
    if candidate.until is not None:
        notes.append(f"a temporary allow, until {moment_words(candidate.until)}")
    if candidate.kind is WebPolicyKind.MANAGED:
        notes.append("a managed URL, which comes before lists")
    if candidate.is_tied:
        notes.append("as narrow as the winner: a block wins over an allow, then the newest policy")
    return "; ".join(notes)


def decision_words(decision: Decision) -> tuple[str, ...]:
    """What was taken for granted, what each layer found, and the verdict, each in a sentence."""
    return (*map(step_words, decision.steps), verdict_words(decision))


def step_words(step: Step) -> str:
    """What one layer found, or what was taken for granted."""
    match step:
        case AssumedHeader(sender):
            if isinstance(sender, Address):
                return f"no From header given: the From header is taken to name {sender}"
            return "no From header given: a bounce, taken to have no From header"
        case RelayFinding():
            return f"relay: {_relay_words(step)}"
        case RecipientFinding():
            return f"recipient validation: {_recipient_words(step)}"
        case StandInsFinding(stand_ins):
            return f"aliases and tags: {'; '.join(map(stand_in_words, stand_ins))}"
        case PoliciesFinding(type_, survey, at_root):
            sentence = f"{POLICY_TYPES[type_].words}: {_survey_words(survey)}"
            if at_root:
                sentence += f"; {at_root} altered by definitions at the root, which need no policy"
            return sentence
        case EffectiveRecipient(recipient):
            return f"{EFFECTIVE_RECIPIENT}{recipient}"
        case AuthenticationFinding():
            return f"authentication: {_authentication_words(step)}"
        case PersonalFinding(owner, survey):
            return f"managed senders of {owner}: {_survey_words(survey)}"
        case ContentFinding():
            return f"content: {_content_words(step)}"
        case FreeMailList(version):
            return f"{FREE_MAIL_LIST}{version or 'unversioned'}"
        case UnknownHeader(certain):
            change = "it cannot change this" if certain else "it could still change this"
            return f"the From header is not known: {change}"
    assert_never(step)


def verdict_words(decision: Decision) -> str:
    """What came of it all: the last step."""
    settled = "no layer objects" if decision.layer is Layer.DEFAULT else f"settled by {decision.layer.value}"
    match decision.action:
        case Action.DELIVER:
            tagged = "" if decision.tag is None else ", tagged as spam"
            return f"{VERDICT}deliver, {settled}, spam checks {decision.spam_checks.value}{tagged}"
        case Action.HOLD:
            return f"{VERDICT}hold, {settled}, spam checks {decision.spam_checks.value}"
        case Action.REJECT:
            return f"{VERDICT}reject with {decision.reply}, {settled}"
        case other:
            assert_never(other)


def winner_words(policy_id: str, description: str) -> str:
    """How a step names the policy that won."""
    return f"{policy_id} ({description})"


def _content_words(found: ContentFinding) -> str:
    words = []
    verdict = found.spam
    if verdict is not None:
        by = f" of {verdict.required:g}" if verdict.required else ""
        symbols = ", ".join(f"{one.name} {one.score:g}" for one in verdict.symbols[:_SYMBOLS])
        said = f'the spam engine says "{verdict.action.value}", score {verdict.score:g}{by}'
        words.append(said + (f" ({symbols})" if symbols else ""))
        if found.is_skipped:
            words.append("which the message skips")
        if verdict.was_put_off:
            words.append("the same message was put off before")
        if verdict.virus:
            words.append(f"an antivirus found {verdict.virus}")
    if found.flaws:
        words.append(f"its form is broken: {', '.join(flaw.value for flaw in found.flaws)}")
    return "; ".join(words)


def _authentication_words(found: AuthenticationFinding) -> str:
    known = found.authentication
    if known is None:
        asked = "nothing was said about it" if found.is_judged else "nobody is asked"
        spoofed = ""
    else:
        results = [f"SPF {known.spf.value} for {known.spf_domain or 'an unknown domain'}"] if known.spf else []
        results += [f"DKIM {one.result.value} by {one.domain or 'an unknown domain'}" for one in known.dkim]
        if known.dmarc:
            results.append(f"DMARC {known.dmarc.value} for {known.dmarc_domain or 'an unknown domain'}")
        asked = listed(results, len(results)) or "nothing was found"
        spoofed = "; the message claims an inside sender whom nothing vouches for" if found.is_spoofed else ""
    permits = {
        (True, True): "permits count",
        (True, False): "permits by the envelope count, by the From header they do not",
        (False, True): "permits by the From header count, by the envelope they do not",
        (False, False): "permits do not count, but for those of everybody or of a network",
    }[found.by_envelope, found.by_header]
    return f"{asked}; {permits}{spoofed}"


def _path_words(path: GroupPath) -> str:
    held, *above = path.groups
    until = "" if path.until is None else f" until {moment_words(path.until)}"
    return f"the {path.side} is in {', which is in '.join((held + until, *above))}"


def _relay_words(found: RelayFinding) -> str:
    recipient, negation = "internal" if found.to_internal else "external", "" if found.trusted else "not "
    if found.source is None:
        return f"the recipient is {recipient}, the source is unknown and {negation}taken as a relay network"
    return f"the recipient is {recipient}, the source {found.source} is {negation}in a relay network"


def _recipient_words(found: RecipientFinding) -> str:
    if not found.is_internal:
        return "does not apply, the recipient is external"
    takes = "known recipients only" if found.known_only else "any recipient"
    return f"the domain takes {takes}, this one is {'known' if found.is_known else 'not in the directory'}"


def _survey_words(survey: Survey) -> str:
    winner = survey.winner
    if winner is None:
        sentence = f"none of {survey.total} applies"
    else:
        among = "that apply" if survey.all_tested else "looked at that apply"
        named = winner_words(winner.id, winner.description)
        sentence = f"{effect_words(winner.effect)} by {named}, the first of {survey.applied} {among}"
        if winner.part is not None:
            sentence += f", by {winner.part.value}"
    if survey.left_out:
        sentence += f"; {survey.left_out} more are left out of this list"
    return sentence
