"""A directory changed step by step is the directory made at once."""

from __future__ import annotations

from mailreeve.policy.addresses import Domain, parse_address
from mailreeve.policy.facts import Directory, DirectoryChanges, GroupPlace, User
from mailreeve.policy.identities import Identities
from mailreeve.policy.targets import EXTERNAL_KEY, INTERNAL_KEY, group_key

ANN = parse_address("ann@corp.test")


def test_a_parent_that_is_told_of_later_counts_for_those_below():
    """The child names its parent before the parent is known."""
    identities = Identities(Directory(groups={ANN.key: ("child",)}))
    identities = identities.changed(DirectoryChanges(groups={"child": GroupPlace("Child", "parent")}))
    identities = identities.changed(DirectoryChanges(groups={"parent": GroupPlace("Parent", "top")}))
    groups = (group_key("child"), group_key("parent"), group_key("top"))
    assert identities.keys(ANN).groups == Identities(identities.directory).keys(ANN).groups == groups


def test_a_domain_that_becomes_internal_is_so_for_whom_the_directory_knows():
    """And for nobody else; those of other domains stay the very same values."""
    other = parse_address("bob@other.test")
    identities = Identities(Directory(users={key: User(key) for key in (ANN.key, other.key)}))
    assert EXTERNAL_KEY in identities.keys(ANN)
    after = identities.changed(DirectoryChanges(internal_domains=frozenset({Domain("corp.test")})))
    assert INTERNAL_KEY in after.keys(ANN)
    assert EXTERNAL_KEY not in after.keys(ANN)
    assert after.keys(other) is identities.keys(other)
    back = after.changed(DirectoryChanges(internal_domains=frozenset()))
    assert back.keys(ANN) == identities.keys(ANN)
