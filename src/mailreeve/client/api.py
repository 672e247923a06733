"""How is a function of the API called? Items in, rows out, whatever the function.

`Api` knows envelope, pages, errors and the quota; it knows no function. `Client` adds those.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Final, Self, TypeVar

import httpx2
import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from mailreeve.client.auth import ApplicationAuth, LoginAuth, SignedAuth, TokenAuth
from mailreeve.client.credentials import AnyCredentials, Application, Credentials, LoginCredentials
from mailreeve.client.errors import ApiError, ClientError, Failure, Unreachable

TIMEOUT: Final = 30.0  # seconds without a sign of life
RETRIES: Final = 2  # repeats of a call that was not carried out, or that may be carried out twice
MAX_WAIT: Final = 30.0  # seconds that a repeat is waited for, at most

GATEWAY_FAILED: Final = (502, 503, 504)
READING: Final = frozenset(
    {
        "discover",
        "get",
        "find",
        "search",
        "show",
        "describe",
        "decode",
        "explain",
        "export",
        "lint",
        "replay",
        "preview",
    }
)

Item = Mapping[str, object] | Struct
Row = dict[str, object]
T = TypeVar("T")


class Answer(Struct, frozen=True):
    """What came back: the rows of the items that were carried out, and what was said about the others.
    `warnings` are about items that were carried out all the same, and about members that nobody knows."""

    data: list[Row]
    failures: tuple[Failure, ...]
    total: int | None = None
    next_page: str | None = None
    warnings: tuple[str, ...] = ()

    def rows(self) -> list[Row]:
        """`data`. Raises `ApiError` when any item was refused."""
        if self.failures:
            raise ApiError(200, self.failures, self.data)
        return self.data


class Api:
    """One server, one caller. Threads may share it; `close` it, or use it in a `with` statement.

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
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            url = httpx2.URL(base_url)
        except httpx2.InvalidURL as problem:
            raise ValueError(f"{base_url!r} is not the address of a server: {problem}") from problem
        if url.scheme not in ("http", "https") or not url.host or url.raw_path not in (b"", b"/"):
            # The path is signed, so nothing may stand before it.
            raise ValueError(f"{base_url!r} is not the address of a server: scheme, host and port only")
        if ca_file is not None:
            try:
                verify = ssl.create_default_context(cafile=ca_file)
            except OSError as problem:  # which names no file
                raise ValueError(f"{ca_file} holds no certificates to trust: {problem}") from problem
        self._extensions: dict[str, object] = {} if server_name is None else {"sni_hostname": server_name}
        self._http = httpx2.Client(
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self, path: str, *items: Item, page_size: int | None = None, page_token: str | None = None
    ) -> list[Row]:
        """The rows of one call: all of them, where the function lists by pages, or with a `page_size` or a
        `page_token` those of that page.

        `path` is a function's, with or without `/api/` in front. Raises `ApiError` when any item is refused.
        """
        if page_size is None and page_token is None:
            return self.whole(path, *items).rows()
        return self.send(path, *items, page_size=page_size, page_token=page_token).rows()

    def whole(self, path: str, *items: Item) -> Answer:
        """As `send`, with the rows of all pages. Where a page is one row that holds a list, as with users and
        groups, so is the whole."""
        answer = self.send(path, *items)
        if answer.next_page is None or answer.failures:
            return answer
        pages = [answer.data]
        pages += [page.data for page in self._following(path, items, None, answer)]
        return replace(answer, data=_joined(pages), next_page=None)

    def call_for(self, into: type[T], path: str, *items: Item) -> list[T]:
        """As `call`, with each row as a value of `into`. Raises `ClientError` for rows that do not fit."""
        return [convert(row, into) for row in self.call(path, *items)]

    def pages(self, path: str, item: Item | None = None, *, page_size: int | None = None) -> Iterator[Answer]:
        """The pages of a list, each fetched when it is asked for. Raises `ApiError`."""
        items = () if item is None else (item,)
        answer = self.send(path, *items, page_size=page_size)
        answer.rows()
        yield answer
        yield from self._following(path, items, page_size, answer)

    def _following(
        self, path: str, items: Sequence[Item], page_size: int | None, answer: Answer
    ) -> Iterator[Answer]:
        """The pages after an answer's. Raises `ApiError`."""
        seen = set[str]()
        while (token := answer.next_page) is not None:
            if token in seen:
                raise ClientError(f"{path}: the server gives the same page over and over")
            seen.add(token)
            answer = self.send(path, *items, page_size=page_size, page_token=token)
            answer.rows()
            yield answer

    def every(self, path: str, item: Item | None = None, *, page_size: int | None = None) -> Iterator[Row]:
        """The rows of a list, page after page. Raises `ApiError`."""
        for answer in self.pages(path, item, page_size=page_size):
            yield from answer.data

    def one_of(self, into: type[T], path: str, item: Item) -> T:
        """The answer to one item of a function that gives one row. Members that are None are not sent."""
        return only(self.all_of(into, path, item))

    def all_of(self, into: type[T], path: str, item: Item) -> list[T]:
        """The rows of one item's answer. Members that are None are not sent."""
        return [lenient(row, into) for row in self.call(path, given(item))]

    def every_of(self, into: type[T], path: str, item: Item, *, page_size: int | None = None) -> Iterator[T]:
        """The rows of a list, page after page. Members that are None are not sent."""
        for row in self.every(path, given(item) or None, page_size=page_size):
            yield lenient(row, into)

    def send(self, path: str, *items: Item, page_size: int | None = None, page_token: str | None = None) -> Answer:
        """The answer to one call, refused items included. Raises `ApiError` when the whole call is refused, and
        `Unreachable`."""
        page = {name: v for name, v in (("pageSize", page_size), ("pageToken", page_token)) if v is not None}
        envelope: dict[str, object] = {"data": items}
        if page:
            envelope["meta"] = {"pagination": page}
        return _read(self._post(f"/api/{path.removeprefix('/api/')}", msgspec.json.encode(envelope)))

    def octets(self, path: str, item: Item) -> bytes:
        """The answer of a function that gives octets, such as a file. Raises `ApiError` where that is refused."""
        response = self._post(f"/api/{path.removeprefix('/api/')}", msgspec.json.encode({"data": (item,)}))
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        if response.status_code == 200 and kind != "application/json":
            return response.content
        _read(response).rows()
        raise ClientError(f"{path}: the answer is JSON, where octets were expected")

    def _post(self, path: str, body: bytes) -> httpx2.Response:
        for left in range(self._retries, -1, -1):
            try:
                response = self._http.post(path, content=body, extensions=self._extensions)
            except httpx2.TransportError as problem:
                if not left or not self._patient or not _harmless(path, problem):
                    raise Unreachable(f"{path}: {type(problem).__name__}: {problem}") from problem
                self._sleep(_pause(self._retries - left))
                continue
            wait = _wait(response.headers, self._retries - left)
            again = response.status_code == 429 or (self._patient and _gateway_failed(path, response))
            if not left or wait > MAX_WAIT or not again:
                return response
            self._sleep(wait)
        raise AssertionError("unreachable")


