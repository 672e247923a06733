"""Web decisions held against a plain reading of behaviour.md section 6.4, and of D-54.

Entries and requests are drawn as lists of labels, segments and parameters, and compared as such: no
code of the engine is used for what is expected.
"""

from __future__ import annotations

from typing import NamedTuple

from effort import examples
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.formats.weburls import UrlError, parse_web_url
from mailreeve.policy.decide.web import WebUrlError, canonical_entry, decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, WebFacts
from mailreeve.policy.model.policies import Scope, WebAction, WebEntry, WebEntryType, WebPolicy, WebPolicyKind
from mailreeve.policy.model.targets import Target, TargetType

PAT, KIM = parse_address("pat@corp.test"), parse_address("kim@corp.test")
DIRECTORY = Directory(
    internal_domains=frozenset({Domain("corp.test")}), groups={"pat@corp.test": ("G",)}, parents={"G": "H"}
)
LOCATION = parse_network("192.0.2.0/24")
WHO = {
    "everyone": Target.of(TargetType.EVERYONE),
    "group": Target.of(TargetType.PROFILE_GROUP, "H"),
    "pat": Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, PAT.key),
}


class Place(NamedTuple):
    """A URL in parts."""

    labels: tuple[str, ...]
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return "/".join((".".join(self.labels), *self.segments)) + (f"?{query}" if query else "")


class Rule(NamedTuple):
    """One scope with one entry, and what the rules say about it. A managed URL is for everyone and anywhere."""

    who: str
    located: bool
    override: bool
    type: WebEntryType
    place: Place
    action: WebAction
    managed: bool

    @property
    def exact(self):
        return self.managed and self.type is WebEntryType.URL and bool(self.place.segments or self.place.query)

    def holds(self, place, user, here):
        if (self.who == "pat" and user != PAT) or (self.who == "group" and user != PAT):
            return False
        if self.located and not here:
            return False
        mine, asked = self.place, place
        if self.type is WebEntryType.DOMAIN:
            return asked.labels[len(asked.labels) - len(mine.labels) :] == mine.labels
        if asked.labels != mine.labels:
            return False
        if self.exact:
            return asked.segments == mine.segments and set(mine.query) == set(asked.query)
        if mine.query:
            return asked.segments == mine.segments and set(mine.query) <= set(asked.query)
        return asked.segments[: len(mine.segments)] == mine.segments

    @property
    def strength(self):
        scope = 5 if self.managed else {"pat": 4, "group": 3, "everyone": 2 if self.located else 1}[self.who]
        is_url = self.type is WebEntryType.URL
        return self.override or self.managed, scope, is_url, len(self.place.text), self.action is WebAction.BLOCK


labels = st.lists(st.sampled_from(("a", "b")), max_size=2).map(lambda found: (*found, "x", "test"))
segments = st.lists(st.sampled_from(("p", "pq", "Q")), max_size=3).map(tuple)
queries = st.lists(st.tuples(st.sampled_from("st"), st.sampled_from("12")), max_size=2, unique=True).map(tuple)
places = st.builds(Place, labels, segments, st.just(()) | queries)


def rule_of(who, located, override, type_, place, action, managed):
    if type_ is WebEntryType.DOMAIN:
        place = Place(place.labels, (), ())
    if managed:
        who, located = "everyone", False
    return Rule(who, located, override, type_, place, action, managed)


rules = st.builds(
    rule_of,
    st.sampled_from(sorted(WHO)),
    st.booleans(),
    st.integers(0, 4).map(lambda number: number == 0),
    st.sampled_from(WebEntryType),
    places,
    st.sampled_from(WebAction),
    st.integers(0, 4).map(lambda number: number == 0),
)


def policy_set(found):
    policies = []
    for number, rule in enumerate(found):
        override = rule.override or rule.managed
        scope = Scope.of(from_=WHO[rule.who], networks=(LOCATION,) if rule.located else (), override=override)
        value = canonical_entry(rule.type, rule.place.text)
        entry = WebEntry(f"e{number}", rule.type, value, rule.action, rule.exact)
        kind = WebPolicyKind.MANAGED if rule.managed else WebPolicyKind.LIST
        policies.append(WebPolicy(f"p{number}", "", (scope,), (entry,), float(number), kind=kind))
    return PolicySet.build(account_id="account", revision=1, directory=DIRECTORY, web=policies)


