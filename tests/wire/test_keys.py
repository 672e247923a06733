"""Keys that `mailreeve keys` makes or revokes beside a running server count there at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailreeve.client import ApiError, Client, Credentials, OAuthCredentials

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PATIENCE = 30  # seconds; half of one is promised
FUNCTION = "account/get-account"


def keys(data, *arguments: str) -> dict:
    done = subprocess.run(
        [MAILREEVE, "keys", *arguments, "--data", data, "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def until_refused(client: Client) -> ApiError:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            assert client.call(FUNCTION)
        except ApiError as problem:
            return problem
    pytest.fail("a revoked key is still good")


@pytest.mark.parametrize("by", ["app_id", "access_key"])
def test_keys_come_and_go_while_it_serves(fresh_server, by):
    """Nobody restarts it. The keys that were there before go on."""
    live = fresh_server()
    made = keys(live.data, "new")
    with live.client() as old, Client(live.http, _signed(made)) as client:
        assert client.call(FUNCTION)
        keys(live.data, "revoke", made[by])
        assert until_refused(client).code in ("err_developer_key", "err_xdk_invalid_signature")
        assert old.call(FUNCTION)


def test_access_tokens_go_with_their_application(fresh_server):
    live = fresh_server()
    made = keys(live.data, "new")
    with Client(live.http, OAuthCredentials(made["client_id"], made["client_secret"])) as client:
        assert client.call(FUNCTION)
        keys(live.data, "revoke", made["app_id"])
        with pytest.raises(ApiError):
            client.call(FUNCTION)


def test_the_last_keys_can_be_revoked_and_new_ones_made(fresh_server):
    live = fresh_server()
    with live.client() as client:
        assert client.call(FUNCTION)
        keys(live.data, "revoke", live.credentials["app_id"])
        until_refused(client)
    with Client(live.http, _signed(keys(live.data, "new"))) as client:
        assert client.call(FUNCTION)


def _signed(made: dict) -> Credentials:
    return Credentials(**{name: made[name] for name in Credentials.__struct_fields__})
