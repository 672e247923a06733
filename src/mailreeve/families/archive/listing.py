"""Lists of archived messages, the newest first, over several mailboxes at once.

Each mailbox is an index in the order of keys: a page reads so much of each as it shows, however long they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge
from itertools import islice
from typing import Any, Final

from sqlalchemy import Column, Select

from mailreeve.families.archive.rows import archive_mailbox
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import DEFAULT_PAGE_SIZE, Asked, Page, Place

_KEY: Final[Column[Any]] = archive_mailbox.c.id


def newest(work: Work, asked: Asked, queries: Sequence[Select[Any]]) -> Page[str]:
    """A page of the keys that any of the queries finds, each once. How many there are is not counted."""
    most = asked.size or DEFAULT_PAGE_SIZE
    place = asked.place
    back = place is not None and place.back
    start = "" if place is None else place.key
    bounded = list(queries)
    if start:
        # A place lies between the rows up to its key, which read back are the first, and those behind it.
        bounded = [query.where(start <= _KEY if back else start > _KEY) for query in queries]
    order = _KEY if back else _KEY.desc()
    found = [list(work.run(query.order_by(order).limit(most + 1)).scalars()) for query in bounded]
    keys = list(islice(_distinct(merge(*found, reverse=not back)), most + 1))
    shown, more = keys[:most], len(keys) > most
    if back:
        onward = keys[most] if more else ""
        return _page(shown[::-1], after=start, before=onward, more=True, earlier=more)
    return _page(shown, after=shown[-1] if shown else start, before=start, more=more, earlier=place is not None)


def _distinct(keys: Any) -> Any:
    last = None
    for key in keys:
        if key != last:
            yield key
        last = key


def _page(keys: Sequence[str], *, after: str, before: str, more: bool, earlier: bool) -> Page[str]:
    return Page(keys, len(keys), 0, Place(after), Place(before, back=True), more, earlier)
