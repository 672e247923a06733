"""What a policy zone says of a name, held against `decide_web` of `http://name/`.

A zone is read in two ways: as RPZ has it (an exact name before the longest wildcard) and as DNS has it (the
wildcard at the nearest name that exists). Both have to say what the decision is, for every name and at every time.
"""

from __future__ import annotations

from effort import examples
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.networks import parse_network
from mailreeve.formats.weburls import domains_above
from mailreeve.policy.decide.web import canonical_entry, decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, WebFacts
from mailreeve.policy.model.policies import (
    Changes,
    Scope,
    WebAction,
    WebEntry,
    WebEntryType,
    WebPolicy,
    WebPolicyKind,
)
from mailreeve.policy.model.targets import Target, TargetType
from mailreeve.policy.zone.names import ZoneNames
from mailreeve.policy.zone.rules import ALLOW, BLOCK, NOTHING, REST, ZoneRules, of_below, of_itself

PAT = parse_address("pat@corp.test")
OFFICE = (parse_network("192.0.2.0/25"), parse_network("2001:db8::/64"))
SOURCES = ((), OFFICE, (parse_network("192.0.2.0/24"), parse_network("2001:db8::/32")), (OFFICE[0],))
TARGETS = (
    Target.of(TargetType.EVERYONE),
    Target.of(TargetType.EVERYONE),
    Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, PAT.key),
    Target.of(TargetType.PROFILE_GROUP, "G"),
)
WORDS = {"allow": ALLOW, "block": BLOCK, "none": NOTHING}
ROOM = 200

hosts = st.lists(st.sampled_from("abc"), max_size=4).map(lambda labels: ".".join((*labels, "test")))
times = st.sampled_from((0.0, 1.0, 2.0, 3.0))
scopes = st.builds(
    lambda target, networks, starts, ends, override, enabled: Scope.of(
        from_=target, networks=networks, starts=starts, ends=ends, override=override, enabled=enabled
    ),
    st.sampled_from(TARGETS),
    st.sampled_from(SOURCES),
    times | st.just(float("-inf")),
    times | st.just(float("inf")),
    st.integers(0, 5).map(lambda number: number == 0),
    st.integers(0, 5).map(bool),
)
entries = st.builds(
    lambda host, path, action: (host, path, action),
    hosts,
    st.sampled_from(("", "", "", "whole", "/p", "?q=1")),
    st.sampled_from(WebAction),
)
lists = (
    st.tuples(
        st.lists(scopes, min_size=1, max_size=2),
        st.lists(entries, max_size=4),
        st.sampled_from(("", "", "", "default deny")),
    )
    | st.tuples(
        st.lists(scopes, min_size=1, max_size=1),
        st.lists(entries.map(lambda one: (one[0], one[1], WebAction.ALLOW)), min_size=1, max_size=1),
        st.just("temporary"),
    )
    | st.tuples(
        st.just((Scope.of(from_=Target.of(TargetType.EVERYONE), override=True),)),
        st.lists(entries, min_size=1, max_size=1),
        st.just("managed"),
    )
)
asked_hosts = hosts | st.sampled_from(("elsewhere.example", "example"))


_KINDS = {"temporary": WebPolicyKind.TEMPORARY, "managed": WebPolicyKind.MANAGED}


def policy(number, found):
    """A list, a temporary allow or a managed URL. The type of an entry is url where it has a path, or is all of
    one host."""
    wanted, named, what = found
    kinds = [
        (WebEntryType.DOMAIN, host, action)
        if not path
        else (WebEntryType.URL, host + path.removeprefix("whole"), action)
        for host, path, action in named
    ]
    return WebPolicy(
        f"p{number}",
        "",
        tuple(wanted),
        tuple(
            WebEntry(
                f"e{number}-{place}",
                type_,
                canonical_entry(type_, text),
                action,
                what == "managed" and type_ is WebEntryType.URL and ("/" in text or "?" in text),
            )
            for place, (type_, text, action) in enumerate(kinds)
        ),
        float(number % 3),
        default_deny=what == "default deny",
        kind=_KINDS.get(what, WebPolicyKind.LIST),
    )


