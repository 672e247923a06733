"""What is no proper request is refused as documented (api.md section 1.5), and the server goes on serving."""

from __future__ import annotations

import http.client
import json
import random
import socket
from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.access.permissions import ROLE_PERMISSIONS, Role
from mailreeve.client import ApiError, Client, OAuthCredentials
from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire.endpoint import Admission

GET_POLICY = "/api/policy/blockedsenders/get-policy"
CREATE_POLICY = "/api/policy/blockedsenders/create-policy"
MEGABYTE = 1024 * 1024


def assert_refused(answer, status: int, code: str) -> None:
    """The answer is an envelope that refuses the whole request."""
    parsed = answer.json()
    assert (answer.status, parsed["meta"]["status"], parsed["data"]) == (status, status, [])
    assert answer.codes() == [code]
    assert "key" not in parsed["fail"][0]
    assert answer.headers["content-type"] == "application/json"


@pytest.fixture(autouse=True)
def still_serving(shared_server):
    """After each of these tests the server answers an ordinary call."""
    yield
    answer = shared_server.live.post(GET_POLICY)
    assert (answer.status, answer.json()["fail"]) == (200, [])


# ------------------------------------------------------------------------------------------------ methods, paths


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_405_and_say_what_is_allowed(shared_server, method: str) -> None:
    live = shared_server.live
    answer = live.request(method, GET_POLICY, b"{}", live.signed(GET_POLICY))
    assert_refused(answer, 405, "err_xdk_method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/policy/blockedsenders",
        "/api/policy/blockedsenders/get-policy/",
        "/api//policy/blockedsenders/get-policy",
        "/api/POLICY/blockedsenders/get-policy",
        "/api/policy/../policy/blockedsenders/get-policy",
        "/policy/blockedsenders/get-policy",
        "/api/policy/blockedsenders/get-policy%00",
        "/api/policy/blockedsenders/get-policy;x",
        "/api/" + "x" * 4000,
        "/%ff%fe",
    ],
)
def test_unknown_paths_are_404(shared_server, path: str) -> None:
    live = shared_server.live
    assert_refused(live.request("POST", path, b"{}", live.signed(path)), 404, "err_xdk_not_found")


# ------------------------------------------------------------------------------------------------ who calls


@pytest.mark.parametrize("missing", ["Authorization", "x-mc-app-id", "x-mc-date", "x-mc-req-id"])
def test_each_header_of_a_signed_call_is_needed_and_named(shared_server, missing: str) -> None:
    live = shared_server.live
    headers = live.signed(GET_POLICY)
    del headers[missing]
    answer = live.request("POST", GET_POLICY, b"{}", headers)
    assert_refused(answer, 401, "err_xdk_authorization_missing")
    if missing != "Authorization":
        assert missing in answer.json()["fail"][0]["errors"][0]["message"]


@pytest.mark.parametrize(
    "authorization",
    [
        "MC",
        "MC ",
        "MC :",
        "MC x",
        "MC x:",
        "MC :x",
        "Basic eDp5",
        "MC " + "x" * 2000 + ":y",
        "\x01",
        "é:ü",
        "MC é:ü",
    ],
)
def test_incomplete_authorization_is_401(shared_server, authorization: str) -> None:
    live = shared_server.live
    headers = live.signed(GET_POLICY) | {"Authorization": authorization.encode("latin-1")}
    answer = live.request("POST", GET_POLICY, b"{}", headers)
    if answer.headers.get("content-type") != "application/json":
        assert answer.status == 400, "only what is no HTTP may be refused before it is a request"
        return
    assert answer.status == 401
    assert answer.codes()[0] in ("err_xdk_authorization_missing", "err_xdk_invalid_signature")


def wrong_app_key(keys: dict) -> dict:
    return keys | {"app_key": "00000000-0000-0000-0000-000000000000"}


def wrong_secret_key(keys: dict) -> dict:
    return keys | {"secret_key": "eHh4"}


def unknown_access_key(keys: dict) -> dict:
    return keys | {"access_key": keys["access_key"][:-1]}


