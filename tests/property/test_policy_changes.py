"""A set changed object by object decides as one built anew, and as a naive reading of the rules.

Rows, shards and shelves are made tiny here, so that a handful of policies fills, splits and empties all of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from math import nextafter

import pytest
from effort import examples
from hypothesis import Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from naive_rules import NaiveRules, found
from policy_parts import parts
from small_world import ADDRESSES, DIRECTORY, RELAY, RESULTS, SOURCES, TARGETS, Account, created, patterns, scopes

from mailreeve.formats.addresses import NULL_SENDER, Domain, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.decide import trace
from mailreeve.policy.decide.mail import decide_connect, decide_mail
from mailreeve.policy.decide.rewrite import rewriter
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.index import buckets, ranked
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model import persistent_map as sharded
from mailreeve.policy.model.authentication import AuthenticationRules
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.facts import Directory, DirectoryChanges, GroupPlace, MessageFacts, User, WebFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import (
    AddressType,
    AlterationPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    Changes,
    Definition,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    WebAction,
    WebEntry,
    WebEntryType,
    WebPolicy,
)
from mailreeve.policy.model.policy_types import PolicyType


@pytest.fixture(autouse=True, scope="module")
def tiny() -> Iterator[None]:
    """The sizes at which the index changes its shape, small enough to be reached."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharded, "FULL", 3)
        patch.setattr(sharded, "FILLED", 2)
        patch.setattr(buckets, "SMALL_BUCKET", 2)
        patch.setattr(ranked, "CHUNK", 4)
        patch.setattr(buckets, "LONG", 3)
        yield


numbers = st.integers(0, 15)
members = st.sampled_from([*(address.key for address in ADDRESSES), "x.test", "free.test", "corp.test"])
groups = st.sampled_from(("low", "top", "ring1", "ring2", "new"))
domains = st.sampled_from([Domain(name) for name in ("corp.test", "old.test", "x.test", "free.test")])
persons = st.sampled_from(("a@corp.test", "b@old.test", "al@corp.test", "a@x.test", "c@old.test", "c+t@corp.test"))
places = st.sampled_from(("x.test", "a.x.test", "y.test", "x.test/p", "x.test/p/q", "x.test/p?s=1"))
RECIPIENTS = ("a@corp.test", "b@old.test", "al@corp.test")
SENDERS = ("a@x.test", "b@x.test", "x.test", "a@corp.test", "corp.test")
URLS = (
    "http://x.test/",
    "http://a.x.test/p",
    "http://x.test/p/q/r",
    "http://x.test/p?s=1&t=2",
    "http://z.y.test/",
)


def drawn_messages() -> list[MessageFacts]:
    """Mail among the few people of the small world, some of it before its header is known."""
    chance = random.Random(7)
    people = [*ADDRESSES, NULL_SENDER]
    made = []
    for _ in range(997):
        sender = chance.choice(people)
        author = chance.choice([sender, *people])
        authors = [HeaderFrom(author if author != NULL_SENDER else None, chance.choice(("", "", "jo doe")))]
        facts = MessageFacts(sender, chance.choice(ADDRESSES), 5.0)
        header = chance.choice((tuple(authors), tuple(authors), (), None))
        made.append(
            replace(
                facts,
                header_from=header,
                source_ip=chance.choice(SOURCES),
                authentication=None if header is None else chance.choice((None, *RESULTS)),
            )
        )
    return made


MESSAGES = drawn_messages()
JUDGED = AuthenticationRules(is_judged=True)
JUST_BEFORE_10, JUST_BEFORE_20 = nextafter(10.0, 0.0), nextafter(20.0, 0.0)


