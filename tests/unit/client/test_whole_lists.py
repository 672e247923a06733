"""No list comes back shorter than it is, unless a page of it was asked for."""

from __future__ import annotations

import pytest

from mailreeve.client import ApiError

REFUSED = {"key": {"n": 1}, "errors": [{"code": "bad", "message": "No"}]}


def test_call_follows_the_pages(client, script) -> None:
    """Rows side by side, in order; each request repeats the item."""
    script.answers = [
        script.envelope({"n": 1}, {"n": 2}, next="T1"),
        script.envelope({"n": 3}, {"n": 4}, next="T2"),
        script.envelope({"n": 5}),
    ]
    assert client.call("x/y", {"query": "q"}) == [{"n": n} for n in range(1, 6)]
    assert [script.body(n)["data"] for n in range(3)] == [[{"query": "q"}]] * 3
    assert [script.body(n).get("meta") for n in range(3)] == [
        None, {"pagination": {"pageToken": "T1"}}, {"pagination": {"pageToken": "T2"}},
    ]  # fmt: skip


def test_a_list_inside_a_row_stays_one(client, script) -> None:
    """As users and groups are listed: whoever reads the first row has all of them."""
    script.answers = [
        script.envelope({"users": [{"n": 1}], "total": 3}, next="T1"),
        script.envelope({"users": [{"n": 2}, {"n": 3}], "total": 3}),
    ]
    assert client.call("x/y") == [{"users": [{"n": 1}, {"n": 2}, {"n": 3}], "total": 3}]


@pytest.mark.parametrize("row", [{"id": "1", "urls": [1]}, {"a": [1], "b": [2]}, {"n": 1}])
def test_rows_that_hold_lists_of_their_own_are_not_joined(client, script, row) -> None:
    script.answers = [script.envelope(row, next="T1"), script.envelope(row)]
    assert client.call("x/y") == [row, row]


@pytest.mark.parametrize("asked", [{"page_size": 1}, {"page_token": "T0"}])
def test_a_page_that_was_asked_for_is_one_page(client, script, asked) -> None:
    script.answers = [script.envelope({"n": 1}, next="T1")]
    assert client.call("x/y", **asked) == [{"n": 1}]
    assert len(script.requests) == 1


def test_an_error_on_a_later_page_is_raised(client, script) -> None:
    """Half a list is not handed over as if it were the whole."""
    script.answers = [script.envelope({"n": 1}, next="T1"), script.envelope(fail=[REFUSED])]
    with pytest.raises(ApiError, match="bad"):
        client.call("x/y")


def test_refused_items_are_told_without_further_pages(client, script) -> None:
    script.answers = [script.envelope({"n": 1}, fail=[REFUSED], next="T1")]
    answer = client.whole("x/y", {"n": 1})
    assert [failure.code for failure in answer.failures] == ["bad"]
    assert answer.next_page == "T1"
