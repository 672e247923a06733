"""What a draft would change about a message, and which messages need no look of their own."""

from __future__ import annotations

from msgspec.structs import replace
from policy_parts import parts

from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory, DirectoryChanges, MessageFacts
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    BlockedOption,
    BlockedSenderPolicy,
    Changes,
    Definition,
    Routing,
    Scope,
)
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType
from mailreeve.policy.replay import alike
from mailreeve.policy.replay.alike import Alike
from mailreeve.policy.replay.difference import DEFINITION, Cause, Change, Comparison


def block(sender: str) -> BlockedSenderPolicy:
    scope = Scope(Target.of(TargetType.EMAIL_DOMAIN, sender), EVERYONE)
    return BlockedSenderPolicy("b", "b", scope, BlockedOption.BLOCK_SENDER, 1.0)


def message(sender: str, recipient: str = "u@corp.test") -> MessageFacts:
    return MessageFacts(parse_address(sender), parse_address(recipient), 10.0, (), source_trusted=True)


def test_a_changed_policy_concerns_what_it_named_before_and_what_it_names_now():
    """A policy that is changed to name another sender lets the former one in and keeps the other out, and no
    message of anybody else is looked at."""
    before = PolicySet.build(account_id="account", revision=1, **parts(blocked=[block("old.test")]))
    after = before.changed(revision=1, **parts(blocked=Changes((block("new.test"),), frozenset())))
    comparison = Comparison(before, after, frozenset({"b"}))
    found = [comparison.difference(message(sender)) for sender in ("a@old.test", "a@new.test", "a@else.test")]
    cause = Cause("blocked_senders", "b", "b")
    assert found == [(Change.NEWLY_DELIVERED, cause), (Change.NEWLY_REFUSED, cause), None]


def test_an_envelope_sender_new_to_a_group_matters_though_the_author_is_in_it_already():
    """Envelope and header are told apart by policies, so they are when groups change."""
    group = Target.of(TargetType.PROFILE_GROUP, "g")
    policy = BlockedSenderPolicy("b", "b", Scope(group, EVERYONE), BlockedOption.BLOCK_SENDER, 1.0)
    groups = {"a@author.test": ("g",)}
    before = PolicySet.build(
        account_id="a", revision=1, directory=Directory(groups=groups), **parts(blocked=[policy])
    )
    after = before.changed(revision=1, directory=DirectoryChanges(members={"a@sender.test": ("g",)}))
    facts = replace(message("a@sender.test"), header_from=(HeaderFrom(parse_address("a@author.test")),))
    told = Comparison(before, after, frozenset({"membership"})).difference(facts)
    assert told == (Change.NEWLY_REFUSED, Cause("blocked_senders", "b", "b"))


def test_a_definition_is_one_cause_whatever_addresses_it_rewrites():
    """Named as its writers put it, so that a thousand rewritten addresses are one group."""
    definition = Definition(
        "d",
        "",
        AddressType.ENVELOPE_TO,
        AddressPattern("", "old.test"),
        AddressPattern("", "new.test"),
        Routing.ALL,
    )
    before = PolicySet.build(account_id="account", revision=1)
    after = before.changed(revision=1, definitions=Changes((definition,), frozenset()))
    comparison = Comparison(before, after, frozenset({"d"}))
    told = {comparison.difference(message("a@x.test", recipient)) for recipient in ("a@old.test", "b@old.test")}
    assert told == {(Change.ALTERED_DIFFERENTLY, Cause(DEFINITION, "d", "*@old.test -> *@new.test"))}


class TestAlike:
    def key(self, *messages: MessageFacts, **named: object) -> list[object]:
        policies = PolicySet.build(account_id="account", revision=1, **parts(**named))  # type: ignore[arg-type]
        keys = Alike(policies)
        return [keys.key(facts) for facts in messages]

    def test_strangers_whom_nothing_names_are_alike(self):
        one, other = self.key(message("a@x.test"), message("b@y.test"), blocked=[block("z.test")])
        assert one == other

    def test_who_is_named_is_like_nobody_else(self):
        named, other, same = self.key(
            message("a@x.test"), message("a@y.test"), message("b@x.test"), blocked=[block("x.test")]
        )
        assert named != other
        assert named == same

    def test_times_count_for_those_whom_a_dated_policy_names(self):
        """The instant of a start is another time, that of an end is none."""
        dated = block("x.test")
        scope = Scope.of(dated.scope.from_, dated.scope.to, starts=10.0, ends=20.0)
        at = (9.9, 10.0, 19.9, 20.0)
        mail = [replace(message(sender), at=each) for sender in ("a@x.test", "a@y.test") for each in at]
        keys = self.key(*mail, blocked=[replace(dated, scope=scope)])
        assert keys[1] == keys[2]
        assert len({*keys[:4]}) == 3
        assert len({*keys[4:]}) == 1

    def test_sources_count_where_a_range_tells_them_apart(self):
        """A mapped IPv4 address is the IPv4 address."""
        ranged = block("x.test")
        scope = Scope.of(ranged.scope.from_, ranged.scope.to, networks=(parse_network("192.0.2.0/24"),))
        sources = ("192.0.2.1", "192.0.2.9", "::ffff:192.0.2.1", "198.51.100.1", "2001:db8::1")
        mail = [replace(message("a@x.test"), source_ip=parse_ip(source)) for source in sources]
        keys = self.key(*mail, blocked=[replace(ranged, scope=scope)])
        assert len({*keys[:3]}) == 1
        assert len({*keys[3:]}) == 1
        assert len({*keys}) == 2

    def test_memory_is_bounded(self, monkeypatch):
        """What was learnt is forgotten, and the keys that follow are as good."""
        monkeypatch.setattr(alike, "KEPT", 4)
        mail = [message(f"{name}@x.test") for name in "abcdefghi"] * 2
        keys = self.key(*mail, blocked=[block("x.test"), block("y.test")])
        assert len({*keys}) < 5
