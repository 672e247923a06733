"""Refusals at connect: behaviour.md section 1, row 1."""

from __future__ import annotations

import pytest

from mailreeve.policy.index import source_blocks
from mailreeve.policy.model.decisions import Action, Stage
from mailreeve.policy.model.policy_types import Layer, PolicyType

IP, ELSEWHERE = "192.0.2.5", "198.51.100.1"
RANGE = ("192.0.2.0/24",)
REPLY = "421 4.7.1 Sender address blocked"


def test_an_address_blocked_for_everybody_is_refused_at_connect(world):
    block = world.block(ips=RANGE)
    refusal = world.connect(IP)
    assert (str(refusal.reply), refusal.stage, refusal.certain) == (REPLY, Stage.CONNECT, True)
    assert refusal.winners[PolicyType.BLOCKED_SENDERS].id == block
    assert refusal.description == "block_sender everyone to everyone"
    assert world.connect(ELSEWHERE) is None


@pytest.mark.parametrize("sender", ["a@x.test", "", "u@corp.test"])
@pytest.mark.parametrize("recipient", ["u@corp.test", "b@y.test"])
def test_every_message_from_there_is_refused_alike(world, sender, recipient):
    """The relay check and personal lists have no say: the session never gets that far."""
    block = world.block(ips=RANGE)
    world.permit()
    world.personal("u@corp.test", "permit", "a@x.test")
    for decision in (world.mail(sender, recipient, ip=IP), world.at_rcpt(sender, recipient, ip=IP)):
        assert (str(decision.reply), decision.stage, decision.layer) == (
            REPLY,
            Stage.CONNECT,
            Layer.BLOCKED_SENDERS,
        )
        assert decision.winners[PolicyType.BLOCKED_SENDERS].id == block
        assert decision.certain


def test_a_mapped_address_is_the_same_address(world):
    world.block(ips=RANGE)
    assert world.connect(f"::ffff:{IP}") is not None


@pytest.mark.parametrize(
    "other",
    [
        {"from_": "x.test"},
        {"to": "internal"},
        {"override": True},
        {"ips": RANGE},
        {"part": "header_from", "override": True},
    ],
    ids=str,
)
def test_not_if_another_policy_could_outrank_it(world, other):
    world.block(ips=RANGE)
    world.block(**other)
    assert (world.connect(IP) is None) is (other != {"ips": RANGE})
    assert world.mail("a@x.test", "u@corp.test", ip=IP).action is Action.REJECT


def test_the_open_relay_policy_counts_as_any_other(world):
    world.relay_guard()
    world.block(ips=RANGE)
    assert world.connect(IP) is None
    assert str(world.mail("a@x.test", "u@corp.test", ip=IP).reply).startswith("550 5.7.1")
    world.block(ips=RANGE, override=True)
    assert world.connect(IP) is not None


@pytest.mark.parametrize(
    ("exemption", "expected"),
    [
        ({}, False),
        ({"from_": "x.test"}, False),
        ({"from_": "group:Filled"}, False),
        ({"from_": "group:Empty"}, True),
        ({"from_": "x.test", "ips": ("198.51.100.0/24",)}, True),
        ({"from_": "x.test", "ends": 1.0}, True),
        ({"from_": "x.test", "enabled": False}, True),
    ],
    ids=str,
)
def test_not_while_an_exemption_for_the_address_could_match_anybody(world, exemption, expected):
    """Vector 14: even one that the block outranks. An empty group can match nobody."""
    world.group("Filled", "a@x.test")
    world.block(ips=RANGE, override=True)
    world.exempt(**exemption)
    assert (world.connect(IP) is not None) is expected


@pytest.mark.parametrize(
    "block",
    [
        {"ips": ()},
        {"ips": RANGE, "from_": "external"},
        {"ips": RANGE, "to": "internal"},
        {"ips": RANGE, "part": "both"},
        {"ips": RANGE, "enabled": False},
        {"ips": RANGE, "ends": 1.0},
    ],
    ids=str,
)
def test_only_blocks_reduced_to_source_addresses_in_force_count(world, block):
    world.block(**block)
    assert world.connect(IP) is None


def test_the_stronger_of_two_blocks_is_named(world):
    world.block(ips=RANGE, override=True)
    newer = world.block(ips=RANGE, override=True)
    assert world.connect(IP).winners[PolicyType.BLOCKED_SENDERS].id == newer


def test_an_overriding_rival_for_an_empty_group_is_none(world):
    block = world.block(ips=RANGE, override=True)
    world.block("group:Empty", override=True)
    assert world.connect(IP).winners[PolicyType.BLOCKED_SENDERS].id == block


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_rival_is_found_among_those_of_other_networks(world, bidirectional):
    """The one for the address stops the refusal, however many are for others."""
    world.block(ips=RANGE, override=True)
    for n in range(50):
        world.block("x.test", ips=(f"10.0.{n}.0/24",), override=True, bidirectional=bidirectional)
        world.exempt("x.test", ips=(f"10.1.{n}.0/24",))
    assert world.connect(IP) is not None
    world.block("x.test", ips=("192.0.0.0/16",), override=True, bidirectional=bidirectional)
    assert world.connect(IP) is None


def test_who_is_refused_costs_no_look_at_what_is_for_others(world, monkeypatch):
    """Each connection of theirs would: among 20,000 policies that took 40 ms."""
    looked_at = []
    real = source_blocks.out_of_force
    monkeypatch.setattr(source_blocks, "out_of_force", lambda *case: looked_at.append(case) or real(*case))
    for n in range(300):
        world.block(ips=(f"10.0.{n % 256}.{n // 256}/32",), override=True)
        world.exempt("x.test", ips=(f"10.1.{n % 256}.{n // 256}/32",))
    world.block(ips=RANGE, override=True)
    assert world.connect(IP) is not None
    assert len(looked_at) < 5
