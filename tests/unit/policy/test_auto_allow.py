"""Whoever a user writes to is spared spam checks, and beats nothing that anybody said (behaviour.md 3.3, D-15)."""

from __future__ import annotations

import pytest

from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.explain.expectation import expect_policy
from mailreeve.policy.model.decisions import Action, SpamChecks
from mailreeve.policy.model.policy_types import PolicyType

U, C = "u@corp.test", "c@c.test"


def summary(decision):
    if decision.action is Action.DELIVER:
        return f"deliver, {decision.spam_checks.value}, {decision.layer.value}"
    return f"reject, {decision.layer.value}"


def matrix():
    """The rows of the precedence matrix with an automatic entry in the list besides."""
    for admin in ("none", "no_action", "block"):
        for permitted in (False, True):
            for personal in ("none", "permit c.test", "block c.test", "block .test"):
                yield admin, permitted, personal


@pytest.mark.parametrize(("admin", "permitted", "personal"), list(matrix()))
def test_complaint_4_user_domain_and_account_lists_have_one_stated_order(world, admin, permitted, personal):
    """Behaviour.md section 11: several overlapping lists that nobody can rank. Here each row of 3.3 is one answer:
    the account's blocks, its permits, what the user said, then what came by itself."""
    world.auto(U, C, 2e9)
    if admin != "none":
        (world.block if admin == "block" else world.exempt)(C)
    if permitted:
        world.permit(C)
    if personal != "none":
        action, sender = personal.split()
        world.personal(U, action, sender)
    if admin == "block":
        expected = "reject, blocked_senders"
    elif permitted:
        expected = "deliver, skip, permitted_senders"
    elif personal.startswith("block"):
        expected = "reject, managed_senders"  # D-15: a stated wish beats a side effect
    else:
        expected = "deliver, skip, managed_senders"
    assert summary(world.mail(C, U)) == expected


def test_vector_34_what_has_ended_spares_nothing(world):
    at = world.mail(C, U)
    assert summary(at) == "deliver, run, default"
    entry = world.auto(U, C, 1.0)
    decision = world.mail(C, U, explain=True)
    assert summary(decision) == "deliver, run, default"
    (told,) = [one for one in decision.candidates if one.id == entry]
    assert (told.failed is not None and told.failed.value) == "expired"


def test_a_block_met_in_the_header_beats_an_automatic_permit_of_the_envelope(world):
    world.auto(U, C, 2e9)
    world.personal(U, "block", "evil.test")
    assert summary(world.mail(C, U, header="x@evil.test")) == "reject, managed_senders"
    assert summary(world.mail("x@evil.test", U, header=C)) == "reject, managed_senders"


def test_it_holds_for_its_own_user_and_exactly_that_address(world):
    world.auto(U, C, 2e9)
    assert world.mail(C, "v@corp.test").spam_checks is SpamChecks.RUN
    assert world.mail("d@c.test", U).spam_checks is SpamChecks.RUN
    assert world.mail("d@c.test", U, header=C).spam_checks is SpamChecks.SKIP


def test_the_explanation_names_it_with_its_end_and_says_why_it_lost(world):
    entry = world.auto(U, C, 2e9)
    decision = world.mail(C, U)
    assert decision.description == "auto allow of c@c.test by u@corp.test until 2033-05-18 03:33:20 UTC"
    assert decision.winners[PolicyType.MANAGED_SENDERS].id == entry
    world.personal(U, "block", "c.test")
    policies, facts = world.policies(), world.facts(C, U)
    found = expect_policy(policies, facts, decide_mail(policies, facts), PolicyType.MANAGED_SENDERS, entry)
    assert found is not None
    assert found.sentence.endswith("and what the user said comes before what is allowed automatically")
