"""Whom a target matches and when a policy is in force: behaviour.md sections 2.2 to 2.6."""

from __future__ import annotations

import pytest

from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.policy_types import PolicyType

U = "u@corp.test"


def is_blocked(world, sender="a@x.test", recipient=U, **more):
    return world.mail(sender, recipient, **more).action is Action.REJECT


@pytest.mark.parametrize(
    ("sender", "matching"),
    [
        ("", {"everyone", "external"}),
        ("a@corp.test", {"everyone", "internal", "corp.test", "a@corp.test"}),
        ("a@sub.corp.test", {"everyone", "external"}),
        ("a@free.test", {"everyone", "external", "free mail"}),
        ("A@CORP.test", {"everyone", "internal", "corp.test", "a@corp.test"}),
        ("a+tag@corp.test", {"everyone", "internal", "corp.test", "a@corp.test"}),
    ],
)
@pytest.mark.parametrize("target", ["everyone", "internal", "external", "free mail", "corp.test", "a@corp.test"])
@pytest.mark.parametrize("side", ["sender", "recipient"])
def test_whom_a_target_names(world, sender, target, matching, side):
    """The null sender matches everyone and external addresses only (D-06); domains match exactly (D-04). In an
    internal domain an address with a tag stands for the one without (D-53)."""
    world.free_mail.add("free.test")
    if side == "sender":
        world.block(target)
        decision = world.mail(sender, U)
    elif sender:
        world.block("everyone", target)
        decision = world.mail("x@y.test", sender)
    else:
        return  # nobody writes to the null sender
    assert (decision.action is Action.REJECT) is (target in matching)


def test_internationalised_domains_are_one_identity(world):
    world.block("xn--mnchen-3ya.test")
    assert is_blocked(world, "a@münchen.test")


def test_members_of_a_group_below_count(world):
    world.group("leaf", "a@x.test", parent="middle")
    world.group("middle", parent="top")
    world.block("group:top")
    assert is_blocked(world)
    assert not is_blocked(world, "b@x.test")


def test_members_of_a_group_above_do_not_count(world):
    world.group("top", "a@x.test")
    world.group("leaf", parent="top")
    world.block("group:leaf")
    assert not is_blocked(world)


def test_a_cycle_of_groups_is_cut(world):
    world.group("one", "a@x.test", parent="two")
    world.group("two", parent="one")
    world.block("group:two")
    assert is_blocked(world)


def test_a_group_holds_domains_too_and_on_either_side(world):
    world.group("G", "x.test", U)
    world.block("group:G", "group:G")
    assert is_blocked(world)
    assert not is_blocked(world, "a@y.test")
    assert not is_blocked(world, recipient="v@corp.test")


def test_an_attribute_matches_as_a_whole_without_case_for_every_address_of_the_user(world):
    world.user(U, "alias@corp.test", dept="Sales")
    world.user("v@corp.test", dept="Sales West")
    world.block("everyone", "attribute:dept=SALES")
    assert is_blocked(world)
    assert is_blocked(world, recipient="alias@corp.test")
    assert is_blocked(world, recipient="u+news@corp.test")
    assert not is_blocked(world, recipient="v@corp.test")


@pytest.mark.parametrize("part", ["envelope_from", "header_from", "both"])
def test_a_display_name_is_looked_for_in_the_header_whatever_the_part(world, part):
    world.block("name:The Boss", part=part)
    assert is_blocked(world, header="the  BOSS <x@y.test>")
    assert not is_blocked(world, header="The Boss Himself <x@y.test>")
    assert not is_blocked(world)


def test_a_display_name_names_no_recipient(world):
    world.block("everyone", "name:The Boss", bidirectional=True)
    assert not is_blocked(world)
    # With the targets exchanged it is on the sender's side.
    assert is_blocked(world, header="The Boss <x@y.test>")


def test_any_of_several_authors_counts(world):
    world.block("bad.test", part="header_from")
    assert is_blocked(world, header=("a@x.test", "b@bad.test"))


@pytest.mark.parametrize("header", [(), ("<>",)], ids=["no header", "no usable address"])
def test_a_missing_author_counts_as_the_null_sender(world, header):
    world.block("external", part="header_from")
    world.permit("internal", part="header_from")
    assert is_blocked(world, header=header)


def test_a_null_sender_can_be_met_by_its_header(world):
    world.block("bad.test", part="both")
    assert is_blocked(world, "", header="a@bad.test")


@pytest.mark.parametrize(("at", "in_force"), [(99.9, False), (100.0, True), (199.9, True), (200.0, False)])
def test_start_is_inclusive_and_end_exclusive(world, at, in_force):
    world.block(starts=100.0, ends=200.0)
    assert is_blocked(world, at=at) is in_force


def test_a_disabled_policy_is_ignored(world):
    world.block(enabled=False)
    assert not is_blocked(world)


def test_a_source_address_condition_needs_a_known_source_in_a_range(world):
    world.block("x.test", ips=("192.0.2.0/24", "2001:db8::/32"))
    assert is_blocked(world, ip="192.0.2.1")
    assert is_blocked(world, ip="2001:db8::1")
    assert not is_blocked(world, ip="198.51.100.1")
    assert not is_blocked(world)


def test_a_reversed_policy_still_looks_at_whoever_is_the_sender(world):
    """D-09: the part applies to the sender of the message, and conditions stay as they are."""
    world.block("a@x.test", U, part="header_from", bidirectional=True, ips=("127.0.0.1",))
    assert is_blocked(world, "other@corp.test", "a@x.test", header=U, ip="127.0.0.1")
    assert not is_blocked(world, U, "a@x.test", header="other@corp.test", ip="127.0.0.1")
    assert not is_blocked(world, "other@corp.test", "a@x.test", header=U, ip="127.0.0.2")


def test_types_are_independent_and_each_has_one_winner(world):
    block = world.exempt("x.test")
    world.permit("x.test")
    permit = world.permit("a@x.test")
    decision = world.mail("a@x.test", U)
    assert decision.winners[PolicyType.BLOCKED_SENDERS].id == block
    assert decision.winners[PolicyType.PERMITTED_SENDERS].id == permit
    assert decision.winners[PolicyType.MANAGED_SENDERS] is None
