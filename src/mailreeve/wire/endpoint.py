"""How is an endpoint declared? Once: its path, its permission, its item and answer types, its limits.

From the declarations come dispatch, permission checks, the OpenAPI document and the reference pages. An
endpoint is a function from a call and an item to an answer; it never sees HTTP.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, TypeVar, get_args, get_origin

from msgspec import Struct

from mailreeve.access.permissions import Permission
from mailreeve.wire import items
from mailreeve.wire.envelope import Item
from mailreeve.wire.pagination import Page

MAX_ITEMS: Final = 500  # The largest batch that any published page names (api.md section 1.10).
MAX_SLOW: Final = 10  # Passwords in one request: to hash one takes a tenth of a second of a processor.

OWN: Final = "ext/"  # what the paths of our own functions begin with

MAX_SHORT: Final = 4  # Things found by their keys that are read without a thread.


class Admission(StrEnum):
    """Who is let in to an endpoint: callers with keys or a token; users who give their password and name an
    application, to get keys; or whoever names an application."""

    CALLERS = "callers"
    PASSWORD = "password"  # noqa: S105 - it names a way in
    APPLICATION = "application"


C = TypeVar("C")
I = TypeVar("I", bound=Struct)  # noqa: E741 - an item
R = TypeVar("R", bound=Struct)
A = TypeVar("A")

Result = Sequence[Struct] | Page[Struct]


class Endpoint(Struct, frozen=True):
    """A declared endpoint. `path` is without the leading `/api/`. Any one of `permissions` grants the call.

    `writes` says whether it runs in a writing transaction, `lists` whether its answers carry pagination,
    `most` how many items one request may hold. `slow` names the member that makes an item take its time before
    the transaction; whoever serves keeps such calls apart, and `MAX_SLOW` items of one request may have it.
    `short` names the member by which an item asks for one thing under its key: a few of these are read in less
    time than it takes to hand them to a thread. Such an endpoint looks at no policy set. `tells_unknown` says that
    the caller is told of every member that is not known, not only of misspelt ones. `own` says that a user needs
    none of the permissions for the own mailbox and those that were opened to the user: the function sees to that.
    `file` names the member that a file is put into which comes as the body of a request, its item in a header.
    `admits` says who is let in.
    """

    path: str
    summary: str
    permissions: tuple[Permission, ...]
    item: type[Struct]
    answer: type[Struct]
    writes: bool
    lists: bool
    most: int
    slow: str
    short: str
    tells_unknown: bool
    own: bool
    file: str
    admits: Admission
    _prepare: Callable[[Struct], Struct]
    _run: Callable[[object, Struct], object]

    def read(self, item: Item) -> Struct:
        """The item as it came, made ready for `run`. It looks at nothing but the item, so it belongs before the
        transaction. Raises `ItemRefused` or `RequestRefused`."""
        return self._prepare(items.read(item, self.item))

    def is_short(self, items: Sequence[Item]) -> bool:
        """Whether this is read in a moment: few items, each of one thing by its key."""
        return bool(self.short) and len(items) <= MAX_SHORT and all(item.get(self.short) for item in items)

    def run(self, call: object, item: Struct) -> Result:
        """Do the call for one item that `read` made ready. Raises `ItemRefused` or `RequestRefused`."""
        answer = self._run(call, item)
        if isinstance(answer, Page | list | tuple):
            return answer
        return [typing.cast(Struct, answer)]


def endpoint(
    path: str,
    *any_of: Permission,
    writes: bool = False,
    most: int = MAX_ITEMS,
    prepare: Callable[[I], R] | None = None,
    slow: str = "",
    short: str = "",
    tells_unknown: bool | None = None,
    own: bool = False,
    file: str = "",
    admits: Admission = Admission.CALLERS,
) -> Callable[[Callable[[C, R], A]], Endpoint]:
    """Declare the decorated function an endpoint; the item and answer types are its annotations.

    The function returns one answer, a list of them, or a `Page`. The first line of its docstring becomes the
    summary. Slow work that needs the item alone, such as hashing a password, is what `prepare` is for: it runs
    before the transaction begins, so that no other writer waits for it. The item type is then what `prepare`
    takes, and the function takes what it returns. `slow` names the member that the work is about; for `short`,
    `tells_unknown`, `own`, `file` and `admits` see `Endpoint`. `tells_unknown` holds for our own functions, which
    no client of old calls.
    """

    def declare(function: Callable[[C, R], A]) -> Endpoint:
        hints = typing.get_type_hints(function)
        answer = hints.pop("return")
        item = list(hints.values())[1]
        if prepare is not None:
            item = next(iter(typing.get_type_hints(prepare).values()))
        pages = get_origin(answer) is Page
        if pages or get_origin(answer) in (list, Sequence):
            answer = get_args(answer)[0]
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        ready = typing.cast(Callable[[Struct], Struct], prepare or _as_it_is)
        run = typing.cast(Callable[[object, Struct], object], function)
        tells = path.startswith(OWN) if tells_unknown is None else tells_unknown
        return Endpoint(
            path,
            summary,
            any_of,
            item,
            answer,
            writes,
            pages,
            most,
            slow,
            short,
            tells,
            own,
            file,
            admits,
            ready,
            run,
        )

    return declare


def _as_it_is(item: Struct) -> Struct:
    return item
