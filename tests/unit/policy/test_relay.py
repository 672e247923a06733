"""Who may send to the outside, and what a stranger may not smuggle there (behaviour.md section 1, row 2)."""

from __future__ import annotations

import pytest

from mailreeve.policy.explain.words import decision_words
from mailreeve.policy.model.decisions import Action, Stage
from mailreeve.policy.model.policy_types import Layer

RELAY = "451 4.7.1 Open relay not allowed"
ROUTED = "550 5.1.3 Sender-routed addresses are not taken"
STRANGER, OWN = "192.0.2.9", "127.0.0.1"


def test_a_source_that_nobody_knows_is_no_relay_network(world):
    """Fail closed: a door that cannot say who is calling must not relay for them, at RCPT or later."""
    for decide in (world.mail, world.at_rcpt):
        decision = decide("boss@corp.test", "victim@far.test", trusted=False)
        assert (str(decision.reply), decision.layer) == (RELAY, Layer.RELAY)
    facts = world.facts("boss@corp.test", "victim@far.test", trusted=False)
    assert facts.source_ip is None


def test_facts_trust_no_source_unless_told(world):
    """Without a word about it, an unknown source is a stranger."""
    from mailreeve.formats.addresses import parse_address
    from mailreeve.policy.decide.mail import decide_mail
    from mailreeve.policy.model.facts import MessageFacts

    facts = MessageFacts(parse_address("boss@corp.test"), parse_address("victim@far.test"), 0.0)
    assert str(decide_mail(world.policies(), facts).reply) == RELAY


def test_what_is_said_of_the_source_goes_before_its_address(world):
    assert world.mail("boss@corp.test", "x@far.test", ip=STRANGER, trusted=True).action is Action.DELIVER
    assert str(world.mail("boss@corp.test", "x@far.test", ip=OWN, trusted=False).reply) == RELAY


def test_the_explanation_says_what_the_unknown_source_was_taken_for(world):
    asked = world.mail("boss@corp.test", "x@far.test", explain=True)
    assert asked.action is Action.DELIVER
    assert (
        decision_words(asked)[0]
        == "relay: the recipient is external, the source is unknown and taken as a relay network"
    )
    refused = world.mail("boss@corp.test", "x@far.test", trusted=False, explain=True)
    assert decision_words(refused)[0].endswith("the source is unknown and not taken as a relay network")


def test_a_source_that_was_said_to_be_trusted_is_so_at_every_stage(world):
    """Else an explanation would call a refusal at the end of the data one at RCPT."""
    world.block("bad.test", part="header_from")
    assert world.mail("boss@corp.test", "x@far.test", header="eve@bad.test").stage is Stage.DATA
    world.blocked.clear()
    world.personal("x@far.test", "block", "eve@bad.test")
    assert world.mail("boss@corp.test", "x@far.test", header="eve@bad.test").stage is Stage.DATA


@pytest.mark.parametrize(
    "local",
    ["victim%far.test", "far.test!victim", '"victim@far.test"', '"far.test:victim"', "a/b", "a|b", "a\x85b"],
)
def test_a_stranger_may_not_name_a_way_through_an_inside_mailbox(world, local):
    """A server behind us might send the message on to where the local part says; certain at RCPT."""
    recipient = f"{local}@corp.test"
    decision = world.at_rcpt("ann@x.test", recipient, ip=STRANGER)
    assert (str(decision.reply), decision.layer) == (ROUTED, Layer.RELAY)
    assert (decision.certain, decision.stage) == (True, Stage.RCPT)
    assert world.mail("ann@x.test", recipient, ip=STRANGER, explain=True).stage is Stage.RCPT
    assert world.mail("ann@x.test", recipient, ip=OWN).action is Action.DELIVER
    assert world.mail("ann@x.test", recipient).action is Action.DELIVER


def test_an_external_mailbox_of_that_form_is_relaying_as_any_other(world):
    assert str(world.mail("ann@x.test", "a%b.test@far.test", ip=STRANGER).reply) == RELAY
    assert world.mail("boss@corp.test", "a%b.test@far.test", ip=OWN).action is Action.DELIVER


@pytest.mark.parametrize("spelling", ['"u"@corp.test', r'"\u"@corp.test', '"U"@Corp.Test'])
def test_quotes_are_no_way_past_a_personal_block(world, spelling):
    world.personal("u@corp.test", "block", "eve@bad.test")
    assert world.mail("eve@bad.test", spelling).action is Action.REJECT
    assert world.mail(r'"e\ve"@bad.test', "u@corp.test").action is Action.REJECT
