"""What comes of a spam engine's verdict, and of broken form: per recipient, by policy, after all other layers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from policy_parts import parts

from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.malformed import Flaw
from mailreeve.policy.decide.content import with_content
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.explain.expectation import expect_policy
from mailreeve.policy.explain.words import decision_words
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import FindingKind
from mailreeve.policy.lint.linter import lint
from mailreeve.policy.model.content import (
    OnGreylist,
    OnMalformed,
    OnReject,
    OnSpam,
    OnVirus,
    SpamAction,
    SpamOptions,
    SpamSymbol,
    SpamVerdict,
)
from mailreeve.policy.model.decisions import Action, SpamChecks, Stage
from mailreeve.policy.model.facts import Directory, MessageFacts
from mailreeve.policy.model.policies import (
    BlockedOption,
    BlockedSenderPolicy,
    PermittedSenderPolicy,
    Scope,
    SpamPolicy,
)
from mailreeve.policy.model.policy_types import Layer, PolicyType
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType
from mailreeve.policy.model.trace import Unmet
from mailreeve.policy.replay.difference import Change, Comparison

ANN = parse_address("ann@out.test")
BOB = parse_address("bob@corp.test")
ACTIONS = {action.value: action for action in SpamAction}


def verdict(action: str, score: float = 7.0, virus: str = "", *, again: bool = False) -> SpamVerdict:
    return SpamVerdict(ACTIONS[action], score, 15.0, (SpamSymbol("X", score),), virus, again)


def message(spam: SpamVerdict | None = None, *flaws: Flaw, recipient=BOB) -> MessageFacts:
    return MessageFacts(
        ANN, recipient, 0.0, header_from=(HeaderFrom(ANN),), authenticated=False, spam=spam, flaws=flaws
    )


def policies(*spam: SpamPolicy, permits: bool = False, blocks: bool = False) -> PolicySet:
    permitted = [PermittedSenderPolicy("p", "a permit", Scope(), 0.0)] if permits else []
    blocked = [BlockedSenderPolicy("b", "a block", Scope(), BlockedOption.BLOCK_SENDER, 0.0)] if blocks else []
    return PolicySet.build(
        account_id="acme",
        revision=1,
        directory=Directory(internal_domains=frozenset({Domain("corp.test")})),
        **parts(spam=spam, permitted=permitted, blocked=blocked),
    )


def scanning(to: str = "", **options: object) -> SpamPolicy:
    target = Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, to) if to else EVERYONE
    return SpamPolicy(f"s{to}", f"for {to}", Scope.of(EVERYONE, target), SpamOptions(**options), 0.0)


@pytest.mark.parametrize(
    ("said", "options", "expected"),
    [
        ("no action", {}, "deliver"),
        ("reject", {}, "550"),
        ("reject", {"on_reject": OnReject.HOLD}, "hold"),
        ("reject", {"on_reject": OnReject.TAG}, "tag"),
        ("add header", {}, "hold"),
        ("rewrite subject", {}, "hold"),
        ("add header", {"on_spam": OnSpam.TAG}, "tag"),
        ("add header", {"on_spam": OnSpam.NOTHING}, "deliver"),
        ("greylist", {}, "451"),
        ("soft reject", {}, "451"),
        ("greylist", {"on_greylist": OnGreylist.NOTHING}, "deliver"),
        # By an own score: 7 is below 8 and above 6.
        ("add header", {"spam_score": 8.0}, "deliver"),
        ("no action", {"spam_score": 6.0}, "hold"),
        ("no action", {"reject_score": 6.0}, "550"),
        ("reject", {"reject_score": 8.0}, "hold"),
        ("reject", {"reject_score": 8.0, "spam_score": 8.0}, "hold"),
    ],
)
def test_what_comes_of_a_verdict(said, options, expected):
    decision = decide_mail(policies(scanning(**options)), message(verdict(said)))
    found = str(decision.reply.code) if decision.reply else decision.action.value
    assert ("tag" if decision.tag else found) == expected
    assert decision.layer is (Layer.DEFAULT if expected == "deliver" else Layer.SPAM)
    assert decision.stage is (Stage.DATA if expected[0].isdigit() else None)
    assert decision.winners[PolicyType.SPAM_SCANNING].id == "s"


def test_without_a_policy_the_default_holds_and_nobody_won():
    decision = decide_mail(policies(), message(verdict("add header")))
    assert (decision.action, decision.layer, decision.description) == (Action.HOLD, Layer.SPAM, "")
    assert decision.winners[PolicyType.SPAM_SCANNING] is None


def test_greylisting_puts_a_message_off_once():
    decision = decide_mail(policies(), message(verdict("greylist", again=True)))
    assert (decision.action, decision.layer) == (Action.DELIVER, Layer.DEFAULT)
    assert decide_mail(policies(), message(verdict("soft reject", again=True))).reply.code == 451


def test_a_permit_skips_the_verdict_but_no_virus_and_no_broken_form():
    set_ = policies(scanning(on_malformed=OnMalformed.HOLD), permits=True)
    for said in SpamAction:
        decision = decide_mail(set_, message(verdict(said.value, 99.0)))
        assert (decision.action, decision.layer) == (Action.DELIVER, Layer.PERMITTED_SENDERS)
        assert decision.spam_checks is SpamChecks.SKIP
    decision = decide_mail(set_, message(verdict("no action", virus="Eicar")))
    assert (str(decision.reply), decision.layer) == ("550 5.7.1 Message refused - virus found", Layer.VIRUS)
    decision = decide_mail(set_, message(None, Flaw.NULL_OCTET))
    assert (decision.action, decision.layer) == (Action.HOLD, Layer.MALFORMED)


def test_the_strictest_layer_settles_it():
    set_ = policies(scanning(on_virus=OnVirus.HOLD, on_malformed=OnMalformed.HOLD))
    assert decide_mail(set_, message(verdict("reject", virus="Eicar"), Flaw.DEEP)).layer is Layer.SPAM
    assert decide_mail(set_, message(verdict("greylist", virus="Eicar"))).reply.code == 451
    assert decide_mail(set_, message(verdict("add header", virus="Eicar"), Flaw.DEEP)).layer is Layer.VIRUS
    assert decide_mail(set_, message(verdict("add header"), Flaw.DEEP)).layer is Layer.MALFORMED


def test_each_recipient_is_decided_alone():
    set_ = policies(scanning(), scanning("bob@corp.test", on_spam=OnSpam.NOTHING))
    spam = verdict("add header")
    assert decide_mail(set_, message(spam)).action is Action.DELIVER
    assert decide_mail(set_, message(spam, recipient=parse_address("cy@corp.test"))).action is Action.HOLD


def test_what_is_refused_before_stays_as_it_was():
    set_ = policies(scanning(), blocks=True)
    plain, with_verdict = (decide_mail(set_, message(spam)) for spam in (None, verdict("reject", virus="x")))
    assert plain == with_verdict


def test_an_explanation_says_what_the_content_layers_found():
    set_ = policies(scanning(on_spam=OnSpam.TAG))
    decision = decide_mail(set_, message(verdict("add header"), Flaw.NULL_OCTET), explain=True)
    steps = decision_words(decision)
    assert any(step.startswith("spam scanning: reject: refuse, spam: tag") for step in steps)
    assert (
        'content: the spam engine says "add header", score 7 of 15 (X 7); its form is broken: null_octet' in steps
    )
    assert steps[-1] == "verdict: deliver, settled by spam, spam checks run, tagged as spam"


def test_an_explanation_says_why_a_policy_was_not_asked():
    facts = message(verdict("reject"))
    decision = decide_mail(policies(scanning(), blocks=True), facts, explain=True)
    failed = {one.id: one.failed for one in decision.candidates}
    assert failed["s"] is Unmet.REFUSED_BEFORE
    found = expect_policy(policies(scanning(), blocks=True), facts, decision, PolicyType.SPAM_SCANNING, "s")
    assert found.sentence.endswith("did not apply: the message is refused before its content is looked at")
    facts = message()
    decision = decide_mail(policies(scanning()), facts, explain=True)
    found = expect_policy(policies(scanning()), facts, decision, PolicyType.SPAM_SCANNING, "s")
    assert not found.applied
    assert "no spam engine has judged the message" in found.sentence


def test_a_replay_tells_what_another_policy_would_have_done():
    before, after = policies(scanning()), policies(scanning(on_spam=OnSpam.TAG))
    compared = Comparison(before, after, frozenset({"s"}))
    assert compared.difference(message(verdict("add header")))[0] is Change.NEWLY_DELIVERED
    assert compared.difference(message(verdict("no action"))) is None
    assert compared.difference(message()) is None


def test_the_linter_names_policies_that_no_engine_feeds():
    own = scanning(on_spam=OnSpam.TAG)
    for engine, wanted in ((True, []), (False, [FindingKind.NO_ENGINE])):
        found = lint(policies(own), 0.0, web_proxy=False, spam_engine=engine)
        assert [one.kind for one in found if one.kind is FindingKind.NO_ENGINE] == wanted
    for harmless in (scanning(), scanning(on_spam=OnSpam.TAG, on_malformed=OnMalformed.HOLD)):
        assert not [*lint(policies(harmless), 0.0, web_proxy=False, spam_engine=False)]


SOME_OPTIONS = st.builds(
    SpamOptions,
    on_reject=st.sampled_from(OnReject),
    on_spam=st.sampled_from(OnSpam),
    on_greylist=st.sampled_from(OnGreylist),
    on_virus=st.sampled_from(OnVirus),
    on_malformed=st.sampled_from(OnMalformed),
    reject_score=st.none() | st.sampled_from([5.0, 10.0]),
    spam_score=st.none() | st.sampled_from([3.0, 6.0]),
)
SOME_VERDICTS = st.none() | st.builds(
    SpamVerdict,
    action=st.sampled_from(SpamAction),
    score=st.sampled_from([0.0, 4.0, 7.0, 20.0]),
    virus=st.sampled_from(["", "Eicar"]),
    was_put_off=st.booleans(),
)


def naive(options: SpamOptions, facts: MessageFacts, *, skips: bool) -> tuple[str, str]:
    """The rules read naively: layer, and `refuse`, `put_off`, `hold`, `tag` or `deliver`."""
    said = []
    spam = facts.spam
    if spam is not None and spam.virus:
        said.append((options.on_virus.value, "virus"))
    if facts.flaws and options.on_malformed is not OnMalformed.NOTE:
        said.append((options.on_malformed.value, "malformed"))
    if spam is not None and not skips:
        is_reject = spam.action == "reject"
        if options.reject_score is not None:
            is_reject = spam.score >= options.reject_score
        is_spam = spam.action in ("add header", "rewrite subject")
        if options.spam_score is not None:
            is_spam = spam.score >= options.spam_score
        if is_reject:
            said.append((options.on_reject.value, "spam"))
        elif is_spam or spam.action == "reject":
            said.append((options.on_spam.value, "spam"))
        elif spam.action == "soft reject" or (spam.action == "greylist" and not spam.was_put_off):
            said.append((options.on_greylist.value, "spam"))
    for strictest in ("refuse", "put_off", "hold", "tag"):
        for what, layer in said:
            if what == strictest:
                return layer, what
    return ("permitted_senders" if skips else "default"), "deliver"


@given(SOME_OPTIONS, SOME_VERDICTS, st.lists(st.sampled_from(Flaw), max_size=1), st.booleans())
def test_the_rules_read_naively(options, spam, flaws, permits):
    """With and without its trace, by the whole decision and by the door's two steps, the answer is the same."""
    policy = SpamPolicy("s", "", Scope(), options, 0.0)
    set_, facts = policies(policy, permits=permits), message(spam, *flaws)
    decision = decide_mail(set_, facts)
    found = "deliver"
    if decision.reply is not None:
        found = "refuse" if decision.reply.code >= 500 else "put_off"
    elif decision.action is Action.HOLD or decision.tag is not None:
        found = "hold" if decision.tag is None else "tag"
    assert (decision.layer.value, found) == naive(options, facts, skips=permits)
    explained = decide_mail(set_, facts, explain=True)
    assert replace(explained, candidates=(), steps=()) == decision
    header_only = decide_mail(set_, replace(facts, spam=None, flaws=()))
    assert with_content(set_, header_only, facts) == decision
