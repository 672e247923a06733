"""Replay leaves out what a change cannot concern: with and without that, the same differences are found."""

from __future__ import annotations

from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mailreeve.policy.addresses import NULL_SENDER, parse_address
from mailreeve.policy.facts import Directory, HeaderFrom, MessageFacts, User, parse_ip
from mailreeve.policy.networks import parse_network
from mailreeve.policy.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    Definition,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    Scope,
)
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.replay import Comparison
from mailreeve.policy.targets import Target, TargetType

INF = float("inf")
T = TargetType
ADDRESSES = tuple(
    map(parse_address, ("a@corp.test", "al@corp.test", "b@corp.test", "a+t@corp.test", "a@x.test", "b@y.test"))
)
TARGETS = (
    *(Target.of(kind) for kind in (T.EVERYONE, T.INTERNAL_ADDRESSES, T.EXTERNAL_ADDRESSES)),
    *(Target.of(T.EMAIL_DOMAIN, domain) for domain in ("corp.test", "x.test")),
    *(Target.of(T.PROFILE_GROUP, group) for group in ("g", "h")),
    *(Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, key) for key in ("a@corp.test", "a@x.test", "b@y.test")),
    Target.of(T.HEADER_DISPLAY_NAME, "jo"),
)
NETWORK = parse_network("192.0.2.0/24")
SOURCES = (None, parse_ip("192.0.2.5"), parse_ip("127.0.0.1"))

rarely = st.integers(0, 4).map(lambda n: n == 0)
scopes = st.builds(
    Scope.of,
    from_=st.sampled_from(TARGETS),
    to=st.sampled_from(TARGETS),
    from_part=st.sampled_from(FromPart),
    networks=rarely.map(lambda rare: (NETWORK,) if rare else ()),
    starts=st.just(-INF),
    ends=st.sampled_from((INF, INF, 10.0)),
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
    at=st.sampled_from((5.0, 15.0)),
    header_from=st.none() | st.lists(authors, max_size=2).map(tuple),
    source_ip=st.sampled_from(SOURCES),
)


def directory(groups):
    user = User("a@corp.test")
    return Directory(
        internal_domains=frozenset({"corp.test"}),
        users={"a@corp.test": user, "al@corp.test": user},
        groups=groups,
        group_names={"g": "g", "h": "h"},
        parents={"h": "g"},
    )


@given(kept, drafted, memberships, memberships | st.none(), st.lists(messages, min_size=15, max_size=30))
@settings(max_examples=250)
def test_what_is_not_decided_would_have_made_no_difference(kept, drafted, members, new_members, messages):
    """For random drafts, of policies, personal entries, definitions and memberships alike."""
    before_parts = {name: kept[name] + drafted.get(name, ([], []))[0] for name in PARTS}
    after_parts = {name: kept[name] + drafted.get(name, ([], []))[1] for name in PARTS}
    touched = frozenset(one.id for goes, comes in drafted.values() for one in (*goes, *comes))
    before = PolicySet.build(
        account_id="account", revision=1, directory=directory(members), relay_networks=[NETWORK], **before_parts
    )
    after = before.changed(
        revision=1,
        directory=None if new_members is None else directory(new_members),
        **{name: after_parts[name] for name in drafted},
    )
    quick = Comparison(before, after, touched)
    thorough = Comparison(before, after, touched, decide_all=True)
    differences = 0
    for facts in messages:
        expected = thorough.difference(facts)
        assert quick.difference(facts) == expected
        differences += expected is not None
    event(f"differences: {min(differences, 5)}")
