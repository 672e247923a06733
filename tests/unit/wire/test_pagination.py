"""Pages: every row once, `next` absent at the end, and no token that breaks anything (api.md section 1.9)."""

from __future__ import annotations

import base64

import pytest
from msgspec import UNSET

from mailreeve.wire.errors import BAD_PAGINATION, RequestRefused
from mailreeve.wire.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageRequest, Shown

ROWS = list(range(7))


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read(**pagination: object) -> PageRequest:
    return PageRequest.read(pagination)


def refused(**pagination: object) -> None:
    with pytest.raises(RequestRefused) as caught:
        PageRequest.read(pagination)
    assert (caught.value.status, caught.value.problem.code) == (400, BAD_PAGINATION.code)


def test_following_next_shows_every_row_once() -> None:
    """Three pages of at most three, the last without `next`."""
    page = read(pageSize=3).cut(ROWS)
    seen = [list(page.rows)]
    while page.shown.next is not UNSET:
        page = read(pageToken=page.shown.next).cut(ROWS)
        seen.append(list(page.rows))
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]


def test_following_previous_leads_back_to_the_first_page() -> None:
    """Which has no `previous`."""
    last = PageRequest(3, 6).cut(ROWS)
    middle = read(pageToken=last.shown.previous).cut(ROWS)
    first = read(pageToken=middle.shown.previous).cut(ROWS)
    assert [last.rows, middle.rows, first.rows] == [[6], [3, 4, 5], [0, 1, 2]]
    assert first.shown.previous is UNSET


@pytest.mark.parametrize(
    ("count", "has_next"), [(0, False), (1, False), (3, False), (4, True), (6, True)], ids=lambda v: str(v)
)
def test_next_is_there_only_when_more_rows_are(count: int, has_next: bool) -> None:
    """A full last page has none: a client stops on its absence only (clients.md)."""
    assert (read(pageSize=3).cut(ROWS[:count]).shown.next is not UNSET) is has_next


def test_the_page_size_shown_is_the_number_of_rows_on_the_page() -> None:
    """Not the size asked for (api.md section 1.9); an empty list has no `totalCount`."""
    assert read(pageSize=100).cut(ROWS).shown == Shown(7, 7)
    assert read(pageSize=100).cut([]).shown == Shown(0)
    assert PageRequest(3, 6).cut(ROWS).shown.page_size == 1


def test_a_page_beyond_the_end_is_empty_and_leads_back() -> None:
    """The list may have become shorter since the token was given."""
    shown = PageRequest(3, 30).cut(ROWS).shown
    assert (shown.page_size, shown.next) == (0, UNSET)
    assert read(pageToken=shown.previous) == PageRequest(3, 27)


def test_an_empty_page_never_leads_on() -> None:
    """Rows may vanish between counting and reading; a `next` to the same page would make a client loop."""
    assert PageRequest(3, 0).shown(0, 5).next is UNSET


def test_without_a_size_a_page_has_the_default_size() -> None:
    """A list without paging is still a page."""
    page = read().cut(range(DEFAULT_PAGE_SIZE + 1))
    assert len(page.rows) == DEFAULT_PAGE_SIZE
    assert read(pageToken=page.shown.next).cut(range(DEFAULT_PAGE_SIZE + 1)).rows == range(500, 501)


def test_policy_reads_return_everything_when_no_page_was_asked_for() -> None:
    """As documented (api.md section 3.2.2); asked for a page, they return a page."""
    rows = range(MAX_PAGE_SIZE + 1)
    assert read().all_or_cut(rows).rows == rows
    assert read().all_or_cut(rows).shown == Shown(501, 501)
    assert read().all_or_cut([]).shown == Shown(0)
    assert read(pageSize=2).all_or_cut(rows).rows == range(2)
    assert PageRequest(2, 500).all_or_cut(rows).rows == range(500, 501)


@pytest.mark.parametrize("absent", [None, "", 0, False])
def test_empty_members_count_as_absent(absent: object) -> None:
    """`"pageToken": ""` and null are sent on the first page (api.md section 1.2)."""
    assert read(pageToken=absent, pageSize=absent, page_size=absent) == PageRequest()


@pytest.mark.parametrize("size", [25, "25", 25.0])
def test_the_size_may_be_text_and_may_be_spelled_with_an_underscore(size: object) -> None:
    """One client sends `page_size` (clients.md, 4)."""
    assert read(pageSize=size) == read(page_size=size) == read(pageSize=None, page_size=size) == PageRequest(25)


@pytest.mark.parametrize("size", [501, 10**6, 10**30, "999999999", 1e9])
def test_a_size_above_the_maximum_is_the_maximum(size: object) -> None:
    """No source says that it is refused (api.md section 1.9)."""
    assert read(pageSize=size).size == MAX_PAGE_SIZE


@pytest.mark.parametrize(
    "size", [-1, "-1", "many", "2.5", 2.5, True, [25], {"n": 1}, "²", "９", "1" * 20, float("inf"), float("nan")]
)
def test_a_size_that_is_no_number_is_refused(size: object) -> None:
    """With 400, naming no crash of ours."""
    refused(pageSize=size)


@pytest.mark.parametrize(
    "text",
    [
        "None",
        "x",
        "=",
        "é",
        "\x00",
        "eNo" * 100,
        token("."),
        token("25"),
        token("25.0.0"),
        token("0.0"),
        token("-1.0"),
        token("25.-1"),
        token(f"{MAX_PAGE_SIZE + 1}.0"),
        token(f"25.{2**53}"),
        token("25." + "9" * 5_000),
        token("a.b"),
        token("é.0"),
        token("nan.0"),
        token("1e2.0"),
    ],
)
def test_a_forged_token_is_refused(text: str) -> None:
    """Whatever it holds, and the text `None`, which one client makes of a null (clients.md)."""
    refused(pageToken=text)


@pytest.mark.parametrize("other", [7, True, ["x"], {"t": 1}, 2.5])
def test_a_token_that_is_no_text_is_refused(other: object) -> None:
    """Rather than taken for absent."""
    refused(pageToken=other)


def test_a_size_beside_a_token_counts() -> None:
    """Clients repeat it on every page; they may change it."""
    following = read(pageSize=3).cut(ROWS).shown.next
    assert read(pageToken=following, pageSize=1) == PageRequest(1, 3)


def test_two_lists_in_one_answer_are_counted_together() -> None:
    """One request with two items answers two lists: the size shown is that of `data`, the tokens of either lead
    on in both."""
    request = read(pageSize=3)
    both = request.cut(ROWS).shown.plus(request.cut(ROWS[:2]).shown)
    assert (both.page_size, both.total_count) == (5, 9)
    assert read(pageToken=both.next) == PageRequest(3, 3)
    assert request.cut(ROWS[:2]).shown.plus(request.cut(ROWS).shown) == both
    assert request.cut([]).shown.plus(request.cut([]).shown) == Shown(0)
