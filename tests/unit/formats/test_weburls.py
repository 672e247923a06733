"""Canonical URLs and web list entries: behaviour.md sections 6.1 and 6.4, D-24, D-39, D-40."""

from __future__ import annotations

import contextlib
import time
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.weburls import MAX_HOST, MAX_URL, UrlError, canonical_query, parameters, parse_web_url
from mailreeve.policy.decide.web import WebEntryError, canonical_entry
from mailreeve.policy.index.web_index import WebIndex
from mailreeve.policy.model.policies import WebAction, WebEntry, WebEntryType, WebPolicy


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ex.test", "ex.test"),
        ("http://ex.test/", "ex.test"),
        ("HTTPS://EX.Test:443/Docs/", "ex.test/Docs"),
        ("ftp://ex.test:2121/pub", "ex.test/pub"),
        ("//ex.test/a", "ex.test/a"),
        ("http:ex.test/a", "ex.test/a"),
        ("ex.test:8080", "ex.test"),
        ("ex.test:8080/a", "ex.test/a"),
        ("localhost:8080", "localhost"),
        (" \t http://ex.test/a \r\n", "ex.test/a"),
        ("ht\ntp://ex.test/a", "ex.test/a"),
        ("http://user:pass@ex.test/a", "ex.test/a"),
        ("http://ex.test./a", "ex.test/a"),
        ("http://ex.test/a#b?c", "ex.test/a"),
        ("http://ex.test?", "ex.test"),
        ("http://ex.test?q=1#f", "ex.test?q=1"),
        ("http://ex.test/a/?b=/c/", "ex.test/a?b=/c/"),
    ],
)
def test_scheme_port_credentials_and_fragment_do_not_count(text, canonical):
    assert str(parse_web_url(text)) == canonical


@pytest.mark.parametrize(
    ("disguised", "host"),
    [
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://0177.0.0.1/", "127.0.0.1"),
        ("https://ex%41mple.test/", "example.test"),
        ("https://ex.test\\@evil.test/", "ex.test"),
        ("https://ex.test@evil.test/", "evil.test"),
        ("https://münchen.test/", "xn--mnchen-3ya.test"),
        ("https://ｅｘ.test/", "ex.test"),
        ("http://[::FFFF:192.0.2.1]:80/", "192.0.2.1"),
        ("http://[0:0:0:0:0:ffff:c000:0201]/", "192.0.2.1"),
        ("http://[::ffff:0:192.0.2.1]/", "[::ffff:0:c000:201]"),
        ("http://ex。test/", "ex.test"),
        ("http://[64:ff9b::c000:201]/", "192.0.2.1"),
        ("http://[64:FF9B::192.0.2.1]/", "192.0.2.1"),
        ("http://[64:ff9b:1::c000:201]/", "[64:ff9b:1::c000:201]"),
        ("http://[64:ff9b::1:c000:201]/", "[64:ff9b::1:c000:201]"),
        ("http://１２７.0.0.1/", "127.0.0.1"),
        ("http://%31%32%37.1/", "127.0.0.1"),
        ("http://127%2e0%2E0%2e1/", "127.0.0.1"),
        ("http://127。0。0。1/", "127.0.0.1"),
        ("http://127.0.0.1./", "127.0.0.1"),
        ("http://127.1../", "127.0.0.1"),
        ("http://ex.test.../", "ex.test"),
        ("http://e\u00adx.test/", "ex.test"),
        ("http://FAß.test/", "xn--fa-hia.test"),
    ],
)
def test_a_disguised_host_is_the_host_that_is_reached(disguised, host):
    assert parse_web_url(disguised).host == host


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/%61%7e", "/a~"),
        ("/%2f%3f", "/%2F%3F"),
        ("/a\\b", "/a/b"),
        ("/ü", "/%C3%BC"),
        ("/100%", "/100%25"),
        ("/%%36%31", "/%2561"),
        ("/a//", "/a"),
        ("/A", "/A"),
        ("/*/b", "/*/b"),
    ],
)
def test_paths_are_made_uniform(path, canonical):
    assert parse_web_url("http://ex.test" + path).path == canonical


@pytest.mark.parametrize(
    "text",
    ["", "   ", "http://", "http:///", "mailto:jo@ex.test", "javascript:alert(1)", "file:///etc/passwd",
     "data:text/plain,x", "http://ex test/", "http://[::1/", "http://1.2.3.4.5/", "http://ex.test:99999/",
     "gopher://ex.test/", "http://\udc80/", "http://./", "http://../", "http://ex.1../", "http://[::1%25eth0]/", "http://[fe80::1%eth0]/",
     "http://127.0.0.256/", "http://08.1.1.1/", "http://ex.1/", "http://ex%2ftest/", "http://ex%00test/",
     "http://ex.test:x/", "http://[::1].test/", "http://\u200b/", "http://ex\u2100x.test/", "user:word@ex.test"],
)  # fmt: skip
def test_what_is_no_url_of_the_web_is_refused(text):
    with pytest.raises(UrlError):
        parse_web_url(text)


