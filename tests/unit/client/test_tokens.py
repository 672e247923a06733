"""Access tokens: fetched when needed, kept, renewed in time, and once more when refused."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx2
import pytest

from mailreeve.client import ApiError, OAuthCredentials
from mailreeve.client.auth import MARGIN, TokenAuth


def given(token: str, life: float = 1799) -> httpx2.Response:
    body = {"access_token": token, "token_type": "Bearer", "expires_in": life, "scope": ""}
    return httpx2.Response(200, json=body)


def expired() -> httpx2.Response:
    fail = [{"code": "token_expired", "message": "The access token has expired"}]
    return httpx2.Response(401, json={"meta": {"status": 401}, "data": [], "fail": fail})


def test_token_is_fetched_once_for_many_calls(connect, script, oauth) -> None:
    client = connect(oauth)
    script.answers = [given("T"), script.envelope(), script.envelope()]
    client.call("x/y")
    client.call("x/z")
    fetched, *calls = script.requests
    assert str(fetched.url) == "https://mail.test/oauth/token"
    assert parse_qs(fetched.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["client-id"],
        "client_secret": ["client-secret"],
    }
    assert "authorization" not in fetched.headers
    assert [call.headers["authorization"] for call in calls] == ["Bearer T", "Bearer T"]


def test_token_is_renewed_before_it_ends(script, oauth) -> None:
    """A token near its end could be refused on its way, so it is not used for the last minute."""
    now = [0.0]
    http = httpx2.Client(auth=TokenAuth(oauth, clock=lambda: now[0]), transport=httpx2.MockTransport(script))
    script.answers = [given("A", 100), script.envelope(), script.envelope(), given("B", 100), script.envelope()]
    http.post("https://mail.test/api/x")
    now[0] = 100 - MARGIN - 0.1
    http.post("https://mail.test/api/x")
    now[0] = 100 - MARGIN
    http.post("https://mail.test/api/x")
    tokens = [r.headers["authorization"] for r in script.requests if r.url.path == "/api/x"]
    assert tokens == ["Bearer A", "Bearer A", "Bearer B"]


def test_refused_token_is_fetched_anew_once_and_the_call_repeated(connect, script, oauth) -> None:
    client = connect(oauth)
    script.answers = [given("A"), script.envelope(), expired(), given("B"), script.envelope({"id": "1"})]
    client.call("x/y")
    assert client.call("x/y", {"a": 1}) == [{"id": "1"}]
    assert script.requests[-1].headers["authorization"] == "Bearer B"
    assert script.body() == {"data": [{"a": 1}]}


def test_fresh_token_that_is_refused_is_not_tried_again(connect, script, oauth) -> None:
    client = connect(oauth)
    script.answers = [given("A"), expired()]
    with pytest.raises(ApiError) as caught:
        client.call("x/y")
    assert (caught.value.status, caught.value.code) == (401, "token_expired")
    assert script.answers == []


def test_refused_client_raises_and_the_call_is_not_made(connect, script, oauth) -> None:
    """Calling on without a token would only hide the reason (clients.md has one that does)."""
    client = connect(oauth)
    script.answers = [httpx2.Response(401, json={"error": "invalid_client", "fail": []})]
    with pytest.raises(ApiError) as caught:
        client.call("x/y")
    assert (caught.value.status, caught.value.code) == (401, "invalid_client")
    assert len(script.requests) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"access_token": 7}'])
def test_token_answer_of_another_form_raises(connect, script, oauth, body: bytes) -> None:
    client = connect(oauth)
    script.answers = [httpx2.Response(200, content=body)]
    with pytest.raises(ApiError, match="token request"):
        client.call("x/y")


def test_missing_life_counts_as_the_documented_half_hour(connect, script, oauth) -> None:
    client = connect(oauth)
    script.answers = [httpx2.Response(200, json={"access_token": "T"}), script.envelope(), script.envelope()]
    client.call("x/y")
    client.call("x/y")
    assert len(script.requests) == 3


def test_secret_is_not_in_the_representation_and_is_loaded_from_the_same_file(tmp_path, oauth) -> None:
    file = tmp_path / "credentials.json"
    file.write_text('{"app_id": "a", "client_id": "client-id", "client_secret": "client-secret"}')
    loaded = OAuthCredentials.load(file)
    assert loaded == oauth
    assert "client-secret" not in repr(loaded)
