"""What becomes of a message is its action; a reply is only what is told."""

from __future__ import annotations

import pytest

from mailreeve.families.explain.types import Verdict
from mailreeve.policy.model.decisions import Action

U = "u@corp.test"


def test_a_refusal_is_told_of_a_rejection_only(world):
    """Who takes a delivery for a refusal hears of it, rather than telling a sender nothing."""
    world.block("bad.test")
    refused = world.mail("x@bad.test", U)
    assert refused.action is Action.REJECT
    assert refused.refusal == refused.reply
    delivered = world.mail("x@good.test", U)
    assert (delivered.action, delivered.reply) == (Action.DELIVER, None)
    with pytest.raises(ValueError, match="deliver is told no refusal"):
        _ = delivered.refusal


def test_every_action_is_published_under_its_own_name():
    """Answers call it the verdict, a schema that clients have had since before there were actions."""
    assert [verdict.value for verdict in Verdict] == [action.value for action in Action]
