"""What does a line of somebody's filter list say? The values that every reader yields."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

NOWHERE: Final = frozenset(("0.0.0.0", "127.0.0.1", "::", "::1", "0", "::0"))  # noqa: S104 - nobody binds to it
"""The addresses by which a list says that a name leads nowhere."""


class FilterFormat(StrEnum):
    """How a list is written."""

    DOMAINS = "domains"
    HOSTS = "hosts"
    ADBLOCK = "adblock"
    RPZ = "rpz"
    URLHAUS = "urlhaus"


class Rule(Struct, frozen=True, gc=False):
    """A domain or URL that a line names, as it is written there, and whether the line allows it. `wide` says that
    the line speaks of what is below the domain as well. `final` says that no line that allows comes before it."""

    line: int
    text: str
    is_url: bool = False
    allows: bool = False
    wide: bool = True
    final: bool = False


class Untaken(Struct, frozen=True, gc=False):
    """A line that says something which no web list can say, and why."""

    line: int
    text: str
    reason: str


Read = Iterator[Rule | Untaken]
"""What the lines of a list say, in their order. Comments and empty lines say nothing."""

Lines = Iterator[tuple[int, str]]
"""Lines with their numbers, from 1, without their ends."""
