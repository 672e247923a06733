"""Lists that block whatever no entry speaks of, and temporary allows (ADR 0073)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

CREATE = "policy/webwhiteurl/create-policy-with-targets"
GET = "policy/webwhiteurl/get-policy-with-targets"
UPDATE = "policy/webwhiteurl/update-policy-with-targets"
SET = "ext/set-web-default-deny"
BOT, ANN = "bot@corp.test", "ann@corp.test"
ALLOW, BLOCK, NONE = WebVerdict.ALLOW, WebVerdict.BLOCK, WebVerdict.NONE


def soon(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


def everyone() -> dict[str, object]:
    return {"description": "x", "from": {"type": "everyone"}}


def user(address: str = BOT, **more: object) -> dict[str, object]:
    return {
        "description": "x",
        "from": {"type": "individual_email_address", "emailAddress": address},
        "to": {"type": "everyone"},
        **more,
    }


def make(account, *targets, name="list", **entries: str) -> str:
    """A list; entries are given as `host_test="allow"`."""
    urls = [
        {"action": action, "type": "domain", "value": host.replace("_", ".")} for host, action in entries.items()
    ]
    (row,) = account.call(CREATE, {"description": name, "policies": list(targets), "urls": urls})
    return row["id"]


def verdict(account, url, who=None, ip=None, at=None):
    facts = WebFacts(url, at or datetime.now(UTC).timestamp(), who and parse_address(who), ip)
    return decide_web(account.policies(), facts).verdict


def explained(account, url, **more):
    (row,) = account.call("ext/explain-web", {"url": url, **more})
    return row


def refusal(account, path, item):
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    (problem,) = refused.value.problems
    return problem


def test_a_list_with_a_default_deny_blocks_for_its_users_what_it_does_not_allow(account):
    made = make(account, user(), repo_test="allow")
    assert verdict(account, "http://other.test/", BOT) is NONE
    (row,) = account.call(SET, {"id": made, "defaultDeny": True})
    assert row == {"id": made, "description": "list", "defaultDeny": True, "allows": 1}
    assert verdict(account, "http://sub.repo.test/x", BOT) is ALLOW
    assert verdict(account, "http://other.test/", BOT) is BLOCK
    assert verdict(account, "http://other.test/", ANN) is NONE
    assert verdict(account, "http://other.test/") is NONE
    account.call(SET, {"id": made, "defaultDeny": False})
    assert verdict(account, "http://other.test/", BOT) is NONE


def test_the_order_of_d_25_holds_for_a_default_deny(account):
    """Narrower scopes first; in equal ones every entry comes before it; an override before all."""
    made = make(account, user(), repo_test="allow")
    account.call(SET, {"id": made, "defaultDeny": True})
    make(account, everyone(), name="for all", news_test="allow", evil_test="block")
    assert verdict(account, "http://news.test/", BOT) is BLOCK  # everyone's allow is wider than the user's deny
    make(account, user(), name="another of the user", docs_test="allow")
    assert verdict(account, "http://docs.test/", BOT) is ALLOW
    override = {**everyone(), "override": True}
    make(account, override, name="always", safety_test="allow")
    assert verdict(account, "http://safety.test/", BOT) is ALLOW


def test_the_calls_of_the_live_service_neither_show_nor_lose_a_default_deny(account):
    made = make(account, user(), repo_test="allow")
    account.call(SET, {"id": made, "defaultDeny": True})
    (row,) = account.call(GET, {"id": made})
    assert set(row) == {"id", "description", "urls", "policies"}
    account.call(UPDATE, {"id": made, "description": "renamed", "policies": [user()], "urls": row["urls"]})
    account.call(
        "ext/add-web-entries", {"id": made, "urls": [{"action": "allow", "type": "domain", "value": "n.test"}]}
    )
    assert verdict(account, "http://other.test/", BOT) is BLOCK
    listed = account.call("ext/get-web-default-deny", {})
    assert [(one["description"], one["allows"]) for one in listed] == [("renamed", 2)]
    account.call("policy/webwhiteurl/delete-policy-with-targets", {"id": made})
    assert verdict(account, "http://other.test/", BOT) is NONE


def test_a_default_deny_for_everyone_is_said_to_be_meant(account):
    made = make(account, everyone(), repo_test="allow")
    assert refusal(account, SET, {"id": made, "defaultDeny": True, "confirmReach": False}).field == "confirmReach"
    assert verdict(account, "http://other.test/") is NONE
    account.call(SET, {"id": made, "defaultDeny": True, "confirmReach": True})
    assert verdict(account, "http://other.test/") is BLOCK


def test_an_explanation_names_the_default_deny(account):
    made = make(account, user(), repo_test="allow")
    account.call(SET, {"id": made, "defaultDeny": True})
    row = explained(account, "http://other.test/", user=BOT, policyId=made)
    assert (row["verdict"], row["policyId"], row["entry"]) == ("block", made, None)
    (candidate,) = row["trace"]
    assert (candidate["entry"], candidate["place"]) == (None, 1)
    assert "default deny" in candidate["note"]
    assert row["expected"]["sentence"] == '"list" won: the default deny settled the verdict'
    row = explained(account, "http://repo.test/", user=BOT, policyId=made)
    assert [c["entry"] and c["entry"]["value"] for c in row["trace"]] == ["repo.test", None]
    row = explained(account, "http://other.test/", user=ANN, policyId=made)
    assert row["verdict"] == "none"
    assert row["expected"]["applied"] is False


def test_the_linter_tells_of_a_default_deny_that_opens_nothing_or_is_for_all(account):
    nothing = make(account, user(), name="nothing", bad_test="block")
    all_ = make(account, everyone(), name="all", repo_test="allow")
    for one in (nothing, all_):
        account.call(SET, {"id": one, "defaultDeny": True, "confirmReach": True})
    (row,) = account.call("ext/lint-policies", {})
    found = {one["kind"]: one["policies"][0]["id"] for one in row["findings"]}
    assert found["denies_all"] == nothing
    assert found["denies_everyone"] == all_


def test_a_temporary_allow_opens_for_one_user_until_it_ends(account):
    make(account, user(), video_test="block")  # as narrow as can be
    (row,) = account.call(
        "ext/allow-web", {"value": "video.test", "user": BOT, "until": soon(hours=2), "reason": "Course"}
    )
    assert (row["value"], row["user"], row["type"], row["madeBy"]) == (
        "video.test",
        BOT,
        "domain",
        "admin@corp.test",
    )
    now = datetime.now(UTC).timestamp()
    assert verdict(account, "http://www.video.test/", BOT) is ALLOW
    assert verdict(account, "http://www.video.test/", BOT, at=now + 7201) is BLOCK
    assert verdict(account, "http://www.video.test/", ANN) is NONE
    shown = explained(account, "http://video.test/", user=BOT, policyId=row["id"])
    assert (shown["policyId"], shown["entry"]["id"]) == (row["id"], row["id"])
    assert shown["trace"][0]["description"] == "Course"
    assert "temporary allow, until" in shown["trace"][0]["note"]
    assert shown["expected"]["sentence"].startswith('the temporary allow "Course" won')
    account.call("ext/remove-web-allow", {"id": row["id"]})
    assert verdict(account, "http://video.test/", BOT) is BLOCK
    assert refusal(account, "ext/remove-web-allow", {"id": row["id"]}).code == "err_web_allow_not_found"


def test_a_temporary_allow_may_be_for_a_client_and_a_path(account):
    from ipaddress import ip_address

    make(account, everyone(), video_test="block")
    item = {
        "value": "http://video.test/course",
        "client": "::ffff:10.0.0.7",
        "until": soon(hours=1),
        "reason": "Course",
    }
    (row,) = account.call("ext/allow-web", item)
    assert (row["client"], row["type"]) == ("10.0.0.7", "url")
    assert verdict(account, "http://video.test/course/1", ip=ip_address("10.0.0.7")) is ALLOW
    assert verdict(account, "http://video.test/", ip=ip_address("10.0.0.7")) is BLOCK
    assert verdict(account, "http://video.test/course/1", ip=ip_address("10.0.0.8")) is BLOCK
    assert verdict(account, "http://video.test/course/1") is BLOCK


def test_an_override_is_undone_by_an_allow_that_overrides_alone(account):
    make(account, {**everyone(), "override": True}, name="Never", evil_test="block")
    item = {"value": "evil.test", "user": BOT, "until": soon(hours=1), "reason": "Research"}
    done = account.answer("ext/allow-web", item)
    assert "Never" in str(done)
    assert "overrides" in str(done)
    assert verdict(account, "http://evil.test/", BOT) is BLOCK
    account.call("ext/allow-web", {**item, "override": True})
    assert verdict(account, "http://evil.test/", BOT) is ALLOW


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"user": None}, "user"),
        ({"client": "10.0.0.1"}, "user"),
        ({"user": "nobody"}, "user"),
        ({"user": None, "client": "10.0.0.0/8"}, "client"),
        ({"until": "2020-01-01"}, "until"),
        ({"until": "2999-01-01"}, "until"),
        ({"until": "soon"}, "until"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 2000}, "reason"),
        ({"value": "*.video.test"}, "value"),
        ({"value": "http://video.test/x", "type": "domain"}, "value"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(account, changed, field):
    item = {"value": "video.test", "user": BOT, "until": soon(hours=1), "reason": "Course"} | changed
    item = {name: value for name, value in item.items() if value is not None}
    assert refusal(account, "ext/allow-web", item).field == field


def test_those_that_have_ended_are_listed_no_more_and_forgotten(account):
    from mailreeve.families.policies.web_allows import rows

    item = {"value": "a.test", "user": BOT, "until": soon(hours=1), "reason": "x"}
    account.call("ext/allow-web", item)
    row = account.write(lambda work: rows.of(work, BOT)[0])

    def end(work):
        from msgspec.structs import replace

        rows.RECORDS.replace(work, replace(row, ends_at=work.now - timedelta(seconds=1)))

    account.write(end)
    assert account.call("ext/get-web-allows", {}) == []
    account.call("ext/allow-web", {**item, "value": "b.test"})
    assert [one.value for one in account.write(lambda work: rows.of(work, BOT))] == ["b.test"]
    assert [one["value"] for one in account.call("ext/get-web-allows", {"user": BOT})] == ["b.test"]
    assert account.call("ext/get-web-allows", {"user": ANN}) == []


def test_too_many_are_refused(account, monkeypatch):
    monkeypatch.setattr("mailreeve.families.policies.web_allows.operations.MOST", 1)
    item = {"value": "a.test", "user": BOT, "until": soon(hours=1), "reason": "x"}
    account.call("ext/allow-web", item)
    assert refusal(account, "ext/allow-web", item).code == "err_web_allow_limit"


def test_allows_follow_their_user(account):
    account.call("domain/create-domain", {"domain": "corp.test", "inboundType": "any", "sendOnly": False})
    account.call("user/create-user", {"emailAddress": BOT, "name": "Bot"})
    account.call("ext/allow-web", {"value": "a.test", "user": BOT, "until": soon(hours=1), "reason": "x"})
    account.call("ext/rename-user", {"emailAddress": BOT, "newAddress": "robot@corp.test"})
    assert verdict(account, "http://a.test/", "robot@corp.test") is ALLOW
    account.call("ext/remove-user", {"emailAddress": "robot@corp.test", "force": True})
    assert account.call("ext/get-web-allows", {}) == []


def test_both_are_audited_with_what_was_and_what_is(account):
    made = make(account, user(), repo_test="allow")
    account.call(SET, {"id": made, "defaultDeny": True})
    account.call("ext/allow-web", {"value": "a.test", "user": BOT, "until": soon(hours=1), "reason": "Course"})

    def events(work):
        query = select(audit_event.c.action, audit_event.c.object_kind, audit_event.c.before, audit_event.c.after)
        return work.run(query.where(audit_event.c.account_id == work.account_id).order_by(audit_event.c.id)).all()

    found = account.write(events)
    (_, _, before, after), (action, kind, _, allowed) = found[-2:]
    assert "default_deny" not in json.loads(before)
    assert json.loads(after)["default_deny"] is True
    assert (action, kind, json.loads(allowed)["reason"]) == ("create", "web allow", "Course")
