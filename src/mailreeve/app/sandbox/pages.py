"""What stands before the API of a sandbox: requests are recorded, faults made on demand, the clock set.

- `GET /sandbox/requests` lists the requests for anything else, oldest first; `DELETE` forgets them
- `POST /sandbox/faults` has the next requests fail; `GET` lists what is to come, `DELETE` calls it off
- `POST /sandbox/clock` sets the time of what is kept; `GET` tells it, `DELETE` sets it right
- `GET /sandbox` tells the credentials, the people and where this is written
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailreeve.app.sandbox.contents import CREDENTIALS, DOMAIN, PEOPLE
from mailreeve.app.sandbox.errors import UNAVAILABLE
from mailreeve.families.login.errors import BINDING_EXPIRED, TOKEN_EXPIRED
from mailreeve.wire import envelope
from mailreeve.wire.envelope import Failure
from mailreeve.wire.errors import QUOTA, Problem

PATH: Final = "/sandbox"
MOST_REQUESTS: Final = 1_000  # that are kept, the newest
MOST_FAULTS: Final = 100
MAX_BODY: Final = 64 * 1024  # octets of a recorded body, and of a body that is sent to these pages

_SECRETS: Final = frozenset({"authorization", "cookie"})


class FaultKind(StrEnum):
    """What can go wrong: a quota that is used up, keys or a token that ended, a service that is down, an answer
    that comes late, a connection that breaks."""

    QUOTA = "429"
    KEY_EXPIRED = "418"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of an error
    UNAVAILABLE = "503"
    SLOW = "slow"
    DROP = "drop"


_FAULTS: Final = {
    FaultKind.QUOTA: QUOTA,
    FaultKind.KEY_EXPIRED: BINDING_EXPIRED,
    FaultKind.TOKEN_EXPIRED: TOKEN_EXPIRED,
    FaultKind.UNAVAILABLE: UNAVAILABLE,
}


class AskedFault(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault for the next `times` requests whose path begins with `path`. `seconds` are how long an answer is
    kept back that is `slow`, or after how long one who is over quota may come again."""

    fault: FaultKind
    path: str = "/api/"
    times: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    seconds: Annotated[float, Meta(ge=0, le=600)] = 1.0


class RecordedRequest(Struct, frozen=True):
    """A request that came, and with what status it was answered; 0 where nothing was. `body` is cut to `MAX_BODY`
    octets. Of headers that prove who calls the scheme alone is kept; bodies are kept
    as they came, with whatever a test put into them."""

    at: datetime
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    status: int
    fault: str = ""


class AskedTime(Struct, frozen=True, forbid_unknown_fields=True):
    """The time to set: an instant, or so many seconds on from what it is."""

    at: datetime | None = None
    advance: float = 0.0


class Told(Struct, frozen=True):
    """What a sandbox is."""

    domain: str
    people: dict[str, str]
    credentials: object
    smtp: str


