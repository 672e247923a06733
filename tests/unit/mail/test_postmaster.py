"""Whose postmaster is meant where no domain is named?"""

from __future__ import annotations

import pytest

from mailreeve.mail.postmaster import postmaster_domain


class Source:
    """Accounts by domain, as the door sees them."""

    def __init__(self, *houses) -> None:
        self.sets = [office.policies for office in houses]

    def policies_for(self, recipient, sender):
        found = [s for s in self.sets if recipient.domain in s.directory.internal_domains]
        return found[0] if found else (self.sets[0] if len(self.sets) == 1 else None)

    @property
    def at_hand(self):
        return self

    def all_policies(self):
        return self.sets if len(self.sets) == 1 else []


@pytest.mark.parametrize(
    ("hostname", "domain"),
    [
        ("mx.old.test", "old.test"),
        ("a.mx.OLD.test", "old.test"),
        ("old.test", "old.test"),
        ("gate.far.test", "corp.test"),
        ("[192.0.2.1]", "corp.test"),
        ("localhost", "corp.test"),
    ],
)
def test_one_account_has_one_postmaster(office, hostname, domain):
    """That of the domain which the door's name lies in, else of the alphabetically first."""
    assert postmaster_domain(Source(office), hostname) == domain


@pytest.mark.parametrize(
    ("hostname", "domain"),
    [("mx.elsewhere.test", "elsewhere.test"), ("mx.old.test", "old.test"), ("gate.test", None)],
)
def test_among_several_accounts_only_the_doors_name_tells(office, another_services, hostname, domain):
    assert postmaster_domain(Source(office, another_services), hostname) == domain


def test_where_no_domain_is_internal_there_is_no_postmaster(office):
    office.domains = ()
    assert postmaster_domain(Source(office), "gate.test") is None
    assert postmaster_domain(Source(), "gate.test") is None
