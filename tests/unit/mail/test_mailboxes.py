"""Reading the addresses of a header field, and surviving what is none."""

from __future__ import annotations

import time
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.mail.mailboxes import MAX_AUTHORS, entries, likely_address, read_authors, read_mailbox
from mailreeve.mail.message import Message, read_message


def found(value: str) -> list[tuple[str, str, str]]:
    """Address, the text it stands in, and name, of every mailbox of a field."""
    result = []
    for entry in entries(value):
        mailbox = read_mailbox(entry)
        if mailbox is not None:
            [author] = read_authors(of(entry.text.encode()))
            assert author.address == mailbox.address
            result.append((str(mailbox.address), value[mailbox.start : mailbox.end], author.display_name))
    return result


def of(*fields: bytes) -> Message:
    """A message with these From fields."""
    return read_message(b"".join(b"From: " + field + b"\r\n" for field in fields) + b"\r\n")


def authors(*fields: bytes) -> list[tuple[str, str]]:
    return [(str(a.address or ""), a.display_name) for a in read_authors(of(*fields))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.test", [("a@b.test", "a@b.test", "")]),
        ("Jo <jo@b.test>, a@b.test", [("jo@b.test", "jo@b.test", "Jo"), ("a@b.test", "a@b.test", "")]),
        ('"Doe, Jo (x) <y@z>" <jo@b.test>', [("jo@b.test", "jo@b.test", "Doe, Jo (x) <y@z>")]),
        ('"a \\" b" <jo@b.test>', [("jo@b.test", "jo@b.test", 'a " b')]),
        ("(before) a@b.test (after, all)", [("a@b.test", "a@b.test", "")]),
        ("Jo (Joseph) <jo@b.test> (work)", [("jo@b.test", "jo@b.test", "Jo")]),
        ("Friends: a@b.test, c@d.test;", [("a@b.test", "a@b.test", ""), ("c@d.test", "c@d.test", "")]),
        ('"two words"@b.test', [('"two words"@b.test', '"two words"@b.test', "")]),
        ("<@relay.test,@more.test:a@b.test>", [("a@b.test", "a@b.test", "")]),
        ("=?utf-8?q?J=C3=B6rg=2C_Dr?= <j@b.test>", [("j@b.test", "j@b.test", "Jörg, Dr")]),
        ('"=?utf-8?b?SsO2?=" <j@b.test>', [("j@b.test", "j@b.test", "Jö")]),
        ("Jörg <jörg@b.test>", [("jörg@b.test", "jörg@b.test", "Jörg")]),
        ("a@b.test,\r\n\tJo\r\n D <c@d.test>", [("a@b.test", "a@b.test", ""), ("c@d.test", "c@d.test", "Jo D")]),
        ("a . b @ c . test", [("a.b@c.test", "a . b @ c . test", "")]),
        ("a@[192.0.2.1]", [("a@[192.0.2.1]", "a@[192.0.2.1]", "")]),
        ("undisclosed-recipients:;", []),
        ("broken <a@, good@b.test", []),
        ("broken@, good@b.test", [("good@b.test", "good@b.test", "")]),
        ("", []),
    ],
)
def test_mailboxes_and_their_places(value, expected):
    """Each valid mailbox with its address, the very text it stands in, and its decoded name."""
    assert found(value) == expected


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


@given(st.text(alphabet='ab@.,;:<>()[]"\\ \r\n\t=?é\x00', max_size=80))
def test_no_field_makes_reading_fail(value):
    """Any text gives mailboxes whose places lie in it and hold their address."""
    for entry in entries(value):
        assert value[entry.start : entry.start + len(entry.text)] == entry.text
        likely_address(entry)
        mailbox = read_mailbox(entry)
        if mailbox is not None:
            assert mailbox.address.domain
            assert "@" in value[mailbox.start : mailbox.end]
    read_authors(of(value.encode()))


@pytest.mark.parametrize("text", ["(", '"', "<", "[", ".", ",", "a@", "w ", "=?utf-8?q?a?= ", '"\\"" ', "a:"])
def test_hostile_fields_are_read_in_linear_time(text):
    """Sixteen times the text takes nowhere near 256 times as long."""

    def seconds(length: int) -> float:
        content = b"From: " + text.encode() * (length // len(text)) + b"\r\n\r\n"
        message = read_message(content)
        best = inf
        for _ in range(3):
            start = time.perf_counter()
            read_authors(message)
            best = min(best, time.perf_counter() - start)
        return best

    assert seconds(80_000) < 64 * seconds(5_000) + 0.05