@pytest.mark.parametrize("spoil", [wrong_app_key, wrong_secret_key, unknown_access_key])
def test_wrong_keys_are_401_and_look_alike(shared_server, spoil) -> None:
    """As recorded: all three give the same text (api.md section 1.6)."""
    live = shared_server.live
    headers = live.signed(GET_POLICY, keys=spoil(live.credentials))
    answer = live.request("POST", GET_POLICY, b"{}", headers)
    assert_refused(answer, 401, "err_xdk_invalid_signature")
    assert answer.json()["fail"][0]["errors"] == [
        {"code": "err_xdk_invalid_signature", "message": "0004 Invalid Signature", "retryable": False}
    ]


def test_keys_of_two_accounts_do_not_mix(shared_server) -> None:
    """The application of one account with a user of another is no caller at all."""
    live = shared_server.live
    mixed = shared_server.foreign | {name: live.credentials[name] for name in ("app_id", "app_key")}
    assert_refused(
        live.request("POST", GET_POLICY, b"{}", live.signed(GET_POLICY, keys=mixed)),
        401,
        "err_xdk_invalid_signature",
    )


@pytest.mark.parametrize("part", ["x-mc-date", "x-mc-req-id"])
def test_header_changed_after_signing_is_401(shared_server, part: str) -> None:
    live = shared_server.live
    headers = live.signed(GET_POLICY)
    # The same moment, or as good an id, in other characters.
    headers[part] = headers[part].replace("UTC", "GMT") if part == "x-mc-date" else headers[part].upper()
    assert_refused(live.request("POST", GET_POLICY, b"{}", headers), 401, "err_xdk_invalid_signature")


def test_signature_for_one_path_is_no_good_for_another(shared_server) -> None:
    live = shared_server.live
    answer = live.request("POST", CREATE_POLICY, b"{}", live.signed(GET_POLICY))
    assert_refused(answer, 401, "err_xdk_invalid_signature")


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24 * 365, 60 * 24 * 365])
def test_clock_skew_beyond_the_window_is_401_and_said(shared_server, minutes: int) -> None:
    live = shared_server.live
    date = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%a, %d %b %Y %H:%M:%S UTC")
    answer = live.request("POST", GET_POLICY, b"{}", live.signed(GET_POLICY, date=date))
    assert_refused(answer, 401, "err_xdk_date_out_of_range")
    assert ("ahead" if minutes > 0 else "behind") in answer.json()["fail"][0]["errors"][0]["message"]


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clock_skew_within_the_window_is_served(shared_server, minutes: int) -> None:
    live = shared_server.live
    date = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%a, %d %b %Y %H:%M:%S UTC")
    assert live.request("POST", GET_POLICY, b"{}", live.signed(GET_POLICY, date=date)).status == 200


@pytest.mark.parametrize(
    "date", ["now", "0", "2015-11-24T12:50:11Z", "Tue, 99 Nov 2015 12:50:11 UTC", "x" * 1024, "é", "Nov"]
)
def test_date_that_is_none_is_401(shared_server, date: str) -> None:
    live = shared_server.live
    headers = live.signed(GET_POLICY, date=date)
    headers["x-mc-date"] = date.encode("latin-1")
    answer = live.request("POST", GET_POLICY, b"{}", headers)
    assert answer.status == 401
    assert answer.codes()[0] in ("err_xdk_date_out_of_range", "err_xdk_invalid_signature")
    # The same text will be no date later either; a date that is only too far off may do.
    assert answer.json()["fail"][0]["errors"][0]["retryable"] is False


@pytest.mark.parametrize("app_id", ["x", "00000000-0000-0000-0000-000000000000", "' OR 1=1 --"])
def test_unknown_application_is_200_with_its_own_code(shared_server, app_id: str) -> None:
    """As recorded: HTTP 200, and the id in the text (api.md section 1.6)."""
    live = shared_server.live
    answer = live.request(
        "POST", GET_POLICY, b"{}", live.signed(GET_POLICY, keys=live.credentials | {"app_id": app_id})
    )
    assert_refused(answer, 200, "err_developer_key")
    assert answer.json()["fail"][0]["errors"][0]["message"] == f"App ID is invalid: {app_id}"


