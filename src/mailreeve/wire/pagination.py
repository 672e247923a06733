"""Which page of a list is asked for, and what is said about the one shown (api.md section 1.9)?

A page token holds a place in the list: the key of a row and the way to read from there, never a count of rows. So
what is added or removed while somebody pages moves nothing: every row that is there throughout is shown once. The
token is sealed, and holds for one account, one function and the same items only: anywhere else it would show the
middle of another list as if it were its beginning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Generic, Self, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mailreeve.wire.errors import BAD_PAGINATION, RequestRefused
from mailreeve.wire.tokens import Ids

MAX_PAGE_SIZE: Final = 500
DEFAULT_PAGE_SIZE: Final = 500

TOKEN: Final = "pageToken"  # noqa: S105 - the member's name
_DIGEST: Final = 16  # octets that tell the items of one request from those of another

Row = TypeVar("Row")
Other = TypeVar("Other")


class Shown(Struct, frozen=True, rename="camel"):
    """`meta.pagination` of an answer. `page_size` is the number of items on this page, as seen live."""

    page_size: int
    total_count: int | UnsetType = UNSET
    next: str | UnsetType = UNSET
    previous: str | UnsetType = UNSET


class PageRequest(Struct, frozen=True):
    """The page that a caller asks for, as it was sent. A size of 0 means that none was named."""

    size: int = 0
    token: str = ""

    @classmethod
    def read(cls, pagination: dict[str, object]) -> PageRequest:
        """The page that `meta.pagination` asks for. Null and empty members count as absent, a size above
        the maximum as the maximum. Raises `RequestRefused`."""
        token = pagination.get(TOKEN) or ""
        size = pagination.get("pageSize") or pagination.get("page_size") or 0
        if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < 10:
            size = int(size)
        if isinstance(size, float) and size.is_integer():
            size = int(size)
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise RequestRefused(BAD_PAGINATION, "pageSize must be a positive number", field="pageSize")
        if not isinstance(token, str):
            raise RequestRefused(BAD_PAGINATION, "pageToken must be a string", field=TOKEN)
        return cls(min(size, MAX_PAGE_SIZE), token)


class Place(Struct, frozen=True, array_like=True):
    """A point in a list that is ordered by a key: between the rows up to `key` and those after it.

    Read forward from it come the rows after it, read back the last ones up to it.
    """

    key: str
    back: bool = False


class Asked(Struct, frozen=True):
    """The page that is asked for of one list: at its beginning where there is no place. A size of 0 means that
    none was named."""

    size: int = 0
    place: Place | None = None

    @property
    def whole(self) -> bool:
        """Whether no page was asked for at all."""
        return not self.size and self.place is None


class Page(Struct, Generic[Row], frozen=True):
    """The rows of one page of a list: how many it holds, how many the list has, the places where the pages after
    and before it begin, and whether there is anything there."""

    rows: Sequence[Row]
    count: int
    total: int
    after: Place = Place("")
    before: Place = Place("", back=True)
    more: bool = False
    earlier: bool = False

    @classmethod
    def of_all(cls, rows: Sequence[Row]) -> Self:
        """The only page of a list."""
        return cls(rows, len(rows), len(rows))

    def showing(self, rows: Sequence[Other]) -> Page[Other]:
        """The same page with what answers make of its rows, which may be one answer that holds them all."""
        return Page(rows, self.count, self.total, self.after, self.before, self.more, self.earlier)


class _Content(Struct, frozen=True, array_like=True):
    """What a token holds. One request may hold several items, each of which asks for a list: there is a place for
    each."""

    path: str
    items: bytes
    size: int
    places: tuple[Place | None, ...]


_content: Final = msgspec.msgpack.Decoder(_Content)


class Paging:
    """The pages of one request to a function that lists: what its token asks for, and the tokens of its answer.

    `items` are the items as they were read, None for one that was refused. Raises `RequestRefused`, naming the
    field, for a token that was not given to this account for these items of this function.
    """

    def __init__(
        self, ids: Ids, account_id: str, path: str, items: Sequence[Struct | None], request: PageRequest
    ) -> None:
        self._ids = ids
        self._account_id = account_id
        self._path = path
        self._items = hashlib.sha256(msgspec.json.encode(items)).digest()[:_DIGEST]
        places: Sequence[Place | None] = [None] * len(items)
        size = request.size
        if request.token:
            content = self._open(request.token)
            places = content.places
            size = size or content.size
        self._size = size
        self.asked: Final = [Asked(size, place) for place in places]

    def shown(self, pages: Sequence[Page[Struct] | None]) -> Shown:
        """What to say about the pages of all items, None for one that was refused."""
        found = [page for page in pages if page is not None]
        after = [
            asked.place if page is None else page.after for asked, page in zip(self.asked, pages, strict=True)
        ]
        before = [
            asked.place if page is None else page.before for asked, page in zip(self.asked, pages, strict=True)
        ]
        return Shown(
            page_size=sum(page.count for page in found),
            total_count=sum(page.total for page in found) or UNSET,
            next=self._seal(after) if any(page.more for page in found) else UNSET,
            previous=self._seal(before) if any(page.earlier for page in found) else UNSET,
        )

    def _seal(self, places: Sequence[Place | None]) -> str:
        content = _Content(self._path, self._items, self._size or DEFAULT_PAGE_SIZE, tuple(places))
        return self._ids.seal_page(msgspec.msgpack.encode(content), self._account_id)

    def _open(self, token: str) -> _Content:
        try:
            content = _content.decode(self._ids.open_page(token, self._account_id))
        except (ValueError, msgspec.DecodeError) as problem:
            raise _refused("pageToken is not one that this server gave to this account") from problem
        if content.path != self._path:
            raise _refused(f"pageToken is one of {content.path}, not of {self._path}")
        if content.items != self._items:
            raise _refused("pageToken is one of another list: send the same data with it as for its first page")
        return content


def refuse_token(request: PageRequest, path: str) -> None:
    """A function that gives no pages takes no token. Raises `RequestRefused`."""
    if request.token:
        raise _refused(f"pageToken is of no use here: {path} gives no pages")


def _refused(message: str) -> RequestRefused:
    return RequestRefused(BAD_PAGINATION, message, field=TOKEN)
