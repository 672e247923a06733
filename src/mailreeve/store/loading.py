"""How are objects read for the policy sets: all of them, or those that changed?

A family's rows say what to select and what to make of a row; both ways come through the same function. All of them
come as a stream: a million rows are never in memory beside the million values made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Column, ColumnElement, Select

from mailreeve.policy.model.policies import Changes
from mailreeve.store.changes import Name
from mailreeve.store.transactions import Work

ROWS: Final = 2_000  # fetched at a time
KEYS: Final = 500  # named in one query


T = TypeVar("T")


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
    return chain.from_iterable(work.execute(query.execution_options(yield_per=ROWS)).partitions())


def stream_named(
    work: Work, query: Select[Any], column: ColumnElement[str], keys: Sequence[str]
) -> Iterator[Sequence[Any]]:
    """The rows of a query whose column is one of the keys."""
    for start in range(0, len(keys), KEYS):
        yield from work.execute(query.where(column.in_(keys[start : start + KEYS])))


def everything(
    work: Work, query: Select[Any], column: Column[str], make: Callable[[Sequence[Any]], T]
) -> Iterator[T]:
    """The objects of which each has one row, in the order of the column, which is their key and comes first.
    Points in time among the others come as `microseconds`."""
    work.unreadable.forget(work.account_id, column.table.name)
    return work.read(column.table.name, stream(work, query.order_by(column)), make, moments=False)


def changes(
    work: Work,
    query: Select[Any],
    column: Column[str],
    names: Collection[Name],
    make: Callable[[Sequence[Any]], I],
) -> Changes[I]:
    """What has become of objects of which each has one row: those that are there, and which are gone."""
    keys = keys_of(names)
    work.unreadable.forget(work.account_id, column.table.name, keys)
    put = tuple(work.read(column.table.name, stream_named(work, query, column, keys), make, moments=False))
    return Changes(put, frozenset(keys).difference([one.id for one in put]))
