"""Which rows are on a page? Read by key: a page costs what it holds, however many rows the list has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Select

from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import DEFAULT_PAGE_SIZE, Asked, Page, Place

R = TypeVar("R")


def page_of(
    work: Work,
    query: Select[Any],
    key: Column[str],
    asked: Asked,
    made: Callable[[Sequence[Any]], R],
    total: Callable[[], int],
    *,
    all_at_once: bool = False,
) -> Page[R]:
    """A page of the rows that a query finds, in the order of `key`, which is unique among them and the first thing
    selected. `made` is made of each row; `total` tells how many rows the list has, and is asked only where the
    page does not show.

    With `all_at_once` the answer is the whole list when no page was asked for: policy reads are documented to
    return every policy, and their clients do not page (api.md section 3.2.2).
    """
    if all_at_once and asked.whole:
        return Page.of_all(_values(work, key, work.execute(query.order_by(key)), made))
    size = asked.size or DEFAULT_PAGE_SIZE
    place = asked.place
    if place is not None and place.back:
        return _back(work, query, key, place.key, size, made, total)
    onward = query if place is None else query.where(key > place.key)
    rows = work.execute(onward.order_by(key).limit(size + 1)).all()
    found = rows[:size]
    start = "" if place is None else place.key
    more = len(rows) > size
    return Page(
        _values(work, key, found, made),
        count=len(found),
        total=total() if more or place is not None else len(found),
        after=Place(found[-1][0] if found else start),
        before=Place(start, back=True),
        more=more,
        earlier=place is not None and _any(work, query.where(key <= start), key),
    )


def _back(
    work: Work,
    query: Select[Any],
    key: Column[str],
    end: str,
    size: int,
    made: Callable[[Sequence[Any]], R],
    total: Callable[[], int],
) -> Page[R]:
    """The last rows up to the key `end`, in order."""
    rows = work.execute(query.where(key <= end).order_by(key.desc()).limit(size + 1)).all()
    found = rows[size - 1 :: -1] if len(rows) > size else rows[::-1]
    return Page(
        _values(work, key, found, made),
        count=len(found),
        total=total(),
        after=Place(end),
        before=Place(rows[size][0] if len(rows) > size else "", back=True),
        more=_any(work, query.where(key > end), key),
        earlier=len(rows) > size,
    )


def _any(work: Work, query: Select[Any], key: Column[str]) -> bool:
    return work.execute(query.with_only_columns(key, maintain_column_froms=True).limit(1)).first() is not None


def _values(
    work: Work, key: Column[str], rows: Iterable[Sequence[Any]], made: Callable[[Sequence[Any]], R]
) -> list[R]:
    """What is made of the rows; of those with keys of ours one that cannot be read is left out."""
    return list(work.read(key.table.name, rows, made)) if key.name == "id" else [made(row) for row in rows]
