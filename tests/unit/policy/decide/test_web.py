"""Web decisions: behaviour.md section 6.4, D-23 to D-27, D-39, D-40."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mailreeve.policy.decide.web import EXPLAINED_ENTRIES, WebUrlError
from mailreeve.policy.explain.words import unmet_words, web_note_words
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.targets import Target, TargetType

PAT = "pat@corp.test"


def verdict(world, url, user=None, **more):
    return world.browse(url, user, **more).verdict.value


def test_without_an_entry_there_is_no_opinion(world):
    decision = world.browse("HTTP://Ex.test/a")
    assert (decision.verdict, decision.policy_id, decision.entry) == (WebVerdict.NONE, None, None)
    assert (decision.url, decision.revision) == ("ex.test/a", 7)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ex.test", "block"),
        ("https://ex.test:8443/any?q", "block"),
        ("deep.sub.ex.test", "block"),
        ("notex.test", "none"),
        ("ex.test.evil.test", "none"),
        ("test", "none"),
        ("http://ex%2etest/", "block"),
        ("http://EX.TEST./", "block"),
    ],
)
def test_a_domain_covers_itself_and_its_subdomains(world, url, expected):
    world.web("everyone", "block domain ex.test")
    assert verdict(world, url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://domain.test/abc", "block"),
        ("http://domain.test/abc/", "block"),
        ("http://domain.test/abc/text", "block"),
        ("https://domain.test/abc", "block"),
        ("http://domain.test/abc?q=searchtext", "block"),
        ("http://domain.test/%61bc/%2e/x", "block"),
        ("http://domain.test/x/../abc", "block"),
        ("http://www.domain.test/abc", "none"),
        ("http://domain.test/abcd", "none"),
        ("http://domain.test/ABC", "none"),
        ("http://domain.test/", "none"),
        ("http://domain.test/x/abc", "none"),
    ],
)
def test_a_url_covers_its_path_and_what_is_below_on_its_exact_host(world, url, expected):
    world.web("everyone", "block url http://domain.test/abc/")
    assert verdict(world, url) == expected


def test_a_url_without_a_path_covers_everything_on_its_host(world):
    world.web("everyone", "block url ex.test")
    assert verdict(world, "ex.test/any/path?q") == "block"
    assert verdict(world, "sub.ex.test") == "none"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ex.test/p?a=1&b=2", "block"),
        ("ex.test/p?b=2&x=9&a=1", "block"),
        ("ex.test/p/?b=%32&a=1", "block"),
        ("ex.test/p?a=1", "none"),
        ("ex.test/p?a=1&b=3", "none"),
        ("ex.test/p/below?a=1&b=2", "none"),
        ("ex.test/p", "none"),
    ],
)
def test_a_query_needs_each_of_its_parameters_in_any_order(world, url, expected):
    world.web("everyone", "block url ex.test/p?a=1&b=2")
    assert verdict(world, url) == expected


def test_an_entry_with_a_query_is_narrower_than_one_without(world):
    world.web("everyone", "block url ex.test/p", "allow url ex.test/p?a=1")
    assert verdict(world, "ex.test/p?a=1") == "allow"
    assert verdict(world, "ex.test/p?a=2") == "block"


def test_the_longer_path_and_the_longer_domain_win(world):
    world.web("everyone", "block domain ex.test", "allow domain a.ex.test")
    world.web("everyone", "block url u.test/a", "allow url u.test/a/b")
    assert verdict(world, "x.a.ex.test") == "allow"
    assert verdict(world, "b.ex.test") == "block"
    assert verdict(world, "u.test/a/b/c") == "allow"
    assert verdict(world, "u.test/a/c") == "block"


def test_a_url_entry_beats_a_domain_entry_however_long(world):
    world.web("everyone", "allow domain very.long.sub.ex.test", "block url very.long.sub.ex.test")
    assert verdict(world, "very.long.sub.ex.test") == "block"


@pytest.fixture
def in_group(world):
    world.group("Staff", PAT)
    return world


SCOPES = [("everyone", {}), ("everyone", {"ips": ("192.0.2.0/24",)}), ("group:Staff", {}), (PAT, {})]


@pytest.mark.parametrize("narrower", [1, 2, 3])
def test_the_narrower_scope_wins_before_the_narrower_entry(in_group, narrower):
    """User over group over location over everyone (D-25)."""
    for number, action in ((narrower - 1, "block"), (narrower, "allow")):
        who, more = SCOPES[number]
        entry = "url ex.test/a" if action == "block" else "domain ex.test"
        in_group.web(who, f"{action} {entry}", **more)
    assert verdict(in_group, "ex.test/a", PAT, ip="192.0.2.1") == "allow"


def test_override_beats_a_narrower_scope(in_group):
    in_group.web("everyone", "block domain ex.test", override=True)
    in_group.web(PAT, "allow url ex.test/a")
    assert verdict(in_group, "ex.test/a", PAT) == "block"


@pytest.mark.parametrize("who", ["internal", "external", "group:Staff", "corp.test", PAT])
def test_without_a_known_user_only_everyones_lists_hold(in_group, who):
    in_group.web(who, "block domain ex.test")
    assert verdict(in_group, "ex.test") == "none"


def test_a_user_is_met_by_alias_and_by_primary_address(world):
    world.user(PAT, "p@corp.test")
    world.web(PAT, "block domain ex.test")
    world.web("p@corp.test", "block domain alias.test")
    assert verdict(world, "ex.test", "p@corp.test") == "block"
    assert verdict(world, "alias.test", "p@corp.test") == "block"
    assert verdict(world, "alias.test", PAT) == "none"


def test_a_location_is_a_source_address(world):
    world.web("everyone", "block domain ex.test", ips=("192.0.2.0/24",))
    assert verdict(world, "ex.test", ip="192.0.2.9") == "block"
    assert verdict(world, "ex.test", ip="::ffff:192.0.2.9") == "block"
    assert verdict(world, "ex.test", ip="198.51.100.1") == "none"
    assert verdict(world, "ex.test") == "none"


@pytest.mark.parametrize("scope", [{"enabled": False}, {"ends": 1.0}, {"starts": 2e9}])
def test_a_list_out_of_force_is_ignored(world, scope):
    world.web("everyone", "block domain ex.test", **scope)
    assert verdict(world, "ex.test") == "none"


def test_a_policy_holds_by_the_strongest_of_its_scopes(in_group):
    in_group.web("everyone", "allow domain ex.test")
    (policy,) = in_group.web_policies
    user = replace(policy.scopes[0], from_=Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, PAT))
    in_group.web_policies = [replace(policy, scopes=(*policy.scopes, user))]
    in_group.web("group:Staff", "block domain ex.test")
    assert verdict(in_group, "ex.test", PAT) == "allow"


def test_a_scope_with_a_recipient_holds_for_nobody(world):
    """D-26: `to` must be everyone."""
    world.web("everyone", "block domain ex.test")
    (policy,) = world.web_policies
    world.web_policies = [
        replace(policy, scopes=(replace(policy.scopes[0], to=Target.of(TargetType.INTERNAL_ADDRESSES)),))
    ]
    assert verdict(world, "ex.test") == "none"


def test_of_equal_allows_the_newest_policy_is_named(world):
    world.web("everyone", "allow domain ex.test")
    newest = world.web("everyone", "allow domain ex.test")
    assert world.browse("ex.test").policy_id == newest


def test_a_url_that_cannot_be_read_is_the_doors_business(world):
    with pytest.raises(WebUrlError):
        world.browse("http://[")


def test_an_explanation_lists_the_entries_on_the_host_and_why_they_do_not_hold(in_group):
    in_group.web("everyone", "block domain ex.test", "allow url ex.test/docs", "block domain other.test")
    in_group.web("kim@corp.test", "allow domain ex.test")
    in_group.web("everyone", "allow url ex.test/p?a=1", "allow url ex.test.evil.test/p")
    decision = in_group.browse("ex.test/p", PAT, explain=True)
    assert [
        (one.entry.value, one.action.value, one.failed and unmet_words(one.failed), one.place)
        for one in decision.candidates
    ] == [
        ("ex.test", "block", None, 1),
        ("ex.test/p?a=1", "allow", "the query does not match", 0),
        ("ex.test/docs", "allow", "the path does not match", 0),
        ("ex.test", "allow", "the user does not match", 0),
    ]
    assert replace(decision, candidates=()) == in_group.browse("ex.test/p", PAT)


def test_an_explanation_tells_a_tie(world):
    world.web("everyone", "allow domain ex.test", "block domain ex.test")
    first, second = world.browse("ex.test", explain=True).candidates
    assert (first.action, web_note_words(first), second.place) == ("block", "", 2)
    assert web_note_words(second).startswith("as narrow as the winner")


def test_a_long_explanation_is_cut(world):
    world.web("everyone", *(f"allow url ex.test/{number}" for number in range(EXPLAINED_ENTRIES + 9)))
    assert len(world.browse("ex.test/5", explain=True).candidates) == EXPLAINED_ENTRIES
