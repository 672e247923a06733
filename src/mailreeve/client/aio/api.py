"""How is a function of the API called? Items in, rows out, whatever the function.

For asyncio. Made by tools/make_client.py.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Self

import httpx2
import msgspec
from msgspec.structs import replace

from mailreeve.client.api import (
    MAX_WAIT,
    RETRIES,
    TIMEOUT,
    Answer,
    Item,
    Row,
    T,
    _auth,
    _gateway_failed,
    _harmless,
    _joined,
    _pause,
    _read,
    _wait,
    convert,
    given,
    lenient,
    only,
)
from mailreeve.client.credentials import AnyCredentials
from mailreeve.client.errors import ClientError, Unreachable


class AsyncApi:
    """One server, one caller. Tasks may share it; `close` it, or use it in an `async with` statement.

    `base_url` is the scheme, host and port. `verify` is False to trust any certificate, or a context of one's
    own; `ca_file` names a file of certificates to trust instead of the usual ones. `server_name` is the name that
    the server's certificate is for, where that is not the host of `base_url`.

    Up to `retries` times a call is repeated: always one that was over quota, which the server has not carried out;
    with `patient` also one that found no connection, and one that only looks, where the connection was lost or a
    gateway failed. Nothing else is. Without credentials nothing is signed, for a `transport` that knows its
    caller.
    """

    def __init__(
        self,
        base_url: str,
        credentials: AnyCredentials | None,
        *,
        ca_file: str | None = None,
        server_name: str | None = None,
        verify: ssl.SSLContext | bool = True,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        patient: bool = True,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        try:
            url = httpx2.URL(base_url)
        except httpx2.InvalidURL as problem:
            raise ValueError(f"{base_url!r} is not the address of a server: {problem}") from problem
        if url.scheme not in ("http", "https") or not url.host or url.raw_path not in (b"", b"/"):
            raise ValueError(f"{base_url!r} is not the address of a server: scheme, host and port only")
        if ca_file is not None:
            try:
                verify = ssl.create_default_context(cafile=ca_file)
            except OSError as problem:
                raise ValueError(f"{ca_file} holds no certificates to trust: {problem}") from problem
        self._extensions: dict[str, object] = {} if server_name is None else {"sni_hostname": server_name}
        self._http = httpx2.AsyncClient(
            base_url=url,
            auth=_auth(credentials),
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": f"mailreeve/{version('mailreeve')}",
            },
            verify=verify,
            timeout=timeout,
            transport=transport,
        )
        self._retries = retries
        self._patient = patient
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def call(
        self, path: str, *items: Item, page_size: int | None = None, page_token: str | None = None
    ) -> list[Row]:
        """The rows of one call: all of them, where the function lists by pages, or with a `page_size` or a
        `page_token` those of that page.

        `path` is a function's, with or without `/api/` in front. Raises `ApiError` when any item is refused.
        """
        if page_size is None and page_token is None:
            return (await self.whole(path, *items)).rows()
        return (await self.send(path, *items, page_size=page_size, page_token=page_token)).rows()

    async def whole(self, path: str, *items: Item) -> Answer:
        """As `send`, with the rows of all pages. Where a page is one row that holds a list, as with users and
        groups, so is the whole."""
        answer = await self.send(path, *items)
        if answer.next_page is None or answer.failures:
            return answer
        pages = [answer.data]
        pages += [page.data async for page in self._following(path, items, None, answer)]
        return replace(answer, data=_joined(pages), next_page=None)

    async def call_for(self, into: type[T], path: str, *items: Item) -> list[T]:
        """As `call`, with each row as a value of `into`. Raises `ClientError` for rows that do not fit."""
        return [convert(row, into) for row in await self.call(path, *items)]

    async def pages(
        self, path: str, item: Item | None = None, *, page_size: int | None = None
    ) -> AsyncIterator[Answer]:
        """The pages of a list, each fetched when it is asked for. Raises `ApiError`."""
        items = () if item is None else (item,)
        answer = await self.send(path, *items, page_size=page_size)
        answer.rows()
        yield answer
        async for one in self._following(path, items, page_size, answer):
            yield one

    async def _following(
        self, path: str, items: Sequence[Item], page_size: int | None, answer: Answer
    ) -> AsyncIterator[Answer]:
        """The pages after an answer's. Raises `ApiError`."""
        seen = set[str]()
        while (token := answer.next_page) is not None:
            if token in seen:
                raise ClientError(f"{path}: the server gives the same page over and over")
            seen.add(token)
            answer = await self.send(path, *items, page_size=page_size, page_token=token)
            answer.rows()
            yield answer

    async def every(
        self, path: str, item: Item | None = None, *, page_size: int | None = None
    ) -> AsyncIterator[Row]:
        """The rows of a list, page after page. Raises `ApiError`."""
        async for answer in self.pages(path, item, page_size=page_size):
            for one in answer.data:
                yield one

    async def one_of(self, into: type[T], path: str, item: Item) -> T:
        """The answer to one item of a function that gives one row. Members that are None are not sent."""
        return only(await self.all_of(into, path, item))

    async def all_of(self, into: type[T], path: str, item: Item) -> list[T]:
        """The rows of one item's answer. Members that are None are not sent."""
        return [lenient(row, into) for row in await self.call(path, given(item))]

    async def every_of(
        self, into: type[T], path: str, item: Item, *, page_size: int | None = None
    ) -> AsyncIterator[T]:
        """The rows of a list, page after page. Members that are None are not sent."""
        async for row in self.every(path, given(item) or None, page_size=page_size):
            yield lenient(row, into)

    async def send(
        self, path: str, *items: Item, page_size: int | None = None, page_token: str | None = None
    ) -> Answer:
        """The answer to one call, refused items included. Raises `ApiError` when the whole call is refused, and
        `Unreachable`."""
        page = {name: v for name, v in (("pageSize", page_size), ("pageToken", page_token)) if v is not None}
        envelope: dict[str, object] = {"data": items}
        if page:
            envelope["meta"] = {"pagination": page}
        return _read(await self._post(f"/api/{path.removeprefix('/api/')}", msgspec.json.encode(envelope)))

    async def octets(self, path: str, item: Item) -> bytes:
        """The answer of a function that gives octets, such as a file. Raises `ApiError` where that is refused."""
        response = await self._post(f"/api/{path.removeprefix('/api/')}", msgspec.json.encode({"data": (item,)}))
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        if response.status_code == 200 and kind != "application/json":
            return response.content
        _read(response).rows()
        raise ClientError(f"{path}: the answer is JSON, where octets were expected")

    async def _post(self, path: str, body: bytes) -> httpx2.Response:
        for left in range(self._retries, -1, -1):
            try:
                response = await self._http.post(path, content=body, extensions=self._extensions)
            except httpx2.TransportError as problem:
                if not left or not self._patient or (not _harmless(path, problem)):
                    raise Unreachable(f"{path}: {type(problem).__name__}: {problem}") from problem
                await self._sleep(_pause(self._retries - left))
                continue
            wait = _wait(response.headers, self._retries - left)
            again = response.status_code == 429 or (self._patient and _gateway_failed(path, response))
            if not left or wait > MAX_WAIT or (not again):
                return response
            await self._sleep(wait)
        raise AssertionError("unreachable")
