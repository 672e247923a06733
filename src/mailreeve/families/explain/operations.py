"""Why would this happen? Explanations of decisions, made by the code that decides.

Pure functions over a policy set, so that the endpoints and the command line give the same answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from mailreeve.families.explain.types import (
    AlterationAnswer,
    CandidateAnswer,
    EntryAnswer,
    ExpectedAnswer,
    ExplainMessage,
    ExplainWeb,
    MessageExplanation,
    StandInAnswer,
    Verdict,
    WebCandidateAnswer,
    WebExplanation,
    WinnerAnswer,
)
from mailreeve.families.policies.errors import POLICY_NOT_FOUND
from mailreeve.families.web_log.reading import facts_of
from mailreeve.families.web_log.record import WebRecord
from mailreeve.formats.addresses import NULL_SENDER, NullSender, Sender
from mailreeve.formats.authors import HeaderFrom, read_authors
from mailreeve.formats.malformed import Flaw
from mailreeve.formats.networks import IPAddress
from mailreeve.policy.decide.address_fields import AddressField, CannotAlterError, are_made
from mailreeve.policy.decide.mail import decide_mail, unless_refused_before
from mailreeve.policy.decide.replies import CANNOT_ALTER
from mailreeve.policy.decide.rewrite import rewriter
from mailreeve.policy.decide.web import WebUrlError, decide_web
from mailreeve.policy.explain.expectation import Expectation, expect_policy
from mailreeve.policy.explain.web_expectation import expect_web
from mailreeve.policy.explain.words import decision_words, effect_words, note_words, unmet_words, web_note_words
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.authentication import Authentication
from mailreeve.policy.model.content import SpamAction, SpamVerdict
from mailreeve.policy.model.decisions import Action, Decision, FieldAlteration
from mailreeve.policy.model.facts import MAX_HEADER_OCTETS, MessageFacts, WebFacts
from mailreeve.policy.model.policies import ALL_ELSE, AddressType, WebEntry
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.policy.model.trace import (
    AssumedHeader,
    Candidate,
    PersonalFinding,
    PoliciesFinding,
    Step,
    WebCandidate,
)
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_URL, BLANK, NOT_ALLOWED, NULL, TOO_LONG, ItemRefused, refused
from mailreeve.wire.tokens import KIND_OF_WEB, Ids, Kind

_MAIL_KINDS: Final[Mapping[str, PolicyType]] = {row.kind: row.type for row in POLICY_TYPES.values()}
_WEB_KINDS: Final = (*KIND_OF_WEB.values(), Kind.WEB_ENTRY)


def explain_message(
    policies: PolicySet, ids: Ids, account_id: str, item: ExplainMessage, now: datetime
) -> MessageExplanation:
    """What would become of this message, with every policy that was considered. Raises `ItemRefused`."""
    sender: Sender = NULL_SENDER if item.from_ in ("", "<>") else fields.address(item.from_, "from")
    authors = _authors(item.header_from, sender)
    facts = MessageFacts(
        sender=sender,
        recipient=fields.address(item.to, "to"),
        at=_at(item.at, now),
        header_from=authors,
        source_ip=_source(item.source_ip),
        authentication=_authentication(item, sender, authors),
        # Without a source the question is about mail of the account's own servers; the steps say so.
        source_trusted=True if item.source_ip is None else None,
        spam=_spam(item),
        flaws=tuple(flaw for flaw in Flaw if flaw in item.malformed),
    )
    if facts.authentication is not None and not policies.authentication.is_judged:
        # The question is what would be, were somebody asked.
        policies = replace(policies, authentication=replace(policies.authentication, is_judged=True))
    wanted = None if item.policy_id is None else _open(ids, account_id, item.policy_id, _MAIL_KINDS, "web list")
    decision = decide_mail(policies, facts, explain=True)
    if policies.definitions:
        header = str(sender) if item.header_from is None else item.header_from
        decision = _as_the_door_alters(policies, facts, decision, header)
    if item.header_from is None:
        decision = replace(decision, steps=(AssumedHeader(sender), *decision.steps))
    wire = _WireIds(ids, account_id)
    told = wire.named(decision)
    expected: ExpectedAnswer | UnsetType = UNSET
    if wanted is not None:
        kind, key = wanted
        expected = _expected(item.policy_id, expect_policy(policies, facts, decision, _MAIL_KINDS[kind], key))
    return MessageExplanation(
        verdict=_verdict(decision.action),
        stage=decision.stage,
        smtp_reply=None if decision.reply is None else str(decision.reply),
        layer=decision.layer,
        spam_checks=decision.spam_checks,
        recipient=decision.recipient,
        winners={
            type_: None
            if winner is None
            else WinnerAnswer(wire.seal(POLICY_TYPES[type_].kind, winner.id), winner.description)
            for type_, winner in decision.winners.items()
        },
        alterations=[wire.alteration(alteration) for alteration in decision.alterations],
        trace=[_candidate_answer(candidate) for candidate in told.candidates],
        revision=decision.revision,
        description=decision.description,
        steps=[*decision_words(told)],
        expected=expected,
        tagged=UNSET if decision.tag is None else True,
    )


def explain_web(
    policies: PolicySet,
    ids: Ids,
    account_id: str,
    item: ExplainWeb,
    now: datetime,
    record: WebRecord | None = None,
) -> WebExplanation:
    """What would become of this web request, with every entry that was considered; of a `record` what would of the
    same request. Raises `ItemRefused`."""
    facts = _web_facts(item, now) if record is None else _recorded_facts(record, item, now)
    wanted = None if item.policy_id is None else _open(ids, account_id, item.policy_id, _WEB_KINDS, "mail policy")
    try:
        decision = decide_web(policies, facts, explain=True)
    except WebUrlError as problem:
        raise refused(BAD_URL, "url", f"{BAD_URL.message}: {problem}") from problem
    expected: ExpectedAnswer | UnsetType = UNSET
    if wanted is not None:
        expected = _expected(item.policy_id, expect_web(policies, facts, decision, wanted[1]))

    def sealed(policy_id: str, entry: WebEntry | None) -> tuple[str, EntryAnswer | None]:
        kind = KIND_OF_WEB[policies.web.policy(policy_id).kind]
        named = ids.seal(kind, policy_id, account_id)
        if entry is None or entry is ALL_ELSE:
            return named, None
        of_entry = Kind.WEB_ENTRY if kind is Kind.WEB_POLICY else kind  # the others are their only entry
        return named, EntryAnswer(ids.seal(of_entry, entry.id, account_id), entry.type, entry.value, entry.action)

    def candidate_answer(candidate: WebCandidate) -> WebCandidateAnswer:
        policy_id, entry = sealed(candidate.policy_id, candidate.entry)
        return WebCandidateAnswer(
            policy_id=policy_id,
            description=candidate.description,
            entry=entry,
            failed=None if candidate.failed is None else unmet_words(candidate.failed),
            sort_key=_numbers(candidate.sort_key),
            place=candidate.place,
            note=web_note_words(candidate),
        )

    nothing = (None, None)
    policy_id, entry = nothing if decision.policy_id is None else sealed(decision.policy_id, decision.entry)
    return WebExplanation(
        verdict=decision.verdict,
        policy_id=policy_id,
        entry=entry,
        trace=[candidate_answer(candidate) for candidate in decision.candidates],
        revision=decision.revision,
        url=decision.url,
        expected=expected,
    )


def _web_facts(item: ExplainWeb, now: datetime) -> WebFacts:
    if item.url is None:
        raise refused(NULL, "url")
    if not item.url:
        raise refused(BLANK, "url")
    return WebFacts(
        url=item.url,
        at=_at(item.at, now),
        user=None if item.user is None else fields.address(item.user, "user"),
        source_ip=_source(item.source_ip),
    )


def _recorded_facts(record: WebRecord, item: ExplainWeb, now: datetime) -> WebFacts:
    if item.url is not None or item.user is not None or item.source_ip is not None:
        raise refused(NOT_ALLOWED, "decisionId", "A decision has its own url, user and sourceIp")
    if record.url_cut:
        raise refused(BAD_URL, "decisionId", f"{BAD_URL.message}: only the beginning of it was kept")
    try:
        return facts_of(record, _at(item.at, now))
    except ValueError as problem:
        raise refused(BAD_URL, "decisionId", f"The record cannot be read: {problem}") from problem


def _open(ids: Ids, account_id: str, wire_id: str, kinds: Collection[str], other: str) -> tuple[str, str]:
    """Of which of these kinds the id is, and the store key behind it. An id says nothing of its kind, but opens as
    one kind only. `other` is what it may be instead."""
    for kind in (*_MAIL_KINDS, *_WEB_KINDS):
        try:
            key = ids.open(kind, wire_id, account_id, "policyId")
        except ItemRefused:
            continue
        if kind in kinds:
            return kind, key
        message = f"{POLICY_NOT_FOUND.message}: this is the id of a {other}; the other explanation is for those"
        raise refused(POLICY_NOT_FOUND, "policyId", message)
    raise refused(
        POLICY_NOT_FOUND, "policyId", f"{POLICY_NOT_FOUND.message}: no policy of this account has that id"
    )


def _expected(wire_id: str | None, found: Expectation | None) -> ExpectedAnswer:
    if wire_id is None or found is None:
        raise refused(POLICY_NOT_FOUND, "policyId", f"{POLICY_NOT_FOUND.message}: it has been deleted")
    return ExpectedAnswer(wire_id, found.description, found.applied, found.won, found.sentence)


class _WireIds:
    """Puts wire ids where a decision has the store's keys, before anything of it is said in words."""

    def __init__(self, ids: Ids, account_id: str) -> None:
        self._ids = ids
        self._account_id = account_id

    def seal(self, kind: str, key: str) -> str:
        return self._ids.seal(kind, key, self._account_id)

    def named(self, decision: Decision) -> Decision:
        """The decision with the ids of the API in its trace."""
        candidates, steps = map(self._candidate, decision.candidates), map(self._step, decision.steps)
        return replace(decision, candidates=tuple(candidates), steps=tuple(steps))

    def alteration(self, made: FieldAlteration) -> AlterationAnswer:
        return AlterationAnswer(
            definition_id=self.seal(Kind.ALTERATION_DEFINITION, made.definition_id),
            address_alteration_set_id=self.seal(Kind.ALTERATION_SET, made.set_id) if made.set_id else "",
            address_type=made.field,
            original_address=made.original,
            new_address=made.new,
        )

    def _candidate(self, candidate: Candidate) -> Candidate:
        effect = candidate.effect
        if effect.set_id:
            effect = replace(effect, set_id=self.seal(Kind.ALTERATION_SET, effect.set_id))
        return replace(candidate, id=self.seal(POLICY_TYPES[candidate.type].kind, candidate.id), effect=effect)

    def _step(self, step: Step) -> Step:
        if not isinstance(step, PoliciesFinding | PersonalFinding) or step.survey.winner is None:
            return step
        return replace(step, survey=replace(step.survey, winner=self._candidate(step.survey.winner)))