def test_parameters_are_compared_decoded_and_without_order():
    assert parameters("a=1&b=%32&a=1") == parameters("b=2&a=1")
    assert parameters("q=a+b") == parameters("q=a%20b")
    assert parameters("a") == parameters("a=")
    assert parameters("") == frozenset()


@pytest.mark.parametrize(
    "padding",
    ["&" * 5_000, "v=&" * 5_000, "".join(f"p{n}=x&" for n in range(5_000)), "=&" * 5_000, "v&" * 5_000],
    ids=["empty", "the same name", "other names", "no names", "no values"],
)
def test_no_number_of_other_parameters_hides_one(padding):
    asked = parse_web_url(f"http://ex.test/w?{padding}v=abc")
    assert parameters("v=abc") <= parameters(asked.query)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("v=%FF", "v=%FE"),
        ("%FF=1", "%C3=1"),
        ("v=%C3%28", "v=%C3"),
        ("v=%FF", "v=%EF%BF%BD"),
        ("v=%E9", "v=%C3%A9"),
    ],
)
def test_octets_that_are_no_utf8_are_themselves_and_no_others(one, other):
    assert parameters(one) != parameters(other)
    assert parameters(one) == parameters(one.lower())


def test_letters_beyond_ascii_are_the_octets_that_a_browser_sends():
    asked = parse_web_url("http://ex.test/w?v=\u00fc").query
    assert parameters(asked) == parameters("v=%C3%BC")


@given(st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4)), max_size=5), st.randoms())
def test_queries_with_the_same_parameters_have_one_canonical_form(pairs, random):
    pairs = [(name, value) for name, value in pairs if name or value]
    shuffled = [*pairs, *pairs[:1]]
    random.shuffle(shuffled)
    one, other = urlencode(pairs), urlencode(shuffled)
    assert canonical_query(one) == canonical_query(other)
    assert parameters(canonical_query(one)) == parameters(one)
    assert canonical_query(canonical_query(one)) == canonical_query(one)


def test_a_url_without_end_is_not_read():
    with pytest.raises(UrlError, match="longer than"):
        parse_web_url("http://ex.test/" + "a" * MAX_URL)


