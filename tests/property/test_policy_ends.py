"""Memberships of groups that end: from that instant on, and not before, all is as if they had never been.

Any account of the small world, with ends at any memberships. Each message is decided, explained, and decided at
connect, as by a directory from which whatever has ended was removed; also where the ends came by changes.
"""

from __future__ import annotations

from math import inf

from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from policy_parts import parts
from small_world import ADDRESSES, DIRECTORY, RELAY, accounts, messages, small_accounts

from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_connect, decide_mail
from mailreeve.policy.decide.rewrite import rewriter
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import DirectoryChanges, WebFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import Scope, WebAction, WebEntry, WebEntryType, WebPolicy
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType

GROUPS = {**DIRECTORY.groups, "x.test": ("low", "ring1"), "al+t@corp.test": ("ring2",)}
WORLD = replace(DIRECTORY, groups=GROUPS)
MEMBERSHIPS = [(member, group) for member, held in GROUPS.items() for group in held]
TIMES = (5.0, 9.0, 10.0, 15.0, 16.0, 20.0, 30.0)

ends = st.dictionaries(st.sampled_from(MEMBERSHIPS), st.sampled_from(TIMES), max_size=6)


def with_ends(found):
    """The directory with these ends."""
    by_member: dict[str, dict[str, float]] = {}
    for (member, group), end in found.items():
        by_member.setdefault(member, {})[group] = end
    return replace(WORLD, ends=by_member)


def without(found, at):
    """The directory of the same people, without the memberships that have ended."""
    left: dict[str, tuple[str, ...]] = {}
    for member, held in GROUPS.items():
        groups = tuple(group for group in held if found.get((member, group), inf) > at)
        if groups:
            left[member] = groups
    return replace(WORLD, groups=left)


def policy_set(account, directory, web=()):
    return PolicySet.build(
        account_id="account", revision=1, directory=directory, relay_networks=RELAY, web=web,
        **parts(**account._asdict()),
    )  # fmt: skip


@given(accounts | small_accounts, ends, st.lists(messages, min_size=3, max_size=10), st.booleans())
@settings(max_examples=examples(250))
def test_what_has_ended_decides_nothing_and_what_has_not_decides_as_ever(account, found, several, by_change):
    """Whatever the message, with and without its header, explained or not, in whatever order."""
    policies = policy_set(account, with_ends(found))
    if by_change:
        ended = with_ends(found).ends
        policies = policy_set(account, WORLD).changed(
            revision=1,
            directory=DirectoryChanges(members={member: GROUPS[member] for member in ended}, ends=ended),
        )
    for facts in several:
        expected = policy_set(account, without(found, facts.at))
        for each in (facts, replace(facts, header_from=None)):
            decision = decide_mail(policies, each)
            assert decision == decide_mail(expected, each)
            assert rewriter(policies, each).outcome == rewriter(expected, each).outcome
            explained = decide_mail(policies, each, explain=True)
            assert replace(explained, candidates=(), steps=()) == decision
        if facts.source_ip is not None:
            assert decide_connect(policies, facts.source_ip, facts.at) == decide_connect(
                expected, facts.source_ip, facts.at
            )


@given(ends, st.lists(st.sampled_from((*TIMES, -inf, 1e12, 14.9)), min_size=1, max_size=8), ends)
@settings(max_examples=examples(60))
def test_who_is_in_which_groups_is_the_same_as_of_a_directory_without_what_has_ended(found, times, later):
    """For every address, by keys, by membership and by whether a group has anybody; also after another change."""
    identities = Identities(with_ends(found))
    for step in (found, later):
        if step is later:
            members = {member: GROUPS[member] for member, _ in {**found, **later}}
            identities = identities.changed(DirectoryChanges(members=members, ends=with_ends(later).ends))
        for at in times:
            now, expected = identities.at(at), Identities(without(step, at))
            for address in ADDRESSES:
                assert set(now.keys(address)) == set(expected.keys(address))
                for group in ("low", "top", "ring1", "ring2", "nobody"):
                    told = now.membership(address, group)
                    assert (told is None) == (expected.membership(address, group) is None)
                    if told is not None and told.until is not None:
                        assert told.until > at
            for group in ("low", "top", "ring1", "ring2", "nobody"):
                target = Target.of(TargetType.PROFILE_GROUP, group)
                assert now.can_match(target) == expected.can_match(target)
            assert now.at(at) is now
            assert len(list(identities.ended(at))) == sum(end <= at for end in step.values())


@given(ends, st.sampled_from(TIMES), st.sampled_from(ADDRESSES))
@settings(max_examples=examples(100))
def test_a_web_list_for_a_group_holds_until_the_membership_ends(found, at, user):
    """As by a directory without what has ended."""
    scope = Scope.of(Target.of(TargetType.PROFILE_GROUP, "top"), EVERYONE)
    entry = WebEntry("e", WebEntryType.DOMAIN, "bad.test", WebAction.BLOCK)
    lists = (WebPolicy("w", "", (scope,), (entry,), 1.0),)
    facts = WebFacts("http://bad.test/", at, user)
    policies = PolicySet.build(account_id="a", revision=1, directory=with_ends(found), web=lists)
    expected = PolicySet.build(account_id="a", revision=1, directory=without(found, at), web=lists)
    assert decide_web(policies, facts) == decide_web(expected, facts)


def test_the_very_second_counts():
    """A membership holds just before its end, and not at it."""
    identities = Identities(with_ends({("a@x.test", "low"): 100.0}))
    address, low = parse_address("a@x.test"), "*group:low"
    assert low in identities.at(99.999).keys(address)
    # Also by its domain, which is in the group for good.
    assert low in identities.at(100.0).keys(address)
    alone = Identities(replace(with_ends({("a@x.test", "low"): 100.0}), groups={"a@x.test": ("low",)}))
    assert low in alone.at(99.999).keys(address)
    assert low not in alone.at(100.0).keys(address)
    assert "*group:top" not in alone.at(100.0).keys(address)
