"""What is a path of the API 2.0? A view of functions of the API 1.0: other words for the same items and answers.

A view decides nothing and looks nothing up. Permissions, limits, checks, audit and errors are those of the
functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from mailreeve.wire.errors import INVALID_TOKEN, NOT_ALLOWED, Problem, problem

Members = dict[str, object]

MOST_ON_PAGE: Final = 100
"""Rows of a page, at most; and as many are given where nothing is asked (api.md section 1.9)."""

_NOT_FOUND: Final = "_not_found"
_EXISTS: Final = ("_exists", "_exists_code", "_already_exists")


class Asked(Struct, frozen=True):
    """What a client asked of a view: the id in its path, if it has one, its query, and the members of its body."""

    id: str
    query: Mapping[str, str]
    body: Members

    def paging(self) -> Members:
        """The page that is asked for, as the envelope of the API 1.0 has it. Raises `NotDone`."""
        size = self.query.get("pageSize") or str(MOST_ON_PAGE)
        if not (
            size.isascii()
            and size.isdigit()
            and len(size) <= len(str(MOST_ON_PAGE))
            and 1 <= int(size) <= MOST_ON_PAGE
        ):
            text = f"pageSize must be a whole number from 1 to {MOST_ON_PAGE}"
            raise NotDone([problem(NOT_ALLOWED, "pageSize", text)])
        return {"pageSize": int(size), "pageToken": self.query.get("pageToken") or None}


class Answered(Struct, frozen=True):
    """What a function of the API 1.0 answered: rows, the errors of each item that was refused, and the token of
    the next page, empty on the last."""

    rows: Sequence[Members]
    refused: Sequence[Sequence[Problem]]
    next: str = ""

    def done(self) -> Sequence[Members]:
        """The rows. Raises `NotDone` where an item was refused."""
        if self.refused:
            raise NotDone(self.refused[0])
        return self.rows


Perform = Callable[[str, Sequence[Members], Members], Answered]
"""Calls a function of the API 1.0, by its path, with items and a page, as the caller of the view."""


class Told(Struct, frozen=True):
    """What a view answers; without a body where there is nothing to say."""

    status: int
    body: Members | None = None


class NotDone(Exception):
    """What was asked is refused."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(one.message for one in problems))
        self.problems = tuple(problems)

    @property
    def status(self) -> int:
        """The HTTP status: 404 for what is not there, 409 for what is there already, else 400."""
        codes = [one.code for one in self.problems]
        if any(code == INVALID_TOKEN.code or code.endswith(_NOT_FOUND) for code in codes):
            return 404
        return 409 if any(code.endswith(_EXISTS) for code in codes) else 400


class View(Struct, frozen=True):
    """A method and a path, in which `{id}` stands for an id, and what answers there."""

    method: str
    path: str
    answer: Callable[[Asked, Perform], Told]

    def id_in(self, path: str) -> str | None:
        """The id in a path that was sent; empty where this view's has none, None where it is another path."""
        before, placeholder, after = self.path.partition("{id}")
        if not placeholder:
            return "" if path == before else None
        if not path.startswith(before) or not path.endswith(after):
            return None
        found = path[len(before) : len(path) - len(after)]
        return unquote(found) if found and "/" not in found else None


def page(name: str, rows: Sequence[Members], token: str, *also: str) -> Members:
    """A page of a list, under each of the names that clients look for. The next page's token stands wherever one
    of them reads it."""
    paging: Members = {"pageSize": len(rows)}
    body: Members = dict.fromkeys((name, *also), rows)
    if token:
        paging |= {"next": token, "nextPageToken": token}
        body["nextToken"] = token
    return body | {"meta": {"pagination": paging}}