@settings(max_examples=examples(120))
@given(
    st.lists(rules, max_size=15),
    st.lists(places, min_size=1, max_size=5),
    st.sampled_from((None, PAT, KIM)),
    st.booleans(),
)
def test_the_index_decides_as_a_naive_reading_of_the_rules(found, asked, user, here):
    """And so does an explanation, which looks at more entries."""
    policies = policy_set(found)
    source = parse_ip("192.0.2.1" if here else "198.51.100.1")
    for place in asked:
        holding = [(rule.strength, number) for number, rule in enumerate(found) if rule.holds(place, user, here)]
        facts = WebFacts(f"http://{place.text}", 0.0, user, source)
        decision = decide_web(policies, facts)
        event(f"{decision.verdict}")
        if holding:
            winner = max(holding)[1]
            assert (decision.verdict, decision.policy_id) == (found[winner].action, f"p{winner}")
        else:
            assert (decision.verdict, decision.policy_id) == ("none", None)
        explained = decide_web(policies, facts, explain=True)
        assert replace(explained, candidates=()) == decision
        assert {one.policy_id for one in explained.candidates if one.place} == {f"p{n}" for _, n in holding}


url_like = st.text(st.sampled_from("aZ.:/\\?#@%2eE*[]&= \t_ü1") | st.characters(), max_size=40)


@example(".A", WebEntryType.DOMAIN)
@given(url_like, st.sampled_from(WebEntryType))
def test_no_text_breaks_the_reading_of_urls_and_canonical_forms_stay(text, type_):
    """Whatever is typed is refused or understood, and understood the same the second time."""
    try:
        value = canonical_entry(type_, text)
    except ValueError:
        value = None
    if value is not None:
        assert canonical_entry(type_, value) == value
        event("an entry")
    try:
        url = parse_web_url(text)
    except UrlError:
        return
    event("a URL")
    assert str(parse_web_url(str(url))) == str(url)
    if value is not None:  # a domain may be typed with a dot in front
        assert value == (str(url).removeprefix(".") if type_ is WebEntryType.DOMAIN else str(url))


hosts = st.sampled_from(
    ["ex.test", "münchen.test", "xn--mnchen-3ya.test", "127.1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "::1",
     "[2001:DB8::1]", "10.0.0.0", "localhost", "ex。test", "ex.test..", "ex..test", "xn--a.test",
     "e%78.test", "1.2.3.4-5"]
)  # fmt: skip
tails = st.text(st.sampled_from("a/.?&=;#%2eEfF\\+ü@:"), max_size=8)
schemes = st.sampled_from(["", "http://", "HTTPS:", "http:\\\\", "//", "ftp://u:p@", "h\tttp://"])


@example("", "127.1", "..", WebEntryType.DOMAIN)
@settings(max_examples=examples(300))
@given(schemes, hosts, tails, st.sampled_from(WebEntryType))
def test_an_accepted_entry_covers_the_request_for_what_was_typed(scheme, host, tail, type_):
    """Else it would look as if it were in force and never be."""
    text = f"{scheme}{host}{tail}"
    try:
        value = canonical_entry(type_, text)
    except ValueError:
        return
    policies = PolicySet.build(
        account_id="account",
        revision=1,
        directory=DIRECTORY,
        web=[
            WebPolicy(
                "p", "", (Scope.of(from_=WHO["everyone"]),), (WebEntry("e", type_, value, WebAction.BLOCK),), 1
            )
        ],
    )
    # What a browser makes of it is what is asked for; an IPv6 address needs its brackets there.
    typed = f"[{text}]" if text.startswith("::1") and "/" not in text and "[" not in text else text
    for asked in (typed, f"http://{value}"):
        assert decide_web(policies, WebFacts(asked, 0.0)).verdict == "block", (value, asked)


@given(url_like)
def test_a_request_is_decided_or_refused_as_unreadable(text):
    policies = policy_set([])
    try:
        decide_web(policies, WebFacts(text, 0.0))
    except WebUrlError as problem:
        assert str(problem)  # noqa: PT017 - either outcome is right, a silent failure is not
