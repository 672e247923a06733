"""Strangers, and calls that take long, keep nobody from the API; and a store that takes no writes is told of."""

from __future__ import annotations

import json
import re
import resource
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from mailreeve.api.crowd import MAX_PER_NETWORK
from mailreeve.doors.line_budget import PER_NETWORK
from mailreeve.wire.endpoint import MAX_SLOW

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "what-happened.md"
READ = "/api/policy/blockedsenders/get-policy"


def status_of(connection: socket.socket) -> int:
    """The status of the answer that comes over the connection, 0 if it is closed without one."""
    with suppress(ConnectionError):
        head = connection.recv(4096)
        return int(head.split(b" ", 2)[1]) if head else 0
    return 0


@pytest.mark.parametrize(
    "opening",
    [
        b"",
        b"POST /api/x HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/account/get-account HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=["silent", "half a head", "no body"],
)
def test_connections_without_end_from_one_address_keep_nobody_out(fresh_server, opening):
    """Neither others nor those behind the same address."""
    live = fresh_server()
    host, _, port = live.http.removeprefix("http://").rpartition(":")
    with ExitStack() as open_:
        for _ in range(MAX_PER_NETWORK + 50):
            stranger = open_.enter_context(socket.create_connection((host, int(port)), timeout=30))
            with suppress(ConnectionError):
                stranger.sendall(opening)
        assert live.request("GET", "/healthz").status == 200
        assert live.post(READ).status == 200
        other = open_.enter_context(
            socket.create_connection((host, int(port)), timeout=30, source_address=("127.0.0.9", 0))
        )
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(other) == 200


def test_calls_that_are_answered_one_by_one_keep_their_connection(fresh_server):
    live = fresh_server()
    connection = live.connect()
    for _ in range(3):
        connection.request("POST", READ, b"{}", live.signed(READ))
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.will_close) == (200, False)
    connection.close()


def test_a_call_may_hold_so_many_passwords(server):
    items = [{"emailAddress": f"many{n}@corp.test", "password": "correct horse"} for n in range(MAX_SLOW + 1)]
    answer = server.post("/api/user/create-user", json.dumps({"data": items}).encode())
    (error,) = answer.json()["fail"][0]["errors"]
    assert (error["code"], error["field"]) == ("err_data_too_many_items", "password")
    assert str(MAX_SLOW) in error["message"]


def test_a_store_that_takes_no_writes_is_not_ready(fresh_server):
    """The disk is full: calls that read go on, readiness tells, and it comes back by itself."""
    live = fresh_server()
    limit = resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE)
    assert live.request("GET", "/readyz").status == 200
    resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (1, limit[1]))
    stopped = threading.Event()
    answer = live.request("GET", "/readyz")
    for _ in range(100):  # what was found a moment ago is good for a second
        if answer.status != 200:
            break
        stopped.wait(0.05)
        answer = live.request("GET", "/readyz")
    assert answer.status == 503
    assert answer.body.startswith(b"the database cannot be used: ")
    assert live.request("GET", "/healthz").status == 200
    assert live.post(READ).status == 200
    resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, limit)
    assert live.request("GET", "/readyz").status == 200


def test_refused_credentials_are_in_the_log_as_the_guide_has_it(fresh_server):
    """The pattern that the guide gives to fail2ban finds the address in each line, and in nothing else."""
    (pattern,) = re.findall(r"^failregex = (.*credentials.*)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    expected = re.compile(pattern.replace("<HOST>", r"(?P<host>[0-9a-fA-F.:]+)"), re.MULTILINE)
    live = fresh_server()
    evil = live.signed(READ)
    evil["Authorization"] = 'MC x" address=203.0.113.9 event="credentials refused" address=203.0.113.9:eA=='
    for headers in ({}, evil, live.signed(READ) | {"x-mc-date": "Thu, 01 Jan 2015 00:00:00 UTC"}):
        assert live.request("POST", READ, b"{}", headers).status == 401
    wrong = b"grant_type=client_credentials&client_id=who&client_secret=x"
    assert live.request("POST", "/oauth/token", wrong).status == 401
    assert live.post(READ).status == 200
    found = [match["host"] for match in expected.finditer(live.log())]
    assert found == ["127.0.0.1"] * 4
    for _ in range(3 * PER_NETWORK):
        live.request("POST", READ, b"{}", {})
    assert len(expected.findall(live.log())) == PER_NETWORK


@pytest.mark.parametrize("path", ["/api/no/such", "/nothing", "/api%2Fpolicy/blockedsenders/get-policy", "/"])
def test_strangers_do_not_learn_which_paths_there_are(server, path):
    """Nor is a coded separator one."""
    for method in ("GET", "POST"):
        stranger = server.request(method, path, b"{}" if method == "POST" else None)
        assert (stranger.status, stranger.codes()) == (401, ["err_xdk_authorization_missing"])
    known = server.request("POST", READ, b"{}")
    assert (known.status, known.json()) == (stranger.status, stranger.json())
    assert server.request("POST", path, b"{}", server.signed(path)).status == 404
