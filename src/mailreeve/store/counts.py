"""How many rows are there? Known at once, however many they are: the database keeps count as it writes.

Counting 100,000 rows takes longer than all else that showing ten of them takes, and every page of a list says how
many there are. So the tables that grow with an account are counted by triggers, whoever writes to them: in the
transaction that adds or removes a row, and undone with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import DDL, BigInteger, Column, String, Table, Text, event, select
from sqlalchemy.schema import ExecutableDDLElement

from mailreeve.store.loading import stream_named
from mailreeve.store.records import given, ours
from mailreeve.store.schema import account_column, metadata
from mailreeve.store.transactions import Work

row_count: Final = Table(
    "row_count",
    metadata,
    account_column(),
    Column("list", String(64), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("total", BigInteger, nullable=False),
)
"""How many rows a counted table holds: all of an account under an empty `scope`, or those whose column `by` has
the value `scope`, empty for null."""


class Counted:
    """A table whose rows are counted: all of an account, or for each value of the column `by`."""

    def __init__(self, table: Table, by: str = "") -> None:
        self.table: Final = table
        self.by: Final = by
        self.name: Final = f"{table.name}.{by}" if by else table.name
        mine = ours(row_count), row_count.c.list == self.name
        self._total = select(row_count.c.total).where(*mine, row_count.c.scope == given("which"))
        self._totals = select(row_count.c.scope, row_count.c.total).where(*mine)
        for statement in self.triggers():
            event.listen(table, "after_create", _made(statement))

    def total(self, work: Work, scope: str = "") -> int:
        """How many rows there are, in this scope."""
        found: int | None = work.run(self._total, {"which": scope}).scalar_one_or_none()
        return found or 0

    def totals(self, work: Work, scopes: Iterable[str]) -> dict[str, int]:
        """From each of these scopes that has rows to how many."""
        found = stream_named(work, self._totals, row_count.c.scope, sorted(set(scopes)))
        return dict(tuple(row) for row in found)

    def triggers(self) -> Iterator[str]:
        """What makes the database keep count. `migrations` say the same, each as it was when it was written."""
        table = self.table.name
        more, less = self._step("NEW", 1), self._step("OLD", -1)
        trigger = f"count_{self.name.replace('.', '_by_')}"
        yield f"CREATE TRIGGER {trigger}_insert AFTER INSERT ON {table} BEGIN {more} END"
        yield f"CREATE TRIGGER {trigger}_delete AFTER DELETE ON {table} BEGIN {less} END"
        if self.by:
            moved = f"UPDATE OF {self.by} ON {table} WHEN NEW.{self.by} IS NOT OLD.{self.by}"
            yield f"CREATE TRIGGER {trigger}_update AFTER {moved} BEGIN {less} {more} END"

    def _step(self, row: str, by: int) -> str:
        scope = f"coalesce({row}.{self.by}, '')" if self.by else "''"
        return (
            "INSERT INTO row_count (account_id, list, scope, total) "  # noqa: S608 - names of our own
            f"VALUES ({row}.account_id, '{self.name}', {scope}, {by}) "
            f"ON CONFLICT (account_id, list, scope) DO UPDATE SET total = total + {by};"
        )


def _made(statement: str) -> ExecutableDDLElement:
    return DDL(statement).execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]
