"""Which serial does a zone have, and which of two is the later one (RFC 1982)?"""

from __future__ import annotations

from typing import Final

SERIALS: Final = 1 << 32


def next_serial(last: int | None, revision: int) -> int:
    """The serial of a zone that changed, after the `last` one: the revision, or where that is no later the next
    number, as when time alone changed it. Zero is left out: some take it for none."""
    wanted = revision % SERIALS or 1
    if last is None or is_later(wanted, last):
        return wanted
    return (last + 1) % SERIALS or 1


def is_later(one: int, other: int) -> bool:
    """Whether a serial comes after another one (RFC 1982 section 3.2)."""
    return 0 < (one - other) % SERIALS < SERIALS // 2
