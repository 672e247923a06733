"""The linter held against the engine and against brute force.

What it calls never winning wins no message that Hypothesis can think of; and of what its rules define it misses
nothing, also where rows are long and only a few policies of each are looked at.
"""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from effort import examples
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from policy_parts import parts

from mailreeve.formats.addresses import NULL_SENDER, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.decide.web import canonical_entry, decide_web, list_standing, scope_standing
from mailreeve.policy.index import buckets
from mailreeve.policy.index.definitions import Definitions, Route
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.index.web_index import list_entry
from mailreeve.policy.lint import rivals
from mailreeve.policy.lint import web as lint_web
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.findings import NEVER_WINS, FindingKind, SubjectKind
from mailreeve.policy.lint.linter import lint
from mailreeve.policy.lint.rivals import ALIKE
from mailreeve.policy.lint.scope_cover import (
    Direction,
    covers,
    directions,
    is_in_force,
    may_meet,
    networks_covered,
)
from mailreeve.policy.lint.web import entry_covers
from mailreeve.policy.model.facts import Directory, MessageFacts, User, WebFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import (
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
    WebPolicyKind,
)
from mailreeve.policy.model.policy_types import SCOPED, Layer, PolicyType
from mailreeve.policy.model.targets import EVERYONE_KEY, Target, TargetType

INF = float("inf")
NOW = 10.0

# One world in which targets contain each other in every way that they can: a group that holds a whole domain, a
# group below a group, an attribute that all of a group have, an only internal domain that is in a group.
DIRECTORY = Directory(
    internal_domains=frozenset({"corp.test", "old.test"}),
    users={
        "a@corp.test": User("a@corp.test", {"1": "sales"}),
        "al@corp.test": User("a@corp.test", {"1": "sales"}),
        "b@corp.test": User("b@corp.test", {"1": "sales", "2": "x"}),
        "a@old.test": User("a@corp.test", {"1": "sales"}),
    },
    groups={
        "corp.test": ("staff",),
        "a@corp.test": ("team",),
        "b@corp.test": ("team",),
        "x.test": ("bad",),
        "a@x.test": ("worse",),
        "f@free.test": ("bad",),
        "old.test": ("moved",),
        "al@corp.test": ("named",),
        "g+t@old.test": ("named",),
    },
    parents={"team": "staff", "worse": "bad"},
    group_names={name: name for name in ("staff", "team", "bad", "worse", "empty", "moved", "named")},
    free_mail=frozenset({"free.test"}),
)
ADDRESSES = tuple(
    map(
        parse_address,
        (
            "a@corp.test",
            "a+t@corp.test",
            "al@corp.test",
            "c@corp.test",
            "a@x.test",
            "b@x.test",
            "f@free.test",
            "al+t@corp.test",
            "a@old.test",
            "g@old.test",
        ),
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
    *(Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, key) for key in ("al@corp.test", "a@old.test", "g@old.test")),
    Target.of(T.EMAIL_DOMAIN, "old.test"),
    *(Target.of(T.PROFILE_GROUP, group) for group in ("moved", "named")),
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


ends = st.dictionaries(
    st.sampled_from([(member, group) for member, held in DIRECTORY.groups.items() for group in held]),
    st.sampled_from((NOW, 15.0, 20.0, 25.0)),
    max_size=3,
)


def policy_set(ends=None, **named):
    by_member: dict[str, dict[str, float]] = {}
    for (member, group), end in (ends or {}).items():
        by_member.setdefault(member, {})[group] = end
    return PolicySet.build(
        account_id="account",
        revision=1,
        directory=replace(DIRECTORY, ends=by_member),
        relay_networks=[parse_network("192.0.2.0/24")],
        **parts(**named),
    )


@given(blocked, permitted, alteration, st.lists(messages, min_size=10, max_size=30), st.just({}) | ends)
@settings(max_examples=examples(300))
def test_a_policy_reported_as_never_winning_wins_no_message(blocked, permitted, alteration, messages, ends):
    """Soundness, for the three types of policy with a scope, with the header known and unknown, in both
    directions, and also of messages after memberships have ended."""
    policies = policy_set(ends, blocked=blocked, permitted=permitted, alteration=alteration)
    found = [finding for finding in lint(policies, NOW, web_proxy=False) if finding.kind in NEVER_WINS]
    never = {(f.subjects[0].kind, f.subjects[0].id): f for f in found if f.subjects[0].kind in SCOPED}
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


@pytest.fixture
def long_rows(monkeypatch) -> None:
    """Rows of three policies count as long, so that they are prepared."""
    monkeypatch.setattr(buckets, "SMALL_BUCKET", 2)
    monkeypatch.setattr(rivals, "LONG", 2)
    monkeypatch.setattr(lint_web, "FEW", 1)


# Of few targets, so that rows grow long, in worlds where conditions differ.
crowded_scopes = st.builds(
    Scope.of,
    from_=st.sampled_from([TARGETS[number] for number in (0, 5, 7, 8, 14, 17)]),
    to=st.sampled_from([TARGETS[number] for number in (0, 1, 7, 8)]),
    from_part=st.sampled_from(FromPart),
    networks=st.just(()) | st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=3).map(tuple),
    starts=st.just(-INF) | st.sampled_from((5.0, 15.0, 20.0, 25.0)),
    ends=st.just(INF) | st.sampled_from((10.0, 15.0, 20.0, 25.0, 30.0)),
    override=rarely,
    bidirectional=rarely,
)
crowded = st.lists(
    st.builds(
        BlockedSenderPolicy,
        st.just(""),
        st.just(""),
        crowded_scopes,
        st.sampled_from(BlockedOption),
        created,
        st.integers(0, 20).map(lambda n: n == 0),
    ),
    min_size=3,
    max_size=15,
).map(lambda found: [replace(one, id=f"b{number:02}") for number, one in enumerate(found)])
few_permits = numbered(
    "p", st.builds(PermittedSenderPolicy, st.just(""), st.just(""), crowded_scopes | scopes, created)
)