class Clock:
    """The time of what is kept: the real one, and a difference that can be set."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def set(self, at: datetime) -> None:
        """Have it be this time now. Raises `OverflowError`."""
        self._ahead = at - datetime.now(UTC)

    def reset(self) -> None:
        """Have it be the real time."""
        self._ahead = timedelta()


class Sandbox:
    """The pages of a sandbox, and what they tell of. Requests are recorded once it is `open`."""

    def __init__(self, clock: Clock) -> None:
        self.smtp = ""
        self._clock = clock
        self._open = False
        self._requests: deque[RecordedRequest] = deque(maxlen=MOST_REQUESTS)
        self._faults: list[AskedFault] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        """Record from now on: whoever filled the sandbox is done."""
        self._open = True

    def before(self, app: ASGIApp) -> ASGIApp:
        """The application with this before it."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if scope["type"] != "http" or not self._open:
                await app(scope, receive, send)
            elif path == PATH or path.startswith(f"{PATH}/"):
                response = await self._page(Request(scope, receive))
                await response(scope, receive, send)
            else:
                await self._watched(app, scope, receive, send)

        return serve

    async def _watched(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._next_fault(scope["path"])
        kept = bytearray()
        status = 0

        async def hear() -> Message:
            message = await receive()
            if message["type"] == "http.request" and len(kept) < MAX_BODY:
                kept.extend(message.get("body", b"")[: MAX_BODY - len(kept)])
            return message

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if fault is None:
                await app(scope, hear, answer)
            elif fault.fault is FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
                await app(scope, hear, answer)
            else:
                while (await hear()).get("more_body"):
                    pass
                if fault.fault is FaultKind.DROP:
                    # The server closes the connection of an application that fails before it has answered half.
                    await answer(_half_an_answer())
                    raise ConnectionAbortedError("the sandbox was asked to break the connection")
                await _refusal(fault)(scope, receive, answer)
        finally:
            self._requests.append(_recorded(scope, bytes(kept), status, fault))

    def _next_fault(self, path: str) -> AskedFault | None:
        with self._lock:
            for n, one in enumerate(self._faults):
                if path.startswith(one.path):
                    left = [msgspec.structs.replace(one, times=one.times - 1)] if one.times > 1 else []
                    self._faults[n : n + 1] = left
                    return one
        return None

    async def _page(self, request: Request) -> Response:
        page = request.url.path.removeprefix(PATH).strip("/")
        try:
            match page, request.method:
                case "", "GET":
                    return _json(Told(DOMAIN, {f"{a}@{DOMAIN}": b for a, b in PEOPLE}, CREDENTIALS, self.smtp))
                case "requests", "GET":
                    return _json(list(self._requests))
                case "requests", "DELETE":
                    self._requests.clear()
                    return Response(status_code=204)
                case "faults", "GET":
                    return _json(self._faults)
                case "faults", "DELETE":
                    with self._lock:
                        self._faults.clear()
                    return Response(status_code=204)
                case "faults", "POST":
                    return self._add_faults(await _body(request))
                case "clock", "DELETE":
                    self._clock.reset()
                case "clock", "POST":
                    asked = msgspec.json.decode(await _body(request), type=AskedTime)
                    start = asked.at or self._clock()
                    self._clock.set(start.astimezone(UTC) + timedelta(seconds=asked.advance))
                case "clock", "GET":
                    pass
                case _:
                    return _json({"error": "GET /sandbox says what there is"}, 404)
        except (msgspec.MsgspecError, OverflowError, ValueError) as problem:
            return _json({"error": str(problem)}, 400)
        return _json({"now": self._clock()})

    def _add_faults(self, body: bytes) -> Response:
        found = msgspec.json.decode(body, type=AskedFault | list[AskedFault])
        more = found if isinstance(found, list) else [found]
        with self._lock:
            if len(self._faults) + len(more) > MOST_FAULTS:
                return _json({"error": f"at most {MOST_FAULTS} faults can wait"}, 400)
            self._faults += more
            return _json(self._faults, 201)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MAX_BODY:
            raise ValueError(f"at most {MAX_BODY} octets are read")
    return bytes(found)


def _refusal(asked: AskedFault) -> Response:
    """The answer that the real thing would give: `fail` has the bare error where an access token is concerned."""
    fault = _FAULTS[asked.fault]
    told = Problem(fault.code, fault.message, fault.retryable)
    bare = asked.fault is FaultKind.TOKEN_EXPIRED
    fail: list[Failure | Problem] = [told if bare else Failure([told])]
    headers = {"Content-Type": "application/json"}
    if asked.fault in (FaultKind.QUOTA, FaultKind.UNAVAILABLE):
        headers["Retry-After"] = str(-(-int(asked.seconds * 1000) // 1000))
    if asked.fault is FaultKind.QUOTA:
        reset = str(int(asked.seconds * 1000))
        headers |= {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return Response(envelope.encode([], fail, status=fault.status), fault.status, headers)


def _half_an_answer() -> Message:
    return {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]}


def _recorded(scope: Scope, body: bytes, status: int, fault: AskedFault | None) -> RecordedRequest:
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{text.partition(' ')[0]} …" if name in _SECRETS else text
    return RecordedRequest(
        datetime.now(UTC),
        scope["method"],
        scope["path"],
        scope.get("query_string", b"").decode("latin-1"),
        headers,
        body.decode("utf-8", "replace"),
        status,
        "" if fault is None else fault.fault.value,
    )


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, {"Content-Type": "application/json"})
