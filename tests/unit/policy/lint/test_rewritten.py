"""What alteration keeps from lists and policies: which side sees which address (behaviour.md section 5.5)."""

from __future__ import annotations

import pytest

from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import FindingKind
from mailreeve.policy.lint.linter import lint
from mailreeve.policy.model.facts import Directory, User
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    BlockedOption,
    BlockedSenderPolicy,
    Definition,
    ManagedAction,
    ManagedSender,
    Routing,
    Scope,
)
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType

OLD, NEW = AddressPattern("ann", "old.test"), AddressPattern("ann", "new.test")


def definition(original=OLD, new=NEW, kind=AddressType.ALL, id_="d", set_id=""):
    return Definition(id_, set_id, kind, original, new, Routing.ALL)


def found(*definitions, policies=(), managed=(), users=None):
    people = {"ann@new.test": User("ann@new.test")} if users is None else users
    set_ = PolicySet.build(
        account_id="a",
        revision=1,
        directory=Directory(internal_domains=frozenset({"old.test", "new.test"}), users=people),
        scoped={PolicyType.BLOCKED_SENDERS: policies},
        managed=managed,
        definitions=definitions,
    )
    wanted = FindingKind.LIST_NOT_ASKED, FindingKind.BEFORE_ALTERATION
    return [
        (one.kind, one.subjects[0].id, one.why) for one in lint(set_, 1.0, web_proxy=False) if one.kind in wanted
    ]


def entry(owner):
    return ManagedSender("m", owner, "x@shop.test", ManagedAction.BLOCK)


def block(to=EVERYONE, from_=EVERYONE):
    return BlockedSenderPolicy("p", "no shop", Scope.of(from_, to), BlockedOption.BLOCK_SENDER, 1.0)


def address(key):
    return Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, key)


def test_a_list_of_an_address_that_is_always_rewritten_is_not_asked() -> None:
    """Its mail obeys the list of the new address."""
    ((kind, id_, why),) = found(definition(), managed=[entry("ann@old.test")])
    assert (kind, id_) == (FindingKind.LIST_NOT_ASKED, "m")
    assert "ann@new.test" in why
    ((kind, _, _),) = found(
        definition(AddressPattern("", "old.test"), AddressPattern("", "new.test")), managed=[entry("bob@old.test")]
    )
    assert kind is FindingKind.LIST_NOT_ASKED


@pytest.mark.parametrize(
    ("definitions", "users"),
    [
        ([definition()], {key: User("ann@new.test") for key in ("ann@new.test", "ann@old.test")}),
        ([definition(kind=AddressType.FROM)], None),
        ([definition(set_id="S")], None),
        ([definition(new=OLD)], None),
        ([definition(), definition(NEW, OLD, id_="e")], None),
        ([definition(), definition(AddressPattern("desk", "new.test"), OLD, id_="e")], None),
        ([definition()], {key: User("ann@old.test") for key in ("ann@old.test", "annie@old.test")}),
    ],
    ids=["an alias", "another field", "a set that nobody uses", "itself", "back", "led to", "has an alias"],
)
def test_a_list_that_mail_may_come_to_is_not_told_of(definitions, users) -> None:
    """Because the list is that of the new address, or something leads to it."""
    kinds = [kind for kind, *_ in found(*definitions, managed=[entry("ann@old.test")], users=users)]
    assert FindingKind.LIST_NOT_ASKED not in kinds


def test_a_policy_that_names_what_a_definition_writes_does_not_meet_what_it_looks_for() -> None:
    """As recipient and as sender; by address and by domain."""
    for policy in (block(to=address("ann@new.test")), block(from_=address("ann@new.test"))):
        ((kind, id_, why),) = found(definition(), policies=[policy])
        assert (kind, id_) == (FindingKind.BEFORE_ALTERATION, "p")
        assert "ann@old.test -> ann@new.test" in why
    whole = definition(AddressPattern("", "old.test"), AddressPattern("", "new.test"))
    domain = Target.of(TargetType.EMAIL_DOMAIN, "new.test")
    assert [kind for kind, *_ in found(whole, policies=[block(to=domain)])] == [FindingKind.BEFORE_ALTERATION]


def test_a_policy_that_meets_the_original_too_is_not_told_of() -> None:
    """Because it names the original, or the original is an alias of whom it names, or the side is not altered."""
    assert found(definition(), policies=[block(to=address("ann@old.test"))]) == []
    users = {key: User("ann@new.test") for key in ("ann@new.test", "ann@old.test")}
    assert found(definition(), policies=[block(to=address("ann@new.test"))], users=users) == []
    to_only = definition(kind=AddressType.ENVELOPE_TO)
    assert found(to_only, policies=[block(from_=address("ann@new.test"))]) == []
