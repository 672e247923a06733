"""How are objects read for the policy sets: all of them, or those that changed?

A family's rows say what to select and what to make of a row; both ways come through the same function. All of them
come as a stream: a million rows are never in memory beside the million values made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import Any, Final, Generic, Protocol, TypeVar

from sqlalchemy import Column, ColumnElement, Select, bindparam

from mailreeve.policy.model.policies import Changes
from mailreeve.store.changes import Name
from mailreeve.store.transactions import Work

ROWS: Final = 2_000  # fetched at a time
KEYS: Final = 500  # named in one query


class Identified(Protocol):
    """What is known by an id."""

    @property
    def id(self) -> str: ...


I = TypeVar("I", bound=Identified)  # noqa: E741 - for what is identified


def keys_of(names: Collection[Name]) -> list[str]:
    """The keys of these objects, of whatever kind, in order."""
    return sorted({name.key for name in names})


def stream(work: Work, query: Select[Any]) -> Iterator[Sequence[Any]]:
    """The rows of a query, a few at a time."""
    return chain.from_iterable(work.run(query.execution_options(yield_per=ROWS)).partitions())


def stream_named(
    work: Work, query: Select[Any], column: ColumnElement[str], keys: Sequence[str]
) -> Iterator[Sequence[Any]]:
    """The rows of a query whose column is one of the keys."""
    for start in range(0, len(keys), KEYS):
        yield from work.run(query.where(column.in_(keys[start : start + KEYS])))


class Loaded(Generic[I]):
    """Objects of which each has one row. To be made once: its statements are built then.

    `query` finds the account's rows (`records.ours`). `key` is their key, which comes first; points in time among
    the other columns come as `microseconds`.
    """

    def __init__(self, query: Select[Any], key: Column[str], make: Callable[[Sequence[Any]], I]) -> None:
        self._table: Final = key.table.name
        self._make = make
        self._every = query.order_by(key)
        self._some = query.where(key.in_(bindparam("keys", expanding=True)))

    def every(self, work: Work) -> Iterator[I]:
        """All of them in the order of their keys."""
        work.unreadable.forget(work.account_id, self._table)
        return work.read(self._table, stream(work, self._every), self._make, moments=False)

    def some(self, work: Work, names: Collection[Name]) -> Changes[I]:
        """What has become of these: those that are there, and which are gone."""
        keys = keys_of(names)
        work.unreadable.forget(work.account_id, self._table, keys)
        put = tuple(work.read(self._table, self._rows(work, keys), self._make, moments=False))
        return Changes(put, frozenset(keys).difference([one.id for one in put]))

    def _rows(self, work: Work, keys: Sequence[str]) -> Iterator[Sequence[Any]]:
        for start in range(0, len(keys), KEYS):
            yield from work.run(self._some, {"keys": keys[start : start + KEYS]})
