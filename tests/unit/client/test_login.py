"""Signing in with a password, the region of an account, and which calls are repeated."""

from __future__ import annotations

import base64
import json

import httpx2
import pytest

from mailreeve.client import ApiError, LoginCredentials, Unreachable, discover

SECRET = base64.b64encode(b"secret").decode()
ANN = LoginCredentials("app-id", "app-key", "ann@example.com", "pass word")


def bound(script, access: str, **more: object) -> httpx2.Response:
    return script.envelope({"accessKey": access, "bindingType": "one_step"} | more)


def ended() -> httpx2.Response:
    fail = [{"errors": [{"code": "err_xdk_binding_expired", "message": "AccessKey Has Expired"}]}]
    return httpx2.Response(418, json={"meta": {"status": 418}, "data": [], "fail": fail})


def test_login_comes_first_and_its_keys_sign(connect, script) -> None:
    """The form that public clients send (api.md section 2.4.2)."""
    client = connect(ANN)
    script.answers = [bound(script, "A", secretKey=SECRET), script.envelope(), script.envelope()]
    client.call("x/y")
    client.call("x/z")
    login, *calls = script.requests
    shown = base64.b64encode(b"ann@example.com:pass word").decode()
    assert (login.url.path, login.headers["authorization"]) == ("/api/login/login", f"Basic-Cloud {shown}")
    assert login.headers["x-mc-app-id"] == "app-id"
    assert json.loads(login.content) == {"data": [{"userName": "ann@example.com"}]}
    assert [call.headers["authorization"].partition(":")[0] for call in calls] == ["MC A", "MC A"]


def test_a_key_that_has_ended_is_renewed_and_the_call_repeated_once(connect, script) -> None:
    """The server may leave the secret out: it stays the same (api.md section 2.4.2)."""
    client = connect(ANN)
    script.answers = [bound(script, "A", secretKey=SECRET), script.envelope(), ended()]
    script.answers += [bound(script, "A"), script.envelope({"id": "1"})]
    client.call("x/y")
    assert client.call("x/y", {"a": 1}) == [{"id": "1"}]
    assert json.loads(script.requests[3].content)["data"] == [{"userName": "ann@example.com", "accessKey": "A"}]
    assert script.body() == {"data": [{"a": 1}]}


def test_a_fresh_key_that_is_refused_is_not_asked_for_again(connect, script) -> None:
    script.answers = [bound(script, "A", secretKey=SECRET), ended()]
    with pytest.raises(ApiError, match="AccessKey Has Expired"):
        connect(ANN).call("x/y")


def test_a_wrong_password_is_told(connect, script) -> None:
    fail = [{"key": {"username": "ann@example.com"}, "errors": [{"code": "err_x", "message": "Wrong"}]}]
    script.answers = [httpx2.Response(401, json={"meta": {"status": 401}, "data": [], "fail": fail})]
    with pytest.raises(ApiError, match="Wrong") as caught:
        connect(ANN).call("x/y")
    assert caught.value.status == 401


def test_a_login_that_gives_no_secret_is_told(connect, script) -> None:
    """Without one nothing can be signed."""
    script.answers = [bound(script, "A")]
    with pytest.raises(ApiError, match="secret"):
        connect(ANN).call("x/y")


def test_no_password_is_shown() -> None:
    assert "pass word" not in repr(ANN)


def test_region_is_asked_for_without_a_user(script) -> None:
    region = {"code": "eu", "api": "https://eu.test"}
    script.answers = [script.envelope({"authenticate": ["Basic-Cloud"], "region": region, "emailToken": None})]
    found = discover("ann@example.com", "app-id", transport=httpx2.MockTransport(script))
    assert (found.region.api, found.authenticate) == ("https://eu.test", ("Basic-Cloud",))
    asked = script.requests[0]
    assert str(asked.url) == "https://api.mimecast.com/api/login/discover-authentication"
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("problem", [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("slow")])
def test_what_was_never_sent_is_sent_again(client, script, problem) -> None:
    script.answers = [problem, problem, script.envelope({"id": "1"})]
    assert client.call("policy/create-x", {}) == [{"id": "1"}]
    assert script.slept == [1.0, 2.0]


@pytest.mark.parametrize("first", [httpx2.ReadError("gone"), httpx2.Response(503, json={})])
def test_what_only_looks_is_asked_again(client, script, first) -> None:
    script.answers = [first, script.envelope({"id": "1"})]
    assert client.call("policy/get-x") == [{"id": "1"}]


def test_what_changes_something_is_not_sent_twice(client, script) -> None:
    """It may have been carried out before the connection was lost, or behind the gateway."""
    script.answers = [httpx2.ReadError("gone"), httpx2.Response(503, json={})]
    with pytest.raises(Unreachable):
        client.call("policy/create-x", {})
    with pytest.raises(ApiError):
        client.call("policy/create-x", {})
    assert script.slept == []


def test_who_is_not_patient_is_told_at_once(connect, script, keys) -> None:
    script.answers = [httpx2.ConnectError("refused"), httpx2.Response(503, json={})]
    client = connect(keys, patient=False)
    with pytest.raises(Unreachable):
        client.call("policy/get-x")
    with pytest.raises(ApiError):
        client.call("policy/get-x")
    assert script.slept == []
