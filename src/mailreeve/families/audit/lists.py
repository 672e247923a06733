"""How is a change of a list told? By what was added to it and what was removed, the first of many.

The lists themselves, before and after, are in the record: a web list of thousands of entries fills no screen
because one of them changed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

NAMED: Final = 5
"""So many of the items that were added are named, and so many of those that were removed."""

LONGEST: Final = 120  # characters of an item


def change_of_list(before: object, after: object) -> str | None:
    """What was added and removed, and what is only in another place; None where either is no list. A list that was
    not there is an empty one."""
    old, new = _items(before), _items(after)
    if old is None or new is None or not (old or new):
        return None
    had, has = Counter(old), Counter(new)
    changed = {"added": list((has - had).elements()), "removed": list((had - has).elements())}
    parts = [f"{word} {_named(items)}" for word, items in changed.items() if items]
    return ", ".join(parts) or "in another order"


def _items(value: object) -> list[str] | None:
    if value is None:
        return []
    return [_told(item) for item in value] if isinstance(value, list) else None


def _told(item: object) -> str:
    """An item in words: of an object its members' values, as typed rather than as matched."""
    if isinstance(item, dict):
        values = [value for name, value in item.items() if not (name == "value" and "shown" in item)]
        words = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
        return " ".join(word for word in words if word not in ("", "null"))
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)


def _named(items: Sequence[str]) -> str:
    told = [item if len(item) <= LONGEST else f"{item[: LONGEST - 1]}…" for item in items[:NAMED]]
    more = f" and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
    return f"{', '.join(told)}{more}"
