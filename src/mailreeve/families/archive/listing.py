"""Lists of archived messages, the newest first, over several mailboxes at once.

Each mailbox is an index in the order of keys: a page reads so much of each as it shows, however long they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import merge
from itertools import groupby, islice
from typing import Any, Final

from sqlalchemy import Column, Select

from mailreeve.families.archive.rows import archive_mailbox
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import DEFAULT_PAGE_SIZE, Asked, Page, Place

IN_MAILBOXES: Final[Column[Any]] = archive_mailbox.c.id


Fetch = Callable[[str, bool, int], Sequence[str]]
"""Gives at most so many keys from a place on, in the order in which they are read: below the place, or read back
the place and those above it. An empty place is the beginning."""


def paged(asked: Asked, fetch: Fetch) -> Page[str]:
    """The page that is asked for of a list with the newest first. How many there are is not counted."""
    most = asked.size or DEFAULT_PAGE_SIZE
    place = asked.place
    back = place is not None and place.back
    start = "" if place is None else place.key
    keys = fetch(start, back, most + 1)
    shown, more = keys[:most], len(keys) > most
    if back:
        onward = keys[most] if more else ""
        return _page(shown[::-1], after=start, before=onward, more=True, earlier=more)
    return _page(shown, after=shown[-1] if shown else start, before=start, more=more, earlier=place is not None)


def newest(work: Work, asked: Asked, queries: Sequence[Select[Any]], key: Column[Any] = IN_MAILBOXES) -> Page[str]:
    """A page of the keys that any of the queries finds, each once. `key` is what they select."""

    def fetch(start: str, back: bool, most: int) -> list[str]:
        # A place lies between the rows up to its key, which read back are the first, and those behind it.
        bounded = [q.where(start <= key if back else start > key) for q in queries] if start else queries
        order = key if back else key.desc()
        found = [list(work.run(query.order_by(order).limit(most)).scalars()) for query in bounded]
        return list(islice((one for one, _ in groupby(merge(*found, reverse=not back))), most))

    return paged(asked, fetch)


def _page(keys: Sequence[str], *, after: str, before: str, more: bool, earlier: bool) -> Page[str]:
    return Page(keys, len(keys), 0, Place(after), Place(before, back=True), more, earlier)
