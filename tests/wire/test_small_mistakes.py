"""Over real sockets: what a caller who makes a small mistake is told, and what a caller may not do to others."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.access.permissions import ROLE_PERMISSIONS, Role

CREATE = "/api/policy/blockedsenders/create-policy"
EVERYONE = {"from": {"type": "individual_email_address", "emailAddress": "x@far.test"}, "to": {"type": "everyone"}}
ROOT = "super_administrator@"


def post(live, path: str, item: dict[str, object], keys: dict[str, str] | None = None) -> dict:
    body = json.dumps({"data": [item]}).encode()
    return live.request("POST", path, body, live.signed(path, keys=keys)).json()


@pytest.mark.parametrize(
    ("wrong", "path", "right"),
    [
        ({"toDat": "2030-01-01T00:00:00+0000"}, "policy.toDat", "toDate"),
        ({"fromEternel": False}, "policy.fromEternel", "fromEternal"),
        ({"to": {"type": "everyone", "emailAdress": "a@b.test"}}, "policy.to.emailAdress", "emailAddress"),
    ],
)
def test_a_misspelt_member_is_a_warning_and_the_call_succeeds(shared_server, wrong, path, right) -> None:
    item = {"option": "block_sender", "policy": {"description": "x", **EVERYONE, **wrong}}
    answer = post(shared_server.live, CREATE, item)
    assert (len(answer["data"]), answer["fail"]) == (1, [])
    assert f'"{path}" is not known and was ignored; "{right}" is' in answer["meta"]["warnings"]


def test_what_clients_send_besides_is_no_warning(shared_server) -> None:
    """clients.md: ignore unknown fields."""
    extra = {"notes": "x", "comment": "x", "reason": "x", "loadContent": "true"}
    item = {"option": "block_sender", "policy": {"description": "x", **EVERYONE, "comment": "x"}, **extra}
    assert "warnings" not in post(shared_server.live, CREATE, item)["meta"]


def test_no_secret_comes_back_in_a_refusal(shared_server) -> None:
    item = {"emailAddress": "none", "password": "s3cr3t!!!", "more": [{"Secret_Key": "s3cr3t"}], "name": "Ann"}
    (failure,) = post(shared_server.live, "/api/user/create-user", item)["fail"]
    assert "s3cr3t" not in json.dumps(failure)
    assert failure["key"]["name"] == "Ann"


@pytest.mark.parametrize("send", ["form", "json", "form and basic", "json and basic"])
def test_a_token_is_given_for_a_form_json_and_basic(shared_server, send: str) -> None:
    live = shared_server.live
    pair = {"client_id": live.credentials["client_id"], "client_secret": live.credentials["client_secret"]}
    members, headers = {"grant_type": "client_credentials"} | pair, {}
    if "basic" in send:
        text = ":".join(pair.values()).encode()
        members, headers = {"grant_type": "client_credentials"}, {}
        headers["Authorization"] = f"Basic {base64.b64encode(text).decode()}"
    if "json" in send:
        body, headers["Content-Type"] = json.dumps(members), "application/json"
    else:
        body = "&".join(f"{name}={value}" for name, value in members.items())
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    answer = live.request("POST", "/oauth/token", body.encode(), headers)
    assert (answer.status, answer.json()["token_type"]) == (200, "Bearer")


@pytest.mark.parametrize("body", [b"", b"<grant/>", b'{"grant_type":', b'["x"]', b'{"grant_type": "password"}'])
def test_a_token_request_that_is_none_is_told_what_to_send(shared_server, body: bytes) -> None:
    answer = shared_server.live.request("POST", "/oauth/token", body, {"Content-Type": "application/json"})
    (problem,) = answer.json()["fail"]
    assert (answer.status, problem["retryable"]) == (400, False)
    for word in ("grant_type=client_credentials", "client_id", "client_secret", "form", "JSON", "Basic"):
        assert word in problem["message"]


@pytest.mark.parametrize(
    ("date", "retryable"),
    [("yesterday", False), (timedelta(hours=-2), False), (timedelta(hours=2), True)],
    ids=["none", "behind", "ahead"],
)
def test_a_date_is_worth_another_try_only_if_it_may_come_true(shared_server, date, retryable: bool) -> None:
    text = date if isinstance(date, str) else (datetime.now(UTC) + date).strftime("%a, %d %b %Y %H:%M:%S UTC")
    live, path = shared_server.live, "/api/account/get-account"
    answer = live.request("POST", path, b"{}", live.signed(path, date=text))
    (problem,) = answer.json()["fail"][0]["errors"]
    assert (answer.status, problem["code"]) == (401, "err_xdk_date_out_of_range")
    assert problem["retryable"] is retryable


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("/api/user/update-user", lambda root, own: {"emailAddress": root, "name": "Mine"}),
        ("/api/user/update-alias", lambda root, own: {"alias": f"mine.{root}", "aliasFor": root}),
        ("/api/user/update-attributes", lambda root, own: {"emailAddress": root, "attributes": [{"name": "x"}]}),
        ("/api/user/add-delegate-user", lambda root, own: {"primaryAddress": own, "delegateAddress": root}),
    ],
)
@pytest.mark.parametrize("role", [Role.FULL_ADMINISTRATOR, Role.BASIC_ADMINISTRATOR, Role.HELP_DESK])
def test_nobody_reaches_for_a_user_who_may_do_more(shared_server, role: Role, path: str, item) -> None:
    """The guard where the permission would do, and the permission where it would not: refused either way."""
    keys = shared_server.roles[role]
    own = keys["admin"]
    answer = post(shared_server.live, path, item(ROOT + own.partition("@")[2], own), keys)
    assert answer["data"] == []
    (problem,) = answer["fail"][0]["errors"]
    assert problem["code"] == "err_xdk_forbidden"
    assert not ROLE_PERMISSIONS[Role.SUPER_ADMINISTRATOR] <= ROLE_PERMISSIONS[role]


def test_the_only_administrator_is_not_locked(fresh_server) -> None:
    """Nor disabled; and goes on to work."""
    live = fresh_server()
    admin = live.credentials["admin"]
    for member in ("accountLocked", "accountDisabled"):
        answer = post(live, "/api/user/update-user", {"emailAddress": admin, member: True})
        (problem,) = answer["fail"][0]["errors"]
        assert (problem["code"], problem["field"]) == ("err_user_last_administrator", member)
    assert post(live, "/api/user/update-user", {"emailAddress": admin})["data"][0]["accountLocked"] is False
