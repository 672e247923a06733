"""Tables: how wide columns are, and which are left out. Times: how options have them written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from mailreeve.cli import times
from mailreeve.cli.tables import Column, filled, widths


@pytest.mark.parametrize(
    ("room", "expected"),
    [(80, [4, 10, 20]), (34, [4, 8, 17]), (38, [4, 10, 20]), (20, [4, 4, 8]), (1, [4, 1, 1])],
)
def test_a_column_takes_what_it_needs_and_the_others_share_the_rest(room, expected):
    columns = [Column("id"), Column("a", 1), Column("b", 2)]
    found = widths(room, columns, [["1234", "x" * 10, "y" * 20]])
    assert found == expected
    assert room < 20 or sum(found) + 4 <= room


def test_a_short_cell_leaves_its_room_to_a_long_one():
    assert widths(30, [Column("a", 1), Column("b", 1)], [["x" * 4, "y" * 90]]) == [4, 24]


def test_columns_are_left_out():
    columns = [Column("a", if_any=True), Column("b", if_any=True), Column("c", least=100)]
    kept, rows = filled(80, columns, [["", "1", "x"], ["", "", "y"]])
    assert ([one.title for one in kept], rows) == (["b"], [["1"], [""]])
    assert [one.title for one in filled(100, columns, [["", "", "x"]])[0]] == ["c"]


@pytest.mark.parametrize(("text", "minutes"), [("30m", 30), ("12h", 720), ("7d", 10_080), (" 2W ", 20_160)])
def test_a_span_is_from_now(text, minutes):
    ends = datetime.fromisoformat(times.coming(text, "--until"))
    assert abs(ends - datetime.now(UTC) - timedelta(minutes=minutes)) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["2026-12-31", "2026-12-31T18:00", "2026-12-31T18:00:00+0100"])
def test_a_time_is_left_to_the_api(text):
    assert times.coming(text, "--until") == text


@pytest.mark.parametrize("text", ["", "soon", "7x", "999999w", "2026-13-01"])
def test_what_is_neither_is_named_with_its_option(text):
    with pytest.raises(click.ClickException) as problem:
        times.coming(text, "--until")
    assert (problem.value.exit_code, f"--until {text!r}: " in problem.value.message) == (2, True)


def test_times_are_shown_in_utc():
    assert times.shown("2026-12-31T18:00:00+0100") == "2026-12-31 17:00 UTC"
    assert (times.shown(None), times.shown("", "never")) == ("", "never")
