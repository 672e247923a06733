"""Users with a password get keys, as the clients in the wild do it (clients.md), whatever their headers lack."""

from __future__ import annotations

import base64
import json

import pytest

from mailreeve.client import Credentials

ANN, PASSWORD = "ann@corp.test", "a good password: yes"
WRONG = 401, "err_login_failed"


@pytest.fixture(scope="module")
def live(server):
    with server.client() as client:
        client.call("user/create-user", {"emailAddress": ANN, "password": PASSWORD})
    return server


def basic(user: str = ANN, password: str = PASSWORD, scheme: str = "Basic-Cloud") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def post(live, function: str, body: bytes | str, headers: dict[str, str]):
    """Status and decoded answer. There is no Content-Type but where it is among the headers."""
    reply = live.request(
        "POST", f"/api/{function}", body.encode() if isinstance(body, str) else body,
        {"x-mc-app-id": live.credentials["app_id"]} | headers,
    )  # fmt: skip
    return reply.status, json.loads(reply.body)


def log_in(live, **item: str) -> dict:
    status, answer = post(live, "login/login", json.dumps({"data": [{"userName": ANN} | item]}), basic())
    assert (status, answer["fail"]) == (200, [])
    return answer["data"][0]


def keys(live, given: dict) -> Credentials:
    names = ("app_id", "app_key")
    return {name: live.credentials[name] for name in names} | {
        "access_key": given["accessKey"], "secret_key": given["secretKey"],
    }  # fmt: skip


def signed(live, function: str, given: dict, body: str = "{}"):
    path = f"/api/{function}"
    reply = live.request("POST", path, body.encode(), live.signed(path, keys=keys(live, given)))
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    ("form", "headers", "body"),
    [
        ("bsdkid", {"x-mc-req-id": "1"}, '{"data": [{"username": "ann@corp.test"}]}'),
        ("demisto", {"Content-Type": "application/json"}, "{'data': [{'userName': 'ann@corp.test'}]}"),
        ("soar", {"x-mc-req-id": "1", "x-mc-date": "soon"}, '{"data": [{"userName": "ann@corp.test"}]}'),
        ("nothing in the body", {}, ""),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)
@pytest.mark.parametrize("scheme", ["Basic-Cloud", "basic-cloud"])
def test_clients_sign_in_and_call(live, form, headers, body, scheme) -> None:
    status, answer = post(live, "login/login", body, basic(scheme=scheme) | headers)
    assert (status, answer["meta"]["status"], answer["fail"]) == (200, 200, [])
    (given,) = answer["data"]
    assert len(base64.b64decode(given["secretKey"])) == 64
    assert (given["bindingType"], given["duration"], given["extendOnValidate"]) == ("one_step", 259_200_000, False)
    assert given["username"] == ANN
    _, answer = signed(live, "ext/get-my-keys", given)
    assert given["accessKey"] in [one["accessKey"] for one in answer["data"]]


def test_discovery_is_alike_for_everybody(live) -> None:
    """With and without credentials, for users and others; the region is where the client called."""
    answers = []
    for address, headers in ((ANN, {}), ("ghost@corp.test", basic()), ("x@far.test", basic(password="wrong"))):
        body = json.dumps({"data": [{"emailAddress": address}]})
        status, answer = post(live, "login/discover-authentication", body, headers)
        assert status == 200
        (found,) = answer["data"]
        assert found.pop("emailAddress") == address
        assert found.pop("emailToken") not in ("", address)
        answers.append(found)
    assert answers[0] == answers[1] == answers[2]
    assert answers[0] == {"authenticate": ["Basic-Cloud"], "region": {"code": "local", "api": live.http}}


def test_more_time_keeps_the_keys(live) -> None:
    given = log_in(live)
    again = log_in(live, accessKey=given["accessKey"])
    assert (again["accessKey"], again["secretKey"]) == (given["accessKey"], given["secretKey"])
    assert log_in(live)["accessKey"] != given["accessKey"]


