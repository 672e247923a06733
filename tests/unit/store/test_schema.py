"""Moments come back exactly as they went in, in order; every table is bound to its account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from mailreeve.families import registry  # noqa: F401 - declares every family's tables
from mailreeve.store.schema import Moment, metadata
from mailreeve.store.transactions import Store

ONE = "1" * 32
DIALECT = sqlite.dialect()


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_reads_back_as_the_same_moment(value: datetime) -> None:
    """To the microsecond, in UTC, whatever zone it was written in."""
    try:
        expected = value.astimezone(UTC)
    except OverflowError:  # The first and the last day of the calendar, east or west of Greenwich.
        return
    kept = Moment().process_bind_param(value, DIALECT)
    assert isinstance(kept, int)
    read = Moment().process_result_value(kept, DIALECT)
    assert read == expected
    assert read is not None
    assert read.utcoffset() == timedelta(0)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_moments_are_ordered_as_their_numbers(one: datetime, two: datetime) -> None:
    """So that the database can compare them."""
    kept = [Moment().process_bind_param(value, DIALECT) for value in (one, two)]
    assert (kept[0] < kept[1]) == (one < two)  # type: ignore[operator]


@pytest.mark.parametrize(
    "value",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=timezone(timedelta(hours=-11))),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        None,
    ],
)
def test_moments_survive_the_database(store: Store, things, value: datetime | None) -> None:
    """From the beginning to the end of the calendar, and none at all."""
    store.write(ONE, things.origin, things.put("k", at=value))
    assert store.read(ONE, lambda work: work.execute(select(things.table.c.at)).scalar_one()) == value


def test_a_time_without_a_zone_is_no_moment(store: Store, things) -> None:
    """It would be a guess."""
    with pytest.raises(StatementError, match="time zone"):
        store.write(ONE, things.origin, things.put("k", at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the point


@pytest.mark.parametrize("table", [t for t in metadata.sorted_tables if t.name != "account"], ids=lambda t: t.name)
def test_every_row_belongs_to_an_account(table) -> None:  # type: ignore[no-untyped-def]
    """The primary key starts with it, and it refers to the accounts (design.md section 5)."""
    first = next(iter(table.primary_key.columns))
    assert first.name == "account_id"
    assert {key.target_fullname for key in first.foreign_keys} >= {"account.id"}


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda t: t.name)
def test_references_stay_within_the_account(table) -> None:  # type: ignore[no-untyped-def]
    """A row that names another names the account with it: no row can point into another account."""
    for constraint in table.foreign_key_constraints:
        assert "account_id" in constraint.column_keys
