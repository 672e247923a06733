"""A disguised URL meets the verdict of the plain one (stack.md section 1.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.policy.decide.web import canonical_entry, decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import Scope, WebAction, WebEntry, WebEntryType, WebPolicy

_ENTRIES = (
    (WebEntryType.DOMAIN, "example.test"),
    (WebEntryType.DOMAIN, "127.0.0.1"),
    (WebEntryType.DOMAIN, "xn--mnchen-3ya.test"),
    (WebEntryType.DOMAIN, "[2001:db8::1]"),
    (WebEntryType.URL, "shop.test/Private/area"),
    (WebEntryType.URL, "search.test/find?q=cats&safe=off"),
)
_POLICIES = PolicySet.build(
    account_id="a" * 32,
    revision=1,
    web=[
        WebPolicy(
            "1" * 32,
            "Blocked",
            (Scope.of(),),
            tuple(
                WebEntry(f"{n:032x}", type_, value, WebAction.BLOCK) for n, (type_, value) in enumerate(_ENTRIES)
            ),
            0.0,
        )
    ],
)

_DISGUISES = {
    "http://example.test/": (
        "http://example.test./", "http://example.test../", "http://EXAMPLE.Test/", "HTTP://example.test/",
        "https://example.test:443/", "http://example.test:80", "ftp://example.test:2121/x", "example.test:443",
        "http://user:word@example.test/", "http://good.test@example.test/", "http://good.test%40x@example.test/",
        "http://ex%41mple.test/", "http://%65%78%61%6d%70%6c%65%2e%74%65%73%74/", "http:example.test",
        "http:/example.test", "http:\\\\example.test\\a", "http://example.test\\@good.test/",
        "http://example.test\\.good.test/", "http://example.test#@good.test/", "http://example.test?@good.test/",
        "http://\uff45xample.test/", "http://example\u3002test/", "http://exam\u00adple.test/", "http://exa\tmple.test/",
        "ht\ntp://example.test/", " http://example.test", "\x00http://example.test/", "http://a.b.example.test/",
        "ws://example.test/", "wss://example.test:444/chat", "//example.test/", "http:////example.test/",
        "http://\u212fxample.test/",
    ),
    "http://127.0.0.1/": (
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://017700000001/",
        "http://127.1/", "http://127.0.1", "http://0x7F.0.0x0.01/", "http://127.0.0.1./", "http://127.0.0.1../",
        "http://127.1..", "http://\uff11\uff12\uff17.0.0.1/", "http://127\u30020\u30020\u30021/",
        "http://%31%32%37.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://[::FFFF:7f00:1]:8080/",
        "http://[0:0:0:0:0:ffff:7f00:0001]/", "http://[64:ff9b::7f00:1]/", "127.0.0.1:443", "http://x@2130706433/",
    ),
    "http://xn--mnchen-3ya.test/": (
        "http://m\u00fcnchen.test/", "http://M\u00dcNCHEN.test/", "http://mu\u0308nchen.test/",
        "http://m%C3%BCnchen.test/", "http://XN--MNCHEN-3YA.test", "http://www.m\u00fcnchen\uff0etest./",
    ),
    "http://[2001:db8::1]/": (
        "http://[2001:DB8::1]/", "http://[2001:0db8:0:0:0:0:0:1]:8443/", "http://[2001:db8:0::0:1]",
        "http://[2001:db8::0.0.0.1]/",
    ),
    "http://shop.test/Private/area": (
        "http://shop.test/Private/area/", "http://shop.test/Private/area/deep?x", "http://shop.test//../Private/area",
        "http://shop.test/open/../Private/area", "http://shop.test/open/%2e%2E/Private/area",
        "http://shop.test/./Private/./area", "http://shop.test/%50rivate/are%61", "http://shop.test\\Private\\area",
        "http://shop.test/Private/area#top", "http://shop.test/Pri\nvate/area", "https://SHOP.test.:444/Private/area",
        "http://shop.test/Private/.%2e/Private/area", "http://shop.test/../../Private/area",
    ),
    "http://search.test/find?q=cats&safe=off": (
        "http://search.test/find?safe=off&q=cats", "http://search.test/find?x=1&q=c%61ts&&safe=off&y",
        "http://search.test/find/?q=cats&safe=%6fff", "http://search.test/find?%71=cats&safe=off#q=dogs",
        "http://search.test/find?q=cats&safe=off&q=dogs",
    ),
}  # fmt: skip
"""From a URL that is blocked to others that lead to the same place, or to what the entry covers."""

_OTHERS = (
    "http://example.test.good.test/", "http://example.test@good.test/", "http://notexample.test/", "http://test/",
    "http://good.test/example.test", "http://good.test\\@example.test/", "http://good.test#example.test",
    "http://127.0.0.2/", "http://127.0.0.1.good.test/", "http://[2001:db8::2]/", "http://munchen.test/",
    "http://shop.test/private/area", "http://shop.test/Private/areas", "http://www.shop.test/Private/area",
    "http://shop.test/Private/area/..", "http://shop.test/Private%2Farea", "http://search.test/find?q=cats",
    "http://search.test/find?q=cats%26safe=off", "http://search.test/find#?q=cats&safe=off",
)  # fmt: skip


def _verdict(url):
    return decide_web(_POLICIES, WebFacts(url, 0.0)).verdict


@pytest.mark.parametrize(
    ("plain", "disguised"),
    [(plain, disguised) for plain, several in _DISGUISES.items() for disguised in (plain, *several)],
    ids=ascii,
)
def test_a_disguised_url_is_blocked_as_the_plain_one_is(plain, disguised):
    decision, expected = (decide_web(_POLICIES, WebFacts(url, 0.0)) for url in (disguised, plain))
    assert decision.verdict is WebVerdict.BLOCK
    assert decision.entry == expected.entry


@pytest.mark.parametrize("url", _OTHERS, ids=ascii)
def test_what_only_looks_like_it_is_not(url):
    assert _verdict(url) is WebVerdict.NONE


@pytest.mark.parametrize(
    ("type_", "text", "canonical"),
    [
        (WebEntryType.DOMAIN, "EXAMPLE.test.", "example.test"),
        (WebEntryType.DOMAIN, "http://ex%41mple.test/", "example.test"),
        (WebEntryType.DOMAIN, "2130706433", "127.0.0.1"),
        (WebEntryType.DOMAIN, "0x7f.1", "127.0.0.1"),
        (WebEntryType.DOMAIN, "M\u00dcNCHEN.test", "xn--mnchen-3ya.test"),
        (WebEntryType.DOMAIN, "2001:DB8:0:0::1", "[2001:db8::1]"),
        (WebEntryType.DOMAIN, "[::ffff:127.0.0.1]", "127.0.0.1"),
        (WebEntryType.URL, "http://shop.test:80/open/../%50rivate/", "shop.test/Private"),
    ],
)
def test_an_entry_in_disguise_is_the_plain_one(type_, text, canonical):
    assert canonical_entry(type_, text) == canonical


@given(st.text(st.sampled_from("example.tx%416\\@/:?#[]0x7f1\u3002\uff45 \t"), max_size=24))
def test_reading_a_canonical_url_again_changes_nothing(text):
    """What the doors compare is stable: otherwise one of two readers would see another host."""
    try:
        once = decide_web(_POLICIES, WebFacts(f"http://{text}", 0.0)).url
    except ValueError:
        return
    assert decide_web(_POLICIES, WebFacts(f"http://{once}", 0.0)).url == once
