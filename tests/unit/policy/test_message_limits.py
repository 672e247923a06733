"""A message with more authors than anybody looks at is refused: one whom nobody looked at might be blocked."""

from __future__ import annotations

import pytest

from mailreeve.formats.authors import MAX_AUTHORS
from mailreeve.policy.explain.words import decision_words
from mailreeve.policy.model.decisions import Action, SpamChecks, Stage
from mailreeve.policy.model.policy_types import Layer

U = "u@corp.test"
DUMMIES = tuple(f"a{number}@x.test" for number in range(MAX_AUTHORS))


@pytest.mark.parametrize("explain", [False, True])
def test_too_many_authors_are_refused_at_the_end_of_the_data(world, explain):
    """Whatever the policies say, a permit included; the explanation says the same."""
    world.permit("x.test", part="header_from")
    decision = world.mail("a@x.test", U, header=(*DUMMIES, "eve@bad.test"), explain=explain)
    assert str(decision.reply) == "554 5.6.0 Too many authors"
    assert (decision.action, decision.stage, decision.certain) == (Action.REJECT, Stage.DATA, True)
    assert (decision.layer, decision.spam_checks, decision.description) == (
        Layer.MESSAGE_LIMITS,
        SpamChecks.RUN,
        "",
    )
    if explain:
        assert "settled by message_limits" in decision_words(decision)[-1]


def test_as_many_as_are_looked_at_are_taken_and_each_counts(world):
    assert world.mail("a@x.test", U, header=DUMMIES).action is Action.DELIVER
    world.block("bad.test", part="header_from")
    decision = world.mail("a@x.test", U, header=(*DUMMIES[1:], "eve@bad.test"))
    assert (decision.layer, decision.stage) == (Layer.BLOCKED_SENDERS, Stage.DATA)


def test_what_is_certain_at_rcpt_stays_the_answer(world):
    """The sender was told before the header came."""
    world.block("x.test")
    decision = world.mail("a@x.test", U, header=(*DUMMIES, "eve@bad.test"))
    assert (decision.layer, decision.stage) == (Layer.BLOCKED_SENDERS, Stage.RCPT)
