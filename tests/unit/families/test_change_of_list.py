"""How the audit log tells of a list that changed: by what came and went, however long it is."""

from __future__ import annotations

import pytest

from mailreeve.families.audit.lists import NAMED, change_of_list


def entry(value: str, shown: str = "") -> dict[str, object]:
    return {"action": "block", "type": "domain", "value": value, "shown": shown or value}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([entry("a.test")], [entry("a.test"), entry("b.test", "B.test")], "added block domain B.test"),
        (["x", "y"], ["y"], "removed x"),
        (["x"], ["y"], "added y, removed x"),
        (["x"], ["x", "x"], "added x"),
        (["x", "y"], ["y", "x"], "in another order"),
        (None, ["x"], "added x"),
        ([{"from": {"type": "everyone"}, "until": None}], [], 'removed {"type": "everyone"}'),
    ],
)
def test_a_list_is_told_by_what_came_and_went(before, after, told):
    assert change_of_list(before, after) == told


@pytest.mark.parametrize(("before", "after"), [("x", "y"), (["x"], "y"), (None, None), (None, []), (1, None)])
def test_anything_else_is_told_by_its_values(before, after):
    assert change_of_list(before, after) is None


def test_of_many_the_first_are_named_and_none_at_length():
    many = [entry(f"{number}.test") for number in range(5_000)]
    told = change_of_list(many[:1], many)
    assert told is not None
    assert told.startswith("added block domain 1.test, ")
    assert told.endswith(f" and {5_000 - 1 - NAMED:,} more")
    assert len(change_of_list([], ["x" * 9_000]) or "") < 200
