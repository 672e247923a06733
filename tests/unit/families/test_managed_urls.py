"""Managed URLs: made, listed, deleted, and decided before every web list (D-54)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from mailreeve.app.server.web_server import make_gate
from mailreeve.app.settings import Settings
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.lint.findings import FindingKind
from mailreeve.policy.lint.linter import lint
from mailreeve.policy.model.facts import WebFacts
from mailreeve.web.requests import WebRequest
from mailreeve.wire.errors import ItemRefused

CREATE, ALL, DELETE = (
    f"ttp/url/{name}" for name in ("create-managed-url", "get-all-managed-urls", "delete-managed-url")
)
LISTS = "policy/webwhiteurl/create-policy-with-targets"
ANN = "ann@corp.test"


def make(account, url: str, action: str = "block", match: str = "explicit", **more: object) -> dict:
    (row,) = account.call(CREATE, {"url": url, "action": action, "matchType": match, **more})
    return row


def make_list(account, value: str, action: str, **policy: object) -> dict:
    everyone = {"description": "x", "from": {"type": "everyone"}, **policy}
    urls = [{"action": action, "type": "url" if "/" in value else "domain", "value": value}]
    (row,) = account.call(LISTS, {"description": "list", "policies": [everyone], "urls": urls})
    return row


def verdict(account, url: str, who: str | None = None) -> str:
    facts = WebFacts(url, datetime.now(UTC).timestamp(), who and parse_address(who))
    return decide_web(account.policies(), facts).verdict.value


def refusal(account, path: str, item: dict) -> ItemRefused:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    return refused.value


def test_an_answer_has_the_url_in_its_parts(account):
    """The members that clients join: none of them null (clients.md, "What the answers must hold")."""
    made = make(
        account,
        "https://Bücher.test:8443/Path/?b=1#top",
        comment=None,
        disableRewrite="true",
        disableLogClick=False,
        disableUserAwareness="false",
    )
    assert {name: value for name, value in made.items() if name != "id"} == {
        "scheme": "https",
        "domain": "xn--bcher-kva.test",
        "port": 8443,
        "path": "/Path/",
        "queryString": "b=1",
        "matchType": "explicit",
        "action": "block",
        "comment": "",
        "disableUserAwareness": False,
        "disableRewrite": True,
        "disableLogClick": False,
    }
    assert account.call(ALL, {}) == [made]


def test_a_bare_domain_is_a_url(account):
    """As the terraform provider sends it."""
    made = make(account, "example.test", match="domain", action="permit", comment="Terraform")
    assert [made[name] for name in ("scheme", "domain", "port", "path", "queryString")] == [
        "http", "example.test", -1, "", "",
    ]  # fmt: skip


def test_an_explicit_one_means_itself_and_a_domain_all_below(account):
    make(account, "http://a.test/x?q=1")
    make(account, "http://b.test/x")
    make(account, "http://c.test/")
    make(account, "https://www.d.test/some/path", match="domain")
    blocked = [
        "https://a.test/x/?q=1", "http://b.test:81/x", "http://c.test/any?thing", "http://www.d.test/",
        "http://deep.www.d.test/y",
    ]  # fmt: skip
    passing = [
        "http://a.test/x", "http://a.test/x?q=1&r=2", "http://a.test/x/y?q=1", "http://b.test/x/y",
        "http://b.test/x?q", "http://www.c.test/", "http://d.test/",
    ]  # fmt: skip
    assert {url: verdict(account, url) for url in blocked} == dict.fromkeys(blocked, "block")
    assert {url: verdict(account, url) for url in passing} == dict.fromkeys(passing, "none")


def test_a_managed_url_comes_before_every_list(account):
    """Those for a user and those that override included; of two managed ones the longer wins."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": ANN})
    ann = {"type": "individual_email_address", "emailAddress": ANN}
    make_list(account, "x.test", "allow", override=True, **{"from": ann})
    assert verdict(account, "http://x.test/", ANN) == "allow"
    made = make(account, "x.test", match="domain")
    assert verdict(account, "http://x.test/", ANN) == verdict(account, "http://www.x.test/") == "block"
    make(account, "http://x.test/docs", action="permit")
    assert verdict(account, "http://x.test/docs", ANN) == "allow"
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    allow = {"value": "x.test", "user": ANN, "until": until, "reason": "now"}
    account.call("ext/allow-web", allow)
    assert verdict(account, "http://x.test/", ANN) == "block"
    account.call("ext/allow-web", {**allow, "override": True})
    assert verdict(account, "http://x.test/", ANN) == "allow"
    account.call(DELETE, {"id": made["id"]})
    assert verdict(account, "http://x.test/") == "none"


