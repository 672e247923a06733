"""Replay leaves out what a change cannot concern, and asks but once about messages that are alike: without that,
the same would be told."""

from __future__ import annotations

from effort import examples
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from policy_parts import parts
from small_world import RESULTS

from mailreeve.formats.addresses import NULL_SENDER, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.authentication import AuthenticationRules
from mailreeve.policy.model.decisions import Decision
from mailreeve.policy.model.facts import Directory, MessageFacts, User
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    AntiSpoofingBypassPolicy,
    AntiSpoofingPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    BypassOption,
    Definition,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    Scope,
    SpoofingOption,
)
from mailreeve.policy.model.targets import Target, TargetType
from mailreeve.policy.replay.alike import Alike
from mailreeve.policy.replay.difference import UNDETERMINED, Comparison

INF = float("inf")
T = TargetType
ADDRESSES = tuple(
    map(
        parse_address,
        (
            *("a@corp.test", "al@corp.test", "b@corp.test", "a+t@corp.test", "B@corp.test", "c%x.test@corp.test"),
            *("a@x.test", "c@x.test", "b@y.test", "c@y.test", "d@y.test", "e@z.test"),
        ),
    )
)
TARGETS = (
    *(Target.of(kind) for kind in (T.EVERYONE, T.INTERNAL_ADDRESSES, T.EXTERNAL_ADDRESSES)),
    *(Target.of(T.EMAIL_DOMAIN, domain) for domain in ("corp.test", "x.test")),
    *(Target.of(T.PROFILE_GROUP, group) for group in ("g", "h")),
    *(Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, key) for key in ("a@corp.test", "a@x.test", "b@y.test")),
    Target.of(T.HEADER_DISPLAY_NAME, "jo"),
)
NETWORK = parse_network("192.0.2.0/24")
NETWORKS = (NETWORK, parse_network("192.0.2.0/29"), parse_network("2001:db8::/32"))
SOURCES = (
    *(None, parse_ip("192.0.2.5"), parse_ip("192.0.2.99"), parse_ip("127.0.0.1")),
    *(parse_ip("2001:db8::1"), parse_ip("::ffff:192.0.2.6")),
)

rarely = st.integers(0, 4).map(lambda n: n == 0)
scopes = st.builds(
    Scope.of,
    from_=st.sampled_from(TARGETS),
    to=st.sampled_from(TARGETS),
    from_part=st.sampled_from(FromPart),
    networks=st.just(()) | st.just(()) | st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=2).map(tuple),
    starts=st.sampled_from((-INF, -INF, -INF, 10.0)),
    ends=st.sampled_from((INF, INF, INF, 15.0)),
    override=rarely,
    bidirectional=rarely,
    enabled=rarely.map(lambda rare: not rare),
)
created = st.sampled_from((1.0, 2.0))
halves = st.sampled_from((("a", "corp.test"), ("b", "corp.test"), ("", "corp.test"), ("a", ""), ("a", "x.test")))
patterns = halves.map(lambda pair: AddressPattern(*pair))

PARTS = {
    "blocked": st.builds(
        BlockedSenderPolicy, st.just(""), st.just(""), scopes, st.sampled_from(BlockedOption), created, rarely
    ),
    "permitted": st.builds(PermittedSenderPolicy, st.just(""), st.just(""), scopes, created),
    "spoofing": st.builds(
        AntiSpoofingPolicy, st.just(""), st.just(""), scopes, st.sampled_from(SpoofingOption), created
    ),
    "bypass": st.builds(
        lambda scope, option, domains: AntiSpoofingBypassPolicy(
            "", "", replace(scope, terms=replace(scope.terms, spf_domains=domains)), option, 1.0
        ),
        scopes,
        st.sampled_from(BypassOption),
        st.sampled_from((frozenset(), frozenset({"x.test"}))),
    ),
    "alteration": st.builds(AlterationPolicy, st.just(""), st.just(""), scopes, st.just("S"), created),
    "managed": st.builds(
        ManagedSender,
        st.just(""),
        st.sampled_from(("a@corp.test", "b@corp.test")),
        st.sampled_from(("a@x.test", "x.test", "b@y.test")),
        st.sampled_from(ManagedAction),
    ),
    "definitions": st.builds(
        Definition,
        st.just(""),
        st.sampled_from(("", "S")),
        st.sampled_from((AddressType.ALL, AddressType.ENVELOPE_TO)),
        patterns,
        patterns,
        st.just(Routing.ALL),
    ),
}


