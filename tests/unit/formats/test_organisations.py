"""Which domains are one organisation's, by the Public Suffix List."""

from __future__ import annotations

import pytest

from mailreeve.formats.organisations import are_aligned, organisational_domain


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("corp.test", "corp.test"),
        ("mail.corp.test", "corp.test"),
        ("a.b.corp.co.uk", "corp.co.uk"),
        ("co.uk", "co.uk"),
        ("test", "test"),
        ("jo.github.io", "jo.github.io"),  # suffixes of those who let others have names below theirs
        ("xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("[192.0.2.1]", "[192.0.2.1]"),
    ],
)
def test_the_domain_below_the_public_suffix(domain, expected):
    assert organisational_domain(domain) == expected


def test_alignment_is_relaxed_but_not_across_organisations():
    assert are_aligned("mail.corp.test", "corp.test")
    assert are_aligned("a.corp.co.uk", "b.corp.co.uk")
    assert not are_aligned("corp.co.uk", "other.co.uk")
    assert not are_aligned("jo.github.io", "kim.github.io")
    assert not are_aligned("[192.0.2.1]", "[10.0.2.1]")
