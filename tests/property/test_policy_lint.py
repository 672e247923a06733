"""The linter held against the engine: what it calls never winning wins no message that Hypothesis can think of."""

from __future__ import annotations

from collections import Counter
from itertools import product

from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mailreeve.policy.addresses import NULL_SENDER, parse_address
from mailreeve.policy.coverage import Coverage
from mailreeve.policy.decide import decide_mail
from mailreeve.policy.decisions import PolicyType
from mailreeve.policy.facts import Directory, HeaderFrom, MessageFacts, User, WebFacts, parse_ip
from mailreeve.policy.findings import NEVER_WINS, SubjectKind
from mailreeve.policy.identities import Identities
from mailreeve.policy.lint import lint
from mailreeve.policy.networks import parse_network
from mailreeve.policy.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    Definition,
    FromPart,
    PermittedSenderPolicy,
    Routing,
    Scope,
    WebAction,
    WebEntry,
    WebEntryType,
    WebPolicy,
)
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.targets import Target, TargetType
from mailreeve.policy.weblists import canonical_entry, decide_web

INF = float("inf")
NOW = 10.0

# One world in which targets contain each other in every way that they can: a group that holds a whole domain, a
# group below a group, an attribute that all of a group have, an only internal domain that is in a group.
DIRECTORY = Directory(
    internal_domains=frozenset({"corp.test"}),
    users={
        "a@corp.test": User("a@corp.test", {"1": "sales"}),
        "al@corp.test": User("a@corp.test", {"1": "sales"}),
        "b@corp.test": User("b@corp.test", {"1": "sales", "2": "x"}),
    },
    groups={
        "corp.test": ("staff",),
        "a@corp.test": ("team",),
        "b@corp.test": ("team",),
        "x.test": ("bad",),
        "a@x.test": ("worse",),
        "f@free.test": ("bad",),
    },
    parents={"team": "staff", "worse": "bad"},
    group_names={name: name for name in ("staff", "team", "bad", "worse", "empty")},
    free_mail=frozenset({"free.test"}),
)
ADDRESSES = tuple(
    map(
        parse_address,
        ("a@corp.test", "a+t@corp.test", "al@corp.test", "c@corp.test", "a@x.test", "b@x.test", "f@free.test"),
    )
)
T = TargetType
TARGETS = (
    *(Target.of(kind) for kind in (T.EVERYONE, T.INTERNAL_ADDRESSES, T.EXTERNAL_ADDRESSES, T.FREE_MAIL_DOMAINS)),
    *(Target.of(T.EMAIL_DOMAIN, domain) for domain in ("corp.test", "x.test", "free.test")),
    *(Target.of(T.PROFILE_GROUP, group) for group in ("staff", "team", "bad", "worse", "empty", "gone")),
    *(Target.of(T.ADDRESS_ATTRIBUTE_VALUE, *pair) for pair in (("sales", "1"), ("x", "2"), ("nobody", "1"))),
    *(
        Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, key)
        for key in ("a@corp.test", "a+t@corp.test", "a@x.test", "f@free.test")
    ),
    Target.of(T.HEADER_DISPLAY_NAME, "jo"),
)
NETWORKS = tuple(map(parse_network, ("192.0.2.0/24", "192.0.2.0/28", "0.0.0.0/0", "2001:db8::/32")))
SOURCES = (None, parse_ip("192.0.2.5"), parse_ip("192.0.2.77"), parse_ip("198.51.100.1"), parse_ip("2001:db8::1"))

targets = st.sampled_from(TARGETS[:3]) | st.sampled_from(TARGETS)
rarely = st.integers(0, 4).map(lambda n: n == 0)
scopes = st.builds(
    Scope.of,
    from_=targets,
    to=targets,
    from_part=st.sampled_from(FromPart),
    networks=st.just(()) | st.just(()) | st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=2).map(tuple),
    starts=st.just(-INF) | st.sampled_from((5.0, 10.0, 20.0)),
    ends=st.just(INF) | st.just(INF) | st.sampled_from((10.0, 20.0, 30.0)),
    override=rarely,
    bidirectional=rarely,
    enabled=rarely.map(lambda rare: not rare),
)
created = st.sampled_from((1.0, 2.0))


