"""Whom a path names: an address, or the refusal that says what is wrong with it."""

from __future__ import annotations

import pytest

from mailreeve.formats.addresses import NULL_SENDER, Domain, parse_address
from mailreeve.mail.paths import read_recipient, read_sender


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<ann>", "the form local@domain"),
        ("<ann@>", "the form local@domain"),
        ("<a b@x.test>", "before the @ is malformed"),
        ("<ann@-x.test>", "domain is malformed"),
        ("<ann@*.test>", "wildcard"),
        ("<" + "a" * 248 + "@x.test>", "longer than 254"),
        ("<a@b@c.test>", "before the @ is malformed"),
        ("<\udcff@x.test>", "not valid Unicode"),
    ],
)
def test_malformed_addresses_are_answered_with_what_is_wrong(text, says):
    """501 5.1.7 for senders, 501 5.1.3 for recipients, and the reason in words."""
    sender = read_sender(text)
    assert (sender.code, sender.enhanced) == (501, "5.1.7")
    assert says in sender.text
    recipient = read_recipient(text)
    assert (recipient.code, recipient.enhanced) == (501, "5.1.3")
    assert says in recipient.text


@pytest.mark.parametrize("text", ["<postmaster>", "<Postmaster>", "POSTMASTER"])
def test_a_postmaster_without_a_domain_is_one_of_ours(text):
    """RFC 5321 section 4.5.1. Where nobody can say whose, it is refused and no fault of the syntax."""
    address = read_recipient(text, Domain("corp.test"))
    assert address == parse_address("postmaster@corp.test")
    refused = read_recipient(text)
    assert (refused.code, refused.enhanced) == (550, "5.1.1")


def test_source_routes_are_ignored():
    """`@a,@b:` before a mailbox is taken off (RFC 5321 appendix C)."""
    assert read_recipient("<@one.test,@two.test:u@corp.test>") == parse_address("u@corp.test")


def test_a_path_comes_with_brackets_or_without():
    """An empty one is the null sender, and nobody's address as a recipient."""
    assert read_sender("ann@out.test") == read_sender(" <ann@out.test> ") == parse_address("ann@out.test")
    assert read_sender("<>") is NULL_SENDER
    assert read_recipient("<>").code == 501
