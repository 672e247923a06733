"""Mail decisions held against a plain reading of the rules.

`naive_rules` looks at every policy, indexes nothing, and uses no code of the engine beyond its values.
Hypothesis draws small accounts in which policies collide often.
"""

from __future__ import annotations

from itertools import chain, combinations, product
from math import inf

from effort import examples
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from naive_rules import NaiveRules, found
from policy_parts import parts
from small_world import (
    ADDRESSES,
    DIRECTORY,
    NAMES,
    NETWORKS,
    RELAY,
    RESULTS,
    Account,
    T,
    accounts,
    blocked_lists,
    close_messages,
    envelopes,
    messages,
    people,
    rarely,
    small_accounts,
    targets,
)

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip
from mailreeve.policy.decide.mail import decide_connect, decide_mail
from mailreeve.policy.model.authentication import SUPPOSED
from mailreeve.policy.model.decisions import Action, Stage
from mailreeve.policy.model.policies import (
    BlockedOption,
    BlockedSenderPolicy,
    FromPart,
    Scope,
)
from mailreeve.policy.model.policy_types import Layer, PolicyType
from mailreeve.policy.model.targets import Target

RULES = NaiveRules(DIRECTORY, RELAY)
expected, best, was_given_before = RULES.expected, RULES.best, RULES.was_given_before

# ------------------------------------------------------------------------------- properties


@settings(max_examples=examples(120))
@given(accounts, st.lists(messages, min_size=1, max_size=8))
def test_the_index_decides_as_a_naive_reading_of_the_rules(account, mail):
    """Winners of every type, layer, reply, spam checks and effective recipient; refusals at connect apart."""
    policies = account.policy_set()
    for facts in map(account.asked, mail):
        decision = decide_mail(policies, facts)
        wanted = expected(account, facts)
        at_connect = facts.source_ip and decide_connect(policies, facts.source_ip, facts.at)
        if at_connect:
            wanted = wanted._replace(
                layer=Layer.BLOCKED_SENDERS, reply="421 4.7.1 Sender address blocked", spam_skipped=False
            )
            assert at_connect.winners[PolicyType.BLOCKED_SENDERS].id == wanted.winners["blocked_senders"]
        event(f"layer {wanted.layer}")
        assert found(decision) == wanted or was_given_before(account, facts, decision)


@settings(max_examples=examples(80))
@given(accounts, messages | envelopes)
def test_an_explanation_decides_as_without_one(account, facts):
    """With the trace left out, the two decisions are equal in every field, the stage included."""
    policies, facts = account.policy_set(), account.asked(facts)
    explained = decide_mail(policies, facts, explain=True)
    assert replace(explained, candidates=(), steps=()) == decide_mail(policies, facts)
    for type_, winner in explained.winners.items():
        first = [c.id for c in explained.candidates if c.type is type_ and c.place == 1]
        assert first == ([] if winner is None else [winner.id])


ANY_AUTHOR = [HeaderFrom(address, name) for address, name in product((*ADDRESSES, None), NAMES)]
INSIDER, STRANGER = HeaderFrom(ADDRESSES[0]), HeaderFrom(parse_address("a@x.test"), "jo doe")
OTHERS = (HeaderFrom(parse_address("f@free.test")), HeaderFrom(parse_address("b@x.test")))
HEADERS = [(), *((author,) for author in ANY_AUTHOR), (INSIDER, STRANGER), OTHERS]


