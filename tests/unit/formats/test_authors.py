"""Whom From fields name, and surviving those that name nobody."""

from __future__ import annotations

import time
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.authors import MAX_AUTHORS, MAX_OTHER_NAMES, read_authors
from mailreeve.formats.display_names import fold_display_name


def authors(*fields: bytes) -> list[tuple[str, str]]:
    """Address and name of each author. Octets that are not UTF-8 come as they do from a message."""
    values = [field.decode("utf-8", "surrogateescape") for field in fields]
    return [(str(a.address or ""), a.display_name) for a in read_authors(values)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], []),
        ([b"Jo <jo@b.test>"], [("jo@b.test", "Jo")]),
        ([b"a@b.test", b"Eve <eve@bad.test>"], [("a@b.test", ""), ("eve@bad.test", "Eve")]),
        ([b"Team: a@b.test, c@d.test;"], [("a@b.test", ""), ("c@d.test", "")]),
        ([b"eve@bad.test (((((("], [("eve@bad.test", "")]),
        ([b"eve@bad.test " + b"(" * 1_100], [("eve@bad.test", "eve@bad.test " + "(" * 487)]),
        ([b'"Eve <eve@bad.test>'], [("eve@bad.test", "Eve")]),
        (
            [b"eve@bad.test@good.test"],
            [("eve@bad.test", "eve@bad.test@good.test"), ("bad.test@good.test", "eve@bad.test@good.test")],
        ),
        ([b"=?utf-8?q?eve=40bad=2Etest?="], [("eve@bad.test", "eve@bad.test")]),
        ([b"Nobody"], [("", "Nobody")]),
        ([b""], [("", "")]),
        ([b"\x00\xff\xfe <>"], [("", "ÿþ")]),
    ],
    ids=[
        "no field",
        "one",
        "two fields",
        "group",
        "open comments",
        "comments too deep to read",
        "open quote",
        "two at signs",
        "encoded address",
        "only a name",
        "empty",
        "binary",
    ],
)
def test_authors_are_all_that_a_reader_might_see(fields, expected):
    """One author per valid mailbox; what is no mailbox counts as each address that stands in it."""
    assert authors(*fields) == expected


@pytest.mark.parametrize(
    "field",
    [
        "'eve@bad.test'",
        "`eve@bad.test`",
        "“eve@bad.test”",
        "eve@bad.test!",
        "eve@bad.test\x00",
        "e\x00ve@bad.test\x7f",
        "eve@bad.test\udcff",
        "\udcffeve@bad.test",
        "eve@[bad.test]",
        "eve@bad.test..",
        "eve@bad.test”",
        "eve @ bad.test !",
        '"eve"@bad.test!',
        "eve@bad.test:",
        "eve@bad.test: ;",
        "=?utf-8?q?=27eve=40bad=2Etest=27?=",
        '"' + "x " * 20_000 + "eve@bad.test",
    ],
)
def test_broken_mailboxes_name_whom_a_reader_would_see(field):
    """Quotes, controls and what cannot be part of a domain hide nobody."""
    assert "eve@bad.test" in [str(author.address) for author in read_authors([field])]


@pytest.mark.parametrize(
    "field",
    [
        "<\u200beve@bad.test>",
        "Jo <e\u00adve@bad.test>",
        "<\u202eeve@bad.test>",
        "\u2060eve@bad.test",
        "eve\ufeff@bad.test",
        '"\u200beve"@bad.test',
        "\x85eve@bad.test",
        "\u2028eve@bad.test",
        "=?utf-8?q?=E2=80=8B?=eve@bad.test",
    ],
)
def test_what_nobody_sees_in_a_local_part_hides_nobody(field):
    """It may be another mailbox, and is looked at as that as well; readers show the one without."""
    assert "eve@bad.test" in [str(author.address) for author in read_authors([field])]
    if "=?" not in field:
        assert any(str(author.address) != "eve@bad.test" for author in read_authors([field]))


@given(
    st.lists(
        st.sampled_from(
            [
                "eve@bad.test",
                "<eve@bad.test>",
                "Eve",
                "\x85",
                "\u200b",
                "\u2028",
                "\x1c",
                '"',
                "(",
                ")",
                ",",
                ":",
                ";",
            ]
        ),
        max_size=6,
    ).map("".join)
)
def test_white_space_around_a_field_never_makes_a_difference(text):
    assert read_authors([f" {text}\r\n"]) == read_authors([text]) == read_authors([f"\t{text} \r\n"])


@pytest.mark.parametrize(
    "field", ["..eve@bad.test", "eve.@bad.test", "x" * 70 + "@bad.test!", "é" * 60 + "@bad.test!"]
)
def test_broken_local_parts_do_not_hide_the_domain(field):
    """It is what most policies look at."""
    assert [str(author.address.domain) for author in read_authors([field])] == ["bad.test"]


