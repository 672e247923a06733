"""Pages of what no query can ask: everything is shown once, and one call reads so much and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailreeve.families.machinery import latest
from mailreeve.families.machinery.latest import PAGES_READ, passing
from mailreeve.wire.pagination import Asked, Page, Place


class Listed:
    """A list of numbers, which shows of each page only those that the query admits."""

    def __init__(self, numbers: int, looked_at: int, admits=lambda number: True) -> None:
        self.numbers = numbers
        self.looked_at = looked_at
        self.admits = admits
        self.asked = 0

    def page(self, asked: Asked) -> Page[int]:
        self.asked += 1
        begin = 0 if asked.place is None else int(asked.place.key)
        end = min(begin + self.looked_at, self.numbers)
        found = [number for number in range(begin, end) if self.admits(number)]
        if len(found) > asked.size:
            found = found[: asked.size]
            end = found[-1] + 1
        more = end < self.numbers
        return Page(found, len(found), 0, Place(str(end)), Place(str(begin), back=True), more, begin > 0)


def key_of(number: int) -> str:
    return str(number + 1)


@given(st.integers(0, 60), st.integers(1, 9), st.integers(1, 9), st.integers(1, 7), st.integers(1, 5))
def test_all_that_passes_is_shown_once(numbers, looked_at, size, every, read_at_once):
    before = latest.READ_AT_ONCE
    latest.READ_AT_ONCE = read_at_once
    try:
        listed = Listed(numbers, looked_at)
        shown: list[int] = []
        place = None
        while True:
            listed.asked = 0
            page = passing(Asked(size, place), listed.page, lambda number: number % every == 0, key_of)
            assert len(page.rows) == page.count <= size
            assert listed.asked <= PAGES_READ
            shown += page.rows
            if not page.more:
                break
            place = page.after
    finally:
        latest.READ_AT_ONCE = before
    assert shown == [number for number in range(numbers) if number % every == 0]


def test_a_query_that_finds_nothing_ends_the_call_too():
    """Its pages are empty and say that there is more, as long as the list is."""
    listed = Listed(10_000_000, 10_000, admits=lambda number: False)
    page = passing(Asked(10), listed.page, lambda number: True, key_of)
    assert (page.rows, page.more, listed.asked) == ([], True, PAGES_READ)


def test_a_small_page_is_not_read_row_by_row():
    listed = Listed(10_000, 10_000)
    page = passing(Asked(1), listed.page, lambda number: number == 4_000, key_of)
    assert (page.rows, page.more) == ([4_000], True)
    assert listed.asked <= PAGES_READ
