"""How is somebody received who opens a page, whichever it is?

How often one may come, by which methods, what is read of a form, in how many threads pages are made, and what is
said when something fails.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol, TypeVar
from urllib.parse import parse_qs

import anyio
import structlog
from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailreeve.formats.networks import counted_as

FORM_TIME: Final = 20  # seconds that a form may take to arrive
MAX_FIELDS: Final = 4  # of a form
WORKERS: Final = 4  # pages made at once; each holds at most one database connection

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Answer(Protocol):
    """What somebody gets who may come. `address` is where they come from, empty where that is not known."""

    def __call__(self, request: Request, address: str) -> Awaitable[Response]: ...


class MakePage(Protocol):
    """Makes a page that says something: `page.page` or `page.block_page`."""

    def __call__(
        self, status: int, title: str, lines: Sequence[str] = (), *, headers: Mapping[str, str] | None = None
    ) -> Response: ...


class Receiving:
    """An ASGI application whose pages are what `answer` makes of a request.

    `wait` is told the network of whoever comes, and says how many milliseconds that one has to wait, 0 if not at
    all. Who has to wait, or meets a fault, gets a page by `make`, on which `unchanged` is said as well. `failed`
    is what the log says of a fault.
    """

    def __init__(
        self, answer: Answer, wait: Callable[[str], int], make: MakePage, *, failed: str, unchanged: str = ""
    ) -> None:
        self._answer = answer
        self._wait = wait
        self._make = make
        self._failed = failed
        self._unchanged = unchanged
        self._workers: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await self._received(request)
        except ClientDisconnect:
            return
        except Exception:
            number = secrets.token_hex(8)
            _log.exception(self._failed, error=number)
            again = f"{self._unchanged} Please try again later.".lstrip()
            response = self._make(500, "That did not work", [again, f"Error {number}"])
        await response(scope, receive, send)

    async def _received(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        wait = self._wait(counted_as(address))
        if wait:
            seconds = str(-(-wait // 1000))
            again = f"Please try again in {seconds} seconds. {self._unchanged}".rstrip()
            return self._make(429, "Too many requests", [again], headers={"Retry-After": seconds})
        if request.method not in ("GET", "HEAD", "POST"):
            return self._make(405, "That is not possible here", headers={"Allow": "GET, HEAD, POST"})
        return await self._answer(request, address)

    async def in_worker(self, work: Callable[[], T]) -> T:
        """What some work gives, which may block."""
        if self._workers is None:
            self._workers = CapacityLimiter(WORKERS)
        return await anyio.to_thread.run_sync(work, limiter=self._workers)


async def form_of(request: Request, most: int) -> dict[str, list[str]]:
    """The fields of a form that one of our pages sent. Empty for whatever is none: longer than `most` octets, with
    `MAX_FIELDS` separators or more, or not there in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_TIME):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    return {}
    except TimeoutError:
        return {}
    return parse_qs(body.decode("latin-1"), max_num_fields=MAX_FIELDS) if body.count(b"&") < MAX_FIELDS else {}