def _candidate_answer(candidate: Candidate) -> CandidateAnswer:
    return CandidateAnswer(
        type=candidate.type,
        id=candidate.id,
        description=candidate.description,
        effect=effect_words(candidate.effect),
        failed=None if candidate.failed is None else unmet_words(candidate.failed),
        sort_key=_numbers(candidate.sort_key),
        place=candidate.place,
        part=candidate.part,
        swapped=candidate.is_reversed,
        note=note_words(candidate),
        stand_ins=[StandInAnswer(one.address, one.kind, one.of) for one in candidate.stand_ins],
    )


_SCORES: Final = ((15.0, SpamAction.REJECT), (6.0, SpamAction.ADD_HEADER), (4.0, SpamAction.GREYLIST))
"""From which score rspamd does what where nothing is set."""


def _spam(item: ExplainMessage) -> SpamVerdict | None:
    """What a spam engine says, as far as the item has it."""
    score, action = item.spam_score, item.spam_action
    if score is None and action is None and not item.virus:
        return None
    if score is None:
        score = next((score for score, known in _SCORES if known is action), 0.0)
        if action in (SpamAction.REWRITE_SUBJECT, SpamAction.SOFT_REJECT):
            score = _SCORES[1][0]
    if action is None:
        action = next((action for least, action in _SCORES if score >= least), SpamAction.NO_ACTION)
    return SpamVerdict(action, score, virus=item.virus or "")


