"""A directory changed step by step is the directory made at once."""

from __future__ import annotations

from time import process_time

import pytest

from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.policy.model.facts import Directory, DirectoryChanges, GroupPlace, User
from mailreeve.policy.model.identities import Identities, StandInKind
from mailreeve.policy.model.targets import EXTERNAL_KEY, INTERNAL_KEY, Target, TargetType, group_key

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


USER = "user4@corp.test"
ALIAS = "u.4@old.test"
PLUS = "sales+eu@corp.test"
DIRECTORY = Directory(
    internal_domains=frozenset({Domain("corp.test"), Domain("old.test")}),
    users={key: User(USER, {"1": "sales"}) for key in (USER, ALIAS, PLUS)},
    groups={ALIAS: ("by alias",), "old.test": ("old",), "corp.test": ("corp",), "box+t@corp.test": ("by tag",)},
)
IDENTITIES = Identities(DIRECTORY)


def names(text: str, identities: Identities = IDENTITIES) -> set[str]:
    """The keys of an address but for those that everybody inside has, and those of domains around its own."""
    found = set(identities.keys(parse_address(text))) - {"*", "*internal"}
    return {key for key in found if not key.startswith(".")}


def test_a_stand_in_has_all_keys_of_whom_it_stands_for_and_never_the_other_way_round():
    """By address, attribute, group and domain (D-53). A group that holds an alias holds its user; a group
    that holds its domain does not."""
    user = {USER, "corp.test", "*attribute:1\0sales", "*group:by alias", "*group:corp"}
    assert names(USER) == user
    assert names("User4+x@corp.test") == user | {"user4+x@corp.test"}
    assert names(ALIAS) == user | {ALIAS, "old.test", "*group:old"}
    assert names("u.4+x@old.test") == user | {"u.4+x@old.test", ALIAS, "old.test", "*group:old"}


def test_an_alias_with_a_plus_of_its_own_is_no_tag_and_has_tags():
    """`sales+eu@` is who the directory says, whoever `sales@` may be; and so is `sales+eu+x@`."""
    assert PLUS in names(PLUS)
    assert names("sales+eu+x@corp.test") >= {"sales+eu+x@corp.test", PLUS, USER}
    for text in (PLUS, "sales+eu+x@corp.test"):
        assert "sales@corp.test" not in names(text)
    assert names("sales+us@corp.test") >= {"sales@corp.test"}
    assert USER not in names("sales+us@corp.test")
    with_sales = IDENTITIES.changed(DirectoryChanges(users={"sales@corp.test": User("sales@corp.test")}))
    assert "sales@corp.test" not in names(PLUS, with_sales)


@pytest.mark.parametrize(
    ("text", "bare"),
    [("box+x@corp.test", True), ("box+x+y@corp.test", True), ("box+x@out.test", False), ("+x@corp.test", False)],
)
def test_a_tag_is_ignored_in_domains_of_the_account_whoever_it_is_there(text, bare):
    """Mail to an unknown box reaches it with and without a tag; a stranger's tag is part of the address (D-18)."""
    address = parse_address(text)
    plain = f"box@{address.domain}"
    assert (plain in IDENTITIES.keys(address)) is bare
    assert IDENTITIES.person(address) == (plain if bare else address.key)


def test_a_group_that_holds_a_tag_holds_whom_it_stands_for():
    """Groups are lists of people, so whichever address was entered counts."""
    for text in ("box@corp.test", "box+t@corp.test", "box+u@corp.test"):
        assert "*group:by tag" in names(text)
    assert "*group:by tag" not in names("other@corp.test")


def test_who_an_address_is_follows_what_becomes_of_its_user():
    """An alias that goes takes no group with it but its own; made again, all is as before."""
    without = IDENTITIES.changed(DirectoryChanges(users={ALIAS: None}))
    assert "*group:by alias" not in names(USER, without)
    assert names(ALIAS, without) == {ALIAS, "old.test", "*group:old", "*group:by alias"}
    again = without.changed(DirectoryChanges(users={ALIAS: DIRECTORY.users[ALIAS]}))
    assert again._known == IDENTITIES._known
    gone = IDENTITIES.changed(DirectoryChanges(users=dict.fromkeys((USER, ALIAS, PLUS))))
    assert names(PLUS, gone) == {PLUS, "sales@corp.test", "corp.test", "*group:corp"}