def numbered(prefix, strategy):
    return st.lists(strategy, min_size=2, max_size=8).map(
        lambda found: [
            replace(one, id=f"{prefix}{number}", description=f"{prefix}{number}")
            for number, one in enumerate(found)
        ]
    )


blocked = numbered(
    "b",
    st.builds(
        BlockedSenderPolicy, st.just(""), st.just(""), scopes, st.sampled_from(BlockedOption), created, rarely
    ),
)
permitted = numbered("p", st.builds(PermittedSenderPolicy, st.just(""), st.just(""), scopes, created))
alteration = numbered(
    "a", st.builds(AlterationPolicy, st.just(""), st.just(""), scopes, st.sampled_from(("S", "R")), created)
)
authors = st.builds(HeaderFrom, st.sampled_from((*ADDRESSES, None)), st.sampled_from(("", "jo")))
messages = st.builds(
    MessageFacts,
    sender=st.sampled_from((*ADDRESSES, NULL_SENDER)),
    recipient=st.sampled_from(ADDRESSES),
    at=st.sampled_from((10.0, 15.0, 20.0, 25.0, 30.0)),
    header_from=st.none() | st.lists(authors, max_size=2).map(tuple),
    source_ip=st.sampled_from(SOURCES),
)

TYPES = {
    SubjectKind.BLOCKED_SENDERS: PolicyType.BLOCKED_SENDERS,
    SubjectKind.PERMITTED_SENDERS: PolicyType.PERMITTED_SENDERS,
    SubjectKind.ADDRESS_ALTERATION: PolicyType.ADDRESS_ALTERATION,
}


def policy_set(**parts):
    return PolicySet.build(
        account_id="account",
        revision=1,
        directory=DIRECTORY,
        relay_networks=[parse_network("192.0.2.0/24")],
        **parts,
    )


@given(blocked, permitted, alteration, st.lists(messages, min_size=10, max_size=30))
@settings(max_examples=250)
def test_a_policy_reported_as_never_winning_wins_no_message(blocked, permitted, alteration, messages):
    """Soundness, for the three types of policy with a scope, with the header known and unknown, in both
    directions."""
    policies = policy_set(blocked=blocked, permitted=permitted, alteration=alteration)
    found = [finding for finding in lint(policies, NOW, web_proxy=False) if finding.kind in NEVER_WINS]
    never = {(TYPES[f.subjects[0].kind], f.subjects[0].id): f for f in found if f.subjects[0].kind in TYPES}
    for kind, number in Counter(f.kind for f in never.values()).items():
        event(f"{kind}: {min(number, 3)}")
    for facts in messages:
        decision = decide_mail(policies, facts)
        for type_, winner in decision.winners.items():
            assert winner is None or (type_, winner.id) not in never, never[type_, winner.id].why


def test_keys_that_are_said_to_be_sure_are_had_by_all_who_match():
    """`Coverage` claims that all who match one target match another: no address contradicts it, for any pair."""
    identities = Identities(DIRECTORY)
    coverage = Coverage(identities)
    senders = (*ADDRESSES, parse_address("b@corp.test"), parse_address("zz@free.test"), NULL_SENDER)
    claimed = [
        (wide.key, narrow.key)
        for wide, narrow in product(TARGETS, TARGETS)
        if wide is not narrow and wide.key in coverage.sure_keys(narrow)
    ]
    assert len(claimed) > 50
    for wide, narrow in claimed:
        for keys in map(identities.keys, senders):
            assert narrow not in keys or wide in keys


