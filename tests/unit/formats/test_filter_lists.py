"""Lists of others: what each format says, and which lines are not taken, by number and reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.filter_lists.reading import FilterFormat, Rule, Untaken, read_filter_list
from mailreeve.formats.organisations import is_public_suffix

F = FilterFormat


def read(text, format_=None):
    found, rules = read_filter_list(text.encode().splitlines(keepends=True), format_)
    return found, list(rules)


def taken(text, format_=None):
    """From line and text to what is done."""
    return [
        (one.line, one.text, "allow" if one.allows else "block")
        for one in read(text, format_)[1]
        if isinstance(one, Rule)
    ]


def left(text, format_=None):
    return [(one.line, one.reason) for one in read(text, format_)[1] if isinstance(one, Untaken)]


DOMAINS = """# A list
bad.test
*.worse.test   # with a comment

https://evil.test/path?q=1
two words.test
"""
HOSTS = """127.0.0.1 localhost
::1 localhost ip6-localhost
255.255.255.255 broadcasthost
0.0.0.0 0.0.0.0
0.0.0.0 bad.test www.bad.test # ads
10.0.0.5 intranet.test
not.an.address x.test
0.0.0.0
"""
ADBLOCK = """[Adblock Plus 2.0]
! Title: a list
||bad.test^
||ads.good.test^
@@||good.test^
||worse.test^$important,document
||under.good.test^$important
||third.test^$third-party
example.test##.banner
/banner[0-9]+/
||wild*.test^
||path.test/ads^
|https://start.test|
bare.test
"""
RPZ = """$TTL 1h
@ IN SOA localhost. root.localhost. (
      1 ; serial
      1h 15m 30d 2h )
  NS localhost.
bad.test CNAME .
*.bad.test 300 IN CNAME .
drop.test CNAME rpz-drop.
empty.test CNAME *.
fine.test CNAME rpz-passthru. ; really
zero.test A 0.0.0.0
page.test A 192.0.2.80
    AAAA 2001:db8::80
