"""Spam scanning policies by the API: the one that an account starts with, and what an update keeps."""

from __future__ import annotations

import pytest

from mailreeve.families.registry import seed_account
from mailreeve.policy.model.content import WITHOUT_POLICY, OnSpam
from mailreeve.policy.model.policies import SpamPolicy

API = "ext/spam-policies/"
SCOPE = {"description": "for all", "from": {"type": "everyone"}, "to": {"type": "everyone"}}


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any"})
    return account


def decided(account) -> list[SpamPolicy]:
    return [*account.policies().spam.policies]


def test_an_account_starts_with_what_holds_without_any(corp):
    corp.write(seed_account)
    (policy,) = decided(corp)
    assert (policy.description, policy.options) == ("Default: spam scanning", WITHOUT_POLICY)


def test_what_is_left_out_is_as_without_a_policy_and_then_as_before(corp):
    (made,) = corp.call(API + "create-policy", {"policy": SCOPE, "actions": {"spam": "tag", "spamScore": 8}})
    assert made["actions"] == {
        "reject": "refuse",
        "spam": "tag",
        "greylist": "put_off",
        "virus": "refuse",
        "malformed": "note",
        "rejectScore": None,
        "spamScore": 8.0,
        "subjectPrefix": "",
    }
    (policy,) = decided(corp)
    assert (policy.options.on_spam, policy.options.spam_score) == (OnSpam.TAG, 8.0)
    changed = {"id": made["id"], "actions": {"malformed": "hold", "spamScore": 0}}
    (now,) = corp.call(API + "update-policy", changed)
    assert now["actions"] == made["actions"] | {"malformed": "hold", "spamScore": None}
    assert now["policy"]["description"] == "for all"
    assert corp.call(API + "get-policy", {"id": made["id"]}) == [now]
    (listed,) = corp.call("ext/find-policies", {"type": "spam_scanning"})
    assert listed["does"] == "reject: refuse, spam: tag, greylist: put_off, virus: refuse, malformed: hold"
    corp.call(API + "delete-policy", {"id": made["id"]})
    assert decided(corp) == []


@pytest.mark.parametrize(
    ("actions", "field"),
    [
        ({"spam": "refuse"}, "actions.spam"),
        ({"subjectPrefix": "\u2620"}, "actions.subjectPrefix"),
        ({"subjectPrefix": "a\nb"}, "actions.subjectPrefix"),
        ({"subjectPrefix": "x" * 65}, "actions.subjectPrefix"),
        ({"spamScore": 10_001}, "actions.spamScore"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(corp, actions, field):
    answer = corp.answer(API + "create-policy", {"policy": SCOPE, "actions": actions})
    assert not answer["data"]
    (failure,) = answer["fail"]
    assert failure["errors"][0]["field"] == field


def test_an_explanation_takes_a_verdict(corp):
    mail = {"from": "a@out.test", "to": "u@corp.test", "sourceIp": "192.0.2.9"}
    (plain,) = corp.call("ext/explain-message", mail)
    (held,) = corp.call("ext/explain-message", {**mail, "spamScore": 7})
    (refused,) = corp.call("ext/explain-message", {**mail, "spamAction": "reject"})
    (virus,) = corp.call("ext/explain-message", {**mail, "virus": "Eicar"})
    (noted,) = corp.call("ext/explain-message", {**mail, "malformed": ["deep"]})
    assert [(one["verdict"], one["layer"]) for one in (plain, held, refused, virus, noted)] == [
        ("deliver", "default"),
        ("hold", "spam"),
        ("reject", "spam"),
        ("reject", "virus"),
        ("deliver", "default"),
    ]
    assert "content: its form is broken: deep" in noted["steps"]
    assert refused["smtpReply"] == "550 5.7.1 Message refused - taken for spam"
