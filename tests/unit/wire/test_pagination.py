"""Pages: what may be asked for, what a token holds, and that it is of no use for any other list (api.md 1.9)."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from msgspec import UNSET, Struct

from mailreeve.wire.errors import BAD_PAGINATION, RequestRefused
from mailreeve.wire.pagination import MAX_PAGE_SIZE, Asked, Page, PageRequest, Paging, Place, Shown, refuse_token
from mailreeve.wire.tokens import KEY_OCTETS, Ids

IDS = Ids(bytes(range(KEY_OCTETS)))
ONE, OTHER = "1" * 32, "2" * 32


class Item(Struct, frozen=True):
    """What a list is asked for by."""

    query: str = ""


class Row(Struct, frozen=True):
    """What a list holds."""

    name: str


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read(**pagination: object) -> PageRequest:
    return PageRequest.read(pagination)


def paging(
    *items: Item | None, account: str = ONE, path: str = "test/list", ids: Ids = IDS, **pagination: object
) -> Paging:
    return Paging(ids, account, path, items or (Item(),), read(**pagination))


def refused(**pagination: object) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        paging(**pagination)
    assert (caught.value.status, caught.value.problem.code) == (400, BAD_PAGINATION.code)
    return caught.value


def page(count: int, total: int, after: str = "", *, more: bool = False, earlier: bool = False) -> Page[Struct]:
    rows = [Row(str(n)) for n in range(count)]
    return Page(rows, count, total, Place(after), Place("a", back=True), more, earlier)


def test_a_token_leads_on_to_the_place_where_the_page_ended() -> None:
    """With the size of the first page, unless another is sent beside it: clients repeat it and may change it."""
    shown = paging(pageSize=3).shown([page(3, 7, "k3", more=True)])
    assert (shown.page_size, shown.total_count, shown.previous) == (3, 7, UNSET)
    assert paging(pageToken=shown.next).asked == [Asked(3, Place("k3"))]
    assert paging(pageToken=shown.next, pageSize=1).asked == [Asked(1, Place("k3"))]


def test_without_a_size_the_pages_that_follow_have_the_default_one() -> None:
    shown = paging().shown([page(500, 501, "k", more=True)])
    assert paging(pageToken=shown.next).asked == [Asked(500, Place("k"))]


def test_a_token_leads_back_to_the_page_before() -> None:
    shown = paging(pageSize=3).shown([page(1, 7, "k", earlier=True)])
    assert shown.next is UNSET
    assert paging(pageToken=shown.previous).asked == [Asked(3, Place("a", back=True))]


def test_the_page_size_shown_is_the_number_of_rows_on_the_page() -> None:
    """Not the size asked for (api.md section 1.9); an empty list has no `totalCount`."""
    assert paging(pageSize=100).shown([page(7, 7)]) == Shown(7, 7)
    assert paging(pageSize=100).shown([page(0, 0)]) == Shown(0)


def test_two_lists_in_one_answer_are_counted_together_and_go_on_each_from_its_own_place() -> None:
    """One request with two items answers two lists: the size shown is that of `data`. The shorter one does not
    begin again while the longer one goes on, nor does an item that was refused keep the others from it."""
    items = (Item("a"), Item("b"), None)
    shown = paging(*items, pageSize=3).shown([page(3, 9, "a3", more=True), page(2, 2, "b2"), None])
    assert (shown.page_size, shown.total_count) == (5, 11)
    following = paging(*items, pageToken=shown.next)
    assert following.asked == [Asked(3, Place("a3")), Asked(3, Place("b2")), Asked(3)]
    last = following.shown([page(3, 9, "a6", more=True), page(0, 2, "b2"), None])
    assert paging(*items, pageToken=last.next).asked[1] == Asked(3, Place("b2"))


ELSEWHERE = {
    "account": ({"account": OTHER}, "not one that this server gave to this account"),
    "installation": ({"ids": Ids(bytes(KEY_OCTETS))}, "not one that this server gave to this account"),
    "function": ({"path": "test/other"}, "pageToken is one of test/list, not of test/other"),
}


@pytest.mark.parametrize(("other", "words"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_token_is_refused_elsewhere(other: dict[str, object], words: str) -> None:
    """It says what is wrong, and names the member; of another account it says nothing."""
    following = paging(pageSize=3).shown([page(3, 7, "k3", more=True)]).next
    problem = refused(pageToken=following, **other).problem
    assert problem.field == "pageToken"
    assert words in problem.message


@pytest.mark.parametrize("items", [(Item("x"),), (Item(), Item()), (None,)], ids=["filter", "two", "refused"])
def test_a_token_is_refused_with_other_items(items: tuple[Item | None, ...]) -> None:
    """Another filter is another list; to go on in it from there would leave out what it holds before."""
    following = paging(pageSize=3).shown([page(3, 7, "k3", more=True)]).next
    with pytest.raises(RequestRefused, match="send the same data") as caught:
        paging(*items, pageToken=following)
    assert caught.value.problem.field == "pageToken"


def test_a_token_holds_after_a_restart() -> None:
    """And is the same for the same place, as ids are."""
    following = paging(pageSize=3).shown([page(3, 7, "k3", more=True)]).next
    again = Ids(bytes(range(KEY_OCTETS)))
    assert paging(ids=again, pageToken=following).asked == [Asked(3, Place("k3"))]
    assert paging(ids=again, pageSize=3).shown([page(3, 7, "k3", more=True)]).next == following


def test_a_function_without_pages_takes_no_token() -> None:
    """Whoever sends one would get the same answer over and over. A size is of no harm, and some send it always."""
    refuse_token(read(pageSize=3), "test/one")
    with pytest.raises(RequestRefused, match="test/one gives no pages") as caught:
        refuse_token(read(pageToken="x"), "test/one")
    assert (caught.value.status, caught.value.problem.field) == (400, "pageToken")


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
    assert refused(pageSize=size).problem.field == "pageSize"


@pytest.mark.parametrize(
    "text",
    [
        "None",
        "x",
        "=",
        "é",
        "\x00",
        "eNo" * 100,
        token("25.0"),
        token("-1.0"),
        token("25." + "9" * 5_000),
        "A" * 1_000_000,
        "\ud800",
    ],
)
def test_a_forged_token_is_refused(text: str) -> None:
    """Whatever it holds, and the text `None`, which one client makes of a null (clients.md)."""
    assert refused(pageToken=text).problem.field == "pageToken"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1],
        lambda t: t[1:],
        lambda t: t + "A",
        lambda t: t + "=",
        lambda t: t.swapcase(),
        lambda t: t * 2,
    ],
)
def test_a_spoilt_token_is_refused(spoil: Callable[[str], str]) -> None:
    """Cut, lengthened, padded or rewritten: only what was given opens."""
    following = paging(pageSize=3).shown([page(3, 7, "k3", more=True)]).next
    assert isinstance(following, str)
    refused(pageToken=spoil(following))


@pytest.mark.parametrize("other", [7, True, ["x"], {"t": 1}, 2.5])
def test_a_token_that_is_no_text_is_refused(other: object) -> None:
    """Rather than taken for absent."""
    assert refused(pageToken=other).problem.field == "pageToken"