def test_the_way_from_an_address_to_whom_it_stands_for_has_a_step_for_each():
    """First the tag, then the alias; none for an address that is itself."""
    tagged = "u.4+x@old.test"
    steps = IDENTITIES.way(parse_address(tagged))
    assert [(step.address, step.kind, step.of) for step in steps] == [
        (tagged, StandInKind.TAG, ALIAS),
        (ALIAS, StandInKind.ALIAS, USER),
    ]
    assert IDENTITIES.way(parse_address(USER)) == ()


def test_a_group_counts_as_filled_by_whoever_is_below_it():
    """Whichever way it is found out: at once, or after a member has come and gone, or a group has moved."""
    identities = Identities(Directory(parents={"low": "middle", "middle": "top"}))
    top = Target.of(TargetType.PROFILE_GROUP, "top")
    assert not identities.can_match(top)
    filled = identities.changed(DirectoryChanges(members={ANN.key: ("low",)}))
    assert filled.can_match(top)
    assert not filled.changed(DirectoryChanges(groups={"middle": GroupPlace("Middle", None)})).can_match(top)
    assert not filled.changed(DirectoryChanges(members={ANN.key: ()})).can_match(top)


@pytest.mark.parametrize("shape", ["chain", "wide", "tree"])
def test_a_move_costs_the_same_however_many_groups_there_are(shape):
    """Of 50,000 groups, each with a member, the topmost moves a hundred times in less than a second; what was one
    chain of them all is held in a moment as well."""
    above = {"chain": lambda n: n - 1, "wide": lambda n: 0, "tree": lambda n: (n - 1) // 8}[shape]
    ids = [f"g{number}" for number in range(50_000)]
    began = process_time()
    identities = Identities(
        Directory(
            groups={f"u{number}@corp.test": (group,) for number, group in enumerate(ids)},
            parents={ids[number]: ids[above(number)] for number in range(1, len(ids))},
            group_names={group: group for group in ids},
        )
    )
    assert process_time() - began < 10
    last = parse_address("u49999@corp.test")
    assert group_key("g0") in identities.keys(last)
    began = process_time()
    for turn in range(100):
        parent = None if turn % 2 else "elsewhere"
        identities = identities.changed(DirectoryChanges(groups={"g0": GroupPlace("Top", parent)}))
    assert process_time() - began < 1
    assert group_key("elsewhere") not in identities.keys(last)
    identities = identities.changed(DirectoryChanges(groups={"g0": GroupPlace("Top", "elsewhere")}))
    assert group_key("elsewhere") in identities.keys(last)


def anew(identities: Identities) -> Identities:
    return Identities(identities.directory)


def test_a_member_with_a_tag_is_whose_the_address_comes_to_be():
    """Of a box that becomes somebody's alias; and of a domain that turns internal: before, a tag is no tag."""
    tag, box = "box+t@out.test", "box@out.test"
    steps = [
        DirectoryChanges(members={tag: ("g",)}),
        DirectoryChanges(internal_domains=DIRECTORY.internal_domains | {Domain("out.test")}),
        DirectoryChanges(users={box: DIRECTORY.users[USER]}),
        DirectoryChanges(members={tag: ("h",)}),
        DirectoryChanges(users={box: None}),
        DirectoryChanges(members={tag: ()}),
    ]
    identities, holders = IDENTITIES, []
    for step in steps:
        identities = identities.changed(step)
        assert identities._known == anew(identities)._known
        assert identities._stand_ins == anew(identities)._stand_ins
        assert identities._tagged == anew(identities)._tagged
        holders.append([text for text in (tag, box, USER) if names(text, identities) & {"*group:g", "*group:h"}])
    assert holders == [[tag], [tag, box], [tag, box, USER], [tag, box, USER], [tag, box], []]


def test_an_alias_in_a_domain_that_turns_keeps_the_keys_of_its_user():
    """Even of one that the directory does not name otherwise."""
    users = {ALIAS: User("nobody@new.test")}
    identities = Identities(Directory(internal_domains=frozenset({Domain("old.test")}), users=users))
    both = frozenset({Domain("old.test"), Domain("new.test")})
    identities = identities.changed(DirectoryChanges(internal_domains=both))
    assert identities._known == anew(identities)._known


def test_domains_around_are_no_names_but_match():
    """Whoever looks all names up, as each decision does, is spared keys that few accounts name."""
    keys = IDENTITIES.keys(parse_address(ALIAS))
    assert not [name for name in keys.names if name.startswith(".")]
    assert keys.wide == (".old.test", ".test", ".corp.test")
    assert all(key in keys and key in set(keys) for key in keys.wide)
    assert ".elsewhere.test" not in keys
