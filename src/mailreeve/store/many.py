"""How are many rows of a table inserted at once, at next to no cost for each?

What SQLAlchemy does for each row and each of its values, every time, is done once here: the statement is made, and
it is found out which columns hold something that the database has another form of. Rows are tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Dialect, Table, insert

from mailreeve.store.transactions import Work

Row = tuple[object, ...]


class _Ready(Struct, frozen=True):
    """The statement, and what makes the database's form of the values in some places."""

    statement: str
    forms: tuple[tuple[int, Callable[[Any], Any]], ...]


class ManyRows:
    """Inserts rows of a table, all of its columns, in their order."""

    def __init__(self, table: Table) -> None:
        self._table: Final = table
        self._ready: dict[str, _Ready] = {}

    def insert(self, work: Work, rows: Iterable[Row]) -> None:
        """Insert rows, whose account is that of the transaction; for none, nothing."""
        dialect = work.connection.dialect
        ready = self._ready.get(dialect.name)
        if ready is None:
            ready = self._ready[dialect.name] = self._made_ready(dialect)
        made = [_formed(row, ready.forms) for row in rows] if ready.forms else list(rows)
        if made:
            work.connection.exec_driver_sql(ready.statement, made)

    def _made_ready(self, dialect: Dialect) -> _Ready:
        names = [column.name for column in self._table.columns]
        compiled = insert(self._table).compile(dialect=dialect, column_keys=names)
        if compiled.positiontup != names:
            raise AssertionError(f"{dialect.name} takes the columns of {self._table.name} in another order")
        forms = (
            (place, column.type.dialect_impl(dialect).bind_processor(dialect))
            for place, column in enumerate(self._table.columns)
        )
        return _Ready(str(compiled), tuple((place, form) for place, form in forms if form is not None))


def _formed(row: Row, forms: Sequence[tuple[int, Callable[[Any], Any]]]) -> Row:
    values = list(row)
    for place, form in forms:
        values[place] = form(values[place])
    return tuple(values)
