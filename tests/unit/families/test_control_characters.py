"""No endpoint keeps a control character: one place has the rule, and every text of every item goes through it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire import items

PROSE = {"description", "comment", "notes", "reason", "message"}
FOREIGN = {"headerFrom"}
XML = ("SearchArchive", "query")  # which programs write, over several lines
FILE = ("ImportUsers", "file")  # whose lines are parted, and hold none
ITEM_TYPES = sorted({endpoint.item for endpoint in ENDPOINTS}, key=lambda item: item.__qualname__)


def texts(item: type[msgspec.Struct], above: frozenset[type] = frozenset()) -> Iterator[tuple[str, str]]:
    """Each member of an item, at any depth, and which controls its text may hold."""
    for field in items._fields(item):
        kind = next(name for name, pattern in items._CONTROLS.items() if pattern is field.controls)
        if field.inner is None:
            yield field.name, kind
        elif field.inner not in above:
            yield from texts(field.inner, above | {item})


@pytest.mark.parametrize("item", ITEM_TYPES, ids=lambda item: item.__qualname__)
def test_only_prose_takes_line_ends_and_nothing_kept_takes_more(item):
    """Descriptions, comments and notes; what is asked about is not kept."""
    for name, kind in texts(item):
        is_foreign = name in FOREIGN or (item.__name__, name) == XML
        assert kind == (
            "lines" if name in PROSE or (item.__name__, name) == FILE else "any" if is_foreign else ""
        ), name


def test_there_is_prose_to_speak_of():
    assert {name for item in ITEM_TYPES for name, kind in texts(item) if kind} == PROSE | FOREIGN | {
        XML[1],
        FILE[1],
    }
