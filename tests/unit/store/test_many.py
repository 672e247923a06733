"""Many rows at once are the rows that SQLAlchemy would have written one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from mailreeve.store.many import ManyRows

ONE = "1" * 32
AT = datetime(2026, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC)


def test_rows_are_inserted_with_values_as_the_database_has_them(store, things) -> None:
    many = ManyRows(things.table)
    rows = [(ONE, f"{n}", f"text {n}", AT if n else None) for n in range(3)]
    store.write(ONE, things.origin, lambda work: many.insert(work, rows))
    found = store.read(
        ONE, lambda work: [tuple(row) for row in work.execute(select(things.table).order_by(things.table.c.id))]
    )
    assert found == rows


def test_none_are_nothing(store, things) -> None:
    store.write(ONE, things.origin, lambda work: ManyRows(things.table).insert(work, []))
    assert store.read(ONE, lambda work: work.execute(select(things.table)).all()) == []


def test_one_that_cannot_be_written_undoes_all(store, things) -> None:
    rows = [(ONE, "1", "text", None), (ONE, "1", "again", None)]
    with pytest.raises(IntegrityError):
        store.write(ONE, things.origin, lambda work: ManyRows(things.table).insert(work, rows))
    assert store.read(ONE, lambda work: work.execute(select(things.table)).all()) == []