def test_it_is_explained(account):
    made = make(account, "http://x.test/a", comment="why")
    listed = make_list(account, "x.test", "allow", override=True)
    (row,) = account.call("ext/explain-web", {"url": "http://x.test/a"})
    assert (row["verdict"], row["policyId"], row["entry"]["id"]) == ("block", made["id"], made["id"])
    first, second = row["trace"]
    assert (first["description"], first["note"]) == ("http://x.test/a", "a managed URL, which comes before lists")
    assert second["policyId"] == listed["id"]
    (row,) = account.call("ext/explain-web", {"url": "http://x.test/a/b", "policyId": made["id"]})
    assert row["verdict"] == "allow"
    why = 'the managed URL "http://x.test/a" did not apply: the path does not match'
    assert row["expected"]["sentence"] == why
    (row,) = account.call("ext/explain-web", {"url": "http://x.test/a", "policyId": listed["id"]})
    assert "a managed URL comes before lists" in row["expected"]["sentence"]


def test_the_same_url_twice_is_refused_whatever_its_action(account):
    make(account, "http://x.test/a")
    for again in ("http://x.test/a", "HTTPS://X.TEST:8080/a/#top"):
        (problem,) = refusal(account, CREATE, {"url": again, "action": "permit"}).problems
        assert problem.code == "err_managed_url_exists_code"
    make(account, "http://x.test/a", match="domain")


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        ({}, "err_validation_null", "url"),
        ({"url": "*.x.test"}, "err_validation_invalid_url", "url"),
        ({"url": "http://u:p@x.test/"}, "err_validation_invalid_url", "url"),
        ({"url": "x.test", "action": "allow"}, "err_validation_value_not_allowed", "action"),
        ({"url": "x.test", "matchType": "exact"}, "err_validation_value_not_allowed", "matchType"),
        ({"url": "x.test", "comment": "c" * 5000}, "err_validation_too_long", "comment"),
    ],
)
def test_what_is_wrong_is_named(account, item, code, field):
    assert [(one.code, one.field) for one in refusal(account, CREATE, item).problems] == [(code, field)]


def test_an_unknown_id_is_one_that_is_gone(account):
    """As recorded live (api.md section 1.6)."""
    made = make(account, "x.test")
    account.call(DELETE, {"id": made["id"]})
    for gone in (made["id"], "nonsense"):
        (problem,) = refusal(account, DELETE, {"id": gone}).problems
        assert (problem.code, problem.field) == ("err_managed_url_not_found", None)


def test_they_are_found_by_domain_and_by_text(account):
    for url in ("http://x.test/A_b", "http://www.x.test/", "http://y.test/?x.test"):
        make(account, url)
    make(account, "x.test", match="domain")

    def found(**item: object) -> list[str]:
        return [f"{one['domain']}{one['path']} {one['matchType']}" for one in account.call(ALL, item)]

    assert len(found(domainOrUrl="")) == len(found(domainOrUrl="X.test")) == 4
    assert found(domainOrUrl="a_B") == ["x.test/A_b explicit"]
    assert found(domainOrUrl="aXb") == found(domainOrUrl="%") == []
    assert found(domainOrUrl="X.test", exactMatch="true") == ["x.test/A_b explicit", "x.test domain"]
    assert found(domainOrUrl="https://x.test/A_b", exactMatch=True) == ["x.test/A_b explicit"]
    assert found(domainOrUrl="no url at all", exactMatch=True) == []


def test_there_are_only_so_many(account, monkeypatch):
    monkeypatch.setattr("mailreeve.families.policies.managed_urls.operations.MOST", 1)
    make(account, "x.test")
    assert refusal(account, CREATE, {"url": "y.test"}).problems[0].code == "err_managed_url_limit"