def check_certainty(account, envelope, headers):
    """What was certain before the header was known holds for any; refusals come when they are certain."""
    policies = account.policy_set()
    early = decide_mail(policies, envelope)
    event(f"certain {early.certain}, {early.action}")
    several = (None, *RESULTS) if account.authentication.is_judged else (None,)
    for header, authentication in product(headers, several):
        facts = replace(envelope, header_from=header, authentication=authentication)
        final = decide_mail(policies, facts)
        assert final.certain
        if early.certain:
            assert (final.action, final.reply) == (early.action, early.reply)
            # By the rules themselves, too, and not only because the decision sticks to what was said.
            assert (expected(account, facts).reply is None) is (final.reply is None)
            if early.action is Action.DELIVER:
                assert (final.spam_checks, final.recipient) == (early.spam_checks, early.recipient)
        if final.action is Action.REJECT and final.stage is not Stage.CONNECT:
            assert final.stage is (Stage.RCPT if early.certain else Stage.DATA)


@settings(max_examples=examples(80))
@given(accounts, envelopes)
def test_what_is_certain_at_rcpt_holds_for_any_header(account, envelope):
    """D-07: verdict and reply stay; so do spam checks and effective recipient of a delivery."""
    check_certainty(account, envelope, HEADERS)


@settings(max_examples=examples(350))
@given(small_accounts, st.lists(close_messages, min_size=3, max_size=6))
def test_few_policies_of_one_kind_among_few_people_decide_as_a_naive_reading(account, mail):
    """The rare cases of each kind, which large accounts hide: turned policies, two faces, two sets."""
    policies = account.policy_set()
    for facts in map(account.asked, mail):
        decision = decide_mail(policies, facts)
        assert found(decision) == expected(account, facts) or was_given_before(account, facts, decision)


@settings(max_examples=examples(350))
@given(small_accounts, close_messages)
def test_few_policies_of_one_kind_among_few_people_are_certain_for_any_header(account, facts):
    """The same rare cases for D-07."""
    envelope = replace(facts, header_from=None, authentication=None)
    check_certainty(account, envelope, [(), *((person,) for person in people)])


# Whoever the small world tells apart, and those whom nobody knows, inside and outside; by one name or the other.
STRANGERS = [parse_address(f"new@{at}.test") for at in ("corp", "old", "x", "free", "far")]
WHOEVER = [HeaderFrom(address, name) for address in (*ADDRESSES, *STRANGERS, None) for name in NAMES]


def every_header(most):
    """All headers of so many authors at most."""
    return chain.from_iterable(combinations(WHOEVER, number) for number in range(most + 1))


def check_that_no_refusal_waits_without_need(account, envelope):
    """RCPT refuses where every header leads to a refusal, and only there; the rules are read naively."""
    early = decide_mail(account.policy_set(), envelope)
    refused_at_rcpt = early.certain and early.action is Action.REJECT

    def is_delivered(header):
        at_best = SUPPOSED if account.authentication.is_judged else None
        vouched = replace(envelope, header_from=header, authentication=at_best)
        return expected(account, vouched).reply is None

    delivered = any(map(is_delivered, every_header(2)))
    if not delivered and not refused_at_rcpt:  # is there one of three?
        delivered = any(map(is_delivered, combinations(WHOEVER, 3)))
    event(f"refused at rcpt: {refused_at_rcpt}")
    assert refused_at_rcpt is not delivered


@settings(max_examples=examples(40))
@given(accounts, envelopes)
def test_rcpt_refuses_exactly_what_every_header_would_have_refused(account, envelope):
    """D-07, both ways: no doubt about the words of a refusal puts it off. Nor does what may come to be known of
    authentication, but where it lets a permit count."""
    check_that_no_refusal_waits_without_need(account, envelope)


@settings(max_examples=examples(120))
@given(small_accounts, close_messages)
def test_rcpt_refuses_exactly_that_where_few_policies_of_one_kind_meet(account, facts):
    """The same where policies turn round, personal lists differ, and alteration chooses among lists."""
    envelope = replace(facts, header_from=None, authentication=None)
    check_that_no_refusal_waits_without_need(account, envelope)


