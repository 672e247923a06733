"""Headers by which a client repeats a call safely, and writes only to what it has seen (ADR 0085)."""

from __future__ import annotations

import httpx2
import pytest

CREATE = "/api/directory/create-group"


@pytest.fixture
def post(server):
    keys = server.credentials
    form = {"grant_type": "client_credentials"} | {name: keys[name] for name in ("client_id", "client_secret")}
    token = httpx2.post(f"{server.http}/oauth/token", data=form).json()["access_token"]

    def post(name: str, path: str = CREATE, **headers: str) -> httpx2.Response:
        body = {"data": [{"description": name}]}
        headers = {"Authorization": f"Bearer {token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return httpx2.post(server.http + path, json=body, headers=headers)

    return post


def code(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["fail"][0]["errors"][0]["code"]


def test_a_repeated_call_has_the_same_answer(post) -> None:
    first, again = (post("Once", Idempotency_Key="one") for _ in range(2))
    assert first.content == again.content
    assert first.json()["data"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert code(post("Other", Idempotency_Key="one")) == (422, "err_idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "k" * 256, "k\u00e9y", "a\tb"])
def test_a_key_that_is_none_is_refused(post, key) -> None:
    response = post("Bad", Idempotency_Key=key.encode("latin-1"))
    assert code(response) == (400, "err_idempotency_key_invalid")
    assert response.json()["fail"][0]["errors"][0]["field"] == "Idempotency-Key"


def test_a_write_is_for_the_revision_that_was_seen(post) -> None:
    seen = post("Seen").json()["meta"]["revision"]
    assert post("Next", If_Match=f'"{seen}"').json()["meta"]["revision"] == seen + 1
    assert code(post("Late", If_Match=f'"{seen}"')) == (412, "err_revision_changed")
    for malformed in (str(seen), 'W/"1"', '"x"', "*"):
        assert code(post("Bad", If_Match=malformed)) == (400, "err_if_match_invalid")


def test_a_view_takes_neither(post) -> None:
    path = "/directory/cloud-gateway/v1/groups"
    assert code(post("View", path, Idempotency_Key="k")) == (400, "err_header_not_offered")
    assert code(post("View", path, If_Match='"1"')) == (400, "err_header_not_offered")
