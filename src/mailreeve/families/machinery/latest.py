"""Long lists that only ever grow, such as logs, read newest first and narrowed by several conditions.

What is narrowed by more than its index may have to look at many rows to find few. So one page looks at `LOOKED_AT`
at most: it may hold less than was asked for, or nothing, and says all the same that there is more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Column, Select

from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import DEFAULT_PAGE_SIZE, Asked, Page, Place

LOOKED_AT: Final = 10_000
"""Keys that one page looks at: some tens of milliseconds."""

READ_AT_ONCE: Final = 500
PAGES_READ: Final = 10
"""Pages that one call reads for what no query can ask, of `READ_AT_ONCE` rows each."""

R = TypeVar("R")


def latest(
    work: Work,
    asked: Asked,
    key: Column[str],
    within: Select[Any],
    narrowed: Select[Any] | None = None,
    *,
    oldest_first: bool = False,
) -> Page[str]:
    """A page of keys. `within` selects the key of all rows of a range of an index, bound to the account
    (`records.ours`); `narrowed` is the same with further conditions, where there are any.

    The number of all rows is not counted, and not told.
    """
    most = asked.size or DEFAULT_PAGE_SIZE
    place = asked.place
    back = place is not None and place.back
    # Read back, a page begins at its end.
    ascending = oldest_first != back
    start = "" if place is None else place.key
    if start:
        # A place lies between the rows up to its key, which read back are the first, and those behind it.
        if back:
            beyond = key >= start if ascending else key <= start
        else:
            beyond = key > start if ascending else key < start
        within = within.where(beyond)
        narrowed = None if narrowed is None else narrowed.where(beyond)
    order = key if ascending else key.desc()
    end = None
    if narrowed is not None:
        end = work.run(within.order_by(order).offset(LOOKED_AT).limit(1)).scalar_one_or_none()
    rows: Select[Any] = within if narrowed is None else narrowed
    if end is not None:
        rows = rows.where(key < end if ascending else key > end)
    keys = [row[0] for row in work.run(rows.order_by(order).limit(most + 1))]
    found, more = keys[:most], len(keys) > most or end is not None
    if back:
        # A further page back goes on with the key after the last one shown, or looked at.
        onward = keys[most] if len(keys) > most else (end or "")
        return _page(found[::-1], after=start, before=onward, more=True, earlier=more)
    after = found[-1] if len(keys) > most else _before(end, ascending) if end is not None else _last(found, start)
    return _page(found, after=after, before=start, more=more, earlier=place is not None)


def passing(
    asked: Asked, page_of: Callable[[Asked], Page[R]], passes: Callable[[R], bool], key_of: Callable[[R], str]
) -> Page[R]:
    """A page of the rows that pass a test which no query can make. `page_of` gives the rows of a page, by
    `latest`.

    However few pass, no more than `PAGES_READ` pages are read: so it may hold less than was asked for, as there.
    """
    most = asked.size or DEFAULT_PAGE_SIZE
    if asked.place is not None and asked.place.back:
        page = page_of(asked)
        found = [row for row in page.rows if passes(row)]
        return Page(found, len(found), 0, page.after, page.before, page.more, page.earlier)
    first = page = page_of(Asked(READ_AT_ONCE, asked.place))
    found = []
    for number in range(1, PAGES_READ + 1):
        passed = [row for row in page.rows if passes(row)]
        if len(found) + len(passed) > most:
            found += passed[: most - len(found)]
            return Page(found, most, 0, Place(key_of(found[-1])), first.before, True, first.earlier)
        found += passed
        if not page.more or len(found) == most or number == PAGES_READ:
            break
        page = page_of(Asked(READ_AT_ONCE, page.after))
    return Page(found, len(found), 0, page.after, first.before, page.more, first.earlier)


def merged(pages: Sequence[Page[R]], asked: Asked, key_of: Callable[[R], str], *, oldest_first: bool) -> Page[R]:
    """One page of several lists, of each of which `latest` has given the page that is asked for, in one order.

    A list that was not read to its end may have more from there on: so nothing is shown beyond the place up to
    which all were read.
    """
    most = asked.size or DEFAULT_PAGE_SIZE
    back = asked.place is not None and asked.place.back
    ascending = oldest_first != back  # Read back, a page begins at its end.

    def is_before(one: str, other: str) -> bool:
        return one < other if ascending else one > other

    ends = [page.before.key if back else page.after.key for page in pages if (page.earlier if back else page.more)]
    ends = [end for end in ends if end] if back else ends
    nearest = None if not ends else min(ends) if ascending else max(ends)
    rows = sorted((row for page in pages for row in page.rows), key=key_of, reverse=not ascending)
    if nearest is not None:
        # The end itself was shown by a page that was read forward; read back, it is the next one to be shown.
        rows = [r for r in rows if is_before(key_of(r), nearest) or (not back and key_of(r) == nearest)]
    shown, more = rows[:most], len(rows) > most or nearest is not None
    start = "" if asked.place is None else asked.place.key
    if back:
        onward = key_of(rows[most]) if len(rows) > most else (nearest or "")
        return Page(shown[::-1], len(shown), 0, Place(start), Place(onward, back=True), True, more)
    if len(rows) > most:
        end = key_of(shown[-1])
    else:
        end = nearest if nearest is not None else key_of(shown[-1]) if shown else start
    return Page(shown, len(shown), 0, Place(end), Place(start, back=True), more, asked.place is not None)


def _page(keys: Sequence[str], *, after: str, before: str, more: bool, earlier: bool) -> Page[str]:
    return Page(keys, len(keys), 0, Place(after), Place(before, back=True), more, earlier)


def _last(found: Sequence[str], start: str) -> str:
    return found[-1] if found else start


def _before(end: str, ascending: bool) -> str:
    """A place after which `end` is the next key, in either direction."""
    number = int(end, 16) + (-1 if ascending else 1)
    return f"{number:032x}"
