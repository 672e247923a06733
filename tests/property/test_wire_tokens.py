"""Ids and page tokens: what was given out reads back, and nothing else does."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import UNSET

from mailreeve.wire.errors import ItemRefused, RequestRefused
from mailreeve.wire.pagination import MAX_PAGE_SIZE, PageRequest
from mailreeve.wire.tokens import KEY_OCTETS, Ids, Kind

IDS = Ids(bytes(range(KEY_OCTETS)))
kinds = st.sampled_from(Kind)
keys = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")
accounts = st.text("0123456789abcdef", min_size=1, max_size=32)


@given(kinds, keys, accounts)
def test_ids_read_back(kind: Kind, key: str, account: str) -> None:
    """For every kind, key and account."""
    assert IDS.open(kind, IDS.seal(kind, key, account), account) == key


@given(kinds, kinds, keys, accounts, accounts)
def test_ids_are_useless_elsewhere(kind: Kind, other_kind: Kind, key: str, account: str, other: str) -> None:
    """In another account or for another kind of object."""
    assume((kind, account) != (other_kind, other))
    with pytest.raises(ItemRefused):
        IDS.open(other_kind, IDS.seal(kind, key, account), other)


@given(kinds, kinds, keys, keys, accounts, accounts)
def test_two_objects_never_share_an_id(
    kind: Kind, other_kind: Kind, key: str, other_key: str, account: str, other: str
) -> None:
    """Ids are equal if and only if all that they stand for is."""
    one, two = IDS.seal(kind, key, account), IDS.seal(other_kind, other_key, other)
    assert (one == two) == ((kind, key, account) == (other_kind, other_key, other))


@given(kinds, st.text(max_size=60) | st.text("abcXYZ019-_", min_size=43, max_size=43))
def test_a_made_up_id_does_not_open(kind: Kind, text: str) -> None:
    """It is refused as an invalid token, whatever it is."""
    with pytest.raises(ItemRefused):
        IDS.open(kind, text, "account")


@given(st.integers(0, 60), st.integers(1, 12))
def test_pages_show_every_row_once_in_order(count: int, size: int) -> None:
    """Following `next` to its absence, and `previous` back to its own, over the same pages."""
    rows = list(range(count))
    page = PageRequest.read({"pageSize": size}).cut(rows)
    pages = [page]
    while page.shown.next is not UNSET:
        page = PageRequest.read({"pageToken": page.shown.next, "pageSize": size}).cut(rows)
        pages.append(page)
    assert [row for p in pages for row in p.rows] == rows
    assert all(p.shown.page_size == len(p.rows) == size for p in pages[:-1])
    assert {p.shown.total_count for p in pages} == {count or UNSET}
    back = [page]
    while page.shown.previous is not UNSET:
        page = PageRequest.read({"pageToken": page.shown.previous}).cut(rows)
        back.append(page)
    assert [p.rows for p in back] == [p.rows for p in reversed(pages)]


@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda b: b.decode("latin-1")))
def test_any_page_token_is_a_page_or_refused(token: str) -> None:
    """Within the limits, and never another exception."""
    with contextlib.suppress(RequestRefused):
        page = PageRequest.read({"pageToken": token})
        assert 0 <= page.size <= MAX_PAGE_SIZE
        assert 0 <= page.offset < 2**53


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["pageSize", "page_size", "pageToken", "x"]), json_values))
def test_any_pagination_is_a_page_or_refused(pagination: dict[str, object]) -> None:
    """Whatever JSON stands there."""
    with contextlib.suppress(RequestRefused):
        assert 0 <= PageRequest.read(pagination).size <= MAX_PAGE_SIZE