walled.test CNAME garden.test.
32.1.2.0.192.rpz-ip CNAME .
* CNAME .
$INCLUDE other.zone
"""
URLHAUS = """# Dateadded (UTC)
# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter
"1","2026-11-01 10:00:00","http://192.0.2.7:8080/a,b.exe","online","","malware","a,b","https://urlhaus.test/1/","x"
"2","2026-11-01 10:00:00","https://evil.test/x","offline","","malware","","",""
"3","2026-11-01"
"4","2026-11-01 10:00:00","unfinished
"""


@pytest.mark.parametrize(
    ("text", "format_", "rules", "untaken"),
    [
        (
            DOMAINS, F.DOMAINS,
            [(2, "bad.test", "block"), (3, "worse.test", "block"), (5, "https://evil.test/path?q=1", "block")],
            [(6, "more than one word on a line; a hosts file is another format")],
        ),
        (
            HOSTS, F.HOSTS,
            [(5, "bad.test", "block"), (5, "www.bad.test", "block")],
            [(6, "it leads to an address instead of nowhere"),
             (7, "no IP address in front; a list of plain domains is another format"),
             (8, "it names no host")],
        ),
        (
            ADBLOCK, F.ADBLOCK,
            [(5, "good.test", "allow"), (3, "bad.test", "block"), (6, "worse.test", "block"),
             (7, "under.good.test", "block")],
            [(8, "its option third-party narrows it to some requests"),
             (9, "it hides parts of pages, which a proxy does not see"),
             (10, "it is a regular expression"), (11, "it holds a wildcard"),
             (12, "it is not about a whole domain, as ||host^ is"),
             (13, "it is not about a whole domain, as ||host^ is"),
             (14, "it is not about a whole domain, as ||host^ is"),
             (4, "line 5 allows good.test, which comes first in an AdBlock list")],
        ),
        (
            RPZ, F.RPZ,
            [(6, "bad.test", "block"), (7, "bad.test", "block"), (8, "drop.test", "block"),
             (9, "empty.test", "block"), (10, "fine.test", "allow"), (11, "zero.test", "block")],
            [(12, "it answers with A 192.0.2.80, which a web list does not"),
             (13, "it answers with AAAA 2001:db8::80, which a web list does not"),
             (14, "it answers with CNAME garden.test., which a web list does not"),
             (15, "its trigger is no name but an address or a name server"),
             (16, "it is about every name there is"), (17, "$INCLUDE is not followed")],
        ),
        (
            URLHAUS, F.URLHAUS,
            [(3, "http://192.0.2.7:8080/a,b.exe", "block"), (4, "https://evil.test/x", "block")],
            [(5, "it has no third column, which is where URLhaus has the URL"),
             (6, "this is no line of a CSV file")],
        ),
    ],
)  # fmt: skip
def test_a_list_is_read_in_the_format_that_its_first_lines_tell(text, format_, rules, untaken):
    assert read(text)[0] is format_
    assert taken(text) == taken(text, format_) == rules
    assert left(text) == untaken


def test_names_of_a_zone_are_relative_to_its_origin():
    zone = "$ORIGIN rpz.example.\nbad.test CNAME .\nworse.test.rpz.example. CNAME .\nwhole.test. CNAME .\n"
    assert [text for _, text, _ in taken(zone)] == ["bad.test", "worse.test", "whole.test"]
    zone = "rpz.example. IN SOA a. b. 1 2 3 4 5\nbad.test.rpz.example. IN CNAME .\n"
    assert [text for _, text, _ in taken(zone)] == ["bad.test"]


def test_a_rule_says_whether_it_is_about_what_is_below_as_well():
    (host,) = read("0.0.0.0 bad.test")[1]
    one, below = read("bad.test CNAME .\n*.bad.test CNAME .")[1]
    assert (host.wide, one.wide, below.wide) == (False, False, True)


def test_a_line_that_is_no_text_is_named():
    lines = [b"\xef\xbb\xbfgood.test\n", b"b\xe4d.test\n", b"x" * 70_000 + b"\n", b"last.test"]
    _, found = read_filter_list(lines, F.DOMAINS)
    found = list(found)
    assert [(one.line, one.text) for one in found if isinstance(one, Rule)] == [(1, "good.test"), (4, "last.test")]
    told = [(one.line, one.reason) for one in found if isinstance(one, Untaken)]
    assert told == [(2, "it is not UTF-8"), (3, "it is longer than 65,536 characters")]


@pytest.mark.parametrize("format_", F)
@given(text=st.text(st.sampled_from('ab.|@^$#*/!;()"\\ \t\n01:,[]'), max_size=60))
def test_nothing_that_a_list_may_hold_breaks_its_reader(format_, text):
    _, found = read(text, format_)
    assert all(one.line >= 1 and (isinstance(one, Rule) or one.reason) for one in found)


@pytest.mark.parametrize("format_", F)
@pytest.mark.parametrize("piece", ["1", "a", "(", '"', "||", "##", "1 ", "a.", " #", "\\", "$", ","])
def test_a_long_line_is_read_in_time_by_its_length(format_, piece):
    began = time.process_time()
    read(piece * (60_000 // len(piece)) + "!", format_)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("domain", "suffix"),
    [
        ("com", True), ("test", True), ("co.uk", True), ("github.io", True), ("localhost", True),
        ("example.com", False), ("example.co.uk", False), ("a.github.io", False), ("127.0.0.1", False),
        ("[2001:db8::1]", False), ("xn--p1ai", True), ("www.ck", False), ("other.ck", True),
    ],
)  # fmt: skip
def test_a_public_suffix_is_known_offline(domain, suffix):
    assert is_public_suffix(domain) is suffix


def test_a_host_that_no_name_can_be_is_named_and_not_taken():
    """Of many labels, each of which would be looked up."""
    long = "a." * 30_000 + "test"
    _, read = read_filter_list([f"||{long}^".encode(), b"@@||ok.test^"], F.ADBLOCK)
    allow, untaken = sorted(read, key=lambda one: isinstance(one, Untaken))
    assert (allow.text, untaken.line) == ("ok.test", 1)
    assert untaken.reason == "its host is longer than 253 characters, as no name is"