def _verdict(action: Action) -> Verdict:
    match action:
        case Action.REJECT:
            return Verdict.REJECT
        case Action.DELIVER:
            return Verdict.DELIVER
        case Action.HOLD:
            return Verdict.HOLD
        case other:
            assert_never(other)


def _as_the_door_alters(policies: PolicySet, facts: MessageFacts, decision: Decision, header: str) -> Decision:
    """The decision with what is really altered in the From header; the door refuses what it cannot alter."""
    made = [one for one in decision.alterations if one.field is not AddressType.FROM]
    try:
        altered = AddressField(AddressType.FROM, header).altered(rewriter(policies, facts))
        if altered is not None:
            made += altered.alterations
        if not are_made(decision.alterations, made):
            raise CannotAlterError
    except CannotAlterError:
        if decision.action is not Action.REJECT:
            decision = unless_refused_before(decision, CANNOT_ALTER)
    return replace(decision, alterations=tuple(made))


def _authors(header: str | None, sender: Sender) -> tuple[HeaderFrom, ...]:
    """The authors of the message, who are taken to be the sender where the item left them open."""
    if header is not None and not header.strip():
        return ()  # a From header of nothing but white space counts as a missing one
    if header is not None:
        if len(header.encode("utf-8", "surrogateescape")) > MAX_HEADER_OCTETS:
            message = (
                f"{TOO_LONG.message}: no message with a header of more than {MAX_HEADER_OCTETS} octets is taken"
            )
            raise refused(TOO_LONG, "headerFrom", message)
        return read_authors([header])
    return () if isinstance(sender, NullSender) else (HeaderFrom(sender),)


