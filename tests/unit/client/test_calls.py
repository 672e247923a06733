"""A call: what is sent, what is made of the answer, and what is raised."""

from __future__ import annotations

import base64
import hashlib
import hmac

import httpx2
import pytest

from mailreeve.client import Api, ApiError, Client, ClientError, Credentials, Unreachable
from mailreeve.client.auth import SignedAuth

REFUSED = {
    "key": {"sender": "x"},
    "errors": [{"code": "bad", "message": "No", "retryable": False, "field": "sender"}],
}


def test_items_are_sent_in_the_envelope_to_the_function(client, script) -> None:
    script.answers = [script.envelope({"id": "1"}, {"id": "2"})]
    assert client.call("user/create-user", {"a": 1}, {"a": 2}) == [{"id": "1"}, {"id": "2"}]
    request = script.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://mail.test/api/user/create-user")
    assert request.headers["content-type"] == "application/json"
    assert script.body() == {"data": [{"a": 1}, {"a": 2}]}


def test_path_may_have_its_prefix(client, script) -> None:
    script.answers = [script.envelope()]
    client.call("/api/account/get-account")
    assert script.requests[0].url.path == "/api/account/get-account"
    assert script.body() == {"data": []}


def test_signature_covers_date_request_id_path_and_application_key(client, script) -> None:
    """The signature is verified from the headers alone, as a server does (api.md section 2.2)."""
    script.answers = [script.envelope()]
    client.call("policy/blockedsenders/get-policy")
    headers = script.requests[0].headers
    signed = f"{headers['x-mc-date']}:{headers['x-mc-req-id']}:/api/policy/blockedsenders/get-policy:app-key"
    expected = base64.b64encode(hmac.new(b"secret", signed.encode(), hashlib.sha1).digest()).decode()
    assert headers["authorization"] == f"MC access:{expected}"
    assert headers["x-mc-app-id"] == "app-id"


def test_date_has_the_form_of_the_published_samples(keys) -> None:
    request = httpx2.Request("POST", "https://mail.test/api/x")
    next(SignedAuth(keys, clock=lambda: 784111777.0).auth_flow(request))
    assert request.headers["x-mc-date"] == "Sun, 06 Nov 1994 08:49:37 UTC"


def test_each_call_has_its_own_request_id(client, script) -> None:
    script.answers = [script.envelope(), script.envelope()]
    client.call("x/y")
    client.call("x/y")
    assert script.requests[0].headers["x-mc-req-id"] != script.requests[1].headers["x-mc-req-id"]


def test_refused_item_raises_its_error_with_code_message_and_field(client, script) -> None:
    script.answers = [script.envelope(fail=[REFUSED])]
    with pytest.raises(ApiError) as caught:
        client.call("x/y", {"sender": "x"})
    error = caught.value
    assert (error.status, error.code, error.message, error.field) == (200, "bad", "No", "sender")
    assert error.failures[0].item == {"sender": "x"}
    assert "sender" in str(error)
    assert "bad" in str(error)


def test_error_names_every_failure_and_counts_the_rest(client, script) -> None:
    """Three errors of one item are told at once; of very many, the first ten and how many more there are."""
    three = [{"code": "bad", "message": "No", "field": name} for name in ("sender", "to", "action")]
    script.answers = [script.envelope(fail=[{"key": {}, "errors": three}]), script.envelope(fail=[REFUSED] * 25)]
    with pytest.raises(ApiError) as caught:
        client.call("x/y", {})
    assert [f"bad in {name}" in str(caught.value) for name in ("sender", "to", "action")] == [True] * 3
    with pytest.raises(ApiError, match="and 15 more"):
        client.call("x/y", {})


def test_what_succeeded_beside_a_refused_item_is_not_lost(client, script) -> None:
    script.answers = [script.envelope({"id": "1"}, fail=[REFUSED, REFUSED])]
    with pytest.raises(ApiError) as caught:
        client.call("x/y", {}, {}, {})
    assert caught.value.data == ({"id": "1"},)
    assert len(caught.value.failures) == 2


def test_send_gives_rows_and_failures_side_by_side(client, script) -> None:
    script.answers = [script.envelope({"id": "1"}, fail=[REFUSED])]
    answer = client.send("x/y", {}, {})
    assert answer.data == [{"id": "1"}]
    assert [failure.code for failure in answer.failures] == ["bad"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 418, 500, 503])
