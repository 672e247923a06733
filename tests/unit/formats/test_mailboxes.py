"""Where addresses stand in a header field, and surviving what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailreeve.formats.address_list import entries
from mailreeve.formats.authors import read_authors
from mailreeve.formats.mailboxes import plain_mailbox, read_mailbox


def found(value: str) -> list[tuple[str, str, str]]:
    """Address, the text it stands in, and name, of every mailbox of a field."""
    result = []
    for entry in entries(value):
        mailbox = read_mailbox(entry)
        if mailbox is not None:
            [author] = read_authors([entry.text])
            assert author.address == mailbox.address
            result.append((str(mailbox.address), value[mailbox.start : mailbox.end], author.display_name))
    return result


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.test", [("a@b.test", "a@b.test", "")]),
        ("Jo <jo@b.test>, a@b.test", [("jo@b.test", "jo@b.test", "Jo"), ("a@b.test", "a@b.test", "")]),
        ('"Doe, Jo (x) <y@z>" <jo@b.test>', [("jo@b.test", "jo@b.test", "Doe, Jo (x) <y@z>")]),
        ('"a \\" b" <jo@b.test>', [("jo@b.test", "jo@b.test", 'a " b')]),
        ("(before) a@b.test (after, all)", [("a@b.test", "a@b.test", "before after, all")]),
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


@given(st.text(alphabet='ab@.,;:<>()[]"\\ \r\n\t=?é\x00', max_size=80))
def test_no_field_makes_reading_fail(value):
    """Any text gives mailboxes whose places lie in it and hold their address."""
    for entry in entries(value):
        assert value[entry.start : entry.start + len(entry.text)] == entry.text
        plain_mailbox(entry)
        mailbox = read_mailbox(entry)
        if mailbox is not None:
            assert mailbox.address.domain
            assert "@" in value[mailbox.start : mailbox.end]