@pytest.mark.parametrize("form", ["json", "form", "nothing"])
def test_keys_that_were_given_back_are_void(live, form: str) -> None:
    """bsdkid posts a form, of which nothing is read: the keys of the call are meant."""
    given = log_in(live)
    body = {"json": json.dumps({"data": [{"accessKey": given["accessKey"]}]}),
            "form": f"data={given['accessKey']}", "nothing": ""}[form]  # fmt: skip
    assert signed(live, "login/logout", given, body)[0] == 200
    status, answer = signed(live, "user/get-profile", given)
    assert (status, answer["fail"][0]["errors"][0]["code"]) == (401, "err_xdk_invalid_signature")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (basic(password="wrong"), WRONG),
        (basic(user="ghost@corp.test"), WRONG),
        (basic(user="no address"), WRONG),
        (basic(user="user@far.test"), WRONG),
        (basic(password=PASSWORD + "x" * 400), WRONG),
        (basic(scheme="Basic-Ad"), (401, "err_login_scheme")),
        (basic(scheme="Basic"), (401, "err_xdk_authorization_missing")),
        ({}, (401, "err_xdk_authorization_missing")),
        ({"Authorization": "Basic-Cloud ???"}, (401, "err_xdk_authorization_missing")),
        (basic() | {"x-mc-app-id": "none"}, (200, "err_developer_key")),
    ],
)
def test_who_is_not_let_in(live, headers, expected) -> None:
    """A user who is not there and a wrong password are told alike."""
    status, answer = post(live, "login/login", "{}", headers)
    (failure,) = answer["fail"]
    assert (status, failure["errors"][0]["code"]) == expected
    if expected == WRONG:
        assert failure["errors"][0]["message"] == "0002 The user name or the password is wrong"
        assert failure["key"] == {
            "username": base64.b64decode(headers["Authorization"][12:]).decode().split(":")[0]
        }


def test_only_passwords_sign_in(live) -> None:
    """Neither a signature nor another method does; and a password does nothing else."""
    assert signed(live, "login/login", log_in(live))[0] == 401
    assert post(live, "user/get-profile", "{}", basic())[0] == 401
    assert live.request("GET", "/api/login/login", None, basic()).status == 405


def test_a_password_is_changed_with_the_one_before(live) -> None:
    """Keys that were got with the one before have expired; those of a new sign-in are good."""
    with live.client() as admin:
        admin.call("user/create-user", {"emailAddress": "bob@corp.test", "password": "given by an administrator",
                                        "forcePasswordChange": True})  # fmt: skip
    old, new = (basic("bob@corp.test", text) for text in ("given by an administrator", "chosen by Bob himself"))
    assert post(live, "login/login", "{}", old)[1]["fail"][0]["errors"][0]["code"] == "err_login_password_change"
    body = json.dumps({"data": [{"newPassword": "chosen by Bob himself"}]})
    assert post(live, "ext/change-password", body, old)[1]["fail"] == []
    assert post(live, "login/login", "{}", old)[0] == 401
    _, answer = post(live, "login/login", "{}", new)
    (given,) = answer["data"]
    assert signed(live, "account/get-account", given)[0] in (200, 403)
    assert post(live, "ext/change-password", body, new)[1]["fail"] == []
    status, answer = signed(live, "account/get-account", given)
    (error,) = answer["fail"][0]["errors"]
    assert (status, error["code"], error["message"]) == (418, "err_xdk_binding_expired", "AccessKey Has Expired")


def test_a_user_sees_and_takes_back_own_keys(live) -> None:
    given, other = log_in(live), log_in(live)
    _, answer = signed(live, "ext/get-my-keys", given)
    mine = {one["accessKey"]: one for one in answer["data"]}
    assert mine[given["accessKey"]]["isThis"]
    assert not mine[other["accessKey"]]["isThis"]
    assert "secretKey" not in json.dumps(answer)
    body = json.dumps({"data": [{"accessKey": other["accessKey"]}]})
    assert signed(live, "ext/revoke-my-key", given, body)[1]["fail"] == []
    assert signed(live, "user/get-profile", other)[0] == 401


def test_signing_in_and_out_is_in_the_audit_log(live) -> None:
    given = log_in(live)
    signed(live, "login/logout", given)
    with live.client() as admin:
        found = admin.call("audit/get-audit-events", {
            "startDateTime": "2020-01-01T00:00:00+0000", "endDateTime": "2100-01-01T00:00:00+0000",
            "categories": ["authentication_logs"]})  # fmt: skip
    assert [(one["auditType"], one["user"]) for one in found[:2]] == [
        ("User Logged Out", ANN), ("User Logged On", ANN)]  # fmt: skip
    assert given["secretKey"] not in json.dumps(found)