def policy_set(found, revision=1):
    return PolicySet.build(
        account_id="account",
        revision=revision,
        directory=Directory(groups={"pat@corp.test": ("G",)}),
        web=[policy(number, one) for number, one in enumerate(found)],
    )


def as_rpz(names, host):
    """An exact name before a wildcard, of these the longest."""
    if of_itself(names.get(host, 0)):
        return of_itself(names.get(host, 0))
    domains = (*domains_above(host), REST)
    return next((of_below(names[domain]) for domain in domains if of_below(names.get(domain, 0))), NOTHING)


def as_dns(names, host):
    """The name where it exists, else the wildcard of the nearest name that does (RFC 4592 section 2.2.1)."""
    owners = {name for name in names if of_itself(names[name])}
    owners |= {f"*.{name}" for name in names if name and of_below(names[name])}
    existing = owners | {domain for owner in owners for domain in domains_above(owner)}
    if host in existing:
        return of_itself(names.get(host, 0))
    nearest = next((domain for domain in domains_above(host) if domain in existing), REST)
    return of_below(names.get(nearest, 0))


def expected(policies, host, at, networks):
    """Our own verdict from each end of each network: that of a location whose addresses have one verdict."""
    sources = [network[0] for network in networks] + [network[-1] for network in networks] or [None]
    return {
        WORDS[decide_web(policies, WebFacts(f"http://{host}/", at, None, source)).verdict] for source in sources
    }


@settings(max_examples=examples(150))
@given(
    st.lists(lists, max_size=6),
    st.lists(asked_hosts, min_size=1, max_size=8),
    times,
    st.sampled_from(((), OFFICE)),
)
def test_a_zone_says_of_a_name_what_is_decided_of_it(found, asked, at, networks):
    """However it is read. A list for a part of the location alone is not said, so it is left out here."""
    if networks:
        found = [
            ([scope for scope in wanted if scope.terms.networks != (OFFICE[0],)], named, what)
            for wanted, named, what in found
        ]
        found = [one for one in found if one[0]]
    policies = policy_set(found)
    names = ZoneNames(ZoneRules(policies, at, networks, ROOM)).names
    for host in asked:
        (verdict,) = expected(policies, host, at, networks)
        event(f"said {verdict}")
        assert as_rpz(names, host) == verdict, host
        assert as_dns(names, host) == verdict, host
    assert of_itself(names.get(REST, 0)) == NOTHING


@settings(max_examples=examples(150))
@given(
    st.lists(st.tuples(st.integers(0, 4), lists | st.none(), times), min_size=1, max_size=6),
    st.sampled_from(((), OFFICE)),
)
def test_a_changed_zone_is_the_one_made_anew(steps, networks):
    """Lists come, go and change while time passes, or is set back."""
    policies = policy_set([])
    zone = ZoneNames(ZoneRules(policies, 0.0, networks, ROOM))
    for revision, (number, one, at) in enumerate(steps, 2):
        put = [] if one is None else [policy(number, one)]
        policies = policies.changed(
            revision=revision, web=Changes(put, frozenset([f"p{number}"] if one is None else []))
        )
        rules = ZoneRules(policies, at, networks, ROOM)
        before = dict(zone.names)
        changed = zone.change(rules)
        anew = ZoneNames(rules)
        assert dict(zone.names) == dict(anew.names)
        assert zone.digest == anew.digest
        event(f"changed {bool(changed)}")
        after = {host: now for host, (_, now) in changed.items()}
        assert {**before, **after} == {**before, **after, **dict(zone.names)}
        assert all(before.get(host, 0) == was != now for host, (was, now) in changed.items())
        assert set(before) ^ set(zone.names) <= set(changed)
