"""Ids and page tokens: what was given out reads back, and nothing else does."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailreeve.wire.errors import ItemRefused, RequestRefused
from mailreeve.wire.pagination import MAX_PAGE_SIZE, PageRequest, Paging
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


@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda b: b.decode("latin-1")))
def test_a_made_up_page_token_does_not_open(token: str) -> None:
    """Nor ends it in another exception."""
    assume(token)
    with pytest.raises(RequestRefused):
        Paging(IDS, "account", "test/list", [], PageRequest.read({"pageToken": token}))


@given(st.binary(max_size=80), accounts, accounts)
def test_page_tokens_are_useless_elsewhere(content: bytes, account: str, other: str) -> None:
    """They read back in their account, and in no other."""
    token = IDS.seal_page(content, account)
    assert IDS.open_page(token, account) == content
    assume(account != other)
    with pytest.raises(ValueError, match="sealed"):
        IDS.open_page(token, other)


@given(kinds, keys, accounts)
def test_an_id_is_no_page_token(kind: Kind, key: str, account: str) -> None:
    """Nor the other way round."""
    with pytest.raises(ValueError, match="sealed"):
        IDS.open_page(IDS.seal(kind, key, account).removeprefix("MTOKEN:"), account)
    with pytest.raises(ItemRefused):
        IDS.open(kind, IDS.seal_page(bytes.fromhex(key), account), account)


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
