"""The web lists as files of other programs: what each says is what we decide, and what it cannot say it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.filter_lists.reading import Rule, read_filter_list
from mailreeve.policy.artefact.flat import flat
from mailreeve.policy.artefact.written import ArtefactFormat, comment_mark, commented, write
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import Scope, WebAction, WebEntry, WebEntryType, WebPolicy
from mailreeve.policy.model.targets import Target, TargetType

F = ArtefactFormat
ANN = parse_address("ann@corp.test")
EVERYONE = WebFacts("", 0.0)


def policy(key, scope, default_deny=False, **entries):
    """A list; entries as `host_test="block"`, of which `url_…` are URLs."""
    found = []
    for n, (name, action) in enumerate(entries.items()):
        type_ = WebEntryType.URL if name.startswith("url_") else WebEntryType.DOMAIN
        value = name.removeprefix("url_").replace("__", "/").replace("_", ".")
        found.append(WebEntry(f"{key}{n:031x}", type_, value, WebAction(action)))
    return WebPolicy(key * 32, f"list {key}", (scope,), tuple(found), float(int(key)), default_deny)


def lists(*policies):
    return PolicySet.build(account_id="a" * 32, revision=1, web=policies)


ALL = Scope.of()
OF_ANN = Scope.of(from_=Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, ANN.key))
SAMPLE = lists(
    policy(
        "1", ALL, bad_test="block", good_bad_test="allow", evil_good_bad_test="block", fine_test="allow",
        **{"127_0_0_1": "block", "url_path_test__x": "block", "url_host_test": "block", "sub_bad_test": "block"},
    ),
    policy("2", OF_ANN, anns_test="block"),
)  # fmt: skip


def written(format_, policies=SAMPLE, facts=EVERYONE):
    artefact = write(flat(policies, facts), format_)
    return list(artefact.lines), [str(one) for one in artefact.omitted]


def test_the_names_are_told_where_they_differ_from_what_is_above():
    found = flat(SAMPLE, EVERYONE)
    assert [(name.host, name.verdict.value) for name in found.names] == [
        ("127.0.0.1", "block"),
        ("bad.test", "block"),
        ("good.bad.test", "allow"),
        ("evil.good.bad.test", "block"),
        ("fine.test", "allow"),
    ]
    assert [str(one) for one in found.omitted] == [
        "1 list (list 2): for others, or at another time",
        "1 URL (path.test/x): about a part of a host, which a list of names cannot say",
        "1 URL (host.test): about a host without what is below it; name it as a domain",
    ]
    assert "anns.test" in [name.host for name in flat(SAMPLE, WebFacts("", 0.0, ANN)).names]


@pytest.mark.parametrize(
    ("format_", "lines", "omitted"),
    [
        (
            F.DOMAINS, ["127.0.0.1", "bad.test"],
            ["1 name (good.bad.test): decided otherwise than a domain above it that the file blocks"],
        ),
        (
            F.HOSTS, ["0.0.0.0 bad.test", "0.0.0.0 evil.good.bad.test"],
            ["1 IP address (127.0.0.1): which is no name",
             "2 names: what is below it; a hosts file names hosts alone"],
        ),
        (
            F.ADBLOCK,
            ["||127.0.0.1^", "||bad.test^", "@@||good.bad.test^", "||evil.good.bad.test^$important",
             "@@||fine.test^"],
            [],
        ),
        (
            F.SQUID, [".bad.test"],
            ["1 IP address (127.0.0.1): which is no name",
             "1 name (good.bad.test): decided otherwise than a domain above it that the file blocks"],
        ),
        (
            F.SQUID_ALLOW, [".good.bad.test", ".fine.test"],
            ["1 name (evil.good.bad.test): decided otherwise than a domain above it that the file allows"],
        ),
        (
            F.UNBOUND,
            ["server:", '  local-zone: "bad.test." always_nxdomain',
             '  local-zone: "good.bad.test." always_transparent',
             '  local-zone: "evil.good.bad.test." always_nxdomain',
             '  local-zone: "fine.test." always_transparent'],
            ["1 IP address (127.0.0.1): which is no name"],
        ),
    ],
)  # fmt: skip
def test_each_program_gets_its_own_file(format_, lines, omitted):
    found, left = written(format_)
    assert (found, left[3:]) == (lines, omitted)


def test_a_default_deny_is_written_where_it_can_be():
    policies = lists(policy("1", ALL, default_deny=True, repo_test="allow", bad_repo_test="block"))
    lines, left = written(F.UNBOUND, policies)
    assert lines[1:] == [
        '  local-zone: "." always_nxdomain',
        '  local-zone: "repo.test." always_transparent',
        '  local-zone: "bad.repo.test." always_nxdomain',
    ]
    assert left == []
    _, left = written(F.SQUID, policies)
    assert "1 default deny: that all else is blocked, which this file cannot say" in left


def test_what_is_left_out_stands_in_front_as_comments():
    artefact = write(flat(SAMPLE, EVERYONE), F.ADBLOCK)
    lines = list(commented(artefact, comment_mark(F.ADBLOCK), ["Web lists"]))
    assert lines[:2] == ["! Web lists", "! Not in this file: 1 list (list 2): for others, or at another time"]


_HOSTS = st.sampled_from(["a_test", "b_a_test", "c_b_a_test", "d_c_b_a_test", "x_test", "y_x_test", "test"])
_ENTRIES = st.dictionaries(_HOSTS, st.sampled_from(["allow", "block"]), max_size=6)


@given(one=_ENTRIES, other=_ENTRIES, deny=st.booleans(), override=st.booleans())
def test_a_name_is_decided_by_the_file_as_by_us(one, other, deny, override):
    """The longest name of unbound's zones, and the rules of AdBlock, say what a decision says."""
    policies = lists(policy("1", ALL, deny, **one), policy("2", Scope.of(override=override), **other))
    found = flat(policies, EVERYONE)
    rules = write(found, F.ADBLOCK)
    _, read = read_filter_list([line.encode() for line in rules.lines])
    adblock = [rule for rule in read if isinstance(rule, Rule)]
    told = {name.host: name.verdict for name in found.names}
    for host in ("a.test", "b.a.test", "z.c.b.a.test", "d.c.b.a.test", "y.x.test", "z.test", "other"):
        blocks = decide_web(policies, WebFacts(f"http://{host}/", 0.0)).verdict is WebVerdict.BLOCK
        above = [host.split(".", n)[-1] for n in range(host.count(".") + 1)]
        longest = next((told[name] for name in above if name in told), found.rest)
        assert (longest is WebVerdict.BLOCK) == blocks
        if found.rest is not WebVerdict.BLOCK and not any("AdBlock" in str(one) for one in rules.omitted):
            matching = [rule for rule in adblock if f".{host}".endswith(f".{rule.text}")]
            by_rules = any(rule.final for rule in matching) or (
                bool(matching) and not any(rule.allows for rule in matching)
            )
            assert by_rules == blocks
