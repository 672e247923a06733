"""The log of refused credentials: the address, the key and the reason, as often as the budget allows."""

from __future__ import annotations

from structlog.testing import capture_logs

from mailreeve.api.refusals import EVENT, MAX_SHOWN, RefusalLog
from mailreeve.doors.line_budget import PER_NETWORK


def test_a_refusal_names_the_address_the_key_and_the_reason() -> None:
    with capture_logs() as lines:
        RefusalLog().note("192.0.2.7", "k" * 500, "err_xdk_invalid_signature")
    (line,) = lines
    assert line == {
        "event": EVENT,
        "log_level": "warning",
        "address": "192.0.2.7",
        "reason": "err_xdk_invalid_signature",
        "key": "k" * MAX_SHOWN,
    }
    assert next(iter(line)) == "address"


def test_refusals_do_not_flood_the_log() -> None:
    refusals = RefusalLog()
    with capture_logs() as lines:
        for _ in range(3 * PER_NETWORK):
            refusals.note("192.0.2.7", "k", "r")
    assert len(lines) == PER_NETWORK