class BruteForce:
    """What the linter's rules define, found by holding every policy against every other one."""

    def __init__(self, policies: list) -> None:
        self.identities = Identities(DIRECTORY)
        self.coverage = Coverage(self.identities)
        self.policies = [policy for policy in policies if self.is_alive(policy)]
        self.ways = [way for policy in self.policies for way in directions(policy)]
        self.shadowed = {policy.id for policy in self.policies if self.is_shadowed(policy)}

    def is_alive(self, policy) -> bool:
        scope = policy.scope
        possible = not any(map(self.coverage.impossible, (scope.from_, scope.to)))
        return is_in_force(scope, NOW) and possible and any(directions(policy))

    def is_shadowed(self, policy) -> bool:
        return all(
            any(
                rival.policy.id != policy.id and rival.floor > way.order and covers(self.coverage, rival, way, NOW)
                for rival in self.ways
            )
            for way in directions(policy)
        )

    def share(self, first: Target, second: Target) -> bool:
        """Whether some address matches both."""
        if first.key == second.key:
            return True
        people = (*ADDRESSES, *map(parse_address, ("b@corp.test", "zz@free.test", "zz@x.test")))
        return any({first.key, second.key} <= set(self.identities.keys(one)) for one in people)

    def tie(self, way: Direction, other: Direction) -> bool:
        first, second = way.policy, other.policy
        return (
            first.id != second.id
            and way.order[:ALIKE] == other.order[:ALIKE]
            and not getattr(first, "relay_guard", False)
            and not getattr(second, "relay_guard", False)
            and may_meet(first.scope, second.scope, NOW)
            and self.share(way.sender, other.sender)
            and self.share(way.recipient, other.recipient)
        )

    @property
    def tied(self) -> dict[str, set[str]]:
        """For each policy that may win those that it ties with."""
        ways = [way for way in self.ways if way.policy.id not in self.shadowed]
        found: dict[str, set[str]] = {}
        for way, other in product(ways, ways):
            if self.tie(way, other):
                found.setdefault(way.policy.id, set()).add(other.policy.id)
        return found

    def near(self, first: Target, second: Target) -> bool:
        """Whether one is surely within the other."""
        keys = self.coverage.sure_keys
        return first.key in keys(second) or second.key in keys(first)

    def is_under_block(self, permit) -> bool:
        """Whether a block covers the permit, and no exemption near it comes before the block."""
        for way in directions(permit):
            floors = [
                rival.floor
                for rival in self.ways
                if rival.policy.option is BlockedOption.BLOCK_SENDER and covers(self.coverage, rival, way, NOW)
            ]
            if not floors or any(
                rival.policy.option is BlockedOption.NO_ACTION
                and rival.order > max(floors)
                and may_meet(rival.policy.scope, permit.scope, NOW)
                and self.near(rival.sender, way.sender)
                and self.near(rival.recipient, way.recipient)
                for rival in self.ways
            ):
                return False
        return any(directions(permit))


