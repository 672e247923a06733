"""The items and answers of the endpoints about imports of users (api.md section 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from mailreeve.wire.items import longest

LONGEST: Final = 5 * 1024 * 1024  # characters of a file


class State(StrEnum):
    """How far an import has got: it waits or runs, it came to its end, or it broke off."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


class Person(Struct, frozen=True, array_like=True):
    """One line of a file. `line` is its number, from 1; without a name or a mobile number the user keeps what is
    there."""

    line: int
    email: str
    name: str
    mobile: str


class ImportUsers(Struct, frozen=True, rename="camel"):
    """A file of users: CSV in UTF-8 with the columns `email`, `name` and `mobile`. It is the body of the request,
    where the item stands in the header `x-mc-arg`; else the member `file`."""

    file: Annotated[str, longest(LONGEST), Meta(extra={"controls": "lines", "space": "kept"})] = ""
    notify_email_address: str | None = None


class ReadImport(Struct, frozen=True):
    """A file of users that was read."""

    people: Sequence[Person]
    notify: str


class StartedImport(Struct, frozen=True):
    """An import that is under way. `id` is for its status."""

    id: str
    status: State
    total: int


class OneImport(Struct, frozen=True):
    """An import, by its id; or without one the last."""

    id: str | None = None


class RefusedLine(Struct, frozen=True):
    """A line of the file that was not taken over, and why."""

    line: int
    email: str
    code: str
    message: str


class ImportStatus(Struct, frozen=True, rename="camel", kw_only=True):
    """How far an import has got: of `total` lines so many are `processed`, each of which made a user, changed one,
    changed nothing or was refused. Of the refused lines the first are told."""

    id: str
    status: State
    total: int
    processed: int
    created: int
    updated: int
    unchanged: int
    refused: int
    errors: Sequence[RefusedLine]
    started: str
    started_by: str
    finished: str | UnsetType = UNSET
    problem: str | UnsetType = UNSET
