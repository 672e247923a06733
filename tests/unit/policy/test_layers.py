"""Which layer settles a message: relay, recipient validation, and the matrix of behaviour.md section 3.3."""

from __future__ import annotations

import pytest

from mailreeve.policy.model.decisions import Action, SpamChecks, Stage
from mailreeve.policy.model.policy_types import Layer, PolicyType

U = "u@corp.test"
RELAY = "451 4.7.1 Open relay not allowed"


def summary(decision):
    if decision.action is Action.DELIVER:
        return f"deliver, {decision.spam_checks.value}, {decision.layer.value}"
    return f"reject, {decision.layer.value}"


@pytest.mark.parametrize("personal", ["none", "permit", "block"])
@pytest.mark.parametrize("permitted", [False, True])
@pytest.mark.parametrize("admin", ["none", "no_action", "block"])
def test_the_precedence_matrix(world, admin, permitted, personal):
    if admin == "block":
        world.block("a@x.test")
    elif admin == "no_action":
        world.exempt("a@x.test")
    if permitted:
        world.permit("a@x.test")
    if personal != "none":
        world.personal(U, personal, "a@x.test")
    if admin == "block":
        expected = "reject, blocked_senders"
    elif permitted:
        expected = "deliver, skip, permitted_senders"
    elif personal == "block":
        expected = "reject, managed_senders"
    elif personal == "permit":
        expected = "deliver, skip, managed_senders"
    else:
        expected = "deliver, run, default"
    assert summary(world.mail("a@x.test", U)) == expected


def test_a_narrow_permit_does_not_beat_a_wide_block(world):
    """Specificity does not work across types."""
    world.block("external", "internal")
    world.permit("a@x.test", U, override=True)
    assert summary(world.mail("a@x.test", U)) == "reject, blocked_senders"


def test_a_permitted_policy_beats_a_personal_block_met_in_the_header(world):
    world.permit("x.test")
    world.personal(U, "block", "a@y.test")
    decision = world.mail("a@x.test", U, header="a@y.test")
    assert summary(decision) == "deliver, skip, permitted_senders"


def test_mail_to_outsiders_is_taken_from_relay_networks_only(world):
    """Whoever the sender claims to be."""
    for sender in ("a@x.test", U, ""):
        decision = world.mail(sender, "b@y.test", ip="192.0.2.1")
        assert (decision.layer, str(decision.reply), decision.stage) == (Layer.RELAY, RELAY, Stage.RCPT)
    assert world.mail(U, "b@y.test", ip="127.0.0.1").action is Action.DELIVER
    assert world.mail(U, "b@y.test", ip="::ffff:127.0.0.1").action is Action.DELIVER
    assert world.mail(U, "b@y.test").action is Action.DELIVER


def test_without_relay_networks_nothing_is_relayed(world):
    world.relay_networks = ()
    assert world.mail(U, "b@y.test", ip="127.0.0.1").layer is Layer.RELAY


def test_the_relay_guard_refuses_outsiders_who_write_to_outsiders_through_our_servers(world):
    world.relay_guard()
    decision = world.mail("a@x.test", "b@y.test", ip="127.0.0.1")
    assert (decision.layer, str(decision.reply)) == (Layer.BLOCKED_SENDERS, RELAY)
    assert world.mail(U, "b@y.test", ip="127.0.0.1").action is Action.DELIVER


def test_the_relay_guard_lets_the_bounces_of_our_servers_out(world):
    world.relay_guard()
    assert world.mail("", "b@y.test", ip="127.0.0.1").action is Action.DELIVER
    assert world.mail("", "b@y.test").action is Action.DELIVER
    assert world.mail("", "b@y.test", ip="192.0.2.1").layer is Layer.RELAY


def test_other_blocks_of_outsiders_hold_for_bounces_as_well(world):
    world.block("external", "external")
    assert world.mail("", "b@y.test", ip="127.0.0.1").layer is Layer.BLOCKED_SENDERS


def test_an_exemption_from_the_relay_guard(world):
    """The account's second default policy (D-14): a leaver's mail may be forwarded out."""
    world.relay_guard()
    world.group("Relay exemptions", "leaver@x.test")
    world.exempt("group:Relay exemptions")
    assert world.mail("leaver@x.test", "b@y.test", ip="127.0.0.1").action is Action.DELIVER
    assert world.mail("leaver@x.test", "b@y.test", ip="192.0.2.1").layer is Layer.RELAY


def test_unknown_recipients_of_a_validating_domain_are_refused(world):
    world.known_only.add("corp.test")
    world.user(U, "alias@corp.test")
    decision = world.mail("a@x.test", "who@corp.test")
    assert decision.layer is Layer.RECIPIENT_VALIDATION
    assert (str(decision.reply), decision.stage) == ("550 5.1.1 Invalid Recipient", Stage.RCPT)
    for known in (U, "U@Corp.test", "u+news@corp.test", "alias@corp.test"):
        assert world.mail("a@x.test", known).action is Action.DELIVER
    world.internal.add("any.test")
    assert world.mail("a@x.test", "who@any.test").action is Action.DELIVER


def test_the_original_recipient_is_the_one_validated(world):
    world.known_only.add("corp.test")
    world.user("new@corp.test")
    world.define("old@corp.test", "new@corp.test")
    assert world.mail("a@x.test", "old@corp.test").layer is Layer.RECIPIENT_VALIDATION


def test_a_decision_carries_revision_and_the_description_of_what_settled_it(world):
    world.block("bad.test")
    world.personal(U, "block", "a@x.test")
    assert world.mail("a@bad.test", U).description == "block_sender bad.test to everyone"
    assert world.mail("a@x.test", U).description == "personal block of a@x.test by u@corp.test"
    assert world.mail("a@y.test", U).description == ""
    assert world.mail("a@y.test", U).revision == 7


def test_winners_of_later_layers_are_named_too(world):
    world.block("x.test")
    permit = world.permit("x.test")
    entry = world.personal(U, "permit", "a@x.test")
    winners = world.mail("a@x.test", U).winners
    assert winners[PolicyType.PERMITTED_SENDERS].id == permit
    assert winners[PolicyType.MANAGED_SENDERS].id == entry
    assert set(winners) == set(PolicyType)


def test_an_exempted_sender_is_checked_for_spam(world):
    world.exempt("x.test")
    assert world.mail("a@x.test", U).spam_checks is SpamChecks.RUN