def _auth(credentials: AnyCredentials | None) -> httpx2.Auth | None:
    if credentials is None:
        return None
    if isinstance(credentials, Application):
        return ApplicationAuth(credentials)
    if isinstance(credentials, Credentials):
        return SignedAuth(credentials)
    return LoginAuth(credentials) if isinstance(credentials, LoginCredentials) else TokenAuth(credentials)


def _joined(pages: Sequence[list[Row]]) -> list[Row]:
    first = pages[0]
    inner = [name for name, value in first[0].items() if isinstance(value, list)] if len(first) == 1 else []
    if len(inner) != 1 or "id" in first[0]:
        return [row for page in pages for row in page]
    name = inner[0]
    parts = [row[name] for page in pages for row in page]
    return [{**first[0], name: [one for part in parts if isinstance(part, list) for one in part]}]


def convert(value: object, into: type[T]) -> T:
    """A part of an answer as a value of `into`. Raises `ClientError`."""
    try:
        return msgspec.convert(value, into)
    except msgspec.ValidationError as problem:
        raise ClientError(f"the answer is not what this client knows: {problem}") from problem


def given(item: Item) -> dict[str, object]:
    """The members of an item that were given: those that are not None."""
    members = item if isinstance(item, Mapping) else asdict(item)
    return {name: value for name, value in members.items() if value is not None}


