"""What becomes of a stored row that cannot be read? It is left out, and said: in the log, by `/readyz`, by lint.

What is stored was valid when it was written, by a version of this program perhaps that read more, or by hand. One
such row must neither keep a server from starting nor make a call fail that is about something else. Whoever makes
values of rows comes through here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import structlog
from msgspec import Struct

from mailreeve.store.schema import UNREADABLE_MOMENT

UNREADABLE: Final = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
"""What making a value of a row raises when the row cannot be read."""

NAMED: Final = 1_000  # rows of an account that are remembered
LISTED: Final = 20
_KEY_OCTETS: Final = 16
_LONGEST: Final = 200  # characters of a reason

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class UnreadableRow(Struct, frozen=True, order=True):
    """A row that was left out, and why. `key` is what tells it from the others of its table and account."""

    table: str
    key: str
    why: str


class UnreadableRows:
    """The rows that were left out so far, of every account. Threads may share it."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[str, str], UnreadableRow]] = {}
        self._lock = threading.Lock()

    def note(self, account_id: str, table: str, key: object, problem: Exception) -> None:
        """Remember a row. The log has it once."""
        row = UnreadableRow(table, _plain(key), _plain(problem) or type(problem).__name__)
        with self._lock:
            rows = self._rows.setdefault(account_id, {})
            if (table, row.key) in rows or len(rows) >= NAMED:
                return
            rows[table, row.key] = row
        _log.error("stored row left out", account=account_id, table=table, key=row.key, problem=row.why)

    def forget(self, account_id: str, table: str, keys: Collection[str] | None = None) -> None:
        """Forget these rows of a table, or all of them, since they are read anew."""
        rows = self._rows.get(account_id)
        if not rows:
            return
        with self._lock:
            for place in [place for place in rows if place[0] == table and (keys is None or place[1] in keys)]:
                del rows[place]

    def of(self, account_id: str) -> list[UnreadableRow]:
        """The rows of an account, in order."""
        with self._lock:
            return sorted(self._rows.get(account_id, {}).values())

    def count(self) -> int:
        """How many there are, of all accounts."""
        with self._lock:
            return sum(map(len, self._rows.values()))

    def lines(self) -> list[str]:
        """The rows of all accounts for a reader, a line each, the first of many."""
        with self._lock:
            found = sorted(row for rows in self._rows.values() for row in rows.values())
        lines = [f"left out, cannot be read: {row.table} {row.key}" for row in found[:LISTED]]
        return [*lines, f"and {len(found) - LISTED} more"] if len(found) > LISTED else lines


def made(
    found: UnreadableRows,
    account_id: str,
    table: str,
    rows: Iterable[Sequence[Any]],
    make: Callable[[Any], T],
    *,
    moments: bool = True,
) -> Iterator[T]:
    """What `make` makes of the rows, without those that it cannot read. The first column is the row's key. Rows
    that hold no `Moment` need not be searched for one, which a million of them would notice."""
    for row in rows:
        try:
            if len(bytes.fromhex(row[0])) != _KEY_OCTETS:
                raise ValueError("the key is none")
            if moments and UNREADABLE_MOMENT in row:
                raise ValueError("a point in time is none")
            one = make(row)
        except UNREADABLE as problem:
            found.note(account_id, table, row[0], problem)
        else:
            yield one


def _plain(value: object) -> str:
    """In a line, so that nothing that was stored can forge one."""
    text = ascii(str(value))[1:-1]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
