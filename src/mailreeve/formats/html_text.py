"""What does an HTML page say to a reader? Its text, without markup; a stranger wrote it.

Each character is looked at a fixed number of times, whatever stands there: nothing is parsed into a tree.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

_SILENT: Final = re.compile(r"(script|style|head|template|title)\b", re.IGNORECASE)
_BREAKS: Final = re.compile(
    r"/?(?:p|br|div|tr|td|th|li|ul|ol|table|h[1-6]|blockquote|hr|section)\b", re.IGNORECASE
)


def text_of_html(page: str) -> str:
    """The text of a page, without elements that are none for a reader. A tag that is not closed ends it."""
    found: list[str] = []
    lowered = page.lower() if page.isascii() else "".join(c.lower() if c.isascii() else c for c in page)
    at = 0
    while True:
        opened = page.find("<", at)
        if opened < 0:
            found.append(page[at:])
            break
        found.append(page[at:opened])
        if page.startswith("<!--", opened):
            closed = page.find("-->", opened)
            at = closed + 3
        else:
            closed = page.find(">", opened)
            at = closed + 1
            if silent := _SILENT.match(page, opened + 1):
                end = lowered.find(f"</{silent[1].lower()}", at)
                closed = page.find(">", end) if end >= 0 and closed >= 0 else -1
                at = closed + 1
            elif _BREAKS.match(page, opened + 1):
                found.append(" ")
        if closed < 0:
            break
    return unescape("".join(found))