class ChangingAccount(RuleBasedStateMachine):
    """An account as plain dictionaries, the set that its changes have led to, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, dict[str, object]] = {
            name: {} for name in ("blocked", "permitted", "managed", "alteration", "definitions", "web")
        }
        self.directory = DIRECTORY
        self.turn = count()
        self.now = 5.0
        self.ids = count()
        self.policies = PolicySet.build(
            account_id="account", revision=0, directory=DIRECTORY, relay_networks=RELAY, authentication=JUDGED
        )

    def change(self, part: str, put: list, gone: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        kept = self.parts[part]
        for key in gone:
            kept.pop(key, None)
        kept.update((one.id, one) for one in put)
        self.policies = self.policies.changed(
            revision=self.policies.revision + 1, **parts(**{part: Changes(put, frozenset(gone))})
        )

    def entries_of(self, recipient: str) -> list[ManagedSender]:
        return [one for one in self.parts["managed"].values() if one.recipient == recipient]

    def change_directory(self, changes: DirectoryChanges, **members: object) -> None:
        self.directory = replace(self.directory, **members)
        self.policies = self.policies.changed(revision=self.policies.revision + 1, directory=changes)

    # ---- policies

    @initialize(
        scopes=st.lists(scopes, max_size=15),
        turn=st.integers(0, len(MESSAGES)),
        options=st.lists(st.sampled_from(BlockedOption), min_size=15, max_size=15),
    )
    def begin(self, scopes, options, turn):
        """With policies already, and at some message."""
        self.turn = count(turn)
        self.change(
            "blocked",
            [
                BlockedSenderPolicy(f"b{number:02}", f"no. {number}", scope, option, 1.0)
                for number, (scope, option) in enumerate(zip(scopes, options, strict=False))
            ],
        )

    @rule(number=numbers, scope=scopes, option=st.sampled_from(BlockedOption), at=created, guard=st.booleans())
    def put_blocked(self, number, scope, option, at, guard):
        policy = BlockedSenderPolicy(f"b{number:02}", f"no. {number}", scope, option, at, guard and number == 0)
        self.change("blocked", [policy])

    @rule(scopes=st.lists(scopes, min_size=3, max_size=12), gone=st.sets(numbers, max_size=4))
    def put_many_blocked(self, scopes, gone):
        """In one change, some of the same scope, so that rows grow long."""
        put = [
            BlockedSenderPolicy(f"b{number:02}", "one of many", scope, BlockedOption.BLOCK_SENDER, 1.0)
            for number, scope in enumerate([*scopes, scopes[0], scopes[0], scopes[0]])
            if number not in gone
        ]
        self.change("blocked", put, {f"b{number:02}" for number in gone})

    @rule(numbers=st.sets(numbers, min_size=1, max_size=6))
    def remove_blocked(self, numbers):
        """Those that are there, and some that never were."""
        self.change("blocked", [], {f"b{number:02}" for number in numbers})

    @precondition(lambda self: self.parts["blocked"])
    @rule(data=st.data())
    def switch_blocked(self, data):
        policy = data.draw(st.sampled_from(sorted(self.parts["blocked"].values(), key=lambda one: one.id)))
        scope = replace(policy.scope, terms=replace(policy.scope.terms, enabled=not policy.scope.terms.enabled))
        self.change("blocked", [replace(policy, scope=scope)])

    @rule(number=numbers, scope=scopes, at=created)
    def put_permitted(self, number, scope, at):
        self.change("permitted", [PermittedSenderPolicy(f"p{number:02}", f"no. {number}", scope, at)])

    @rule(number=numbers)
    def remove_permitted(self, number):
        self.change("permitted", [], {f"p{number:02}"})

    @rule(number=numbers, scope=scopes, set_id=st.sampled_from(("S1", "S2")), at=created)
    def put_alteration(self, number, scope, set_id, at):
        self.change("alteration", [AlterationPolicy(f"a{number:02}", f"no. {number}", scope, set_id, at)])

    @rule(number=numbers)
    def remove_alteration(self, number):
        self.change("alteration", [], {f"a{number:02}"})

    @rule(
        number=numbers,
        set_id=st.sampled_from(("", "S1", "S2")),
        kind=st.sampled_from(AddressType),
        original=patterns,
        new=patterns,
        routing=st.sampled_from(Routing),
    )
    def put_definition(self, number, set_id, kind, original, new, routing):
        self.change("definitions", [Definition(f"d{number:02}", set_id, kind, original, new, routing)])

    @rule(number=numbers)
    def remove_definition(self, number):
        self.change("definitions", [], {f"d{number:02}"})

    @rule(
        recipient=st.sampled_from(RECIPIENTS),
        sender=st.sampled_from(SENDERS),
        action=st.sampled_from(ManagedAction),
    )
    def put_entry(self, recipient, sender, action):
        """There is one entry for each pair, whose id stays (D-19)."""
        ids = [one.id for one in self.entries_of(recipient) if one.sender == sender]
        id = ids[0] if ids else f"m{next(self.ids)}"
        self.change("managed", [ManagedSender(id, recipient, sender, action)])

    @precondition(lambda self: self.parts["managed"])
    @rule(data=st.data())
    def remove_entry(self, data):
        self.change("managed", [], {data.draw(st.sampled_from(sorted(self.parts["managed"])))})

    @rule(address=st.sampled_from(RECIPIENTS[1:]), theirs=st.sets(st.sampled_from(SENDERS)))
    def join_lists(self, address, theirs):
        """An address becomes an alias: in one change its entries join its user's, where of two one goes."""
        user = self.directory.users.get("a@corp.test") or User("a@corp.test")
        held = {one.sender: one for one in self.entries_of(user.primary)}
        both = [(one, held[one.sender]) for one in self.entries_of(address) if one.sender in held]
        gone = {(one if one.sender in theirs else other).id for one, other in both}
        put = [replace(one, recipient=user.primary) for one in self.entries_of(address) if one.id not in gone]
        kept = self.parts["managed"]
        for id in gone:
            del kept[id]
        kept.update((one.id, one) for one in put)
        # A primary address is no alias: those of whoever had it as such go with it.
        joined = {key: user for key, one in self.directory.users.items() if one.primary == address}
        joined[address] = user
        self.directory = replace(self.directory, users={**self.directory.users, **joined})
        self.policies = self.policies.changed(
            revision=self.policies.revision + 1,
            managed=Changes(put, frozenset(gone)),
            directory=DirectoryChanges(users=joined),
        )

    @rule(
        number=st.integers(0, 3),
        who=scopes,
        entries=st.dictionaries(st.integers(0, 9), st.tuples(places, st.sampled_from(WebAction)), max_size=5),
        at=created,
    )
    def put_list(self, number, who, entries, at):
        held = [
            WebEntry(f"w{number}.{n}", WebEntryType.URL if "/" in value else WebEntryType.DOMAIN, value, action)
            for n, (value, action) in entries.items()
        ]
        everyone = replace(who, to=type(who)().to)
        self.change("web", [WebPolicy(f"w{number}", "list", (everyone,), tuple(held), at)])

    @rule(number=st.integers(0, 3))
    def remove_list(self, number):
        self.change("web", [], {f"w{number}"})

    # ---- the clock

    @rule(now=st.sampled_from((5.0, JUST_BEFORE_10, 10.0, 15.0, JUST_BEFORE_20, 20.0, 25.0)))
    def move_clock(self, now):
        """On or back, to the instants at which policies start and end and to those just before. Nothing else is
        told to the policies."""
        self.now = now

    # ---- the directory

    @rule(domain=domains, known=st.booleans())
    def toggle_domain(self, domain, known):
        internal = self.directory.internal_domains ^ {domain}
        only = (self.directory.known_only | ({domain} if known else frozenset())) & internal
        changes = DirectoryChanges(internal_domains=internal, known_only=only)
        self.change_directory(changes, internal_domains=internal, known_only=only)

    @rule(address=persons, value=st.sampled_from((None, "sales", "other")), there=st.booleans())
    def put_user(self, address, value, there):
        """A user comes, goes, or has another attribute, which is that of all addresses."""
        primary = "a@corp.test" if address in ("al@corp.test", "c+t@corp.test") else address
        user = User(primary, {"1": value} if value else {})
        users = {key: one for key, one in self.directory.users.items() if key != address}
        changed = {key: user for key, one in users.items() if one.primary == primary}
        changes = DirectoryChanges(users={**changed, address: user if there else None})
        self.change_directory(changes, users=users | changed | ({address: user} if there else {}))

    @rule(member=members, held=st.lists(groups, max_size=3, unique=True).map(tuple))
    def put_memberships(self, member, held):
        memberships = {key: other for key, other in self.directory.groups.items() if key != member}
        changes = DirectoryChanges(members={member: held})
        self.change_directory(changes, groups=memberships | ({member: held} if held else {}))

    @rule(group=groups, parent=st.none() | groups, there=st.booleans())
    def put_group(self, group, parent, there):
        """A group comes, goes, or moves, into a ring even, as another writer's rows might say (D-03)."""
        place = GroupPlace(f"Group {group}", parent) if there else None
        parents = {key: above for key, above in self.directory.parents.items() if key != group}
        names = {key: name for key, name in self.directory.group_names.items() if key != group}
        if there:
            names[group] = f"Group {group}"
            if parent is not None:
                parents[group] = parent
        changes = DirectoryChanges(groups={group: place})
        self.change_directory(changes, parents=parents, group_names=names)

    @rule(group=groups, parent=st.none() | groups, member=members, held=st.lists(groups, max_size=2, unique=True))
    def move_group_and_member(self, group, parent, member, held):
        """In one change, as after several commits."""
        parents = {key: above for key, above in self.directory.parents.items() if key != group}
        memberships = {key: other for key, other in self.directory.groups.items() if key != member}
        self.change_directory(
            DirectoryChanges(groups={group: GroupPlace("G", parent)}, members={member: tuple(held)}),
            parents=parents | ({group: parent} if parent else {}),
            group_names={**self.directory.group_names, group: "G"},
            groups=memberships | ({member: tuple(held)} if held else {}),
        )

    # ---- what must hold

    def anew(self) -> PolicySet:
        return PolicySet.build(
            account_id="account",
            revision=self.policies.revision,
            directory=self.directory,
            relay_networks=RELAY,
            authentication=JUDGED,
            **parts(**{name: list(kept.values()) for name, kept in self.parts.items()}),
        )

    @invariant()
    def decides_as_the_rules_say(self):
        """Winners, layer and reply as the rules say; all of a decision, trace included, as of a set made anew."""
        account = Account(
            *(list(self.parts[name].values()) for name in ("blocked", "permitted", "managed", "alteration")),
            list(self.parts["definitions"].values()),
            authentication=JUDGED,
        )
        rules, anew = NaiveRules(self.directory, RELAY), self.anew()
        for _ in range(4):
            facts = replace(MESSAGES[next(self.turn) % len(MESSAGES)], at=self.now)
            decision = decide_mail(self.policies, facts)
            assert decision == decide_mail(anew, facts)
            explained = decide_mail(self.policies, facts, explain=True)
            assert explained == decide_mail(anew, facts, explain=True)
            assert replace(explained, candidates=(), steps=()) == decision
            event(f"layer {decision.layer}")
            known = rules.made_from(account, facts, decision)
            self.check_alterations(decision, known)
            self.check_trace(explained, rules, account, known)
            if facts.header_from is not None and decision.stage is not Stage.CONNECT:
                as_ruled = found(decision) == rules.expected(account, facts)
                assert as_ruled or rules.was_given_before(account, facts, decision)
            self.check_short_trace(decision, facts)
            if facts.source_ip is not None:
                at_connect = decide_connect(self.policies, facts.source_ip, facts.at)
                assert at_connect == decide_connect(anew, facts.source_ip, facts.at)
            for url in URLS:
                asked = WebFacts(url, facts.at, facts.recipient)
                for explain in (False, True):
                    assert decide_web(self.policies, asked, explain=explain) == decide_web(
                        anew, asked, explain=explain
                    )

    def check_alterations(self, decision, facts):
        """As the rewriter says of each address by itself."""
        made = rewriter(self.policies, facts)
        authors = [author.address for author in facts.header_from or () if author.address is not None]
        fields = [
            *([] if facts.sender is NULL_SENDER else [(AddressType.ENVELOPE_FROM, facts.sender)]),
            (AddressType.ENVELOPE_TO, facts.recipient),
            *((AddressType.FROM, author) for author in authors),
        ]
        assert decision.alterations == tuple(
            alteration for field, address in fields if (alteration := made.rewrite(field, address)) is not None
        )

    def check_trace(self, explained, rules, account, facts):
        """Every candidate as a naive reading has it: first failing test, place, sort key, and how it applied."""
        for type_, policies in (
            (PolicyType.BLOCKED_SENDERS, account.blocked),
            (PolicyType.PERMITTED_SENDERS, account.permitted),
            (PolicyType.ADDRESS_ALTERATION, account.alteration),
        ):
            listed = [
                (one.id, one.failed, one.place, one.sort_key, None if one.failed else (one.part, one.is_reversed))
                for one in explained.candidates
                if one.type is type_
            ]
            assert listed == rules.trace(policies, facts, account.authentication)
        entries = [one for one in explained.candidates if one.type is PolicyType.MANAGED_SENDERS]
        listed = [(one.id, one.failed, one.place) for one in entries]
        applying, others = rules.personal_trace(account, facts, parse_address(explained.recipient))
        # Of equal entries, which are of the same effect, either may come first.
        assert sorted(listed[: len(applying)]) == sorted(applying) or len(applying) > 1
        assert {one[0] for one in listed[: len(applying)]} == {one[0] for one in applying}
        assert set(listed[len(applying) :]) == others

    def check_short_trace(self, decision, facts):
        """Where there are too many policies to test them all, the decision is the same, and so are the winners."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trace, "LOOKED_THROUGH", 1)
            patch.setattr(trace, "TESTED", 3)
            explained = decide_mail(self.policies, facts, explain=True)
        assert replace(explained, candidates=(), steps=()) == decision
        for type_, winner in explained.winners.items():
            first = [one.id for one in explained.candidates if one.type is type_ and one.place == 1]
            assert first == ([] if winner is None else [winner.id])

    @invariant()
    def holds_what_it_should(self):
        """All of it and nothing else."""
        policies, directory = self.policies, self.directory
        for name in ("blocked", "permitted", "alteration"):
            index = getattr(policies, name)
            assert {one.id: one for one in index.policies} == self.parts[name]
            assert len(index) == len(self.parts[name])
        assert len(policies.managed) == len(self.parts["managed"])
        for recipient in RECIPIENTS:
            theirs = {one.sender: one for one in self.entries_of(recipient)}
            assert policies.managed.of(recipient).entries == theirs
        assert len(policies.definitions) == len(self.parts["definitions"])
        assert len(policies.web) == sum(len(one.entries) for one in self.parts["web"].values())
        for field in Directory.__struct_fields__:
            assert getattr(policies.directory, field) == getattr(directory, field)
        identities, anew = policies.identities, Identities(directory)
        for target in TARGETS:
            assert identities.can_match(target) is anew.can_match(target)
        for address in ADDRESSES:
            assert set(identities.keys(address)) == set(anew.keys(address))
            assert identities.user(address) == anew.user(address)
            assert identities.person(address) == anew.person(address)


TestChangingAccount = ChangingAccount.TestCase
TestChangingAccount.settings = settings(
    max_examples=examples(40),
    stateful_step_count=30,
    deadline=None,
    # Shrinking forty steps takes longer than reading them.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