def test_no_url_is_rewritten_here(account):
    url = "https://protect.example.test/s/abc"
    assert account.call("ttp/url/decode-url", {"url": url}) == [{"url": url, "success": False}]


def test_it_decides_in_zones_and_files_where_it_is_a_domain(account):
    make(account, "bad.test", match="domain")
    explicit = make(account, "http://worse.test/path")
    (row,) = account.call("ext/get-web-zones", {})
    left = row["zones"][0]["notSaid"]
    assert [(one["id"], one["reason"]) for one in left] == [(explicit["id"], "path")]
    found = [
        one
        for one in lint(account.policies(), 0.0, web_proxy=False, zones=True)
        if one.kind in (FindingKind.NOT_AT_DNS, FindingKind.URL_NOT_ENFORCED)
    ]
    assert [[subject.description for subject in one.subjects] for one in found] == [["http://worse.test/path"]] * 2


def test_the_linter_tells_of_a_list_that_a_managed_url_overrules(account):
    make(account, "x.test", match="domain")
    make_list(account, "www.x.test", "allow")
    (found,) = account.call("ext/lint-policies", {})[0]["findings"]
    assert found["kind"] == "shadowed"
    assert 'the managed URL "x.test" has block domain x.test' in found["why"]
    assert [one["type"] for one in found["policies"]] == ["web_entry", "web_list", "managed_url"]


def test_a_draft_may_hold_one(account):
    step = {"call": CREATE, "item": {"url": "x.test"}}
    account.call("ext/replay-draft", {"draft": [step]})
    assert account.call(ALL, {}) == []


class _Opened:
    def __init__(self, services) -> None:
        self.services, self.store = services, services.store


def test_the_log_of_clicks_tells_what_was_decided(account):
    server = make_gate(_Opened(account.services), lambda: Settings(web_allows_recorded=1.0))
    make(account, "bad.test", match="domain")
    make_list(account, "good.test", "allow")
    for url in ("http://bad.test/x", "http://good.test/", "http://unlisted.test/"):
        server.gate.decide(account.id, WebRequest(url, door="test", client_address="10.0.0.1"))
    anyio.run(server.records.write_waiting)
    (page,) = account.call("ttp/url/get-logs", {"oldestFirst": "true", "route": "all", "scanResult": "all"})
    told = [(one["url"], one["action"], one["scanResult"], one["adminOverride"]) for one in page["clickLogs"]]
    assert told == [
        ("http://bad.test/x", "block", "malicious", "Blocked"),
        ("http://good.test/", "allow", "clean", "N/A"),
    ]
    (page,) = account.call("ttp/url/get-logs", {"scanResult": "malicious"})
    assert [one["ttpDefinition"] for one in page["clickLogs"]] == ["bad.test"]
    (page,) = account.call(
        "ttp/url/get-logs", {"from": "2020-01-01T00:00:00+0000", "to": "2020-01-02T00:00:00+0000"}
    )
    assert page == {"clickLogs": []}
    (record,) = account.call("ext/find-web-records", {"verdict": "block"})
    (managed,) = account.call(ALL, {})
    assert record["policy"] == {"id": managed["id"], "description": "bad.test"}
    assert account.call("ext/find-web-records", {"policyId": managed["id"]}) == [record]


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("ttp/url/get-logs", {"clickLogs": []}),
        ("ttp/attachment/get-logs", {"attachmentLogs": []}),
        ("ttp/impersonation/get-logs", {"impersonationLogs": [], "resultCount": 0}),
    ],
)
def test_logs_are_empty_in_shape_and_their_dates_are_checked(account, path, members):
    assert account.call(path, {}) == [members]
    assert account.call(path, {"from": "2026-01-01T00:00:00+0000", "to": "2026-01-02T00:00:00+0000"}) == [members]
    assert refusal(account, path, {"from": "yesterday"}).problems[0].field == "from"
    assert refusal(account, path, {"to": "soon"}).problems[0].field == "to"
    later = {"from": "2026-01-02T00:00:00+0000", "to": "2026-01-01T00:00:00+0000"}
    assert refusal(account, path, later).problems[0].code == "err_validation_invalid_range"


def test_the_packages(account):
    assert account.call("provisioning/get-packages", {}) == [
        {"products": [{"id": "mailreeve", "name": "Mailreeve"}]}
    ]