def test_expired_binding_is_418_with_the_text_that_clients_look_for(shared_server) -> None:
    live = shared_server.live
    answer = live.request("POST", GET_POLICY, b"{}", live.signed(GET_POLICY, keys=shared_server.expired))
    assert_refused(answer, 418, "err_xdk_binding_expired")
    assert "AccessKey Has Expired" in answer.json()["fail"][0]["errors"][0]["message"]


@pytest.mark.parametrize("flag", ["accountLocked", "accountDisabled"])
def test_locked_or_disabled_user_is_401_at_once(shared_server, flag: str) -> None:
    keys = shared_server.roles[Role.HELP_DESK]
    with shared_server.live.client() as admin, shared_server.live.client(keys) as user:
        user.call(GET_POLICY)
        admin.call("user/update-user", {"emailAddress": keys["admin"], flag: True})
        try:
            with pytest.raises(ApiError) as caught:
                user.call(GET_POLICY)
        finally:
            admin.call("user/update-user", {"emailAddress": keys["admin"], flag: False})
        user.call(GET_POLICY)
    assert (caught.value.status, caught.value.code) == (401, "err_xdk_account_disabled")


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role.name if role else "no role")
def test_role_opens_its_functions_and_no_others(shared_server, role: Role | None) -> None:
    """A refused caller reads which permission is missing (behaviour.md D-37)."""
    keys = shared_server.roles[role]
    held = ROLE_PERMISSIONS[role] if role else frozenset()
    refused = 0
    with shared_server.live.client(keys) as client:
        # Who signs in has no role yet; and who signs out would leave the other tests without keys.
        called = [one for one in ENDPOINTS if one.admits is Admission.CALLERS and one.path != "login/logout"]
        for endpoint in called:
            # Sent is an item without members. Where some are needed it is refused as an item, which is no matter
            # of permission.
            if endpoint.permissions and held.isdisjoint(endpoint.permissions) and not endpoint.own:
                with pytest.raises(ApiError) as caught:
                    client.send(endpoint.path)
                assert (caught.value.status, caught.value.code) == (403, "err_xdk_forbidden"), endpoint.path
                assert " or ".join(endpoint.permissions) in caught.value.message
                refused += 1
            else:
                client.send(endpoint.path)
    assert (refused == 0) == (role is Role.SUPER_ADMINISTRATOR)
    others = sum(bool(endpoint.permissions) and not endpoint.own for endpoint in called)
    assert (refused == others) == (role is None)


def test_application_with_a_token_has_its_own_role(shared_server) -> None:
    """A token's caller is the application itself, not its user (api.md section 2.6)."""
    keys = shared_server.roles[None]
    oauth = OAuthCredentials(keys["client_id"], keys["client_secret"])
    with Client(shared_server.live.http, oauth) as application:
        assert application.call(GET_POLICY)
        with pytest.raises(ApiError) as caught:
            application.call(CREATE_POLICY)
    assert (caught.value.status, caught.value.code) == (403, "err_xdk_forbidden")


# ------------------------------------------------------------------------------------------------ bodies

