"""The reach of blocks: what it is called, and when it is a whole organisation's."""

from __future__ import annotations

from math import inf

import pytest

from mailreeve.policy.coverage import Coverage
from mailreeve.policy.facts import Directory
from mailreeve.policy.identities import Identities
from mailreeve.policy.networks import parse_network
from mailreeve.policy.policies import BlockedOption, FromPart, Scope
from mailreeve.policy.reach import reach
from mailreeve.policy.targets import EVERYONE, EXTERNAL, INTERNAL, Target, TargetType

NOW = 1_800_000_000.0
CORP = Target.of(TargetType.EMAIL_DOMAIN, "corp.test")
OTHER = Target.of(TargetType.EMAIL_DOMAIN, "bad.test")
STAFF = Target.of(TargetType.PROFILE_GROUP, "1")
TEAM = Target.of(TargetType.PROFILE_GROUP, "2")
ANN = Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, "ann@corp.test")
DIRECTORY = Directory(
    internal_domains=frozenset({"corp.test", "sub.test"}),
    groups={"corp.test": ("3",), "ann@corp.test": ("2",)},
    parents={"3": "1"},
    group_names={"1": "Staff", "2": "Team", "3": "All of corp"},
)


def reach_of(from_, to, option=BlockedOption.BLOCK_SENDER, directory=DIRECTORY, **more):
    return reach(option, Scope.of(from_, to, **more), Coverage(Identities(directory)), NOW)


@pytest.mark.parametrize(
    ("from_", "to"),
    [
        (EVERYONE, EVERYONE),
        (EVERYONE, INTERNAL),
        (EVERYONE, CORP),
        (EVERYONE, STAFF),
        (EXTERNAL, EVERYONE),
        (EXTERNAL, INTERNAL),
        (EXTERNAL, CORP),
        (INTERNAL, EVERYONE),
        (INTERNAL, EXTERNAL),
        (CORP, EVERYONE),
        (INTERNAL, INTERNAL),
    ],
)
def test_a_block_between_everybody_and_a_whole_domain_is_wide(from_, to):
    """All mail coming in, or all mail going out; a group that holds a whole domain is no narrower than the
    domain."""
    assert reach_of(from_, to).wide


@pytest.mark.parametrize(
    ("from_", "to"), [(OTHER, EVERYONE), (EVERYONE, ANN), (EVERYONE, TEAM), (TEAM, INTERNAL), (EVERYONE, OTHER)]
)
def test_a_block_that_names_somebody_in_particular_is_not_wide(from_, to):
    assert not reach_of(from_, to).wide


def test_between_outsiders_only_relaying_is_concerned():
    """The shape of the account's own guard: mail that is refused anyway."""
    assert not reach_of(EXTERNAL, EXTERNAL).wide


@pytest.mark.parametrize(
    "more",
    [
        {"option": BlockedOption.NO_ACTION},
        {"enabled": False},
        {"ends": NOW},
        {"networks": (parse_network("192.0.2.0/24"),)},
    ],
    ids=["exemption", "disabled", "expired", "source condition"],
)
def test_what_blocks_nobody_or_some_servers_only_is_not_wide(more):
    assert not reach_of(EVERYONE, EVERYONE, **more).wide


def test_a_condition_that_every_source_meets_is_none():
    assert reach_of(EVERYONE, EVERYONE, networks=(parse_network("0.0.0.0/0"),)).wide


def test_a_block_that_starts_later_is_wide_now():
    assert reach_of(EVERYONE, EVERYONE, starts=NOW + 1).wide


@pytest.mark.parametrize(
    ("from_", "to", "more", "words"),
    [
        (EVERYONE, CORP, {}, "every message to every user of corp.test"),
        (EVERYONE, INTERNAL, {}, "every message to every user of corp.test and sub.test"),
        (EXTERNAL, INTERNAL, {}, "every message from outside to every user of corp.test and sub.test"),
        (
            EVERYONE,
            EVERYONE,
            {},
            "every message to everyone, that is every user of corp.test and sub.test and all others",
        ),
        (INTERNAL, EXTERNAL, {}, "every message from every user of corp.test and sub.test to everyone outside"),
        (EVERYONE, STAFF, {}, 'every message to every member of the group "Staff"'),
        (OTHER, ANN, {}, "every message from the domain bad.test to ann@corp.test"),
        (
            OTHER,
            CORP,
            {"from_part": FromPart.HEADER_FROM, "bidirectional": True},
            "every message from the domain bad.test to every user of corp.test (named in the From header), and the"
            " other way round",
        ),
        (
            OTHER,
            CORP,
            {"networks": (parse_network("192.0.2.0/24"),), "starts": NOW, "ends": NOW + 60},
            "every message from the domain bad.test to every user of corp.test, if it comes from 192.0.2.0/24,"
            " from 2027-01-15T08:00 UTC on, until 2027-01-15T08:01 UTC",
        ),
    ],
)  # fmt: skip
def test_the_reach_is_said_in_words(from_, to, more, words):
    assert reach_of(from_, to, **more).words == words


def test_many_domains_are_counted():
    domains = frozenset(f"d{n}.test" for n in range(9))
    found = reach_of(EVERYONE, INTERNAL, directory=Directory(internal_domains=domains))
    assert found.words == "every message to every user of d0.test, d1.test, d2.test and 6 more"


def test_an_account_without_domains_is_told_so():
    found = reach_of(EVERYONE, EVERYONE, directory=Directory(), ends=inf)
    assert found.wide
    assert "of which there are none yet" in found.words
