"""POST /api/ext/permittedsenders/…: policies that permit senders are made, read, changed and deleted."""

from __future__ import annotations

import pytest

from mailreeve.policy.model.policies import PermittedSenderPolicy
from mailreeve.wire.errors import ItemRefused

ROOM = "ext/permittedsenders/"
POLICY = {
    "description": "bank",
    "from": {"type": "email_domain", "emailDomain": "bank.test"},
    "to": {"type": "everyone"},
}


def permits(account) -> list[PermittedSenderPolicy]:
    return list(account.policies().permitted.policies)


def test_a_policy_is_in_force_from_its_creation_to_its_deletion(account) -> None:
    (made,) = account.call(ROOM + "create-policy", {"policy": POLICY})
    assert [policy.description for policy in permits(account)] == ["bank"]
    assert account.call(ROOM + "get-policy", {"id": made["id"]}) == [made] == account.call(ROOM + "get-policy")
    (changed,) = account.call(ROOM + "update-policy", {"id": made["id"], "policy": {"enabled": False}})
    assert changed["policy"] | {"enabled": True, "lastUpdated": ""} == made["policy"] | {"lastUpdated": ""}
    assert [policy.scope.terms.enabled for policy in permits(account)] == [False]
    assert account.call(ROOM + "delete-policy", {"id": made["id"]}) == [{"id": made["id"], "deleted": True}]
    assert permits(account) == []
    for path in ("get-policy", "delete-policy"):
        with pytest.raises(ItemRefused, match="id: Policy not found"):
            account.call(ROOM + path, {"id": made["id"]})


def test_a_policy_that_comes_to_permit_everybody_is_warned_of(account) -> None:
    account.call("domain/create-domain", {"domain": "corp.test"})
    (made,) = account.call(ROOM + "create-policy", {"policy": POLICY})
    wide = {**POLICY, "from": {"type": "everyone"}}
    answer = account.answer(ROOM + "update-policy", {"id": made["id"], "policy": wide})
    assert "now permits" in answer["meta"]["warnings"][0]


def test_what_is_missing_is_named(account) -> None:
    with pytest.raises(ItemRefused) as caught:
        account.call(ROOM + "create-policy", {"policy": {"to": {"type": "everyone"}}})
    assert [problem.field for problem in caught.value.problems] == ["policy.description", "policy.from"]
