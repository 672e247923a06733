"""The permitted sender policy that an account starts with (behaviour.md D-14)."""

from __future__ import annotations

import pytest

from mailreeve.families.registry import seed_account
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.decisions import Decision, SpamChecks
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policy_types import Layer, PolicyType


@pytest.fixture
def corp(account):
    """An account that receives mail for corp.test, with what every account starts with."""
    account.write(seed_account)
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    return account


def permitted_group(account) -> str:
    (answer,) = account.call("directory/find-groups", {"query": "Permitted Senders"})
    (group,) = answer["folders"]
    return group["id"]


def decided(account, sender="ann@partner.test", to="pat@corp.test") -> Decision:
    return decide_mail(account.policies(), MessageFacts(parse_address(sender), parse_address(to), at=0.0))


def test_nobody_is_permitted_at_first(corp):
    assert decided(corp).spam_checks is SpamChecks.RUN


def test_a_member_of_the_group_skips_spam_checks(corp):
    corp.call("directory/add-group-member", {"id": permitted_group(corp), "domain": "partner.test"})
    decision = decided(corp)
    assert (decision.layer, decision.spam_checks) == (Layer.PERMITTED_SENDERS, SpamChecks.SKIP)
    winner = decision.winners[PolicyType.PERMITTED_SENDERS]
    assert winner is not None
    assert winner.description == "Default: permitted senders"
    assert decided(corp, "ann@sub.partner.test").spam_checks is SpamChecks.RUN


def test_it_beats_a_personal_block(corp):
    """Vector 5."""
    corp.call("directory/add-group-member", {"id": permitted_group(corp), "domain": "partner.test"})
    block = {"sender": "ann@partner.test", "to": "pat@corp.test", "action": "block"}
    corp.call("managedsender/permit-or-block-sender", block)
    assert decided(corp).layer is Layer.PERMITTED_SENDERS


def test_it_belongs_to_its_account(corp, other_account):
    assert not other_account.policies().permitted.policies
    assert len(corp.policies().permitted.policies) == 1
