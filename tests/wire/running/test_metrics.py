"""What Prometheus is told: whole numbers of all workers, nothing that strangers made up, on its own listener."""

from __future__ import annotations

import http.client
import os
import re
import signal
import smtplib
from pathlib import Path

import pytest

pytestmark = pytest.mark.cold

MESSAGE = "Subject: hello\r\n\r\nhi\r\n"
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$")


def ask(live, method: str, path: str) -> tuple[int, str, str]:
    """Status, type and text of an answer of the listener for Prometheus."""
    host = re.search(r"^metrics http://(\S+)/metrics$", live.said, re.MULTILINE)[1]
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"] or "", answer.read().decode()
    finally:
        connection.close()


def told(live) -> dict[tuple[str, str], float]:
    """All samples, by name and labels."""
    status, kind, text = ask(live, "GET", "/metrics")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    found = (SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#"))
    return {(one["name"], one["labels"] or ""): float(one["value"]) for one in found}


def total(samples: dict[tuple[str, str], float], name: str, *parts: str) -> float:
    return sum(v for (n, labels), v in samples.items() if n == name and all(part in labels for part in parts))


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def live(request, fresh_server):
    found = fresh_server("--metrics", "127.0.0.1:0", "--workers", str(request.param))
    found.count = request.param
    return found


def test_all_that_happened_is_counted_whichever_worker_did_it(live):
    with live.client() as client:
        block = {"sender": "bad@x.test", "to": "u@corp.test", "action": "block"}
        client.call("managedsender/permit-or-block-sender", block)
        (account,) = client.call("account/get-account")
    for path in ("/api/no/such", "/api/<script>", "/x"):
        live.request("POST", path, b"{}")
    for _ in range(20):  # each on a connection of its own, which either worker takes
        live.request("GET", "/healthz")
        with smtplib.SMTP(*live.smtp, timeout=30) as smtp:
            smtp.sendmail("ann@x.test", "u@corp.test", MESSAGE)
    with smtplib.SMTP(*live.smtp, timeout=30) as smtp, pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.sendmail("bad@x.test", "u@corp.test", MESSAGE)
    samples = told(live)
    code = f'account="{account["accountCode"]}"'
    assert total(samples, "mailreeve_outcomes_total", code, 'state="delivered"', 'layer="default"') == 20
    refused = code, 'state="rejected"', 'stage="rcpt"', 'layer="managed_senders"'
    assert total(samples, "mailreeve_outcomes_total", *refused) == 1
    assert total(samples, "mailreeve_message_seconds_count", 'reply="2xx"') == 20
    assert total(samples, "mailreeve_decision_seconds_count", 'stage="rcpt"') == 21
    assert total(samples, "mailreeve_decision_seconds_count", 'stage="data"') == 20
    assert total(samples, "mailreeve_next_hop_replies_total", 'asked="copy"', 'reply="taken"') == 20
    assert total(samples, "mailreeve_next_hop_up") == 1
    assert total(samples, "mailreeve_api_calls_total", 'path="/healthz"', 'status="200"') == 20
    assert total(samples, "mailreeve_api_calls_total", "permit-or-block-sender", 'status="200"') == 1
    assert total(samples, "mailreeve_api_calls_total", 'path="other"', 'status="401"') == 3
    assert not [labels for _, labels in samples if "script" in labels], "no series of a stranger's making"
    assert total(samples, "mailreeve_workers") == live.count
    assert total(samples, "process_resident_memory_bytes") > live.count * 10_000_000
    assert total(samples, "process_cpu_seconds_total") > 0
    assert total(samples, "mailreeve_revision", code) == 2
    assert total(samples, "mailreeve_policies_since_timestamp_seconds", code) > 1_700_000_000


def test_what_was_counted_outlives_the_worker_that_counted_it(fresh_server):
    live = fresh_server("--metrics", "127.0.0.1:0", "--workers", "2")
    for _ in range(20):
        live.request("GET", "/healthz")
    children = Path(f"/proc/{live.process.pid}/task/{live.process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    while "worker died" not in live.log():
        live.request("GET", "/healthz")
    samples = told(live)
    assert total(samples, "mailreeve_api_calls_total", 'path="/healthz"') >= 20
    assert total(samples, "mailreeve_workers") <= 2


def test_nobody_else_is_told(live):
    with live.client() as client:
        client.call("account/get-account")
    assert live.request("GET", "/metrics").status == 401
    assert [ask(live, *what)[0] for what in (("GET", "/"), ("POST", "/metrics"), ("POST", "/api/x"))] == [
        404,
        405,
        404,
    ]