patterns = st.sampled_from(
    [AddressPattern(*halves) for halves in product(("a", "c", ""), ("corp.test", "x.test", "")) if any(halves)]
)
definitions = st.lists(
    st.builds(
        Definition,
        id=st.just(""),
        set_id=st.sampled_from(("", "S")),
        address_type=st.sampled_from((AddressType.ALL, AddressType.ENVELOPE_TO)),
        original=patterns,
        new=patterns,
        routing=st.sampled_from((Routing.ALL, Routing.INBOUND)),
    ),
    min_size=2,
    max_size=8,
).map(lambda found: [replace(one, id=f"d{number}") for number, one in enumerate(found)])


@given(definitions, st.lists(messages, min_size=10, max_size=20))
def test_a_definition_reported_as_never_winning_rewrites_nothing(definitions, messages):
    """Soundness for definitions: no alteration of any message names one of them."""
    everybody = AlterationPolicy("a0", "", Scope(), "S", 1.0)
    policies = policy_set(alteration=[everybody], definitions=definitions)
    never = {
        finding.subjects[0].id
        for finding in lint(policies, NOW, web_proxy=False)
        if finding.kind in NEVER_WINS and finding.subjects[0].kind is SubjectKind.ALTERATION_DEFINITION
    }
    event(f"never: {min(len(never), 3)}")
    for facts in messages:
        assert never.isdisjoint(made.definition_id for made in decide_mail(policies, facts).alterations)


HOSTS = ("ex.test", "www.ex.test", "a.b.ex.test", "other.test")
PATHS = ("", "/docs", "/docs/a", "/docsx", "/docs?x=1", "/docs?x=1&y=2")
entries = st.builds(
    lambda type_, host, path, action: WebEntry(
        "", type_, canonical_entry(type_, host + (path if type_ is WebEntryType.URL else "")), action
    ),
    st.sampled_from(WebEntryType),
    st.sampled_from(HOSTS),
    st.sampled_from(PATHS),
    st.sampled_from(WebAction),
)
web_scopes = st.builds(
    lambda scope, everyone: replace(scope, to=Target.of(T.EVERYONE)) if everyone else scope,
    scopes,
    rarely.map(lambda rare: not rare),
)
web_lists = st.lists(
    st.tuples(
        st.lists(web_scopes, min_size=1, max_size=2),
        st.lists(entries, min_size=1, max_size=4, unique_by=lambda entry: (entry.type, entry.value)),
        created,
    ),
    min_size=2,
    max_size=5,
).map(
    lambda found: [
        WebPolicy(
            f"w{n}",
            f"w{n}",
            tuple(scopes),
            tuple(replace(entry, id=f"w{n}.{m}") for m, entry in enumerate(entries)),
            created,
        )
        for n, (scopes, entries, created) in enumerate(found)
    ]
)
requests = st.builds(
    WebFacts,
    url=st.builds(lambda host, path: f"https://{host}{path}", st.sampled_from(HOSTS), st.sampled_from(PATHS)),
    at=st.sampled_from((10.0, 15.0, 20.0, 25.0, 30.0)),
    user=st.none() | st.sampled_from(ADDRESSES),
    source_ip=st.sampled_from(SOURCES),
)


@given(web_lists, st.lists(requests, min_size=10, max_size=40))
@settings(max_examples=200)
def test_a_web_entry_reported_as_never_winning_decides_no_request(lists, requests):
    """Soundness for web lists: neither a shadowed entry nor any of a dead list wins a request."""
    policies = policy_set(web=lists)
    dead, never = set(), set()
    for finding in lint(policies, NOW, web_proxy=True):
        if finding.kind in NEVER_WINS:
            for subject in finding.subjects[: finding.count]:
                (dead if subject.kind is SubjectKind.WEB_LIST else never).add(subject.id)
    event(f"dead: {min(len(dead), 3)}, never: {min(len(never), 3)}")
    for facts in requests:
        decision = decide_web(policies, facts)
        assert decision.policy_id not in dead
        assert decision.entry is None or decision.entry.id not in never
