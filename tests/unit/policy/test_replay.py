"""What a draft would change about a message: both versions of a changed policy have a say in what it concerns."""

from __future__ import annotations

from mailreeve.policy.addresses import parse_address
from mailreeve.policy.facts import MessageFacts
from mailreeve.policy.policies import BlockedOption, BlockedSenderPolicy, Changes, Scope
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.replay import Change, Comparison
from mailreeve.policy.targets import EVERYONE, Target, TargetType


def block(sender: str) -> BlockedSenderPolicy:
    scope = Scope(Target.of(TargetType.EMAIL_DOMAIN, sender), EVERYONE)
    return BlockedSenderPolicy("b", "b", scope, BlockedOption.BLOCK_SENDER, 1.0)


def message(sender: str) -> MessageFacts:
    return MessageFacts(parse_address(sender), parse_address("u@corp.test"), 10.0, (), source_trusted=True)


def test_a_changed_policy_concerns_what_it_named_before_and_what_it_names_now():
    """A policy that is changed to name another sender lets the former one in and keeps the other out, and no
    message of anybody else is looked at."""
    before = PolicySet.build(account_id="account", revision=1, blocked=[block("old.test")])
    after = before.changed(revision=1, blocked=Changes((block("new.test"),), frozenset()))
    comparison = Comparison(before, after, frozenset({"b"}))
    found = [comparison.difference(message(sender)) for sender in ("a@old.test", "a@new.test", "a@else.test")]
    assert [None if one is None else one.change for one in found] == [
        Change.NEWLY_DELIVERED,
        Change.NEWLY_REFUSED,
        None,
    ]
