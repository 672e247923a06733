"""The log of refused credentials: a line each, and never a flood."""

from __future__ import annotations

from structlog.testing import capture_logs

from mailreeve.api.refusals import IN_ALL, MAX_SHOWN, PER_NETWORK, WINDOW, RefusalLog


def test_a_refusal_names_the_address_the_key_and_the_reason() -> None:
    with capture_logs() as lines:
        RefusalLog().note("192.0.2.7", "k" * 500, "err_xdk_invalid_signature")
    (line,) = lines
    assert line == {
        "event": "credentials refused",
        "log_level": "warning",
        "address": "192.0.2.7",
        "reason": "err_xdk_invalid_signature",
        "key": "k" * MAX_SHOWN,
    }
    assert next(iter(line)) == "address"


def test_one_network_gets_so_many_lines_and_the_rest_is_counted() -> None:
    now = 0.0
    log = RefusalLog(lambda: now)
    with capture_logs() as lines:
        for n in range(1_000):
            log.note(f"2001:db8::{n:x}", "k", "r")
        log.note("192.0.2.1", "k", "r")
    assert [line["address"] for line in lines].count("192.0.2.1") == 1
    assert len(lines) == PER_NETWORK + 1
    now = WINDOW
    with capture_logs() as lines:
        log.note("192.0.2.1", "k", "r")
    left_out = 1_000 - PER_NETWORK
    assert (lines[0]["number"], lines[0]["networks"]) == (left_out, f"2001:db8::/64:{left_out}")
    assert lines[1]["event"] == "credentials refused"


def test_many_networks_get_no_more_than_so_many_lines() -> None:
    log = RefusalLog(lambda: 0.0)
    with capture_logs() as lines:
        for n in range(2 * IN_ALL):
            log.note(f"10.0.{n // 256}.{n % 256}", "k", "r")
    assert len(lines) == IN_ALL
