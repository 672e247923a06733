"""Lines about strangers: the first at once, the rest as numbers, and never a flood."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from mailreeve.doors.line_budget import IN_ALL, PER_NETWORK, WINDOW, LineBudget


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> LineBudget:
    return LineBudget(clock)


@pytest.mark.parametrize("form", ["2001:db8::{:x}", "192.0.2.1", "::ffff:192.0.2.1", "fe80::{:x}%eth0", ""])
def test_one_network_gets_so_many_lines_and_another_its_own(budget: LineBudget, form: str) -> None:
    admitted = [budget.admits("crowded", form.format(n)) for n in range(1_000)]
    assert admitted == [True] * PER_NETWORK + [False] * (1_000 - PER_NETWORK)
    assert budget.admits("crowded", "198.51.100.1")


def test_what_was_left_out_is_told_once_when_the_next_window_begins(budget: LineBudget, clock: Clock) -> None:
    for n in range(1_000):
        budget.admits("crowded", f"2001:db8::{n:x}")
    for _ in range(PER_NETWORK + 1):
        budget.admits("crowded", "192.0.2.1")
    clock.now = WINDOW
    with capture_logs() as lines:
        assert budget.admits("other", "192.0.2.9")
        assert budget.admits("crowded", "2001:db8::1")
    beyond = 1_000 - PER_NETWORK
    assert lines == [
        {
            "event": "lines left out",
            "log_level": "warning",
            "of": "crowded",
            "number": beyond + 1,
            "networks": f"2001:db8::/64:{beyond} 192.0.2.1/32:1",
        }
    ]


def test_a_flood_of_one_kind_hides_no_other(budget: LineBudget) -> None:
    for n in range(2 * IN_ALL):
        budget.admits("crowded", f"10.0.{n // 256}.{n % 256}")
    assert not budget.admits("crowded", "192.0.2.1")
    assert budget.admits("too many errors", "192.0.2.1")


def test_many_networks_get_no_more_than_so_many_lines_and_are_not_all_remembered(budget: LineBudget) -> None:
    admitted = sum(budget.admits("crowded", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(20_000))
    assert admitted == IN_ALL
    (kind,) = budget._kinds.values()
    assert len(kind.by_network) <= IN_ALL
    assert len(kind.left_out) <= IN_ALL
    with capture_logs() as lines:
        budget.close()
        budget.close()
    assert [line["number"] for line in lines] == [20_000 - IN_ALL]
