"""Which policy wins its type: behaviour.md D-10 and D-11, one rule a test."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mailreeve.policy.model.policy_types import PolicyType


def winner(world, sender="alice@x.test", recipient="bob@corp.test", **more):
    return world.mail(sender, recipient, **more).winners[PolicyType.BLOCKED_SENDERS].id


FROM_WIDE_TO_NARROW = [
    "everyone",
    "external",
    "free mail",
    "x.test",
    "group:G",
    "attribute:7=gold",
    "alice@x.test",
]


@pytest.fixture
def alice(world):
    """Somebody whom every kind of target names."""
    world.free_mail.add("x.test")
    world.group("G", "alice@x.test")
    world.user("alice@x.test", **{"7": "Gold"})
    return world


@pytest.mark.parametrize(("wider", "narrower"), list(pairwise(FROM_WIDE_TO_NARROW)))
def test_the_narrower_sender_wins_even_if_it_is_older(alice, wider, narrower):
    expected = alice.block(narrower)
    alice.exempt(wider)
    assert winner(alice) == expected


def test_an_internal_target_is_narrower_than_everyone(world):
    expected = world.block("everyone", "internal")
    world.exempt()
    assert winner(world) == expected


def test_a_display_name_is_as_narrow_as_an_address(world):
    world.block("alice@x.test")
    newest = world.exempt("name:Alice A")
    assert winner(world, header="alice a <alice@x.test>") == newest


def test_the_narrowest_target_on_either_side_counts_first(world):
    world.group("G", "alice@x.test", "bob@corp.test")
    expected = world.block("alice@x.test", "everyone")
    world.exempt("group:G", "group:G")
    assert winner(world) == expected


def test_then_the_other_side(world):
    expected = world.block("external", "bob@corp.test")
    world.exempt("everyone", "bob@corp.test")
    assert winner(world) == expected


def test_then_the_senders_side(world):
    expected = world.block("alice@x.test", "everyone")
    world.exempt("everyone", "bob@corp.test")
    assert winner(world) == expected


def test_ranks_swap_with_the_targets(world):
    """Swapped, the individual stands on the sender's side and beats its mirror image as written (D-09)."""
    expected = world.block("everyone", "bob@corp.test", bidirectional=True)
    world.exempt("everyone", "alice@x.test")
    decision = world.mail("bob@corp.test", "alice@x.test")
    assert decision.winners[PolicyType.BLOCKED_SENDERS].id == expected


def test_a_policy_that_applies_both_ways_counts_as_written(world):
    """Its is_reversed place would be higher, but the text comes first (behaviour.md section 2.12)."""
    expected = world.exempt("bob@corp.test", "everyone")
    world.block("everyone", "bob@corp.test", bidirectional=True)
    assert world.mail("bob@corp.test", "bob@corp.test").winners[PolicyType.BLOCKED_SENDERS].id == expected


def test_override_comes_before_all(world):
    expected = world.block(override=True)
    world.exempt("alice@x.test", "bob@corp.test")
    assert winner(world) == expected


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ({"ips": ("192.0.2.0/24",)}, {"starts": 0.0}),
        ({"starts": 0.0}, {}),
        ({"ends": 1e12}, {}),
    ],
    ids=["source address before dates", "start date before none", "end date before none"],
)
def test_ties_go_to_conditions_then_dates(world, stronger, weaker):
    expected = world.block("x.test", **stronger)
    world.exempt("x.test", **weaker)
    assert winner(world, ip="192.0.2.1") == expected


def test_then_the_newest_wins(world):
    world.block("x.test")
    expected = world.exempt("x.test")
    assert winner(world) == expected


def test_the_last_resort_is_the_id(world):
    world.block("x.test")
    world.exempt("x.test")
    first, second = world.blocked
    world.blocked = [type(first)(p.id, p.description, p.scope, p.option, 1.0) for p in (second, first)]
    assert winner(world) == second.id
