"""Policies about groups of senders: found for decisions and explanations, and changed many at once."""

from __future__ import annotations

import pytest

from mailreeve.policy.index import by_sender
from mailreeve.policy.index.buckets import TargetMap
from mailreeve.policy.index.scoped import ScopedIndex
from mailreeve.policy.model.keys import keys_of
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, Changes, Scope
from mailreeve.policy.model.targets import EVERYONE_KEY, INTERNAL, Target, TargetType, group_key

MANY = 1_200


def about_group(number: int, to: Target = INTERNAL) -> BlockedSenderPolicy:
    """A policy from a group of its own."""
    scope = Scope(Target.of(TargetType.PROFILE_GROUP, f"g{number}"), to)
    return BlockedSenderPolicy(f"{number:05}", "", scope, BlockedOption.BLOCK_SENDER, 1.0)


def test_what_stands_under_one_recipient_is_copied_once_for_all_changes(monkeypatch):
    """A copy for each made a bulk of ten thousand take a minute."""
    index = ScopedIndex(about_group(number) for number in range(MANY))
    changed: list[int] = []
    plain = TargetMap.changed

    def counted(self, entries):
        changed.append(len(entries))
        return plain(self, entries)

    monkeypatch.setattr(TargetMap, "changed", counted)
    after = index.changed(
        Changes(tuple(about_group(n, Target.of(TargetType.EMAIL_DOMAIN, "x.test")) for n in range(200)))
    )
    assert changed == [2]
    assert len(after.candidates(keys_of([group_key("g7")]), keys_of(["x.test"]))) == 1
    assert not after.candidates(keys_of([group_key("g7")]), keys_of([INTERNAL.key]))
    assert len(index.candidates(keys_of([group_key("g7")]), keys_of([INTERNAL.key]))) == 1


@pytest.mark.parametrize("number", [0, 500, MANY - 1])
def test_a_policy_about_a_group_of_the_sender_is_told_whoever_the_recipient_is(number):
    """An explanation says of it that the recipient does not match."""
    index = ScopedIndex(about_group(n, Target.of(TargetType.EMAIL_DOMAIN, f"d{n}.test")) for n in range(MANY))
    told = list(index.about(keys_of([EVERYONE_KEY, group_key(f"g{number}")]), keys_of(["elsewhere.test"])))
    assert [policy.id for policy in told] == [f"{number:05}"]


def test_the_sweeping_keys_say_nothing_about_a_sender():
    index = by_sender.BySender({EVERYONE_KEY: [about_group(n) for n in range(20)]})
    assert list(index.of_senders(keys_of([EVERYONE_KEY]), 8)) == []
