"""Two lists that are paged by key are one list, whichever way it is read and however little of each is looked
at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailreeve.families.machinery.latest import merged
from mailreeve.wire.pagination import Asked, Page, Place


def page_of(keys: list[str], asked: Asked, *, oldest_first: bool) -> Page[str]:
    """A page of a list as `latest` gives it."""
    back = asked.place is not None and asked.place.back
    start = "" if asked.place is None else asked.place.key
    ascending = oldest_first != back
    ordered = sorted(keys, reverse=not ascending)
    if start and back:
        ordered = [k for k in ordered if (k >= start if ascending else k <= start)]
    elif start:
        ordered = [k for k in ordered if (k > start if ascending else k < start)]
    found, more = ordered[: asked.size], len(ordered) > asked.size
    if back:
        onward = ordered[asked.size] if more else ""
        return Page(found[::-1], len(found), 0, Place(start), Place(onward, back=True), True, more)
    after = found[-1] if found else start
    return Page(found, len(found), 0, Place(after), Place(start, back=True), more, asked.place is not None)


KEYS = st.sets(st.integers(1, 40)).map(lambda numbers: [f"{number:032x}" for number in numbers])


@given(KEYS, KEYS, st.integers(1, 5), st.booleans())
def test_all_of_both_is_read_forward_and_the_same_back(first, second, size, oldest_first):
    second = [key for key in second if key not in first]
    whole = sorted(first + second, reverse=not oldest_first)

    def read(asked: Asked) -> Page[str]:
        pages = [page_of(keys, asked, oldest_first=oldest_first) for keys in (first, second)]
        return merged(pages, asked, lambda key: key, oldest_first=oldest_first)

    seen: list[str] = []
    starts: list[list[str]] = []
    page = read(Asked(size))
    while True:
        starts.append(list(page.rows))
        seen += page.rows
        if not page.more:
            break
        page = read(Asked(size, page.after))
    assert seen == whole
    back: list[list[str]] = []
    while page.earlier:
        page = read(Asked(size, page.before))
        back.insert(0, list(page.rows))
    assert [row for rows in back for row in rows] == [row for rows in starts[:-1] for row in rows]
