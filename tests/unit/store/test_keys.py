"""Keys are UUIDs of version 7, in the order in which they were made."""

from __future__ import annotations

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailreeve.store import keys
from mailreeve.store.keys import new_key


def test_a_key_is_a_uuid_of_version_7() -> None:
    """As 32 hexadecimal digits (RFC 9562 section 5.7)."""
    key = new_key()
    assert re.fullmatch(r"[0-9a-f]{32}", key)
    assert (uuid.UUID(key).version, uuid.UUID(key).variant) == (7, uuid.RFC_4122)


def test_a_key_begins_with_the_time() -> None:
    """48 bits of milliseconds."""
    before = time.time_ns() // 1_000_000
    key = new_key()
    # Many keys in one tick push the next ones ahead, so a little slack at the end.
    assert before <= int(key[:12], 16) <= time.time_ns() // 1_000_000 + 100


def test_keys_are_in_the_order_they_were_made() -> None:
    """Also within a millisecond: rows are listed by key, "oldest first"."""
    made = [new_key() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_keys_go_on_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or stands still."""
    first = new_key()
    monkeypatch.setattr(keys.time, "time_ns", lambda: 1_000_000_000)
    made = [first, *(new_key() for _ in range(5_000))]
    assert made == sorted(set(made))


def test_threads_never_make_the_same_key() -> None:
    """And each thread's keys are in order."""

    def make(_: int) -> list[str]:
        return [new_key() for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))
    assert all(part == sorted(part) for part in made)
    assert len({key for part in made for key in part}) == 16_000


def test_keys_cannot_be_guessed_from_each_other() -> None:
    """The last 62 bits are random: neighbours differ in about half of them."""
    pairs = [(int(new_key(), 16), int(new_key(), 16)) for _ in range(200)]
    differing = sum(((one ^ two) & (2**62 - 1)).bit_count() for one, two in pairs) / len(pairs)
    assert 28 < differing < 34


def test_keys_follow_those_of_an_earlier_process(monkeypatch):
    """However far the clock was set back since; times of keys never go back either. What is no key is not
    followed."""
    first = new_key()
    monkeypatch.setattr(keys, "_ticks", keys._Ticks())
    monkeypatch.setattr(keys.time, "time_ns", lambda: 1_000_000_000)
    assert new_key() < first
    keys.follow(first)
    keys.follow("not a key")
    made = [new_key() for _ in range(3)]
    assert sorted([first, *made]) == [first, *made]
    times = [keys.made_at(key) for key in (first, *made)]
    assert times == sorted(times)
    assert abs(times[0] - time.time()) < 60