LONG = MAX_URL - 100
COSTLY = {
    "labels": "http://" + "a." * (LONG // 2) + "test",
    "empty labels": "http://" + "." * LONG + "test",
    "labels of a port": "a." * (LONG // 2) + ":8",
    "an internationalised name": "http://" + "ü" * LONG + ".test",
    "decoded name": "http://" + "%61" * (LONG // 3) + ".test",
    "marks": "http://a" + "\u0301\u0316" * (LONG // 2) + ".test",
    "colons": "http://[" + ":" * LONG + "]",
    "at signs": "http://" + "a:@" * (LONG // 3) + "ex.test",
    "tabs": "http://ex.test/" + "\t" * LONG,
    "dots": "http://ex.test/" + "a/../" * (LONG // 5),
    "dots in octets": "http://ex.test/" + "a/%2e%2E/" * (LONG // 9),
    "slashes": "http://ex.test/" + "/" * LONG,
    "octets of a query": "http://ex.test/x?" + "%26" * (LONG // 3),
    "ampersands": "http://ex.test/x?" + "&" * LONG,
    "parameters": "http://ex.test/x?" + "".join(f"{n:x}=&" for n in range(LONG // 6)),
}


@pytest.mark.parametrize("name", COSTLY)
def test_no_url_costs_more_than_its_length(name):
    """As an entry, and as a request where such entries are; what grew with the square took seconds."""
    text = COSTLY[name]
    entry = WebEntry("e", WebEntryType.URL, "ex.test/x?v=1", WebAction.BLOCK)
    top = WebEntry("t", WebEntryType.DOMAIN, "test", WebAction.BLOCK)
    index = WebIndex([WebPolicy("p", "", (), (entry, top), 1.0)])
    started = time.process_time()
    with contextlib.suppress(WebEntryError):
        canonical_entry(WebEntryType.URL, text)
    with contextlib.suppress(UrlError):
        index.covering(parse_web_url(text))
    assert time.process_time() - started < 0.3


def test_a_name_too_long_for_any_entry_is_below_its_domains_all_the_same():
    top = WebEntry("t", WebEntryType.DOMAIN, "ex.test", WebAction.BLOCK)
    longest = ".".join(["b" * 61, *["a" * 63] * 3])
    assert len(longest) == MAX_HOST
    deep = WebEntry("d", WebEntryType.DOMAIN, canonical_entry(WebEntryType.DOMAIN, longest), WebAction.BLOCK)
    index = WebIndex([WebPolicy("p", "", (), (top, deep), 1.0)])
    for host, found in ((".".join(["ex"] * 5_000) + ".ex.test", top), (f"x.{longest}", deep), (longest, deep)):
        assert [one.entry for one in index.covering(parse_web_url(f"http://{host}/"))] == [found]


@pytest.mark.parametrize(
    ("type_", "text", "reason"),
    [
        ("domain", "*.ex.test", "asterisk"),
        ("domain", "%2a.ex.test", "asterisk"),
        ("url", "*.ex.test/a", "asterisk"),
        ("domain", "ex.test/path", "path"),
        ("domain", "ex.test?q=1", "query"),
        ("domain", "", "empty"),
        ("url", "http://user@ex.test/a", "user name"),
        ("domain", "ex..test", "malformed"),
        ("domain", "a.test,b.test", "','"),
        ("domain", "a.test;b.test", "';'"),
        ("url", "a.test,b.test/x", "','"),
        ("domain", "e(.)test", r"'\('"),
        ("url", "http://e(.)test/x", r"'\('"),
        ("domain", "(ex.test)", r"'\('"),
        ("domain", "ex.test'", '"\'"'),
        ("url", ".lead.test/x", "malformed"),
        ("url", "http:///x", "no host"),
        ("url", "http:////x", "no host"),
        ("url", "///x", "no host"),
        ("url", "http:\\\\\\x", "no host"),
        ("domain", "http:///x", "no host"),
        ("domain", "/path", "no host"),
        ("url", "/path/below", "no host"),
        ("url", "10.0.0.0/8", "range"),
        ("domain", "192.0.2.0/24", "range"),
        ("url", "http://10.0.0.0/8", "range"),
        ("url", "10/8", "range"),
        ("url", "10.0/16", "range"),
        ("url", "10.0.0.0/255.0.0.0", "range"),
        ("domain", "10.0.0.1-9", "range"),
        ("domain", "10.0.0.1 - 10.0.0.9", "range"),
        ("url", "2001:db8::/32", "range"),
        ("domain", "::/0", "range"),
        ("url", "[2001:db8::]/32", "range"),
        ("url", "http://[2001:DB8::]/32", "range"),
        ("url", "http://https://a.test/x", "two schemes"),
        ("domain", "a" * 64 + ".test", "malformed"),
        ("domain", "ex[.]test", "no valid URL"),
        ("domain", "a.test b.test", "no valid URL"),
        ("domain", "a.test|b.test", "no valid URL"),
        ("url", "wss://ex.test/a", "scheme"),
        ("url", "http://ex test/a", "no valid URL"),
    ],
)
def test_an_entry_is_refused_with_its_reason(type_, text, reason):
    with pytest.raises(WebEntryError, match=reason):
        canonical_entry(WebEntryType(type_), text)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("domain", "http://Ex.Test:80/#top", "ex.test"),
        ("domain", "ex.test.", "ex.test"),
        ("domain", "//ex.test", "ex.test"),
        ("url", "http:/ex.test/a", "ex.test/a"),
        ("url", "10.0.0.1/8/x", "10.0.0.1/8/x"),
        ("url", "10.0.0.1/888", "10.0.0.1/888"),
        ("url", "ab.cd:80/8", "ab.cd/8"),
        ("domain", "3-1.test", "3-1.test"),
        ("domain", "1-2", "1-2"),
        ("domain", "64:ff9b::c000:201", "192.0.2.1"),
        ("domain", ".lead.test", "lead.test"),
        ("domain", "http://.Lead.test./", "lead.test"),
        ("domain", "_dmarc.ex-1.test", "_dmarc.ex-1.test"),
        ("domain", "::ffff:192.0.2.1", "192.0.2.1"),
        ("domain", "[2001:DB8::1]", "[2001:db8::1]"),
        ("url", "ex.test/a?c&b=1&c=&&", "ex.test/a?b=1&c"),
        ("url", "ex.test/a?b=%2Fx+y", "ex.test/a?b=/x%20y"),
        ("domain", "münchen.test", "xn--mnchen-3ya.test"),
        ("domain", "0x7f.1", "127.0.0.1"),
        ("url", "http://domain.test/abc/", "domain.test/abc"),
        ("url", "ex.test/*/b", "ex.test/*/b"),
        ("url", "ex.test/a?b=1&c", "ex.test/a?b=1&c"),
        ("url", "ex.test", "ex.test"),
    ],
)
def test_an_entry_is_stored_in_canonical_form(type_, text, value):
    assert canonical_entry(WebEntryType(type_), text) == value
    assert canonical_entry(WebEntryType(type_), value) == value
