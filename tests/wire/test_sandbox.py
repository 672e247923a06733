"""The sandbox as those who test an integration have it: fixtures, faults, requests, a clock, and no trace."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from mailreeve.app.sandbox.contents import CREDENTIALS
from mailreeve.app.sandbox.serving import MEMORY, PREFIX
from mailreeve.client import ApiError, Client, OAuthCredentials, Unreachable
from mailreeve.testing import NotServing, Sandbox, sandbox

ACCOUNT = "account/get-account"
MAILREEVE = Path(sys.executable).with_name("mailreeve")


def raw(mailreeve: Sandbox, method: str, path: str, body: object = None) -> httpx2.Response:
    with httpx2.Client(base_url=mailreeve.url) as web:
        return web.request(method, path, content=None if body is None else json.dumps(body))


def test_it_begins_with_people_lists_and_mail(mailreeve) -> None:
    with mailreeve.client() as api:
        assert api.call(ACCOUNT)[0]["accountCode"] == CREDENTIALS.account_code
        assert {"ann@sandbox.test", "bob@sandbox.test", "cat@sandbox.test"} == mailreeve.people.keys()
        (held,) = api.call("gateway/get-hold-message-list", {"admin": True})
        assert held["subject"] == "Please pay this today"
        records = api.call("ext/find-mail-records", {})
        assert [one["verdict"] for one in records] == ["rejected", "held", "delivered", "delivered"]
        api.call("gateway/hold-release", {"id": held["id"]})
    with Client(mailreeve.url, OAuthCredentials(CREDENTIALS.client_id, CREDENTIALS.client_secret)) as api:
        assert api.call(ACCOUNT)


def test_requests_are_recorded_without_what_proves_who_calls(mailreeve) -> None:
    with mailreeve.client() as api:
        api.call("user/get-profile", {"emailAddress": "ann@sandbox.test"})
    (one,) = mailreeve.requests()
    assert (one["method"], one["path"], one["status"]) == ("POST", "/api/user/get-profile", 200)
    assert json.loads(one["body"])["data"] == [{"emailAddress": "ann@sandbox.test"}]
    assert one["headers"]["authorization"] == "MC …"
    assert CREDENTIALS.access_key not in json.dumps(one)
    assert mailreeve.requests("/api/other") == []
    mailreeve.reset()
    assert mailreeve.requests() == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("418", 418, "err_xdk_binding_expired"),
        ("503", 503, "err_service_unavailable"),
        ("token_expired", 401, "token_expired"),
    ],
)
def test_a_fault_looks_like_the_real_one_and_is_over_after_so_many(mailreeve, fault, status, code) -> None:
    mailreeve.fail(fault, times=2, path="/api/account/")
    with mailreeve.client() as api:
        api.call("user/get-profile", {"emailAddress": "ann@sandbox.test"})  # another path
        for _ in range(2):
            with pytest.raises(ApiError) as caught:
                api.call(ACCOUNT)
            assert (caught.value.status, caught.value.code) == (status, code)
        assert api.call(ACCOUNT)
    assert [one["fault"] for one in mailreeve.requests("/api/account/")] == [fault, fault, ""]


def test_over_quota_says_when_to_come_again(mailreeve) -> None:
    mailreeve.fail("429", seconds=7)
    answer = raw(mailreeve, "POST", f"/api/{ACCOUNT}", {})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["x-ratelimit-reset"] == "7000"
    assert answer.json()["fail"][0]["errors"][0]["code"] == "err_rate_limit_exceeded"


def test_an_answer_can_be_late_and_a_connection_can_break(mailreeve) -> None:
    mailreeve.fail("slow", seconds=0.3)
    with mailreeve.client() as api:
        began = time.monotonic()
        assert api.call(ACCOUNT)
        assert time.monotonic() - began >= 0.3
    mailreeve.fail("drop")
    with mailreeve.client() as api:
        with pytest.raises(Unreachable):
            api.call(ACCOUNT)
        assert api.call(ACCOUNT)


def test_the_clock_of_what_is_kept_can_be_set(mailreeve) -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    mailreeve.set_clock(later)
    with mailreeve.client() as api:
        (made,) = api.call("domain/create-domain", {"domain": f"d{time.monotonic_ns()}.test"})
    assert made["created"][:10] == later.isoformat()[:10]
    mailreeve.set_clock(advance=86_400)
    told = raw(mailreeve, "GET", "/sandbox/clock").json()["now"]
    assert told[:10] == (later + timedelta(days=1)).isoformat()[:10]
    mailreeve.reset()
    now = datetime.fromisoformat(raw(mailreeve, "GET", "/sandbox/clock").json()["now"])
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("method", "page", "body", "status"),
    [
        ("POST", "faults", {"fault": "meteor"}, 400),
        ("POST", "faults", {"fault": "503", "times": 0}, 400),
        ("POST", "faults", {"fault": "503", "tims": 2}, 400),
        ("POST", "faults", [{"fault": "503"}] * 101, 400),
        ("POST", "clock", {"at": "soon"}, 400),
        ("POST", "clock", {"advance": 1e30}, 400),
        ("POST", "faults", "x" * 70_000, 400),
        ("GET", "nothing", None, 404),
        ("PUT", "faults", {}, 404),
    ],
)
def test_what_is_asked_wrongly_is_refused_and_changes_nothing(mailreeve, method, page, body, status) -> None:
    answer = raw(mailreeve, method, f"/sandbox/{page}", body)
    assert (answer.status_code, "error" in answer.json()) == (status, True)
    assert raw(mailreeve, "GET", "/sandbox/faults").json() == []


def test_it_starts_quickly_is_gone_without_a_trace_and_begins_anew(monkeypatch) -> None:
    """Also where the environment is that of a real server, which has no say."""

    def folders() -> set[str]:
        return {one.name for one in MEMORY.glob(f"{PREFIX}*")}

    before = folders()
    with sandbox() as first, first.client() as api:
        api.call("user/create-user", {"emailAddress": "new@sandbox.test"})
    assert folders() <= before
    monkeypatch.setenv("MAILREEVE_RATE_LIMIT", "1")
    monkeypatch.setenv("MAILREEVE_NEXT_HOP", "maildir:/nowhere")
    with sandbox() as second, second.client() as api:
        assert second.credentials == first.credentials
        with pytest.raises(ApiError):
            api.call("user/get-profile", {"emailAddress": "new@sandbox.test"})


def test_what_it_cannot_be_is_said() -> None:
    with pytest.raises(NotServing, match="--sandbox makes its own account"), sandbox("--init"):
        pass


def test_a_server_that_is_none_has_no_such_pages(fresh_server) -> None:
    live = fresh_server()
    host, _, port = live.http.removeprefix("http://").partition(":")
    for method, page in (("GET", "/sandbox"), ("GET", "/sandbox/requests"), ("POST", "/sandbox/faults")):
        with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=30)) as connection:
            connection.request(method, page, b"{}" if method == "POST" else None)
            assert connection.getresponse().status == 401


def test_pytest_finds_the_fixtures_by_itself(tmp_path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "def test_it(mailreeve):\n"
        "    with mailreeve.client() as api:\n"
        "        assert api.call('account/get-account')\n"
        "    assert len(mailreeve.requests()) == 1\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