def _authentication(
    item: ExplainMessage, sender: Sender, authors: tuple[HeaderFrom, ...]
) -> Authentication | None:
    """What the item says was found, None where it says nothing."""
    if item.spf is None and item.dkim is None and item.dmarc is None:
        return None
    first = next((author.address.domain for author in authors if author.address is not None), "")
    domains = {
        "spfDomain": (item.spf_domain, "" if isinstance(sender, NullSender) else sender.domain),
        "dkimDomain": (item.dkim_domain, first),
        "dmarcDomain": (item.dmarc_domain, first),
    }
    spf, dkim, dmarc = (
        otherwise if text is None else fields.domain(text, name) for name, (text, otherwise) in domains.items()
    )
    return Authentication.from_results(
        spf=item.spf,
        spf_domain=spf,
        dkim=[] if item.dkim is None else [(item.dkim, dkim)],
        dmarc=item.dmarc,
        dmarc_domain=dmarc,
    )


def _at(text: str | None, now: datetime) -> float:
    return (now if text is None else fields.moment(text, "at")).timestamp()


def _source(text: str | None) -> IPAddress | None:
    return None if text is None else fields.ip(text, "sourceIp")


def _numbers(sort_key: Sequence[float | str]) -> list[float]:
    """A sort key without the ids at its end: they are the store's, and only break ties that nothing else does."""
    return [part for part in sort_key if not isinstance(part, str)]
