"""The paths of the API 2.0 that public clients call: a Terraform provider's and a connector's (api.md 3.2.5)."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest

POLICIES = "/policy-management/cloud-gateway/v1/"
BLOCKED = f"{POLICIES}blocked-senders/policies"
GROUPS = "/directory/cloud-gateway/v1/groups"
BULK = "/email/cloud-gateway/v1/managed-senders/senders/bulk-delete"

Call = Callable[..., httpx2.Response]


@pytest.fixture
def call(server) -> Call:
    keys = server.credentials
    form = {"grant_type": "client_credentials"} | {name: keys[name] for name in ("client_id", "client_secret")}
    token = httpx2.post(f"{server.http}/oauth/token", data=form).json()["access_token"]

    def call(method: str, path: str, body: object = None, **options: object) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.request(method, server.http + path, json=body, headers=headers, **options)

    return call


def body(sender: str, **members: object) -> dict[str, object]:
    """A policy as a SOAR connector sends it."""
    return {
        "description": f"Blocked {sender}",
        "option": "block_sender",
        "fromPart": "both",
        "from": {"type": "individual_email_address", "emailAddress": sender},
        "to": {"type": "everyone"},
        "enabled": True,
        "enforced": True,
        "override": True,
    } | members


def test_a_policy_lives_as_a_provider_has_it(call) -> None:
    """Made, read, changed in part, and gone; what is changed is what was sent and nothing else."""
    dated = {"fromEternal": False, "fromDateTime": "2026-12-01T00:00:00Z"}
    group = call("POST", GROUPS, {"description": "Partners"}).json()["id"]
    made = call(
        "POST", BLOCKED, body("eve@evil.test", **dated, to={"type": "profile_group", "group": {"id": group}})
    )
    assert made.status_code == 201
    one = f"{BLOCKED}/{made.json()['policyId']}"
    read = call("GET", one).json()
    assert read["from"] == {"type": "individual_email_address", "emailAddress": "eve@evil.test"}
    assert read["to"]["group"] == {"id": group}
    assert (read["fromDateTime"], read["fromEternal"], read["toEternal"]) == ("2026-12-01T00:00:00Z", False, True)

    changed = call(
        "PATCH", one, {"from": {"type": "email_domain", "domain": "evil.test"}, "to": {"type": "everyone"}}
    )
    assert (changed.status_code, changed.content) == (204, b"")
    now = call("GET", one).json()
    assert now["from"] == {"type": "email_domain", "domain": "evil.test"}
    kept = ("description", "option", "fromPart", "override", "enforced", "fromDateTime", "fromEternal")
    assert [now[name] for name in kept] == [read[name] for name in kept]
    assert call("PATCH", one, {"fromEternal": True}).status_code == 204
    assert call("GET", one).json()["fromEternal"] is True

    assert call("DELETE", one).status_code == 204
    gone = call("GET", one)
    assert gone.status_code == 404
    assert gone.json()["errors"][0]["code"] == gone.json()["fail"][0]["errors"][0]["code"]


def test_what_is_made_here_is_enforced_and_seen_there(call, server) -> None:
    """The same object under both versions of the API, and at the mail door."""
    id_ = call("POST", BLOCKED, body("mallory@evil.test")).json()["id"]
    with server.oauth_client() as client:
        (row,) = client.call("policy/blockedsenders/get-policy", {"id": id_})
        assert row["policy"]["from"]["emailAddress"] == "mallory@evil.test"
        (told,) = client.call("ext/explain-message", {"from": "mallory@evil.test", "to": "ann@corp.test"})
        assert (told["verdict"], told["winners"]["blocked_senders"]["id"]) == ("reject", id_)


def test_lists_come_in_pages(call) -> None:
    """Under each name and with each token that a client looks for, and to the end."""
    made = {call("POST", BLOCKED, body(f"page{n}@evil.test")).json()["id"] for n in range(3)}
    found, token, pages = set(), None, 0
    while pages == 0 or token:
        answer = call("GET", BLOCKED, params={"pageSize": 2} | ({"pageToken": token} if token else {})).json()
        assert answer["definitions"] == answer["policies"]
        assert answer["meta"]["pagination"]["pageSize"] == len(answer["policies"]) <= 2
        found |= {one["id"] for one in answer["policies"]}
        token, pages = answer.get("nextToken"), pages + 1
        assert answer["meta"]["pagination"].get("nextPageToken") == token
    assert made < found
    for size in ("0", "101", "x", "-1", "²", "1" * 5000):
        refused = call("GET", BLOCKED, params={"pageSize": size})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "pageSize")


@pytest.mark.parametrize("family", ["anti-spoofing", "anti-spoofing-bypass"])
def test_other_families_have_the_same_form(call, family) -> None:
    """Anti-spoofing and its exceptions."""
    option = "enable_bypass" if family.endswith("bypass") else "reject"
    made = call("POST", f"{POLICIES}{family}/policies", body("a@b.test", option=option))
    assert made.status_code == 201, made.text
    one = f"{POLICIES}{family}/policies/{made.json()['id']}"
    assert call("PATCH", one, {"description": "Another"}).status_code == 204
    assert call("GET", one).json()["description"] == "Another"
    assert call("DELETE", one).status_code == 204


def test_groups_and_members(call) -> None:
    """As the provider and an off-boarding script call them."""
    id_ = call("POST", GROUPS, {"description": "Two point oh"}).json()["id"]
    assert id_ in {one["id"] for one in call("GET", GROUPS, params={"query": "point"}).json()["groups"]}
    assert call("PATCH", f"{GROUPS}/{id_}", {"description": "Renamed"}).status_code == 204
    assert call("GET", f"{GROUPS}/{id_}").json()["description"] == "Renamed"
    given = [{"emailAddress": "bob@partner.test", "note": "from HR"}, {"domain": "friend.test"}]
    added = call("POST", f"{GROUPS}/{id_}/members", {"groupMembers": given}).json()["results"]
    assert [one["success"] for one in added] == [True, True]
    again = call("POST", f"{GROUPS}/{id_}/members", {"groupMembers": [*given, {"emailAddress": "no"}]}).json()
    assert [one["success"] for one in again["results"]] == [False, False, False]
    assert again["results"][2]["errors"][0]["field"] == "emailAddress"
    listed = call("GET", f"{GROUPS}/{id_}/members").json()
    assert {(one["emailAddress"], one["domain"], one["note"]) for one in listed["data"]} == {
        ("bob@partner.test", "partner.test", "from HR"),
        ("", "friend.test", ""),
    }
    gone = call("POST", f"{GROUPS}/{id_}/remove-members", {"data": [{"emailAddress": "bob@partner.test"}]})
    assert gone.json()["results"][0]["success"] is True
    twice = call("POST", f"{GROUPS}/{id_}/remove-members", {"data": [{"emailAddress": "bob@partner.test"}]})
    assert (twice.status_code, twice.json()["errors"][0]["code"]) == (404, "err_folder_email_address_not_found")
    assert call("DELETE", f"{GROUPS}/{id_}").status_code == 204


def test_entries_are_removed_by_their_ids(call, server) -> None:
    """All that are there; what would narrow them is refused, and then nothing is gone."""
    with server.oauth_client() as client:
        ids = [client.block_sender(f"s{n}@evil.test", "ann@corp.test").id for n in range(3)]
        narrowed = call("POST", BULK, {"ids": ids, "action": "permit"})
        assert (narrowed.status_code, narrowed.json()["errors"][0]["field"]) == (400, "action")
        assert call("POST", BULK, {"ids": ids}).json() == {"deletedCount": 3, "errors": []}
        assert call("POST", BULK, {"ids": ids}).status_code == 404
    assert call("POST", BULK, {"ids": []}).json()["errors"][0]["field"] == "ids"


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        ({}, 400, "option"),
        (body("no address"), 400, "policy.from.emailAddress"),
        (body("a@b.test", option="burn"), 400, "option"),
        (body("a@b.test", to={"type": "profile_group", "group": {"id": "x" * 43}}), 404, "policy.to.groupId"),
        (body("a@b.test", to={"type": "profile_group", "group": "x"}), 400, "policy.to.groupId"),
    ],
)
def test_what_is_wrong_is_named(call, sent, status, field) -> None:
    """With the status of the API 2.0, and nothing is made."""
    refused = call("POST", BLOCKED, sent)
    assert (refused.status_code, refused.json()["errors"][0].get("field")) == (status, field), refused.text


def test_whoever_may_not_is_told_as_everywhere(call, server) -> None:
    """Without a token, with a bad one, by a method or at a path that is not there."""
    nobody = httpx2.get(server.http + BLOCKED)
    assert nobody.status_code == 401
    bad = httpx2.get(server.http + BLOCKED, headers={"Authorization": "Bearer x"})
    assert (bad.status_code, bad.json()["fail"][0]["code"]) == (401, "token_verification_failed")
    wrong = call("PUT", BLOCKED, {})
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST, GET")
    assert call("GET", f"{BLOCKED}/x/y").json()["fail"][0]["errors"][0]["code"] == "err_xdk_not_found"
    assert call("POST", BLOCKED, [1]).status_code == 400
    assert "X-RateLimit-Remaining" in call("GET", BLOCKED).headers


def test_a_known_function_that_is_not_offered_says_so(call) -> None:
    """Apart from one that nobody knows."""
    known = call("POST", "/api/ttp/remediation/create", {"data": []})
    assert (known.status_code, known.json()["fail"][0]["errors"][0]["code"]) == (404, "err_xdk_not_offered")
    unknown = call("POST", "/api/ttp/remediation/undo", {"data": []})
    assert unknown.json()["fail"][0]["errors"][0]["code"] == "err_xdk_not_found"
