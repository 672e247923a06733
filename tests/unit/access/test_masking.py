"""What is not repeated of a refused item."""

from __future__ import annotations

import json

import pytest

from mailreeve.access.masking import LONGEST, MASK, MAX_DEPTH, masked


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "PASSWORD",
        "newPassword",
        "old_password",
        "secretKey",
        "accessKey",
        "access_key",
        "client_secret",
        "clientSecret",
        "Authorization",
        "accessToken",
        "refresh_token",
        "tokens",
        "apiKey",
        "app-key",
    ],
)
def test_secrets_are_masked_at_every_depth(name: str) -> None:
    """In objects and lists, and whatever a client puts there instead of a text."""
    for value in ("hunter2", ["hunter2"], {"value": "hunter2"}, 12345678):
        item = {name: value, "a": {name: value}, "b": [{"c": [[{name: value}]]}], "kept": "x"}
        shown = masked(item)
        assert shown == {name: MASK, "a": {name: MASK}, "b": [{"c": [[{name: MASK}]]}], "kept": "x"}


@pytest.mark.parametrize(
    "name", ["forcePasswordChange", "passwordNeverExpires", "pageToken", "secretary", "keyword"]
)
def test_what_is_no_secret_is_told(name: str) -> None:
    assert masked({name: "true"}) == {name: "true"}
    assert masked({"password": None}) == {"password": None}


def test_what_lies_too_deep_is_left_out() -> None:
    """Such an item is refused; its echo does not need a stack of its depth."""
    item: dict[str, object] = {"password": "hunter2"}
    for _ in range(5000):
        item = {"a": [item]}
    shown = json.dumps(masked(item))
    assert "hunter2" not in shown
    assert shown.count("{") <= MAX_DEPTH


def test_secrets_in_a_text_that_is_json_are_masked() -> None:
    """Of clients that encode twice, at any depth; what holds none is told to the letter."""
    inner = json.dumps({"emailAddress": "ann@corp.test", "password": "hunter2"})
    shown = masked({"data": inner, "b": [f" [{inner}]"], "c": json.dumps({"again": inner})})
    assert "hunter2" not in json.dumps(shown)
    assert json.loads(shown["data"]) == {"emailAddress": "ann@corp.test", "password": MASK}
    for text in ('{"a":  1}', "[1, 2", "{not json}", "[2001:db8::1]", "{}", '"password"'):
        assert masked({"value": text}) == {"value": text}


def test_a_long_text_that_looks_like_json_is_left_out() -> None:
    """To read it would take its time."""
    assert masked({"value": "[" + " " * LONGEST}) == {"value": MASK}
    deep = "[" * 60_000
    assert masked({"value": deep}) == {"value": deep}