@settings(max_examples=examples(80))
@given(blocked_lists, envelopes)
def test_a_doubt_about_an_admin_block_is_a_real_one_unless_both_parts_or_directions_count(blocked, envelope):
    """The engine does not wait without need: some header changes the outcome wherever it says so.

    Left out are policies for which it knowingly waits too often: those that would need a header that
    matches two narrow targets at once, and those that turn round.
    """
    simple = [
        replace(
            policy,
            scope=replace(
                policy.scope,
                from_=policy.scope.from_ if number else Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, "a@x.test"),
                terms=replace(
                    policy.scope.terms,
                    bidirectional=False,
                    from_part=FromPart.ENVELOPE_FROM if number else FromPart.HEADER_FROM,
                ),
            ),
        )
        for number, policy in enumerate(blocked)
        if policy.scope.from_.type is not T.HEADER_DISPLAY_NAME
    ]
    policies = Account(simple, [], [], [], []).policy_set()
    early = decide_mail(policies, envelope)
    if not early.certain:
        outcomes = {decide_mail(policies, replace(envelope, header_from=header)).reply for header in HEADERS}
        assert len(outcomes) > 1


@settings(max_examples=examples(120))
@given(
    st.lists(
        st.builds(
            lambda networks, **fields: Scope.of(networks=networks, **fields),
            networks=st.sampled_from(((), NETWORKS[:1], NETWORKS[:1])),
            from_=st.just(Target.of(T.EVERYONE)) | targets,
            to=st.just(Target.of(T.EVERYONE)),
            override=st.booleans(),
            bidirectional=rarely,
            ends=st.sampled_from((10.0, inf, inf)),
            from_part=st.just(FromPart.ENVELOPE_FROM) | st.sampled_from(FromPart),
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(
        st.sampled_from((BlockedOption.BLOCK_SENDER,) * 3 + (BlockedOption.NO_ACTION,)), min_size=4, max_size=4
    ),
    st.lists(messages | envelopes, min_size=1, max_size=10),
)
def test_a_refusal_at_connect_is_the_refusal_of_every_message_from_there(scopes_drawn, options, mail):
    """Every message is refused by the same policy, and by nothing else in a naive reading."""
    blocked = [
        BlockedSenderPolicy(str(number), "", scope, option, float(number))
        for number, (scope, option) in enumerate(zip(scopes_drawn, options, strict=False))
    ]
    account = Account(blocked, [], [], [], [])
    policies = account.policy_set()
    source = parse_ip("192.0.2.5")
    for drawn in mail:
        facts = replace(drawn, source_ip=source)
        refusal = decide_connect(policies, source, facts.at)
        event(f"refused at connect: {refusal is not None}")
        decision = decide_mail(policies, facts)
        if refusal is None:
            assert decision.stage is not Stage.CONNECT
        else:
            same = (refusal.action, refusal.stage, refusal.reply, refusal.layer, refusal.description)
            assert same == (
                decision.action,
                decision.stage,
                decision.reply,
                decision.layer,
                decision.description,
            )
            winner = best(blocked, facts)[0].id
            assert refusal.winners[PolicyType.BLOCKED_SENDERS].id == winner
            assert decision.winners[PolicyType.BLOCKED_SENDERS].id == winner


@settings(max_examples=examples(25))
@given(accounts, accounts, messages)
def test_a_changed_set_decides_as_one_built_anew(before, after, facts):
    """`changed` re-indexes exactly the parts it is given."""
    rebuilt = after.policy_set()
    before = before._replace(authentication=after.authentication)  # the server's, which stays while it runs
    named = {name: part for name, part in after._asdict().items() if name != "authentication"}
    changed = before.policy_set().changed(revision=1, **parts(**named))
    assert decide_mail(changed, facts) == decide_mail(rebuilt, facts)
    mixed = before.policy_set().changed(revision=1, **parts(permitted=after.permitted, managed=after.managed))
    fresh = before._replace(permitted=after.permitted, managed=after.managed).policy_set()
    assert decide_mail(mixed, facts) == decide_mail(fresh, facts)
