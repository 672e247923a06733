"""The shipped free-mail list, behaviour.md D-44."""

from __future__ import annotations

from mailreeve.formats.addresses import parse_domain
from mailreeve.formats.free_mail import FREE_MAIL_DOMAINS, FREE_MAIL_VERSION


def test_the_list_is_canonical_and_versioned():
    assert {parse_domain(domain) for domain in FREE_MAIL_DOMAINS} == FREE_MAIL_DOMAINS
    assert FREE_MAIL_VERSION


def test_the_best_known_providers_are_on_it():
    assert {"gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.de", "qq.com"} <= FREE_MAIL_DOMAINS
