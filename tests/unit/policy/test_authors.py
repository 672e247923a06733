"""Whom From fields name, and surviving those that name nobody."""

from __future__ import annotations

import time
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.policy.authors import MAX_AUTHORS, read_authors


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
        ([b"eve@bad.test@good.test"], [("eve@bad.test", "eve@bad.test@good.test")]),
        ([b"=?utf-8?q?eve=40bad=2Etest?="], [("eve@bad.test", "eve@bad.test")]),
        ([b"Nobody"], [("", "Nobody")]),
        ([b""], [("", "")]),
        ([b"\x00\xff\xfe <>"], [("", "")]),
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


def test_authors_have_a_limit():
    """A header full of authors makes a bounded number of facts."""
    many = b", ".join(b"a%d@b.test" % number for number in range(MAX_AUTHORS * 3))
    assert len(authors(many, many)) == MAX_AUTHORS


@given(st.lists(st.text(alphabet='ab@.,;:<>()[]"\\ \r\n\t=?é\x00\udcff', max_size=80), max_size=3))
def test_no_field_makes_reading_fail(values):
    """Any text names somebody, if nobody in particular; no field names nobody."""
    assert bool(read_authors(values)) == bool(values)


@pytest.mark.parametrize("text", ["(", '"', "<", "[", ".", ",", "a@", "w ", "=?utf-8?q?a?= ", '"\\"" ', "a:"])
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
