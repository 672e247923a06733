"""Aliases and tags, from a signed call to the very next message: nothing about a user is walked around by another
of the user's addresses (behaviour.md D-53, D-18).

`gate.judge` sends a real message, and holds what became of it against what the server explains.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

import pytest

from mailreeve.client import Policy, Target, WebEntry

DELIVERED = "delivered, spam checks run"
SPARED = "delivered, spam checks skip"
BY_ENVELOPE = "550 5.7.1 Envelope rejected - block policy for envelope from address at rcpt"
BY_HEADER = "550 5.7.1 Rejected by header-based Blocked Senders - block policy for header from at data"
USER_ENTRY = "550 5.7.1 Envelope blocked - User Entry at rcpt"
STRANGER = "x@out.test"


class Person(NamedTuple):
    """A user with an alias in another domain of the account; `other` is another user."""

    user: str
    alias: str
    other: str

    @property
    def addresses(self) -> list[str]:
        """All by which the user is known."""
        return [self.user, self.alias, tagged(self.user), tagged(self.alias), tagged(self.user, "a+b")]


def tagged(address: str, tag: str = "x") -> str:
    return address.replace("@", f"+{tag}@")


@pytest.fixture
def person(gate) -> Person:
    """Of domains of their own, as domains stay."""
    name = uuid.uuid4().hex
    new, old = f"new-{name}.test", f"old-{name}.test"
    for domain in (new, old):
        gate.client.call("domain/create-domain", {"domain": domain, "inboundType": "any"})
    made = Person(f"user4@{new}", f"u.4@{old}", f"other@{new}")
    for address in (made.user, made.other):
        gate.client.call("user/create-user", {"emailAddress": address})
    gate.client.call("user/update-alias", {"aliasFor": made.user, "alias": made.alias})
    return made


def targets(gate, person: Person) -> dict[str, Target]:
    """Every way of naming the user."""
    user, alias = person.user, person.alias
    gate.client.call(
        "user/update-attributes", {"emailAddress": user, "attributes": [{"name": "Desk", "value": user}]}
    )
    outer = gate.group()
    return {
        "address": Target.address(user),
        "domain": Target.domain(user.partition("@")[2]),
        "group": Target.group(gate.group(user)),
        "group of the alias": Target.group(gate.group(alias)),
        "group of a tag": Target.group(gate.group(tagged(user, "other"))),
        "group of the domain": Target.group(gate.group(user.partition("@")[2])),
        "nested group": Target.group(outer) if gate.group(user, parent=outer) else Target.everyone(),
        "attribute": Target.attribute_value("Desk", user),
    }


def test_whoever_names_a_user_as_recipient_names_the_aliases_and_tags(gate, person):
    """Every type of target that can name somebody; and nobody else is hit but by the domain."""
    for kind, target in targets(gate, person).items():
        block = gate.block(Target.everyone(), target)
        assert [gate.judge(STRANGER, to) for to in person.addresses] == [BY_ENVELOPE] * 5, kind
        other = BY_ENVELOPE if "domain" in kind else DELIVERED
        assert gate.judge(STRANGER, person.other) == other, kind
        gate.delete(block)


def test_whoever_names_a_user_as_sender_names_the_aliases_and_tags(gate, person):
    """By the envelope and by the From header."""
    for kind, target in targets(gate, person).items():
        block = gate.block(target)
        assert [gate.judge(one, STRANGER) for one in person.addresses] == [BY_ENVELOPE] * 5, kind
        gate.delete(block)
        block = gate.block(target, from_part="header_from")
        assert [gate.judge(person.other, STRANGER, one) for one in person.addresses] == [BY_HEADER] * 5, kind
        gate.delete(block)


def test_whoever_names_an_alias_names_it_and_its_tags_alone(gate, person):
    """A leaked alias can be blocked by itself, and so can a tag, and the domain of aliases."""
    user, alias = person.user, person.alias
    block = gate.block(Target.everyone(), Target.address(alias))
    assert [gate.judge(STRANGER, to) for to in (alias, tagged(alias))] == [BY_ENVELOPE] * 2
    assert [gate.judge(STRANGER, to) for to in (user, tagged(user))] == [DELIVERED] * 2
    gate.delete(block)
    block = gate.block(Target.everyone(), Target.address(tagged(user)))
    assert [gate.judge(STRANGER, to) for to in (tagged(user), user, alias)] == [BY_ENVELOPE, DELIVERED, DELIVERED]
    gate.delete(block)
    gate.block(Target.everyone(), Target.domain(alias.partition("@")[2]))
    assert [gate.judge(STRANGER, to) for to in (alias, user)] == [BY_ENVELOPE, DELIVERED]


def test_tag_of_a_stranger_is_part_of_the_address(gate, person):
    """On either side; that of an unknown recipient of our own is not."""
    gate.block(Target.address("list@out.test"), bidirectional=True)
    assert [gate.judge(one, person.user) for one in ("list@out.test", "list+x@out.test")] == [
        BY_ENVELOPE,
        DELIVERED,
    ]
    assert [gate.judge(person.user, to) for to in ("list@out.test", "list+x@out.test")] == [BY_ENVELOPE, DELIVERED]
    box = f"box@{person.user.partition('@')[2]}"
    gate.block(Target.everyone(), Target.address(box))
    assert [gate.judge(STRANGER, to) for to in (box, tagged(box))] == [BY_ENVELOPE] * 2


def test_alias_with_a_plus_of_its_own_is_its_users_and_has_tags(gate, person):
    """And nobody else's, though there is a user with the part before the plus."""
    domain = person.user.partition("@")[2]
    sales, plus = f"sales@{domain}", f"sales+eu@{domain}"
    gate.client.call("user/create-user", {"emailAddress": sales})
    gate.client.call("user/update-alias", {"aliasFor": person.user, "alias": plus})
    block = gate.block(Target.everyone(), Target.address(person.user))
    judged = [gate.judge(STRANGER, to) for to in (plus, f"sales+eu+x@{domain}", sales, f"sales+us@{domain}")]
    assert judged == [BY_ENVELOPE, BY_ENVELOPE, DELIVERED, DELIVERED]
    gate.delete(block)
    gate.block(Target.everyone(), Target.address(sales))
    judged = [gate.judge(STRANGER, to) for to in (plus, f"sales+eu+x@{domain}", sales, f"sales+us@{domain}")]
    assert judged == [DELIVERED, DELIVERED, BY_ENVELOPE, BY_ENVELOPE]