def numbered(name, prefix, most):
    return st.lists(PARTS[name], max_size=most).map(
        lambda found: [replace(one, id=f"{name}-{prefix}{n}") for n, one in enumerate(found)]
    )


# What stays, what goes with the draft, and what comes: of one or two kinds, as in a real draft.
kept = st.fixed_dictionaries({name: numbered(name, "kept", 3) for name in PARTS})
drafted = st.sets(st.sampled_from(sorted(PARTS)), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries(
        {name: st.tuples(numbered(name, "goes", 1), numbered(name, "comes", 2)) for name in names}
    )
)
memberships = st.fixed_dictionaries(
    {},
    optional={
        member: st.sampled_from((("g",), ("h",), ("g", "h")))
        for member in ("a@x.test", "x.test", "b@y.test", "a@corp.test")
    },
)
authors = st.builds(HeaderFrom, st.sampled_from((*ADDRESSES, None)), st.sampled_from(("", "jo")))
messages = st.builds(
    MessageFacts,
    sender=st.sampled_from((*ADDRESSES, NULL_SENDER)),
    recipient=st.sampled_from(ADDRESSES),
    at=st.sampled_from((5.0, 10.0, 12.0, 15.0)),
    header_from=st.none() | st.lists(authors, max_size=2).map(tuple),
    source_ip=st.sampled_from(SOURCES),
    authentication=st.none() | st.sampled_from(RESULTS),
)


ends = st.dictionaries(
    st.tuples(st.sampled_from(("a@x.test", "x.test", "b@y.test", "a@corp.test")), st.sampled_from("gh")),
    st.sampled_from((5.0, 10.0, 11.0, 15.0)),
    max_size=3,
)


def directory(groups, ends):
    by_member: dict[str, dict[str, float]] = {}
    for (member, group), end in ends.items():
        if group in groups.get(member, ()):
            by_member.setdefault(member, {})[group] = end
    user = User("a@corp.test")
    return Directory(
        internal_domains=frozenset({"corp.test"}),
        users={"a@corp.test": user, "al@corp.test": user},
        groups=groups,
        ends=by_member,
        group_names={"g": "g", "h": "h"},
        parents={"h": "g"},
    )


@given(
    kept,
    drafted,
    memberships,
    memberships | st.none(),
    st.lists(messages, min_size=15, max_size=40),
    ends,
    ends,
    st.booleans(),
)
@settings(max_examples=examples(250))
def test_what_is_not_decided_would_have_been_told_as_well(
    kept, drafted, members, new_members, messages, ends, new_ends, judged
):
    """For random drafts, of policies, personal entries, definitions and memberships alike, which may end."""
    messages = [
        one if judged and one.header_from is not None else replace(one, authentication=None) for one in messages
    ]
    before_parts = {name: kept[name] + drafted.get(name, ([], []))[0] for name in PARTS}
    after_parts = {name: kept[name] + drafted.get(name, ([], []))[1] for name in PARTS}
    touched = frozenset(one.id for goes, comes in drafted.values() for one in (*goes, *comes))
    before = PolicySet.build(
        account_id="account",
        revision=1,
        directory=directory(members, ends),
        relay_networks=[NETWORK],
        authentication=AuthenticationRules(is_judged=judged),
        **parts(**before_parts),
    )
    after = before.changed(
        revision=1,
        directory=None if new_members is None else directory(new_members, new_ends),
        **parts(**{name: after_parts[name] for name in drafted}),
    )
    comparison = Comparison(before, after, touched)
    alone = [comparison.difference_alone(facts) for facts in messages]
    differences = sum(isinstance(told, tuple) for told in alone)
    event(f"differences: {min(differences, 5)}")
    for facts, expected in zip(messages, alone, strict=True):
        # What nothing of the draft concerns need not be told to be undetermined.
        told = comparison.difference(facts)
        assert told == expected or (told is None and expected is UNDETERMINED)
    keys = Alike(before, after)
    seen: dict[object, tuple[object, ...]] = {}
    for facts in messages:
        fates = tuple(map(fate, comparison.decisions(facts)))
        assert seen.setdefault(keys.key(facts), fates) == fates
    event(f"alike: {min(len(messages) - len(seen), 5)}")


def fate(decision: Decision) -> tuple[object, ...]:
    """All of a decision but the addresses that are those of the message."""
    made = tuple(one.definition_id for one in decision.alterations)
    return (
        *(decision.action, decision.stage, decision.reply, decision.layer, decision.spam_checks),
        *(decision.certain, tuple(decision.winners.items()), made),
    )
