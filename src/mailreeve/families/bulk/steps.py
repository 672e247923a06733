"""What does an import consist of? Steps, each of which carries out a row, or several that belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Final, TypeVar

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call

T = TypeVar("T", bound=Struct)


class Outcome(Enum):
    """What became of a row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Step(Struct, frozen=True):
    """Part of an import, which is undone alone where it raises `ItemRefused`.

    `rows` are the numbers of its rows. `run` carries them out and returns what became of each of several, or of
    one row the key of the object that it is about, empty where there is none: what became of it shows in the audit
    log then.
    """

    rows: Sequence[int]
    run: Callable[[], str | Sequence[Outcome]]


Plan = Iterable[Step]


class Finish(Struct, frozen=True):
    """What is left to do when all rows are carried out. It may raise `ItemRefused`, which goes for all of them."""

    run: Callable[[], None]


class Kind(Struct, frozen=True):
    """A kind of object that is imported and exported.

    `name` is what commands and paths call it, `row` its rows. Any one of `edit` permits an import, any one of
    `read` an export. `plan` makes the steps of an import: from the call, the rows with their numbers, and whether
    a block of a whole organisation is confirmed. Where members of the API are named otherwise than the column
    that they come from, `columns` says which that is. `own` says that a user needs no permission for what is
    the user's own: the steps see to that.
    """

    name: str
    row: type[Struct]
    edit: tuple[Permission, ...]
    read: tuple[Permission, ...]
    plan: Callable[[Call, Sequence[tuple[int, Struct]], bool | None], Iterator[Step | Finish]]
    columns: Mapping[str, str] = {}
    own: bool = False


ALL: Final = "rows"
"""The member of an import that its rows are in."""