def lenient(row: object, into: type[T]) -> T:
    """A row as a value of `into`: null is absent, numbers and booleans may be text, and what is not known is left
    out. Raises `ClientError`."""
    try:
        return msgspec.convert(_without_nulls(row), into, strict=False)
    except msgspec.ValidationError as problem:
        raise ClientError(f"the answer is not what this client knows: {problem}") from problem


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


def only(rows: Sequence[T]) -> T:
    """The one row of an answer to one item. Raises `ClientError` when there is not exactly one."""
    if len(rows) != 1:
        raise ClientError(f"the answer has {len(rows)} rows instead of one")
    return rows[0]


class _Error(Struct, frozen=True):
    code: str = ""
    message: str = ""
    retryable: bool = False
    field: str | None = None


class _Fail(_Error, frozen=True):
    """An entry of `fail`: with `errors`, or itself the error, as bearer tokens are refused."""

    errors: list[_Error] = []
    key: dict[str, object] = {}


class _Pagination(Struct, frozen=True, rename="camel"):
    total_count: int | None = None
    next: str | None = None


class _Meta(Struct, frozen=True):
    status: int = 200
    pagination: _Pagination = _Pagination()
    warnings: tuple[str, ...] = ()


class _Envelope(Struct, frozen=True):
    meta: _Meta = _Meta()
    data: list[Row] = []
    fail: list[_Fail] = []


def _read(response: httpx2.Response) -> Answer:
    try:
        envelope = msgspec.json.decode(response.content, type=_Envelope)
    except msgspec.DecodeError as problem:
        failure = Failure(f"http_{response.status_code}", "The answer is not an envelope")
        raise ApiError(response.status_code, [failure]) from problem
    failures = tuple(
        Failure(error.code, error.message, error.retryable, error.field, entry.key)
        for entry in envelope.fail
        for error in entry.errors or [entry]
    )
    status = response.status_code if response.status_code != 200 else envelope.meta.status
    if status != 200:
        raise ApiError(status, failures or [Failure(f"http_{status}", "The call was refused")])
    page = envelope.meta.pagination
    return Answer(envelope.data, failures, page.total_count, page.next, envelope.meta.warnings)


def _wait(headers: httpx2.Headers, tried: int) -> float:
    """Seconds until a call may succeed: `Retry-After` in seconds, else `X-RateLimit-Reset` in milliseconds."""
    for name, unit in (("retry-after", 1.0), ("x-ratelimit-reset", 0.001)):
        text = headers.get(name, "")
        if text.isascii() and text.isdigit():
            return int(text) * unit
    return _pause(tried)


def _pause(tried: int) -> float:
    """Seconds before the next attempt where nobody says: one, then twice as long each time."""
    return float(2**tried)


def reads(path: str) -> bool:
    """Whether a function only looks, by the verb with which the last part of its path begins."""
    end = path.rpartition("/")[2]
    return end.partition("-")[0] in READING or end == "verify-audit"  # `verify-domain` does more than look


def _gateway_failed(path: str, response: httpx2.Response) -> bool:
    """Whether a gateway failed at a call that may be sent again: one that only looks, since it may be through."""
    return response.status_code in GATEWAY_FAILED and reads(path)


def _harmless(path: str, problem: httpx2.TransportError) -> bool:
    """Whether a call without an answer may be sent again: it was not carried out if no connection was made."""
    if isinstance(problem, httpx2.ConnectError | httpx2.ConnectTimeout):
        return True
    return reads(path) and isinstance(problem, httpx2.NetworkError | httpx2.RemoteProtocolError)
