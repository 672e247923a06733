"""The reach of blocks: what it is called, and when it is a whole organisation's."""

from __future__ import annotations

from math import inf

import pytest
from msgspec.structs import replace

from mailreeve.formats.networks import parse_network
from mailreeve.policy.lint.coverage import Coverage
from mailreeve.policy.lint.reach import reach
from mailreeve.policy.model.facts import Directory, User
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import BlockedOption, FromPart, Scope
from mailreeve.policy.model.targets import EVERYONE, EXTERNAL, INTERNAL, Target, TargetType

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


@pytest.mark.parametrize(
    "networks",
    [
        ("0.0.0.0/1", "128.0.0.0/1"),
        ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2"),
        tuple(f"{first}.0.0.0/8" for first in range(1, 224)),
        ("0.0.0.0/1", "2001:db8::/32", "128.0.0.0/1"),
        ("::/1", "8000::/1"),
        ("2000::/4", "3000::/4"),
        ("192.0.2.0/24", "2000::/3"),
    ],
)
def test_ranges_that_leave_nobody_out_are_no_condition(networks):
    """Together all that anybody sends from, by either version of the protocol: the rest is nobody's."""
    assert reach_of(EVERYONE, EVERYONE, networks=tuple(map(parse_network, networks))).wide


@pytest.mark.parametrize(
    "networks",
    [("0.0.0.0/1",), ("128.0.0.0/1", "0.0.0.0/2"), ("2000::/4",), ("10.0.0.0/8", "fe80::/10")],
)
def test_ranges_that_leave_many_out_are_a_condition(networks):
    assert not reach_of(EVERYONE, EVERYONE, networks=tuple(map(parse_network, networks))).wide


def users_of(*names: str) -> dict[str, User]:
    return {f"{name}@corp.test": User(f"{name}@corp.test", {"1": "staff"}) for name in names}


PEOPLE = ("ann", "bob")
BY_ATTRIBUTE = Target.of(TargetType.ADDRESS_ATTRIBUTE_VALUE, "staff", "1")


@pytest.mark.parametrize("target", [TEAM, BY_ATTRIBUTE], ids=["group", "attribute"])
@pytest.mark.parametrize("side", ["sender", "recipient"])
def test_all_users_one_by_one_are_a_whole_domain(target, side):
    """The two that administer a domain are not counted, nor is an alias; one user is somebody in particular."""
    users = users_of(*PEOPLE) | {"abuse@corp.test": User("abuse@corp.test")}
    users["al@corp.test"] = users["ann@corp.test"]
    members = {f"{name}@corp.test": ("2",) for name in PEOPLE}
    directory = replace(DIRECTORY, users=users, groups=members, parents={})
    scope = (target, EVERYONE) if side == "sender" else (EVERYONE, target)
    assert reach_of(*scope, directory=directory).wide
    more = replace(directory, users=users | {"new@corp.test": User("new@corp.test")})
    assert not reach_of(*scope, directory=more).wide
    alone = replace(directory, users={key: user for key, user in users.items() if not key.startswith("bob")})
    assert not reach_of(*scope, directory=alone).wide


def test_a_group_that_holds_all_users_by_their_aliases_is_a_whole_domain():
    """A group that holds an alias holds its user (D-53)."""
    users = users_of(*PEOPLE)
    users |= {f"{name}@sub.test": users[f"{name}@corp.test"] for name in PEOPLE}
    members = {f"{name}@sub.test": ("2",) for name in PEOPLE}
    assert reach_of(EVERYONE, TEAM, directory=replace(DIRECTORY, users=users, groups=members)).wide


def test_a_block_whose_dates_leave_no_time_hits_nobody():
    assert not reach_of(EVERYONE, EVERYONE, starts=NOW + 2, ends=NOW + 1).wide


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