@pytest.mark.usefixtures("long_rows")
@given(crowded | blocked, few_permits)
@settings(max_examples=examples(250), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_rules_for_policies_define_is_found(blocked, permitted):
    """Completeness, and nothing beyond: shadows and permits under a block are those of brute force; every policy
    that ties is named in a pair that ties."""
    policies = policy_set(blocked=blocked, permitted=permitted)
    found = list(lint(policies, NOW, web_proxy=False))

    def first(kind: FindingKind, about: SubjectKind) -> list[str]:
        return [one.subjects[0].id for one in found if one.kind is kind and one.subjects[0].kind is about]

    brute = BruteForce(blocked)
    shadowed = first(FindingKind.SHADOWED, PolicyType.BLOCKED_SENDERS)
    assert sorted(shadowed) == sorted(brute.shadowed)
    under = first(FindingKind.PERMIT_UNDER_BLOCK, PolicyType.PERMITTED_SENDERS)
    alive = BruteForce(permitted).policies
    assert sorted(under) == sorted(permit.id for permit in alive if brute.is_under_block(permit))
    pairs = [
        [subject.id for subject in one.subjects]
        for one in found
        if one.kind is FindingKind.TIED and one.subjects[0].kind is PolicyType.BLOCKED_SENDERS
    ]
    tied = brute.tied
    assert {name for pair in pairs for name in pair} == set(tied)
    for loser, winner in pairs:
        assert winner in tied[loser]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    event(f"shadowed: {min(len(shadowed), 3)}, tied: {min(len(pairs), 3)}, under: {min(len(under), 3)}")


@given(crowded | blocked, few_permits, st.lists(messages, min_size=10, max_size=30))
@settings(max_examples=examples(150))
def test_a_permit_reported_under_a_block_spares_no_message_unless_it_is_exempt(blocked, permitted, messages):
    """Soundness for permits: where such a permit settles the verdict, an exemption has won among the blocks."""
    policies = policy_set(blocked=blocked, permitted=permitted)
    under = {
        finding.subjects[0].id
        for finding in lint(policies, NOW, web_proxy=False)
        if finding.kind is FindingKind.PERMIT_UNDER_BLOCK
    }
    event(f"under: {min(len(under), 3)}")
    exempt = {policy.id for policy in blocked if policy.option is BlockedOption.NO_ACTION}
    for facts in messages:
        decision = decide_mail(policies, facts)
        permit, block = (
            decision.winners[type_] for type_ in (PolicyType.PERMITTED_SENDERS, PolicyType.BLOCKED_SENDERS)
        )
        if decision.layer is Layer.PERMITTED_SENDERS and permit is not None and permit.id in under:
            assert block is not None
            assert block.id in exempt


patterns = st.sampled_from(
    [AddressPattern(*halves) for halves in product(("a", "c", ""), ("corp.test", "x.test", "")) if any(halves)]
)
definitions = st.lists(
    st.builds(
        Definition,
        id=st.just(""),
        set_id=st.sampled_from(("", "S")),
        address_type=st.sampled_from((*AddressType, AddressType.ALL, AddressType.ALL)),
        original=patterns,
        new=patterns,
        routing=st.sampled_from(Routing),
    ),
    min_size=2,
    max_size=12,
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


@given(definitions)
def test_a_definition_that_others_of_its_pattern_leave_nothing_to_do_is_found(definitions):
    """Completeness: for every field and direction in which the pattern can occur, another one comes first."""
    found = {
        finding.subjects[0].id
        for finding in lint(policy_set(definitions=definitions), NOW, web_proxy=False)
        if finding.kind in NEVER_WINS and finding.subjects[0].kind is SubjectKind.ALTERATION_DEFINITION
    }
    used = set()
    for one in definitions:
        address = parse_address(f"{one.original.local or 'zz'}@{one.original.domain or 'corp.test'}")
        rivals = Definitions(
            other for other in definitions if (other.set_id, other.original) == (one.set_id, one.original)
        )
        for field, sender, recipient in product(AddressType, ADDRESSES, ADDRESSES):
            sender = address if field is AddressType.ENVELOPE_FROM else sender
            recipient = address if field is AddressType.ENVELOPE_TO else recipient
            inside = [each.domain in DIRECTORY.internal_domains for each in (sender, recipient)]
            routing = Routing.INBOUND if inside[1] else Routing.OUTBOUND if inside[0] else Routing.ALL
            hit = rivals.find(one.set_id, field, address, Route(routing), DIRECTORY.internal_domains)
            if hit is not None and field is not AddressType.ALL:
                used.add(hit.id)
    assert found == {one.id for one in definitions} - used


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
managed_urls = st.lists(entries, max_size=3, unique_by=lambda entry: (entry.type, entry.value)).map(
    lambda found: [
        WebPolicy(
            f"m{n}",
            f"m{n}",
            (Scope.of(from_=Target.of(T.EVERYONE), override=True),),
            (replace(entry, id=f"m{n}", exact=entry.type is WebEntryType.URL and "/" in entry.value),),
            float(n),
            kind=WebPolicyKind.MANAGED,
        )
        for n, entry in enumerate(found)
    ]
)
web_worlds = st.builds(lambda lists, managed: [*lists, *managed], web_lists, managed_urls)
requests = st.builds(
    WebFacts,
    url=st.builds(lambda host, path: f"https://{host}{path}", st.sampled_from(HOSTS), st.sampled_from(PATHS)),
    at=st.sampled_from((10.0, 15.0, 20.0, 25.0, 30.0)),
    user=st.none() | st.sampled_from(ADDRESSES),
    source_ip=st.sampled_from(SOURCES),
)


@given(web_worlds, st.lists(requests, min_size=10, max_size=40))
@settings(max_examples=examples(200))
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


def covering_entries(lists: list[WebPolicy], keys) -> tuple[set[str], set[str]]:
    """By holding every entry against every other one: those that never win, and those that another contradicts."""

    def alive(policy: WebPolicy) -> list[Scope]:
        coverage = Coverage(Identities(DIRECTORY))
        return [
            scope
            for scope in policy.scopes
            if is_in_force(scope, NOW)
            and scope.to.type is T.EVERYONE
            and scope.from_.type is not T.HEADER_DISPLAY_NAME
            and not coverage.impossible(scope.from_)
        ]

    def scope_covers(wide: Scope, narrow: Scope) -> bool:
        return (
            wide.terms.starts <= max(NOW, narrow.terms.starts)
            and wide.terms.ends >= narrow.terms.ends
            and networks_covered(wide.terms.networks, narrow.terms.networks)
            and wide.from_.key in keys(narrow)
        )

    def standing(policy: WebPolicy, scope: Scope) -> tuple[int, int]:
        return list_standing(policy, scope_standing(scope))

    held = [(policy, list_entry(policy, entry)) for policy in lists if alive(policy) for entry in policy.entries]
    shadowed, contradicted = set(), set()
    for (policy, mine), (other, rival) in product(held, held):
        if mine.entry.id == rival.entry.id:
            continue
        if entry_covers(rival, mine) and all(
            any(
                (standing(other, theirs), rival.order) > (standing(policy, ours), mine.order)
                and scope_covers(theirs, ours)
                for theirs in alive(other)
            )
            for ours in alive(policy)
        ):
            shadowed.add(mine.entry.id)
        same = (rival.entry.type, rival.entry.value) == (mine.entry.type, mine.entry.value)
        if same and rival.entry.action is not mine.entry.action and rival.order > mine.order:
            for ours, theirs in product(alive(policy), alive(other)):
                equal = standing(policy, ours) == standing(other, theirs) and may_meet(ours, theirs, NOW)
                if equal and (ours.from_.key in keys(theirs) or theirs.from_.key in keys(ours)):
                    contradicted.add(mine.entry.id)
    return shadowed - contradicted, contradicted


@pytest.mark.usefixtures("long_rows")
@given(web_worlds)
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_rules_for_web_lists_define_is_found(lists):
    """Completeness for web entries, and nothing beyond."""
    coverage = Coverage(Identities(DIRECTORY))

    def keys(scope: Scope) -> frozenset[str]:
        """Whoever is named by one of the addresses of a person is met by others too."""
        if scope.from_.type is T.INDIVIDUAL_EMAIL_ADDRESS:
            return frozenset((EVERYONE_KEY, scope.from_.value))
        return coverage.sure_keys(scope.from_)

    found: dict[FindingKind, set[str]] = {FindingKind.SHADOWED: set(), FindingKind.WEB_CONTRADICTION: set()}
    for finding in lint(policy_set(web=lists), NOW, web_proxy=True):
        if finding.kind is FindingKind.SHADOWED:
            found[finding.kind] |= {subject.id for subject in finding.subjects[: finding.count]}
        elif finding.kind is FindingKind.WEB_CONTRADICTION:
            found[finding.kind] |= {subject.id for subject in finding.subjects[2:]}
    shadowed, contradicted = covering_entries(lists, keys)
    event(f"shadowed: {min(len(shadowed), 3)}, contradicted: {min(len(contradicted), 3)}")
    assert found == {FindingKind.SHADOWED: shadowed, FindingKind.WEB_CONTRADICTION: contradicted}


def test_two_tie_where_one_side_shares_a_member_and_the_other_is_an_alias():
    """`named` and `team` have `al@corp.test` in common, and `a@old.test` stands for `a@corp.test`."""
    groups = [Target.of(TargetType.PROFILE_GROUP, name) for name in ("named", "team")]
    people = [Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, one) for one in ("a@corp.test", "a@old.test")]
    blocked = [
        BlockedSenderPolicy(
            f"b{n}", f"b{n}", Scope.of(from_=group, to=person), BlockedOption.NO_ACTION, 1.0, False
        )
        for n, (group, person) in enumerate(zip(groups, people, strict=True))
    ]
    found = [
        one for one in lint(policy_set(blocked=blocked), NOW, web_proxy=False) if one.kind is FindingKind.TIED
    ]
    assert [{subject.id for subject in one.subjects} for one in found] == [{"b0", "b1"}]