@pytest.mark.parametrize(
    "field",
    [
        b"a@ok.test (The Boss)",
        b"<a@ok.test> (The Boss)",
        b"(The Boss) a@ok.test",
        b"(The) a@ok.test (Boss)",
        b"a@ok.test (who (The Boss) is)",
        b"a@ok.test ((The Boss))",
        b"a@ok.test (The (real) Boss)",
        b"a@ok.test (Another) (The Boss)",
        b"a@ok.test (The \\Boss)",
        b"a@ok.test (The Boss",
        b"a@ok.test (=?utf-8?q?The_Boss?=)",
        b"Ann (The Boss) <a@ok.test>",
        b"The (x) Boss <a@ok.test>",
        b"a@ok.test (" + "\u200b".encode() * 300 + b"The Boss)",
        b"<a@ok.test> The Boss",
        b"The Boss a@ok.test",
        b'"The Boss" a@ok.test',
        b'"The Boss a@ok.test" <b@ok.test>',
        b'"The Boss <boss@corp.test>" <a@ok.test>',
        b"=?utf-8?q?The_Boss_=3Cboss=40corp=2Etest=3E?= <a@ok.test>",
        b"The Boss: a@ok.test, b@ok.test;",
        b"The Boss:;",
        b"=?utf-8?b?w?= =?utf-8?q?x?= <a@ok.test> (The Boss)",
        b'"=?utf-8?q?The?= Boss" <a@ok.test>',
        b"=?utf-8?q?The?==?utf-8?q?_Boss?= <a@ok.test>",
        '"\u202essoB ehT\u202c" <a@ok.test>'.encode(),
        '"The \u202essoB" <a@ok.test>'.encode(),
        b"=?utf-8?q?=E2=80=AEssoB_ehT?= <a@ok.test>",
        '"The\u2028Boss" <a@ok.test>'.encode(),
        '"The\u2029Boss" <a@ok.test>'.encode(),
        b'"The\x0bBoss" <a@ok.test>',
        b"=?utf-8?q?The=0CBoss?= <a@ok.test>",
        b"=?utf-8?q?=3D=3Futf-8=3Fq=3FThe=5FBoss=3F=3D?= <a@ok.test>",
        b"a@ok.test (=?utf-8?q?=3D=3Futf-8=3Fq=3FThe=5FBoss=3F=3D?=)",
        "a@ok.test (\u202essoB ehT\u202c)".encode(),
        "a@ok.test (Ann) (The \u202essoB)".encode(),
        b"<a@ok.test> (=?utf-8?q?=E2=80=AEssoB_ehT?=)",
        "a@ok.test (The\u2028Boss)".encode(),
    ],
)
def test_whatever_a_reader_may_show_is_a_name(field):
    """Comments, groups, what stands beside an address: RFC 5322 section 3.4 and what programs make of it."""
    named = [fold_display_name(name) for author in read_authors([field.decode()]) for name in author.names]
    assert "the boss" in named


def test_an_author_has_few_names():
    [author] = read_authors(["a@ok.test " + "(x) (y) " * 100])
    assert len(author.names) <= 1 + MAX_OTHER_NAMES


@pytest.mark.parametrize(
    "field", [b"\xe9@bad.test", b"<\x80@bad.test>", b"Jane <\xff\xfe@bad.test>", b"\xe9 \xe9@bad.test"]
)
def test_raw_octets_in_a_local_part_do_not_hide_the_domain(field):
    assert {address.rpartition("@")[2] for address, _ in authors(field)} == {"bad.test"}


def test_international_domains_are_guessed_as_well():
    assert [str(a.address) for a in read_authors(["“eve@münchen.test”"])] == ["eve@xn--mnchen-3ya.test"]


def test_authors_have_a_limit_and_more_are_told():
    """A header full of authors makes a bounded number of facts: one beyond the limit, which says that it is."""
    many = b", ".join(b"a%d@b.test" % number for number in range(MAX_AUTHORS * 3))
    assert len(authors(many, many)) == MAX_AUTHORS + 1
    assert len(authors(b"<" * 9 + many.replace(b",", b""))) == MAX_AUTHORS + 1
    assert len(authors(b", ".join(many.split(b", ")[:MAX_AUTHORS]))) == MAX_AUTHORS


@given(st.lists(st.text(alphabet='ab@.,;:<>()[]"\\ \r\n\t=?é\x00\udcff', max_size=80), max_size=3))
def test_no_field_makes_reading_fail(values):
    """Any text names somebody, if nobody in particular; no field names nobody."""
    assert bool(read_authors(values)) == bool(values)


@pytest.mark.parametrize(
    "text", ["(", '"', "<", "[", ".", ",", "a@", "w ", "@", "é@", "=?utf-8?q?a?= ", '"\\"" ', "a:"]
)
@pytest.mark.alone
def test_hostile_fields_are_read_in_linear_time(text):
    """Sixteen times the text takes nowhere near 256 times as long."""

    def seconds(length: int) -> float:
        field = text * (length // len(text))
        best = inf
        for _ in range(3):
            start = time.perf_counter()
            read_authors([field])
            best = min(best, time.perf_counter() - start)
        return best

    assert seconds(80_000) < 64 * seconds(5_000) + 0.05
