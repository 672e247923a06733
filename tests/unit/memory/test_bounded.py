"""Bounded mappings: never more than there is room for, the oldest goes first, whoever keeps what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mailreeve.memory.bounded import Bounded

KEYS = st.integers(0, 9)


def test_the_oldest_goes_first() -> None:
    kept: Bounded[str, int] = Bounded(2)
    for n, key in enumerate("abc"):
        assert kept.keep(key, n) == n
    assert [*kept] == ["b", "c"]
    assert [kept.get("a"), kept.get("b"), len(kept)] == [None, 1, 2]


def test_what_is_kept_anew_is_the_newest() -> None:
    kept: Bounded[str, int] = Bounded(2)
    for key in "abac":
        kept.keep(key, 0)
    assert [*kept] == ["a", "c"]


def test_what_alone_is_too_heavy_is_not_kept_and_leaves_room() -> None:
    kept: Bounded[str, str] = Bounded(9, 5, weigh=len)
    assert kept.keep("a", "123456") == "123456"
    assert [*kept] == []
    kept.keep("b", "12345")
    assert [*kept] == ["b"]


def test_what_was_dropped_gives_its_room_back() -> None:
    kept: Bounded[str, str] = Bounded(9, 5, weigh=len)
    kept.keep("a", "123")
    kept.drop("a")
    kept.drop("unheard of")
    kept.keep("b", "12")
    kept.keep("b", "123")
    kept.keep("c", "12")
    assert [*kept] == ["b", "c"]


def test_only_the_oldest_are_dropped_by_age() -> None:
    kept: Bounded[str, int] = Bounded(9)
    for key, at in {"a": 1, "b": 2, "c": 9, "d": 1}.items():
        kept.keep(key, at)
    kept.drop_while(lambda at: at < 5)
    assert [*kept] == ["c", "d"]
    kept.drop_while(lambda at: True)
    assert len(kept) == 0


def test_entries_may_be_dropped_while_they_are_walked_through() -> None:
    kept: Bounded[int, int] = Bounded(9)
    for n in range(9):
        kept.keep(n, n)
    for n in kept:
        kept.drop(n)
    assert len(kept) == 0


@given(st.lists(st.lists(KEYS, max_size=30), min_size=2, max_size=4))
def test_threads_may_share_one(several: list[list[int]]) -> None:
    """However they take turns, nothing is lost of what there is room for, and the weights add up."""
    kept: Bounded[tuple[int, int], str] = Bounded(100, 20, weigh=len)

    def work(thread: int) -> None:
        for key in several[thread]:
            kept.keep((thread, key), "x" * key)
            kept.get((thread, key))
            if key == 3:
                kept.drop((thread, key))

    with ThreadPoolExecutor(len(several)) as pool:
        list(pool.map(work, range(len(several))))
    assert sum(key for _, key in kept) <= 20
    kept.drop_while(lambda value: True)
    kept.keep((0, 20), "x" * 20)
    assert len(kept) == 1


class AsPlainlySaid(RuleBasedStateMachine):
    """Whatever is done to it, it is as a list of pairs is from which the first are taken until the rest fits."""

    @initialize(most=st.integers(0, 6), room=st.integers(0, 12))
    def make(self, most: int, room: int) -> None:
        self.most, self.room = most, room
        self.kept: Bounded[int, str] = Bounded(most, room, weigh=len)
        self.plain: list[tuple[int, str]] = []

    @rule(key=KEYS, value=st.text("x", max_size=14))
    def keep(self, key: int, value: str) -> None:
        self.kept.keep(key, value)
        self.plain = [*(pair for pair in self.plain if pair[0] != key), (key, value)]
        while len(self.plain) > self.most or sum(len(value) for _, value in self.plain) > self.room:
            del self.plain[0]

    @rule(key=KEYS)
    def drop(self, key: int) -> None:
        self.kept.drop(key)
        self.plain = [pair for pair in self.plain if pair[0] != key]

    @rule(length=st.integers(0, 6))
    def drop_while(self, length: int) -> None:
        self.kept.drop_while(lambda value: len(value) < length)
        while self.plain and len(self.plain[0][1]) < length:
            del self.plain[0]

    @invariant()
    def same(self) -> None:
        assert [(key, self.kept.get(key)) for key in self.kept] == self.plain
        assert [key for key in range(10) if self.kept.get(key) is not None] == sorted(key for key, _ in self.plain)


TestAsPlainlySaid = AsPlainlySaid.TestCase