BROKEN = {
    "truncated": b'{"data": [{"id": "x"',
    "text": b"hello",
    "number": b"7",
    "string": b'"data"',
    "list": b"[]",
    "null": b"null",
    "data null": b'{"data": null}',
    "data text": b'{"data": "x"}',
    "data number": b'{"data": 1}',
    "item null": b'{"data": [null]}',
    "item text": b'{"data": ["x"]}',
    "item list": b'{"data": [[]]}',
    "not utf-8": b'{"data": [{"id": "\xff\xfe"}]}',
    "lone surrogate": b'{"data": [{"id": "\\ud800"}]}',
    "utf-16": '{"data": []}'.encode("utf-16"),
    "nan": b'{"data": [{"id": NaN}]}',
    "nul": b"\x00",
    "html": b"<html></html>",
    "xml": b"<?xml version='1.0'?><data/>",
    "python with code": b"{'data': [__import__('os').getpid()]}",
    "python set": b"{'data': [{'id': {1, 2}}]}",
    "python bytes": b"{'data': [{'id': b'x'}]}",
    "python tuple keys": b"{'data': [{(1, 2): 3}]}",
    "deep list": b'{"data": ' + b"[" * 100_000,
    "deep closed list": b'{"data": [{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    "deep object": b'{"data": [' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]}",
    "deep python": b"{'data': " + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "python operators": b"{'data': [" + b"-" * 50_000 + b"1]}",
    "python power": b"{'data': [{'id': 9**9**9}]}",
    "python digits": b"{'data': [{'id': " + b"9" * 10_000 + b"}]}",
    "gzip": bytes.fromhex("1f8b0800000000000003ab564a492c49b28a8ead0500a8c8e4ea0c000000"),
    "pagination text": b'{"meta": {"pagination": "x"}}',
    "pagination list": b'{"meta": {"pagination": [1]}}',
    "size text": b'{"meta": {"pagination": {"pageSize": "many"}}}',
    "size negative": b'{"meta": {"pagination": {"pageSize": -1}}}',
    "size fraction": b'{"meta": {"pagination": {"pageSize": 1.5}}}',
    "size true": b'{"meta": {"pagination": {"pageSize": true}}}',
    "size object": b'{"meta": {"pagination": {"pageSize": {}, "page_size": {"a": 1}}}}',
    "token number": b'{"meta": {"pagination": {"pageToken": 7}}}',
    "token nonsense": b'{"meta": {"pagination": {"pageToken": "None"}}}',
    "token of offsets": b'{"meta": {"pagination": {"pageSize": 10, "pageToken": "MTAuMTAwMDAwMA"}}}',
    "token of a megabyte": b'{"meta": {"pagination": {"pageToken": "' + b"A" * 1_000_000 + b'"}}}',
    "token unicode": '{"meta": {"pagination": {"pageToken": "é"}}}'.encode(),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_broken_body_is_400(shared_server, body: bytes) -> None:
    answer = shared_server.live.post(GET_POLICY, body)
    if answer.status == 200:
        # What could still be read as a request is answered item by item.
        assert answer.json()["data"] == []
        assert answer.json()["fail"][0]["errors"][0]["field"]
        return
    assert answer.status == 400
    parsed = answer.json()
    assert (parsed["meta"]["status"], parsed["data"]) == (400, [])
    assert answer.codes()[0] in ("err_deserialise", "err_pagination_invalid")


def test_huge_page_size_is_cut_to_the_greatest(shared_server) -> None:
    answer = shared_server.live.post(GET_POLICY, b'{"meta": {"pagination": {"pageSize": 100000000000000000000}}}')
    assert (answer.status, answer.json()["fail"]) == (200, [])


def test_too_many_items_are_400(shared_server) -> None:
    answer = shared_server.live.post(GET_POLICY, json.dumps({"data": [{}] * 501}).encode())
    assert_refused(answer, 400, "err_data_too_many_items")


def test_body_of_fifty_megabytes_is_413_and_the_answer_can_be_read(shared_server) -> None:
    """The client sends it all before it reads, as most do; the refusal must not be lost to a reset connection."""
    answer = shared_server.live.post(GET_POLICY, b'{"data": ["' + b"x" * (50 * MEGABYTE) + b'"]}')
    assert_refused(answer, 413, "err_request_too_large")


def test_body_announced_as_huge_is_413_before_it_is_sent(shared_server) -> None:
    live = shared_server.live
    headers = live.signed(GET_POLICY) | {"Content-Length": str(10**12)}
    assert_refused(live.request("POST", GET_POLICY, None, headers), 413, "err_request_too_large")


def test_chunked_body_of_no_announced_length_is_413_too(shared_server) -> None:
    live = shared_server.live
    connection = live.connect()
    chunk = b"x" * MEGABYTE
    connection.request(
        "POST", GET_POLICY, (chunk for _ in range(20)), live.signed(GET_POLICY), encode_chunked=True
    )
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["fail"][0]["errors"][0]["code"] == "err_request_too_large"
    connection.close()


@pytest.mark.parametrize(
    "length", ["-1", "1e3", "0x10", "99999999999999999999999999", "1, 2", "", "\u0661".encode().decode("latin-1")]
)
def test_nonsense_content_length_is_refused(shared_server, length: str) -> None:
    live = shared_server.live
    try:
        answer = live.request("POST", GET_POLICY, None, live.signed(GET_POLICY) | {"Content-Length": length})
    except (http.client.HTTPException, ConnectionError):
        return
    assert answer.status in (400, 413)


def test_call_that_breaks_off_in_the_body_changes_nothing(shared_server) -> None:
    """A connection that ends early is no request: a policy cut off in the middle is not made."""
    live = shared_server.live
    item = {"option": "block_sender", "policy": {"description": "half", "from": {"type": "everyone"}}}
    body = json.dumps({"data": [item]}).encode()
    before = [p["id"] for p in live.post(GET_POLICY).json()["data"]]
    host, _, port = live.http.removeprefix("http://").rpartition(":")
    head = [f"POST {CREATE_POLICY} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in live.signed(CREATE_POLICY).items()]
    raw = "\r\n".join([*head, "", ""]).encode() + body
    for cut in (10, len(raw) - len(body), len(raw) - len(body) // 2, len(raw) - 1):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(raw[:cut])
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(30)
            assert not connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert [p["id"] for p in live.post(GET_POLICY).json()["data"]] == before


def test_garbage_instead_of_http_leaves_the_server_serving(shared_server) -> None:
    live = shared_server.live
    host, _, port = live.http.removeprefix("http://").rpartition(":")
    dice = random.Random(7)
    for garbage in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"\r\n" * 1000,
        dice.randbytes(10_000),
        b"POST / HTTP/9.9\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            try:
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                assert not connection.recv(65536).startswith(b"HTTP/1.1 5")
            except ConnectionError:
                pass  # Closed on us, which is an answer as well.


def test_headers_without_end_are_cut_off(shared_server) -> None:
    live = shared_server.live
    host, _, port = live.http.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"POST {GET_POLICY} HTTP/1.1\r\n".encode())
        endless = b"".join(b"x-%d: " % n + b"y" * 1024 + b"\r\n" for n in range(8192))
        with pytest.raises(ConnectionError):
            connection.sendall(endless)


# ------------------------------------------------------------------------------------------------ the quota


def test_calls_over_quota_are_429_with_the_headers_that_clients_read(fresh_server) -> None:
    """Limit, remaining, and milliseconds to the reset, on every answer (api.md section 1.7)."""
    live = fresh_server(MAILREEVE_RATE_LIMIT="3", MAILREEVE_RATE_WINDOW_MS="600000")
    answers = [live.post(GET_POLICY) for _ in range(5)]
    assert [a.status for a in answers] == [200, 200, 200, 429, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0", "0"]
    assert {a.headers["x-ratelimit-limit"] for a in answers} == {"3"}
    assert all(0 < int(a.headers["x-ratelimit-reset"]) <= 600_000 for a in answers)
    assert_refused(answers[3], 429, "err_rate_limit_exceeded")
    assert answers[3].json()["fail"][0]["errors"][0]["retryable"] is True
    assert int(answers[3].headers["retry-after"]) >= 1


def test_guessing_keys_is_slowed_down_by_address(fresh_server) -> None:
    """Refused calls count against the address that they come from, whoever they claim to be."""
    live = fresh_server(MAILREEVE_RATE_WINDOW_MS="600000")
    statuses = [
        live.request(
            "POST", GET_POLICY, b"{}", live.signed(GET_POLICY, keys=wrong_secret_key(live.credentials))
        ).status
        for _ in range(250)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert set(statuses) == {401, 429}
