"""The linter as the API has it: ids of the wire, permissions, bounds."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.lint import endpoints, operations
from mailreeve.families.lint.types import LintPolicies
from mailreeve.families.machinery.turns import one_at_a_time
from mailreeve.policy.lint import linter as lint
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.wire.errors import ItemRefused, RequestRefused

LINT = "ext/lint-policies"
BLOCK = "policy/blockedsenders/create-policy"
WEB = "policy/webwhiteurl/create-policy-with-targets"


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    return account


def block(account, domain, option="block_sender", **more):
    policy = {
        "description": f"{option} {domain}",
        "from": {"type": "email_domain", "emailDomain": domain},
        "to": {"type": "internal_addresses"},
        **more,
    }
    return account.call(BLOCK, {"option": option, "policy": policy})[0]["id"]


def web_list(account, action):
    target = {"description": "all", "from": {"type": "everyone"}}
    entry = {"action": action, "type": "domain", "value": "ex.test"}
    item = {"description": f"List to {action}", "policies": [target], "urls": [entry]}
    return account.call(WEB, item)[0]["id"]


def told(account, **item):
    (answer,) = account.call(LINT, item)
    return answer


def test_a_display_name_of_a_recipient_is_kept_and_said_to_meet_nobody(corp):
    """The published type is taken on both sides; what it cannot do there is the linter's to say (D-02)."""
    target = {"type": "header_display_name", "headerDisplayName": "The Boss"}
    made = block(corp, "bad.test", to=target)
    (finding,) = told(corp)["findings"]
    assert (finding["kind"], [one["id"] for one in finding["policies"]]) == ("never_matches", [made])
    assert "a recipient has no display name in the envelope" in finding["why"]


def test_a_shadowed_policy_is_named_by_the_ids_that_the_api_gave(corp):
    old, new = block(corp, "bad.test"), block(corp, "bad.test", "no_action")
    answer = told(corp)
    (finding,) = answer["findings"]
    assert (finding["kind"], finding["level"], finding["count"]) == ("shadowed", "warning", 1)
    assert [policy["id"] for policy in finding["policies"]] == [old, new]
    assert [policy["type"] for policy in finding["policies"]] == ["blocked_senders"] * 2
    assert finding["why"]
    assert finding["advice"]
    assert answer["counts"] == {"shadowed": 1}
    assert answer["truncated"] is False
    assert answer["revision"] == corp.policies().revision


def test_an_account_without_policies_has_no_findings(corp):
    assert told(corp) == {
        "findings": [], "counts": {}, "truncated": False, "why": "", "revision": corp.policies().revision,
    }  # fmt: skip


def test_warnings_come_before_notes(corp):
    block(corp, "later.test", fromDate="2999-01-01T00:00:00+0000")
    block(corp, "over.test", toDate="2001-01-01T00:00:00+0000")
    assert [finding["level"] for finding in told(corp)["findings"]] == ["warning", "note"]


def test_kind_level_and_time_can_be_asked_for(corp):
    block(corp, "later.test", fromDate="2999-01-01T00:00:00+0000")
    block(corp, "over.test", toDate="2001-01-01T00:00:00+0000")
    assert told(corp, kind="expired")["counts"] == {"expired": 1}
    assert told(corp, level="note")["counts"] == {"not_started": 1}
    assert told(corp, at="2000-12-31T23:59:59+0000")["counts"] == {"not_started": 1}
    with pytest.raises(ItemRefused) as refusal:
        told(corp, at="yesterday")
    assert refusal.value.problems[0].field == "at"


def test_each_permission_shows_its_half(corp):
    block(corp, "over.test", toDate="2001-01-01T00:00:00+0000")
    web_list(corp, "allow"), web_list(corp, "block")
    assert set(told(corp)["counts"]) == {"expired", "web_contradiction"}
    for permission, kind in (
        (Permission.GATEWAY_POLICIES_READ, "expired"),
        (Permission.WEB_SECURITY_POLICIES_READ, "web_contradiction"),
    ):
        corp.caller = Caller(corp.id, "reader", "app", frozenset({permission}))
        assert set(told(corp)["counts"]) == {kind}
    corp.caller = Caller(corp.id, "other", "app", frozenset({Permission.DIRECTORIES_GROUPS_READ}))
    with pytest.raises(RequestRefused):
        told(corp)


def test_what_is_left_out_is_told(corp):
    for number in range(3):
        block(corp, f"d{number}.test", toDate="2001-01-01T00:00:00+0000")
    answer = operations.lint_policies(
        corp.policies(), corp.services.ids, LintPolicies(), datetime.now(UTC), web_proxy=False, most=2
    )
    assert (len(answer.findings), answer.counts["expired"], answer.truncated) == (2, 3, True)
    assert answer.why == "only 2 are listed"


def test_a_call_ends_when_its_time_is_up_and_says_so(corp, monkeypatch):
    """What was found until then is told."""
    monkeypatch.setattr(lint, "STEP", 1)
    monkeypatch.setattr(endpoints, "TIME", -1.0)
    for number in range(3):
        block(corp, f"d{number}.test", toDate="2001-01-01T00:00:00+0000")
    answer = told(corp)
    assert answer["truncated"] is True
    assert answer["why"] == "the call took -1 seconds"
    assert answer["counts"].get("expired", 0) < 3


def test_another_accounts_policies_are_not_read(corp, other_account):
    block(corp, "over.test", toDate="2001-01-01T00:00:00+0000")
    assert told(other_account)["findings"] == []


def test_no_key_of_the_store_is_in_an_answer(corp):
    old = block(corp, "bad.test")
    block(corp, "bad.test")
    web_list(corp, "allow"), web_list(corp, "block")
    key = corp.services.ids.open(POLICY_TYPES[PolicyType.BLOCKED_SENDERS].kind, old, corp.id)
    assert key not in msgspec.json.encode(told(corp)).decode()


def test_a_second_call_waits_its_turn(corp):
    with one_at_a_time(), pytest.raises(RequestRefused) as refusal:
        told(corp)
    assert (refusal.value.status, refusal.value.problem.code) == (429, "err_busy")
    assert refusal.value.problem.retryable
    assert refusal.value.retry_after
    assert told(corp)["findings"] == []