def test_refused_call_raises_with_its_status(client, script, status: int) -> None:
    fail = [{"errors": [{"code": "c", "message": "m", "retryable": False}]}]
    script.answers = [script.envelope(fail=fail, status=status)]
    with pytest.raises(ApiError) as caught:
        client.call("x/y")
    assert (caught.value.status, caught.value.code, caught.value.message) == (status, "c", "m")


def test_error_right_in_the_fail_entry_is_read(client, script) -> None:
    """Bearer tokens are refused in this shape (api.md section 1.4, shape 3)."""
    script.answers = [script.envelope(fail=[{"code": "token_expired", "message": "Over"}], status=401)]
    with pytest.raises(ApiError) as caught:
        client.call("x/y")
    assert caught.value.code == "token_expired"


def test_unknown_application_is_an_error_although_its_status_is_200(client, script) -> None:
    script.answers = [
        script.envelope(fail=[{"errors": [{"code": "err_developer_key", "message": "App ID is invalid"}]}])
    ]
    with pytest.raises(ApiError, match="err_developer_key"):
        client.call("x/y")


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[]", b"\xff"])
def test_answer_that_is_no_envelope_raises_with_its_status(client, script, body: bytes) -> None:
    script.answers = [httpx2.Response(502, content=body)]
    with pytest.raises(ApiError) as caught:
        client.call("x/y")
    assert (caught.value.status, caught.value.code) == (502, "http_502")


def test_meta_status_counts_when_the_http_status_is_200(client, script) -> None:
    script.answers = [httpx2.Response(200, json={"meta": {"status": 404}, "data": [], "fail": []})]
    with pytest.raises(ApiError) as caught:
        client.call("x/y")
    assert caught.value.status == 404


def test_no_answer_raises_unreachable_and_nothing_is_repeated(client, script) -> None:
    """The server may have carried the call out, so repeating is for the caller to decide."""
    script.answers = [httpx2.ReadTimeout("slow"), script.envelope()]
    with pytest.raises(Unreachable, match="x/y"):
        client.call("x/y")
    assert len(script.requests) == 1


def test_row_of_another_form_raises(client, script) -> None:
    script.answers = [script.envelope({"id": 7})]
    with pytest.raises(ClientError, match="answer"):
        client.permit_sender("a@shop.test", "b@corp.test")


def test_pages_are_followed_to_the_last(client, script) -> None:
    """`next` is absent on the last page; each later request repeats the size and carries the token."""
    script.answers = [
        script.envelope({"n": 1}, {"n": 2}, pageSize=2, totalCount=3, next="T1"),
        script.envelope({"n": 3}, pageSize=1, totalCount=3),
    ]
    assert list(client.every("x/y", {"query": "q"}, page_size=2)) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert script.body(0) == {"data": [{"query": "q"}], "meta": {"pagination": {"pageSize": 2}}}
    assert script.body(1)["meta"] == {"pagination": {"pageSize": 2, "pageToken": "T1"}}


def test_a_page_is_fetched_only_when_it_is_asked_for(client, script) -> None:
    script.answers = [script.envelope({"n": 1}, pageSize=1, totalCount=2, next="T1")]
    first = next(client.pages("x/y"))
    assert (first.total, first.next_page, len(script.requests)) == (2, "T1", 1)


def test_a_call_without_a_page_leaves_nothing_out(client, script) -> None:
    """A list that is longer than a page is followed to its end, whatever the number of items; a page that is asked
    for comes alone."""
    script.answers = [
        script.envelope({"n": 1}, pageSize=1, totalCount=2, next="T1"),
        script.envelope({"n": 2}, pageSize=1, totalCount=2),
        script.envelope({"n": 1}, pageSize=1, totalCount=2, next="T1"),
    ]
    assert client.call("x/y", {"q": "a"}, {"q": "b"}) == [{"n": 1}, {"n": 2}]
    assert script.body(1) == {
        "data": [{"q": "a"}, {"q": "b"}],
        "meta": {"pagination": {"pageToken": "T1"}},
    }
    assert client.call("x/y", page_size=1) == [{"n": 1}]


