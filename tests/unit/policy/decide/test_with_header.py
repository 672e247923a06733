"""What was decided at RCPT stands unless the header can change it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mailreeve.policy.decide import with_header
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.decisions import Action

U = "u@corp.test"
SENDER = "a@x.test"


@pytest.fixture
def is_made_again(world, monkeypatch):
    """`is_made_again(header)`: whether a message from `SENDER` to `U` is decided again once its header is known.
    The decision is as if it were."""
    made = []

    def counted(policies, facts):
        made.append(facts)
        return decide_mail(policies, facts)

    monkeypatch.setattr(with_header, "decide_mail", counted)

    def ask(header=SENDER):
        policies, facts = world.policies(), world.facts(SENDER, U, header=header)
        early = decide_mail(policies, replace(facts, header_from=None))
        made.clear()
        assert with_header.decide_with_header(policies, early, facts) == decide_mail(policies, facts)
        return bool(made)

    return ask


def test_policies_by_the_envelope_are_asked_once(world, is_made_again):
    world.permit("x.test")
    world.exempt("x.test", override=True)
    assert not is_made_again()
    assert not is_made_again("eve@bad.test")


@pytest.mark.parametrize("part", ["header_from", "both"])
def test_a_policy_that_looks_at_the_header_is_asked_again(world, is_made_again, part):
    """Even where its effect is that of another one: the record says who did it."""
    world.permit("x.test")
    world.permit("y.test", part=part)
    assert is_made_again()


def test_a_policy_that_looks_at_the_header_for_others_is_not(world, is_made_again):
    world.block("y.test", "v@corp.test", part="header_from")
    assert not is_made_again("b@y.test")


def test_a_personal_list_is_asked_again_about_those_it_names(world, is_made_again):
    """The decision had to wait, for any header might have named one; this one does not."""
    world.personal(U, "block", "b@y.test")
    world.personal(U, "permit", "c@z.test")
    assert not is_made_again()
    assert not is_made_again("d@w.test")
    assert is_made_again("b@y.test")
    assert is_made_again("c@z.test")


def test_a_personal_entry_met_by_the_envelope_stands_until_the_header_meets_a_better_one(world, is_made_again):
    world.personal(U, "permit", "x.test")
    world.personal(U, "block", "eve@bad.test")
    assert not is_made_again()
    assert is_made_again("eve@bad.test")


def test_an_address_that_may_be_altered_is_asked_about_again(world, is_made_again):
    """Of the header as of the envelope; definitions for others make no difference."""
    world.define("*@old.test", "*@new.test")
    assert not is_made_again()
    assert is_made_again("b@old.test")


def test_a_header_beyond_the_limit_of_authors_is_refused(world, is_made_again):
    assert is_made_again(tuple(f"d{number}@x.test" for number in range(101)))


def test_a_decision_that_had_to_wait_is_certain_once_the_header_is_known(world):
    world.personal(U, "block", "b@y.test")
    policies, facts = world.policies(), world.facts(SENDER, U, header=SENDER)
    early = decide_mail(policies, replace(facts, header_from=None))
    assert not early.certain
    late = with_header.decide_with_header(policies, early, facts)
    assert (late.action, late.certain) == (Action.DELIVER, True)
