"""A decision looks at what is in force, however much piles up that is not."""

from __future__ import annotations

import pytest

from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.policy.index.buckets import LONG, held
from mailreeve.policy.index.ranked import CHUNK, Ranked
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, Scope

NOW = 1e9
OVER = [Scope.of(ends=float(n)) for n in range(10 * CHUNK)]
TO_COME = [Scope.of(starts=NOW + n + 1) for n in range(10 * CHUNK)]
ELSEWHERE = [Scope.of(networks=(parse_network(f"10.{n % 250}.0.0/16"),)) for n in range(10 * CHUNK)]
HERE = Scope.of(networks=(parse_network("192.0.2.0/24"), parse_network("2001:db8::/32")))


def row(*scopes: Scope) -> Ranked[BlockedSenderPolicy]:
    """Policies with these scopes, the later ones newer."""
    policies = [
        BlockedSenderPolicy(f"{n:05}", "", scope, BlockedOption.BLOCK_SENDER, float(n))
        for n, scope in enumerate(scopes)
    ]
    made = held(policies)
    assert isinstance(made, Ranked)
    return made


@pytest.mark.parametrize("idle", [OVER, TO_COME, ELSEWHERE], ids=["over", "to come", "bound elsewhere"])
@pytest.mark.parametrize("source", ["192.0.2.7", "2001:db8::7", "203.0.113.1"])
def test_what_is_not_in_force_is_passed_over(idle, source):
    told = list(row(*idle, Scope()).in_force(NOW, parse_ip(source)))
    assert Scope() in [policy.scope for policy in told]
    assert len(told) <= CHUNK


@pytest.mark.parametrize(
    ("source", "first"), [("192.0.2.7", HERE), ("2001:db8::7", HERE), ("203.0.113.1", Scope())]
)
def test_what_is_bound_to_the_source_comes_in_its_place(source, first):
    """A condition on the source goes before none (D-11)."""
    told = row(*ELSEWHERE, HERE, Scope()).in_force(NOW, parse_ip(source))
    assert next(told).scope == first


def test_without_a_source_nothing_bound_to_one_is_told():
    told = list(row(HERE, *ELSEWHERE, Scope()).in_force(NOW, None))
    assert [policy.scope for policy in told] == [Scope()]


def test_few_are_a_plain_row():
    assert isinstance(held(list(row(*OVER[: LONG + 1]))[:LONG]), tuple)