def test_server_whose_page_tokens_go_round_does_not_hold_the_client(client, script) -> None:
    """However many they are."""
    script.answers = [script.envelope({"n": n}, pageSize=1, next=f"T{n % 3}") for n in range(9)]
    with pytest.raises(ClientError, match="over and over"):
        client.call("x/y")
    assert len(script.requests) == 4


def test_server_that_repeats_its_page_token_does_not_hold_the_client(client, script) -> None:
    script.answers = [script.envelope({"n": 1}, pageSize=1, next="T1") for _ in range(3)]
    with pytest.raises(ClientError, match="over and over"):
        list(client.every("x/y"))
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"X-RateLimit-Reset": "1500"}, 1.5),
        ({"Retry-After": "3", "X-RateLimit-Reset": "1500"}, 3.0),
        ({"Retry-After": "Tue, 24 Nov 2015 12:50:11 GMT"}, 1.0),
        ({}, 1.0),
    ],
)
def test_call_over_quota_is_repeated_when_the_server_says(client, script, headers, seconds: float) -> None:
    over = httpx2.Response(429, headers=headers, json={"meta": {"status": 429}, "data": [], "fail": []})
    script.answers = [over, script.envelope({"id": "1"})]
    assert client.call("x/y", {"a": 1}) == [{"id": "1"}]
    assert script.slept == [seconds]
    assert script.body(0) == script.body(1)
    assert script.requests[0].headers["authorization"] != script.requests[1].headers["authorization"]


def over_quota(wait: int) -> httpx2.Response:
    fail = [{"errors": [{"code": "err_rate_limit_exceeded", "message": "Too many", "retryable": True}]}]
    envelope = {"meta": {"status": 429}, "data": [], "fail": fail}
    return httpx2.Response(429, headers={"Retry-After": str(wait)}, json=envelope)


def test_repeats_for_want_of_quota_are_bounded(client, script) -> None:
    script.answers = [over_quota(1) for _ in range(5)]
    with pytest.raises(ApiError) as caught:
        client.call("x/y")
    assert caught.value.status == 429
    assert script.slept == [1.0, 1.0]


def test_a_long_wait_is_left_to_the_caller(client, script) -> None:
    script.answers = [over_quota(3600)]
    with pytest.raises(ApiError, match="err_rate_limit_exceeded"):
        client.call("x/y")
    assert script.slept == []


@pytest.mark.parametrize(
    "url",
    [
        "mail.test",
        "ftp://mail.test",
        "https://mail.test/api",
        "https://",
        "https://mail.test/?a=b",
        "http://mail.test:x",
    ],
)
def test_base_url_is_scheme_host_and_port(keys, url: str) -> None:
    """The path is signed, so a path in front of it would make every signature wrong."""
    with pytest.raises(ValueError, match="is not the address of a server"):
        Api(url, keys)


def test_credentials_are_loaded_from_what_init_prints(tmp_path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(
        '{"account_code":"C","app_id":"a","app_key":"b","access_key":"c","secret_key":"ZA==","client_id":"e",'
        '"client_secret":"f","admin":"g","admin_password":"h"}'
    )
    assert Credentials.load(file) == Credentials("a", "b", "c", "ZA==")


@pytest.mark.parametrize("text", ["", "[]", '{"app_id": "a"}', '{"app_id":"a","app_key":"b","access_key":"c"}'])
def test_file_without_credentials_is_refused_by_name(tmp_path, text: str) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"credentials\.json"):
        Credentials.load(file)


def test_secret_key_that_is_no_base64_is_refused_at_once_and_not_shown() -> None:
    with pytest.raises(ValueError, match="base64") as caught:
        Credentials("a", "b", "c", "hush hush!")
    assert "hush" not in str(caught.value)


def test_secrets_are_not_in_the_representation(keys) -> None:
    assert all(secret not in repr(keys) for secret in (keys.app_key, keys.access_key, keys.secret_key))


def test_client_is_a_context_that_closes(connect, script) -> None:
    with connect() as client:
        assert isinstance(client, Client)
    script.answers = [script.envelope()]
    with pytest.raises(RuntimeError):
        client.call("x/y")
    assert script.requests == []
