"""Which page of a list is asked for, and what is said about the one shown (api.md section 1.9)?

A page token holds the page size and the offset of a page, as the live service's does. It is bound to
nothing else: it grants no access, and a forged one shows another page of one's own list.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

from mailreeve.wire.errors import BAD_PAGINATION, RequestRefused

MAX_PAGE_SIZE: Final = 500
DEFAULT_PAGE_SIZE: Final = 500

Row = TypeVar("Row")


class Shown(Struct, frozen=True, rename="camel"):
    """`meta.pagination` of an answer. `page_size` is the number of items on this page, as seen live."""

    page_size: int
    total_count: int | UnsetType = UNSET
    next: str | UnsetType = UNSET
    previous: str | UnsetType = UNSET

    def plus(self, other: Shown) -> Shown:
        """What to say about two lists in one answer: one request may hold several items. All lists of a request
        are paged alike, so either one's token leads on in both."""
        return Shown(
            page_size=self.page_size + other.page_size,
            total_count=((self.total_count or 0) + (other.total_count or 0)) or UNSET,
            next=self.next or other.next,
            previous=self.previous or other.previous,
        )


class PageRequest(Struct, frozen=True):
    """The page that a caller asks for. A size of 0 means that none was named."""

    size: int = 0
    offset: int = 0

    @classmethod
    def read(cls, pagination: dict[str, object]) -> PageRequest:
        """The page that `meta.pagination` asks for. Null and empty members count as absent, a size above
        the maximum as the maximum. Raises `RequestRefused`."""
        token = pagination.get("pageToken") or ""
        size = pagination.get("pageSize") or pagination.get("page_size") or 0
        if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < 10:
            size = int(size)
        if isinstance(size, float) and size.is_integer():
            size = int(size)
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise RequestRefused(BAD_PAGINATION, "pageSize must be a positive number")
        size = min(size, MAX_PAGE_SIZE)
        if not isinstance(token, str):
            raise RequestRefused(BAD_PAGINATION, "pageToken must be a string")
        if not token:
            return cls(size, 0)
        token_size, offset = _open(token)
        return cls(size or token_size, offset)

    def shown(self, count: int, total: int) -> Shown:
        """What to say about a page of `count` items out of `total`."""
        size = self.size or DEFAULT_PAGE_SIZE
        end = self.offset + count
        return Shown(
            page_size=count,
            total_count=total if total else UNSET,
            next=_seal(size, end) if count and end < total else UNSET,
            previous=_seal(size, max(0, self.offset - size)) if self.offset else UNSET,
        )

    def cut(self, rows: Sequence[Row]) -> Page[Row]:
        """This page of a list that is at hand as a whole."""
        size = self.size or DEFAULT_PAGE_SIZE
        part = rows[self.offset : self.offset + size]
        return Page(part, self.shown(len(part), len(rows)))

    def all_or_cut(self, rows: Sequence[Row]) -> Page[Row]:
        """As `cut`, but the whole list when no page was asked for: policy reads are documented to return
        every policy, and their clients do not page (api.md section 3.2.2)."""
        if self.size or self.offset:
            return self.cut(rows)
        return Page(rows, Shown(len(rows), len(rows) or UNSET))


class Page(Struct, Generic[Row], frozen=True):
    """The rows of one page, with what `meta.pagination` says about it."""

    rows: Sequence[Row]
    shown: Shown


def _seal(size: int, offset: int) -> str:
    return base64.urlsafe_b64encode(f"{size}.{offset}".encode()).rstrip(b"=").decode()


def _open(token: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
        size_text, offset_text = text.split(".")
        size, offset = int(size_text), int(offset_text)
    except (binascii.Error, ValueError) as problem:
        raise RequestRefused(BAD_PAGINATION, "pageToken is not one that this server gave") from problem
    if not (0 < size <= MAX_PAGE_SIZE and 0 <= offset < 2**53):
        raise RequestRefused(BAD_PAGINATION, "pageToken is not one that this server gave")
    return size, offset
