"""What a zone cannot say is listed, with its reason; the rest is not."""

from mailreeve.formats.networks import parse_network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import FindingKind, Level
from mailreeve.policy.lint.linter import lint
from mailreeve.policy.model.policies import Scope, WebAction, WebEntry, WebEntryType, WebPolicy
from mailreeve.policy.model.targets import Target, TargetType
from mailreeve.policy.model.web_places import Location, Places
from mailreeve.policy.zone.names import ZoneNames
from mailreeve.policy.zone.rules import ZoneRules
from mailreeve.policy.zone.unsaid import Reason, unsaid

OFFICE = parse_network("192.0.2.0/24")
LAB = parse_network("198.51.100.0/24")
EVERYONE = Target.of(TargetType.EVERYONE)
PAT = Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, "pat@corp.test")
GROUP = Target.of(TargetType.PROFILE_GROUP, "G")
LONG = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.test"


def web_list(name, *scopes, entries=("bad.test",)):
    made = [
        WebEntry(f"{name}-{one}", WebEntryType.URL if "/" in one else WebEntryType.DOMAIN, one, WebAction.BLOCK)
        for one in entries
    ]
    return WebPolicy(name, name, scopes or (Scope.of(from_=EVERYONE),), tuple(made), 1.0)


def of(*policies, networks=(), room=180):
    places = Places(locations=[Location("o", "Office", (OFFICE,))])
    found = PolicySet.build(account_id="a", revision=1, web=policies, places=places)
    return found, ZoneRules(found, 10.0, networks, room)


def reasons(*policies, networks=(), locations=((OFFICE,),)):
    rules = of(*policies, networks=networks)[1]
    return {(one.policy_id, one.reason): one.count for one in unsaid(rules, networks, locations)}


def test_targets_that_name_somebody_are_listed():
    both = web_list("both", Scope.of(from_=EVERYONE), Scope.of(from_=PAT), Scope.of(from_=PAT, override=True))
    assert reasons(both, web_list("group", Scope.of(from_=GROUP))) == {
        ("both", Reason.USER): 2,
        ("group", Reason.GROUP): 1,
    }


def test_what_holds_for_nobody_any_more_is_not_and_what_is_to_come_is():
    over, later = Scope.of(from_=PAT, ends=10.0), Scope.of(from_=PAT, starts=20.0)
    off = Scope.of(from_=PAT, enabled=False)
    assert reasons(web_list("over", over), web_list("off", off), web_list("later", later)) == {
        ("later", Reason.USER): 1
    }


def test_a_list_for_a_location_is_in_its_zone_and_missing_in_no_other():
    here = web_list("here", Scope.of(from_=EVERYONE, networks=(OFFICE,)))
    assert reasons(here) == {}
    assert reasons(here, networks=(OFFICE,)) == {}
    half = web_list("half", Scope.of(from_=EVERYONE, networks=(parse_network("192.0.2.0/25"),)))
    more = web_list("more", Scope.of(from_=EVERYONE, networks=(OFFICE, LAB)))
    assert reasons(half, more) == {("half", Reason.SOURCE): 1, ("more", Reason.SOURCE): 1}


def test_entries_that_are_no_names_are_listed_with_examples():
    entries = ("bad.test", "bad.test/x", "q.test/", "127.0.0.1", "[2001:db8::1]", "32.1.2.3.10.rpz-ip", LONG)
    rules = of(web_list("l", entries=entries))[1]
    found = {one.reason: one for one in unsaid(rules, (), ())}
    assert {reason: one.count for reason, one in found.items()} == {
        Reason.PATH: 2,
        Reason.ADDRESS: 2,
        Reason.TRIGGER: 1,
        Reason.LENGTH: 1,
    }
    assert found[Reason.PATH].examples == ["bad.test/x", "q.test/"]
    assert set(ZoneNames(rules).names) == {"bad.test"}


def test_the_linter_says_so_where_zones_are_served():
    policies = of(web_list("l", entries=("bad.test/x",)), web_list("fine"))[0]
    (finding,) = (
        one for one in lint(policies, 10.0, web_proxy=True, zones=True) if one.kind is FindingKind.NOT_AT_DNS
    )
    assert (finding.level, finding.count, finding.about_web) == (Level.NOTE, 1, True)
    assert "1 entry (bad.test/x) about a part of a host" in finding.why
    assert not [one for one in lint(policies, 10.0, web_proxy=True) if one.kind is FindingKind.NOT_AT_DNS]
