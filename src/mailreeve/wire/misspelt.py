"""Is a member of an item one that was meant to have another name?

Members that nobody knows are ignored (clients.md, what a compatible server must do, point 8): clients send many.
One that is nearly a known member is ignored as well, but then the caller is told: a policy whose `toDat` was
ignored is in force for good. Where no client is known to send any (`Endpoint.tells_unknown`), each of them is
told: a user who was to be made with a `role` has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.wire import items
from mailreeve.wire.envelope import Item
from mailreeve.wire.errors import NULL, Problem

NEAR: Final = 0.8  # of difflib's measure, where 1 is the same
MOST: Final = 10  # unknown members of one item that are looked at
MOST_WARNINGS: Final = 20  # for all items of a call together
LONGEST: Final = 40  # characters of a name that is looked at
LONGEST_PATH: Final = 120  # characters of a path that is told

# Members that clients send where nobody reads them (clients.md, api.md section 1.2). They are not meant otherwise.
_SENT: Final = frozenset(
    {
        "action",
        "comment",
        "loadContent",
        "meta",
        "notes",
        "page_size",
        "pagination",
        "reason",
        "requestId",
        "senderIp",
        "showAvatar",
    }
)


def warnings(item: Item, into: type[Struct], place: str = "", *, every: bool = False) -> list[str]:
    """What to tell about the members of the item, which is to be an `into`: of `every` one that is not known, or
    of those that are nearly. `place` is where the item is."""
    unknown = islice(_unknown(item, into, place), MOST)
    return [
        f'"{_shown(path)}" is not known and was ignored' + (f'; "{near}" is' if near is not None else "")
        for path, near in unknown
        if every or near is not None
    ]


def _shown(path: str) -> str:
    """A path as text that does nothing and is not too long: its end is what somebody wrote."""
    plain = path if path.isprintable() else ascii(path)[1:-1]
    return plain if len(plain) <= LONGEST_PATH else f"{plain[:LONGEST_PATH]}…"


def explained(problems: Sequence[Problem], item: Item, into: type[Struct]) -> list[Problem]:
    """The problems of an item, which is to be an `into`. Of a member that is missing because it was misspelt, that
    is said."""
    missing = {one.field for one in problems if one.code == NULL.code}
    if not missing:
        return list(problems)
    meant = {
        (f"{path.rpartition('.')[0]}.{near}" if "." in path else near): path
        for path, near in islice(_unknown(item, into, ""), MOST)
        if near is not None
    }
    return [
        replace(one, message=f'{one.message}; "{meant[one.field]}" is not known')
        if one.field in missing and one.field in meant
        else one
        for one in problems
    ]


def _unknown(item: Item, into: type[Struct], place: str) -> Iterator[tuple[str, str | None]]:
    """Each unknown member by its path, and the known one that it is nearly."""
    known = items.members(into)
    for name, value in item.items():
        path = f"{place}.{name}" if place else name
        if name in known:
            inner = known[name]
            if inner is None:
                continue
            if isinstance(value, dict):
                yield from _unknown(value, inner, path)
            elif isinstance(value, list):
                for n, member in enumerate(value):
                    if isinstance(member, dict):
                        yield from _unknown(member, inner, f"{path}[{n}]")
        elif value is not None and name not in _SENT:
            yield path, _near(name, into)


@lru_cache(4096)
def _near(name: str, into: type[Struct]) -> str | None:
    if len(name) > LONGEST or not name.isprintable():
        return None
    plain = {known.casefold(): known for known in items.members(into)}
    found = get_close_matches(name.casefold().replace("_", ""), plain, 1, NEAR)
    return plain[found[0]] if found else None
