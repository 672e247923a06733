"""A caller may call so many times in a window, and is told where it stands (api.md section 1.7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mailreeve.api import quota
from mailreeve.api.quota import Quota, Standing


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls(clock: Clock) -> Quota:
    """Three calls in five seconds."""
    return Quota(3, 5_000, clock)


def test_calls_count_down_and_the_one_too_many_is_negative(calls: Quota) -> None:
    """The limit itself is allowed."""
    assert [calls.count("ann").remaining for _ in range(5)] == [2, 1, 0, -1, -2]


def test_looking_does_not_count(calls: Quota) -> None:
    """However often."""
    assert [calls.look("ann").remaining for _ in range(5)] == [3] * 5
    calls.count("ann")
    assert calls.look("ann").remaining == 2


def test_callers_are_counted_apart(calls: Quota) -> None:
    """One cannot use up another's calls."""
    for _ in range(9):
        calls.count("ann")
    assert calls.count("bob").remaining == 2


def test_reset_is_in_milliseconds_and_counts_down(calls: Quota, clock: Clock) -> None:
    """Neither a time stamp nor seconds: live it ran from 5000 to 3293 within one window."""
    assert calls.count("ann").reset == 5_000
    clock.now += 1.707
    assert calls.look("ann").reset == 3_293
    clock.now += 3.292
    assert calls.look("ann").reset in {0, 1}


def test_the_window_ends_exactly_when_it_is_over(calls: Quota, clock: Clock) -> None:
    """Not a moment earlier; all calls are returned at once."""
    for _ in range(4):
        calls.count("ann")
    clock.now += 4.999
    assert calls.look("ann").remaining == -1
    clock.now = 1_005.0
    assert calls.look("ann") == Standing(3, 3, 5_000)


def test_a_window_after_a_long_silence_is_a_whole_one(calls: Quota, clock: Clock) -> None:
    """It opens with the first call after it."""
    clock.now += 1_000_000.5
    assert calls.count("ann") == Standing(3, 2, 5_000)


def test_the_headers_are_whole_numbers_and_never_negative() -> None:
    """Clients parse all three as integers."""
    assert Standing(800, -5, 3293).headers() == {
        "X-RateLimit-Limit": "800",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "3293",
    }


def test_memory_is_bounded(calls: Quota, monkeypatch: pytest.MonkeyPatch) -> None:
    """When too many callers came in one window, it is closed early."""
    monkeypatch.setattr(quota, "MAX_COUNTED", 10)
    for number in range(1_000):
        calls.count(f"caller {number}")
    assert len(calls._counts) <= 10


def test_no_call_is_lost_between_threads(clock: Clock) -> None:
    """Each call gets a number of its own."""
    calls = Quota(1_000, 5_000, clock)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: calls.count("ann").remaining, range(1_000)))
    assert sorted(seen) == list(range(1_000))