def test_alias_stands_for_its_user_from_the_call_that_gives_it_until_the_one_that_takes_it(gate, person):
    """At the very next message, each time."""
    late = person.alias.replace("u.4", "late")
    alias = {"aliasFor": person.user, "alias": late}
    gate.block(Target.everyone(), Target.group(gate.group(person.user)))
    assert gate.judge(STRANGER, late) == DELIVERED
    for _ in range(2):
        gate.client.call("user/update-alias", alias)
        assert [gate.judge(STRANGER, to) for to in (late, tagged(late))] == [BY_ENVELOPE] * 2
        gate.client.call("user/remove-alias", alias)
        assert [gate.judge(STRANGER, to) for to in (late, tagged(late))] == [DELIVERED] * 2


def test_personal_entry_about_a_colleague_meets_the_colleagues_aliases_and_tags(gate, person):
    """One about a stranger meets no tag."""
    gate.client.block_sender(person.user, person.other)
    assert [gate.judge(one, person.other) for one in person.addresses] == [USER_ENTRY] * 5
    gate.client.block_sender("list@out.test", person.other)
    assert gate.judge("list+x@out.test", tagged(person.other)) == DELIVERED


def test_permit_of_a_user_spares_the_aliases_and_tags(gate, person):
    """Through the account's group of permitted senders, which is a policy as any other."""
    gate.permit_for_all(person.user)
    assert [gate.judge(one, person.other) for one in person.addresses] == [SPARED] * 5


def test_web_list_of_a_user_holds_under_every_address(gate, person):
    """Asked for by an alias, or by an address with a tag."""
    entry = WebEntry("block", "domain", "no.test")
    made = gate.client.web_lists.create("a test's", [entry], [Policy("theirs", Target.address(person.user))])
    gate.ending.callback(gate.client.web_lists.delete, made.id)
    asked = [*person.addresses, person.other]
    answers = gate.client.call("ext/explain-web", *({"url": "http://no.test/", "user": one} for one in asked))
    assert [one["verdict"] for one in answers] == ["block"] * 5 + ["none"]
    assert answers[1]["trace"][0]["note"] == f"{person.alias} is an alias of {person.user}"


def test_way_is_explained(gate, person):
    """In words and as data, by the endpoint; in words by the command."""
    gate.block(Target.everyone(), Target.group(gate.group(person.user)))
    told = gate.explain(STRANGER, tagged(person.alias))
    (first,) = [one for one in told["trace"] if one["place"] == 1]
    assert first["standIns"] == [
        {"address": tagged(person.alias), "kind": "tag", "of": person.alias},
        {"address": person.alias, "kind": "alias", "of": person.user},
    ]
    words = f"{tagged(person.alias)} is {person.alias} with a tag; {person.alias} is an alias of {person.user}"
    assert first["note"].startswith(f"{words}; the recipient is in ")
    assert f"aliases and tags: {words}" in told["steps"]
    assert gate.explain_by_command(STRANGER, tagged(person.alias))["steps"] == told["steps"]
