"""Lists that are read by pages. By key: a page costs what it holds, however many rows the list has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct
from sqlalchemy import Column, Select

from mailreeve.store.records import given
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import DEFAULT_PAGE_SIZE, Asked, Page, Place

R = TypeVar("R")


class Stretch(Struct, Generic[R], frozen=True):
    """Some rows on end. `reached` is the key of the last one that was read, None where the list ends there."""

    rows: Sequence[R]
    reached: str | None


class Listing(Generic[R]):
    """A list in the order of a key. To be made once: its statements are built then.

    `query` finds its rows, bound to the account (`records.ours`); it may hold what is `given` besides. `key` is
    unique among them and the first thing selected. `make` makes what is shown of each row.

    With `all_at_once` the answer is the whole list when no page was asked for: policy reads are documented to
    return every policy, and their clients do not page (api.md section 3.2.2).
    """

    def __init__(
        self,
        query: Select[Any],
        key: Column[str],
        make: Callable[[Sequence[Any]], R],
        *,
        all_at_once: bool = False,
    ) -> None:
        self._key: Final = key
        self._make = make
        self._all_at_once = all_at_once
        self._every = query.order_by(key)
        self._first = self._every.limit(given("most"))
        self._onward = query.where(key > given("place")).order_by(key).limit(given("most"))
        self._back = query.where(key <= given("place")).order_by(key.desc()).limit(given("most"))
        keys = query.with_only_columns(key, maintain_column_froms=True)
        self._any_before = keys.where(key <= given("place")).limit(1)
        self._any_after = keys.where(key > given("place")).limit(1)

    def page(self, work: Work, asked: Asked, total: Callable[[], int], **parameters: object) -> Page[R]:
        """The page that is asked for. `total` tells how many rows the list has, and is asked only where the page
        does not show. The parameters are what the query is given."""
        if self._all_at_once and asked.whole:
            return Page.of_all(self._made(work, work.run(self._every, parameters)))
        most = asked.size or DEFAULT_PAGE_SIZE
        place = asked.place
        if place is not None and place.back:
            return self._page_back(work, place.key, most, total, parameters)
        start = "" if place is None else place.key
        within = parameters | {"place": start}
        rows = work.run(self._first if place is None else self._onward, within | {"most": most + 1}).all()
        found = rows[:most]
        more = len(rows) > most
        return Page(
            self._made(work, found),
            count=len(found),
            total=total() if more or place is not None else len(found),
            after=Place(found[-1][0] if found else start),
            before=Place(start, back=True),
            more=more,
            earlier=place is not None and work.run(self._any_before, within).first() is not None,
        )

    def after(self, work: Work, place: str, most: int, **parameters: object) -> Stretch[R]:
        """The next rows after a key, in order: for whoever picks among them."""
        rows = work.run(self._onward, parameters | {"place": place, "most": most}).all()
        return self._stretch(work, rows, most)

    def up_to(self, work: Work, place: str, most: int, **parameters: object) -> Stretch[R]:
        """The rows up to a key and with it, the last one first."""
        rows = work.run(self._back, parameters | {"place": place, "most": most}).all()
        return self._stretch(work, rows, most)

    def _stretch(self, work: Work, rows: Sequence[Sequence[Any]], most: int) -> Stretch[R]:
        return Stretch(self._made(work, rows), rows[-1][0] if len(rows) == most else None)

    def _page_back(
        self, work: Work, end: str, most: int, total: Callable[[], int], parameters: dict[str, object]
    ) -> Page[R]:
        """The last rows up to the key `end`, in order."""
        within = parameters | {"place": end}
        rows = work.run(self._back, within | {"most": most + 1}).all()
        earlier = len(rows) > most
        found = rows[most - 1 :: -1] if earlier else rows[::-1]
        return Page(
            self._made(work, found),
            count=len(found),
            total=total(),
            after=Place(end),
            before=Place(rows[most][0] if earlier else "", back=True),
            more=work.run(self._any_after, within).first() is not None,
            earlier=earlier,
        )

    def _made(self, work: Work, rows: Iterable[Sequence[Any]]) -> list[R]:
        """What is made of the rows; of those with keys of ours one that cannot be read is left out."""
        if self._key.name != "id":
            return [self._make(row) for row in rows]
        return list(work.read(self._key.table.name, rows, self._make))
