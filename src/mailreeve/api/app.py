"""How does an HTTP request become a call? One ASGI application: a dict from path to endpoint.

All that is specific to HTTP ends here: methods, headers, bodies and their limits, status codes. A request makes
one hop to a worker thread, in which it is authenticated, decoded, carried out and encoded. What is read in a
moment is done where it came in: handing it over would cost more than doing it (ADR 0038). Small writes that are
there at the same time share the hop and the transaction (ADR 0041).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from urllib.parse import parse_qs

import anyio
import msgspec
import structlog
from anyio import CapacityLimiter
from msgspec import UNSET, Struct, structs
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mailreeve.access.caller import Caller, Origin
from mailreeve.api import catalogue, terms
from mailreeve.api.openapi import document as openapi_document
from mailreeve.api.quota import Quota, Standing
from mailreeve.api.refusals import MAX_SHOWN, RefusalLog
from mailreeve.api.signing_in import Full, SignInQueue
from mailreeve.api.views.answering import answer
from mailreeve.api.views.table import at as views_at
from mailreeve.api.views.view import Answered, Members, View
from mailreeve.doors.together import Together
from mailreeve.families.login.authenticate import Authenticator
from mailreeve.families.login.sign_in.check import GivenPassword, read_password
from mailreeve.families.login.sign_in.errors import SIGN_IN_BUSY
from mailreeve.families.machinery.perform import (
    Done,
    Ready,
    Services,
    WouldWait,
    carry_out,
    ready,
    write_together,
)
from mailreeve.formats.networks import counted_as
from mailreeve.wire import envelope, signing
from mailreeve.wire.endpoint import Admission, Endpoint
from mailreeve.wire.envelope import Failure
from mailreeve.wire.errors import (
    BAD_REQUEST,
    INTERNAL,
    NO_CREDENTIALS,
    NOT_OFFERED,
    QUOTA,
    TOO_LARGE,
    TOO_SLOW,
    UNKNOWN_PATH,
    WRONG_METHOD,
    Fault,
    Problem,
    RequestRefused,
)
from mailreeve.wire.raw_answer import RawAnswer

PREFIX: Final = "/api/"
ARGUMENT: Final = "x-mc-arg"  # the header that holds the item where the body is a file
WORKERS: Final = 16  # calls carried out at once; each holds at most one database connection
SLOW_WORKERS: Final = 2  # calls that hash passwords, which are kept from taking the places of the others
READY_TIME: Final = 5  # seconds that the database has to show that it can be used
DRAINED: Final = 4  # times the body limit that is read and thrown away, so that the refusal can be read
BODY_TIME: Final = 60  # seconds that a body may take to arrive
SHORT_BODY: Final = 1024  # octets of a call that may be answered without a thread
SHORT_WRITE: Final = 4 * 1024  # octets of a call that may share a thread, and a transaction, with others
MOST_TOGETHER: Final = 16  # calls that share them: the first has its answer when the last is done
SMALL_BODY: Final = 64 * 1024  # octets that are read before anybody asks who is calling
MAX_FORM: Final = 64 * 1024  # octets of a token request

OTHER_PATHS: Final = "other"  # what those are called that are none of ours, which strangers make up

Observe = Callable[[str, int, float], None]
"""Is told of each call: its path, the status of the answer, and how many seconds that took."""

_SUCCESS_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "X-Robots-Tag": "noindex, nofollow",
}
_NO_HEADERS: Final[Mapping[str, str]] = {}
# Errors of the bearer scheme have their code right in the entry of `fail` (api.md section 1.4, shape 3).
_FLAT: Final = frozenset({"token_expired", "token_verification_failed"})

# What a host may be that is told again: a name or an address, and a port.
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Api:
    """The API over HTTP."""

    def __init__(
        self,
        services: Services,
        authenticator: Authenticator,
        endpoints: Sequence[Endpoint],
        *,
        quota: Quota,
        strangers: Quota,
        max_body: int,
        dropped_log_lines: Callable[[], int] = lambda: 0,
        observe: Observe | None = None,
    ) -> None:
        self._services = services
        self._authenticator = authenticator
        self._endpoints = {PREFIX + endpoint.path: endpoint for endpoint in endpoints}
        self._quota = quota
        self._strangers = strangers
        self._max_body = max_body
        self._dropped_log_lines = dropped_log_lines
        self._openapi = openapi_document(endpoints)
        self._refusals = RefusalLog()
        self._workers: _Workers | None = None
        self._signing_in: SignInQueue | None = None
        self._writes = Together(self._answer_writes, MOST_TOGETHER)
        self._observe = observe

    @property
    def writes_waiting(self) -> int:
        """How many calls wait for the writes before them."""
        return self._writes.waiting

    def asgi(self) -> ASGIApp:
        """The ASGI application."""
        open_to_all: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("POST", "/oauth/token"): self._token
        }
        for method in ("GET", "HEAD"):
            open_to_all[method, "/healthz"] = self._alive
            open_to_all[method, "/readyz"] = self._ready
            open_to_all[method, "/openapi.json"] = self._describe

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            # A path is what was sent, octet for octet: that is what is signed, and `%2F` is no separator. Nothing
            # else has a say in it: neither the query, which is not signed and which only views read, nor the Host
            # header.
            sent = scope.get("raw_path")
            if sent is not None:
                scope["path"] = sent.decode("latin-1")
            request = Request(scope, receive, send)
            door = open_to_all.get((request.method, scope["path"]), self._call)
            began = time.perf_counter()
            try:
                response = await door(request)
            except Exception as problem:
                response = self._broken(problem, scope["path"], self._standing(request, None))
            if self._observe is not None:
                path = scope["path"]
                known = path in self._endpoints or (request.method, path) in open_to_all
                self._observe(path if known else OTHER_PATHS, response.status_code, time.perf_counter() - began)
            await response(scope, receive, send)

        return serve

    async def _call(self, request: Request) -> Response:
        path = request.scope["path"]
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            views = views_at(path)
            if views:
                return await self._view(request, path, views)
            known = path.startswith(PREFIX) and path.removeprefix(PREFIX) in catalogue.functions()
            return await self._nothing(request, path, NOT_OFFERED if known else UNKNOWN_PATH)
        if request.method != "POST":
            if endpoint.admits is not Admission.CALLERS:  # There is nothing that only callers learn.
                await self._skip_body(request)
                refused = self._refuse(RequestRefused(WRONG_METHOD), self._standing(request, None))
                refused.headers["Allow"] = "POST"
                return refused
            return await self._wrong_method(request, path, ["POST"])
        received = await self._received(request, path, known=endpoint.admits is Admission.CALLERS)
        if isinstance(received, Response):
            return received
        body, caller = received
        asked = _Asked(request, endpoint, path, body, caller)
        if endpoint.admits is Admission.PASSWORD:
            return await self._sign_in(asked)
        if endpoint.short and len(body) <= SHORT_BODY and self._knows(request):
            return await self._answer_soon(asked)
        if endpoint.writes and not endpoint.slow and len(body) <= SHORT_WRITE:
            return await self._writes.do(asked)
        return await self._in_worker(partial(self._answer, asked), slow=bool(endpoint.slow))

    async def _received(
        self, request: Request, path: str, *, known: bool = True
    ) -> tuple[bytes, Caller | None] | Response:
        """The body, and who is calling where that had to be asked already; or the answer that refuses it. `known`
        says that only callers are let in."""
        caller: Caller | None = None
        try:
            if known and not _is_small(request):
                # Neither signature nor token covers the body, so a stranger need not be let fill our memory.
                try:
                    caller = await self._in_worker(partial(self._admit, request, path))
                except _NotAdmitted:
                    await self._skip_body(request)
                    raise
            body = await self._body(request, self._max_body if known else SMALL_BODY)
        except _NotAdmitted as denied:
            return self._refuse(denied.refusal, denied.standing)
        except RequestRefused as refusal:
            return self._refuse(refusal, self._standing(request, caller))
        except TimeoutError:
            return self._refuse(RequestRefused(TOO_SLOW), self._standing(request, caller))
        except ClientDisconnect:
            return Response(status_code=TOO_SLOW.status)
        return body, caller

    async def _wrong_method(self, request: Request, path: str, allowed: Iterable[str]) -> Response:
        response = await self._nothing(request, path, WRONG_METHOD)
        if response.status_code == WRONG_METHOD.status:
            response.headers["Allow"] = ", ".join(allowed)
        return response

    async def _view(self, request: Request, path: str, views: Mapping[str, tuple[View, str]]) -> Response:
        """The answer at a path of the API 2.0."""
        found = views.get(request.method)
        if found is None:
            return await self._wrong_method(request, path, views)
        received = await self._received(request, path)
        if isinstance(received, Response):
            return received
        body, caller = received
        return await self._in_worker(partial(self._viewed, request, path, found, body, caller))

    def _viewed(
        self, request: Request, path: str, found: tuple[View, str], body: bytes, caller: Caller | None
    ) -> Response:
        """The same in a worker thread: each function that the view calls is called as its own call would be, but
        that the caller is admitted, and counted, once."""
        view, id_ = found
        try:
            if caller is None:
                caller = self._admit(request, path)
        except _NotAdmitted as denied:
            return self._refuse(denied.refusal, denied.standing)
        admitted = caller

        def perform(function: str, items: Sequence[Members], paging: Members) -> Answered:
            endpoint = self._endpoints[PREFIX + function]
            sent = msgspec.json.encode({"meta": {"pagination": paging}, "data": items})
            asked = _Asked(request, endpoint, PREFIX + function, sent, admitted, viewed=True)
            prepared = self._prepared(asked)
            if isinstance(prepared, Response):
                raise _Answered(prepared)
            done = carry_out(self._services, prepared)
            if endpoint.writes:
                self._tell(asked, admitted, done)
            rows = msgspec.json.decode(msgspec.json.encode(done.data), type=list[dict[str, object]])
            refused = [one.errors for one in done.fail]
            shown = done.shown
            return Answered(rows, refused, "" if shown is None or shown.next is UNSET else shown.next)

        standing = self._standing(request, caller)
        try:
            terms.refuse_at_views(request)
            status, told = answer(view, id_, request.query_params, body, perform)
        except _Answered as answered:
            return answered.response
        except RequestRefused as refusal:
            return self._refuse(refusal, standing)
        except Exception as problem:
            return self._broken(problem, path, standing)
        headers = standing.headers() | (_SUCCESS_HEADERS if status < 300 else {})
        return Response(status_code=status, headers=headers) if told is None else _json(told, status, headers)

    async def _sign_in(self, asked: _Asked) -> Response:
        """The answer to a call with a password, which waits for its turn."""
        network = counted_as(_address(asked.request))
        if self._signing_in is None:
            self._signing_in = SignInQueue()
        try:
            given = _given_password(asked.request)
            is_familiar = self._authenticator.passwords.is_known(given, _address(asked.request))
            return await self._signing_in.run(partial(self._answer, asked), network, is_familiar=is_familiar)
        except Full:
            refusal = RequestRefused(SIGN_IN_BUSY, retry_after=1000)
        except RequestRefused as problem:
            refusal = problem
            self._refusals.note(network, "", refusal.problem.code)
            self._strangers.count(network)
        return self._refuse(refusal, self._standing(asked.request, None))

    async def _answer_soon(self, asked: _Asked) -> Response:
        """The answer to what is read in a moment, where that can be done without waiting for others."""
        found = self._prepared(asked)
        if isinstance(found, Response):
            return found
        if asked.endpoint.is_short(found.request.items):
            with suppress(WouldWait):
                return self._carry_out(asked, found, at_once=True)
        return await self._in_worker(partial(self._carry_out, asked, found))

    async def _nothing(self, request: Request, path: str, why: Fault) -> Response:
        """The answer where nothing can be called: at a path that is none of ours, or with another method than
        POST. Only callers learn which it is."""
        try:
            caller = await self._in_worker(partial(self._admit, request, path))
        except _NotAdmitted as denied:
            await self._skip_body(request)
            return self._refuse(denied.refusal, denied.standing)
        await self._skip_body(request)
        return self._refuse(RequestRefused(why), self._standing(request, caller))

    def _answer(self, asked: _Asked) -> Response:
        """The answer to any call. Runs in a worker thread."""
        found = self._prepared(asked)
        return found if isinstance(found, Response) else self._carry_out(asked, found)

    def _answer_writes(self, together: Sequence[_Asked]) -> list[Response]:
        """The answers to calls that write, once all are durable. Runs in a worker thread."""
        found = [self._prepared(asked) for asked in together]
        done = iter(write_together(self._services, [one for one in found if isinstance(one, Ready)]))
        return [
            one if isinstance(one, Response) else self._told(asked, next(done))
            for asked, one in zip(together, found, strict=True)
        ]

    def _prepared(self, asked: _Asked) -> Ready | Response:
        """The call, admitted and read, or the answer that refuses it. It may look up the caller in the store."""
        request = asked.request
        try:
            if asked.caller is None:
                asked.caller = self._admit(request, asked.path)
            request_id = request.headers.get("x-mc-req-id", "").encode("latin-1").decode("utf-8", "replace")
            caller = asked.caller
            origin = Origin(
                caller.actor,
                _address(request),
                request_id[:128],
                application=caller.application,
                app_id=caller.app_id,
            )
            found = ready(self._services, asked.endpoint, _decoded(asked), asked.caller, origin)
            if not asked.endpoint.writes or asked.viewed:
                return found
            sent = (asked.path.encode("latin-1"), request.headers.get(ARGUMENT, "").encode("latin-1"), asked.body)
            return structs.replace(
                found, once=terms.once_of(request, caller, *sent), newest=terms.newest_of(request)
            )
        except Exception as problem:
            return self._failed(asked, problem)

    def _carry_out(self, asked: _Asked, found: Ready, *, at_once: bool = False) -> Response:
        """The answer. It belongs in a worker thread, unless it is to be given `at_once`. Raises `WouldWait` where
        that cannot be done."""
        try:
            done = carry_out(self._services, found, at_once=at_once)
        except WouldWait:
            raise
        except Exception as problem:
            return self._failed(asked, problem)
        return self._told(asked, done)

    def _told(self, asked: _Asked, done: Done | Exception) -> Response:
        """What came of a call, as an answer."""
        if isinstance(done, Exception):
            return self._failed(asked, done)
        raw = next((one for one in done.data if isinstance(one, RawAnswer)), None)
        if raw is not None:
            headers = self._standing(asked.request, asked.caller).headers()
            return Response(b"".join(raw.content), 200, _SUCCESS_HEADERS | headers | raw.headers())
        try:
            payload = done.payload(writes=asked.endpoint.writes)
        except Exception as problem:  # This call's alone: others may have been carried out together with it.
            return self._failed(asked, problem)
        if asked.endpoint.writes and asked.caller is not None:
            self._tell(asked, asked.caller, done)
        headers = self._standing(asked.request, asked.caller).headers()
        if done.replayed is not None:
            headers |= terms.REPLAYED
        return _json(payload, 200, _SUCCESS_HEADERS | headers)

    def _tell(self, asked: _Asked, caller: Caller, done: Done) -> None:
        """A line about a call that writes: who, what, how much of it was refused, and what came of it."""
        _log.info(
            "api call",
            address=_address(asked.request),
            actor=caller.actor,
            path=asked.path.removeprefix(PREFIX),
            revision=done.revision,
            items=done.items,
            failures=len(done.fail),
            **({} if done.replayed is None else {"replayed": True}),
            request_id=asked.request.headers.get("x-mc-req-id", "")[:MAX_SHOWN],
        )

    def _failed(self, asked: _Asked, problem: Exception) -> Response:
        if isinstance(problem, _NotAdmitted):
            return self._refuse(problem.refusal, problem.standing)
        standing = self._standing(asked.request, asked.caller)
        if isinstance(problem, RequestRefused):
            return self._refuse(problem, standing)
        return self._broken(problem, asked.path, standing)

    def _knows(self, request: Request) -> bool:
        """Whether the caller's credentials are at hand."""
        return self._authenticator.knows(request.headers.get("x-mc-app-id", ""), _key_named(request))

    def _admit(self, request: Request, path: str) -> Caller:
        """Who is calling, counted. Runs in a worker thread. Raises `_NotAdmitted`.

        Strangers are told to wait only for what they get wrong, and only after a look at their credentials: others
        may be calling from the same address.
        """
        try:
            caller = self._authenticate(request, path, datetime.now(UTC))
        except RequestRefused as problem:
            self._refusals.note(_address(request), _key_named(request), problem.problem.code)
            standing = self._strangers.count(counted_as(_address(request)))
            tired = standing.remaining < 0
            refusal = RequestRefused(QUOTA, retry_after=standing.reset) if tired else problem
            raise _NotAdmitted(refusal, standing) from problem
        standing = self._quota.count(_counted_as(caller, request))
        if standing.remaining < 0:
            raise _NotAdmitted(RequestRefused(QUOTA, retry_after=standing.reset), standing)
        return caller

    def _standing(self, request: Request, caller: Caller | None) -> Standing:
        if caller is None:
            return self._strangers.look(counted_as(_address(request)))
        return self._quota.look(_counted_as(caller, request))

    def _authenticate(self, request: Request, path: str, now: datetime) -> Caller:
        endpoint = self._endpoints.get(path)
        admits = Admission.CALLERS if endpoint is None else endpoint.admits
        if admits is Admission.PASSWORD:
            return self._authenticator.passwords.signed_in(_given_password(request), now, _address(request))
        if admits is Admission.APPLICATION:
            app_id = _only(request, "x-mc-app-id")
            if not app_id or len(app_id) > signing.MAX_HEADER:
                raise RequestRefused(NO_CREDENTIALS, f"{NO_CREDENTIALS.message}: x-mc-app-id")
            caller = self._authenticator.passwords.application(app_id.decode("latin-1"), now)
            return msgspec.structs.replace(caller, reached_at=_reached_at(request))
        scheme, rest = _credentials(request)
        if scheme == "bearer" and rest:
            return self._authenticator.bearer(rest, now, _address(request))
        if scheme != "mc":
            raise RequestRefused(NO_CREDENTIALS)
        app, date, req_id = (_only(request, name) for name in ("x-mc-app-id", "x-mc-date", "x-mc-req-id"))
        call = signing.read_signed(
            rest,
            None if app is None else app.decode("latin-1"),
            None if date is None else signing.text_of(date),
            None if req_id is None else signing.text_of(req_id),
            path,
        )
        return self._authenticator.signed(call, now, _address(request))

    async def _token(self, request: Request) -> Response:
        """The client-credentials grant (RFC 6749 section 4.4), form or Basic; and JSON, which is no form of the
        grant, but what the rest of the API takes."""
        try:
            form = _grant(await self._body(request, MAX_FORM))
        except (RequestRefused, ClientDisconnect, TimeoutError):
            return _oauth_error("invalid_request", 400)
        client_id, client_secret = (form.get(name, "") for name in ("client_id", "client_secret"))
        try:
            scheme, rest = _credentials(request)
            if scheme == "basic":
                client_id, _, client_secret = base64.b64decode(rest, validate=True).decode().partition(":")
        except (RequestRefused, binascii.Error, ValueError):
            return _oauth_error("invalid_client", 401)
        grant = form.get("grant_type")
        if grant != "client_credentials":
            # RFC 6749 section 5.2: what is missing, or is there without a value (3.1), makes the request invalid.
            return _oauth_error("unsupported_grant_type" if grant else "invalid_request", 400)

        def give() -> Response:
            token = self._authenticator.give_token(client_id, client_secret, datetime.now(UTC))
            if token is not None:
                return _json(msgspec.json.encode(token), 200, _SUCCESS_HEADERS)
            self._refusals.note(_address(request), client_id, "invalid_client")
            standing = self._strangers.count(counted_as(_address(request)))
            if standing.remaining < 0:
                return _oauth_error("slow_down", 429, standing.headers() | _retry_after(standing.reset))
            return _oauth_error("invalid_client", 401, standing.headers())

        return await self._in_worker(give)

    def use(self, services: Services) -> None:
        """What calls that come from now on share."""
        self._services = services

    async def _alive(self, request: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def _ready(self, request: Request) -> Response:
        def look() -> Response:
            trouble = self._services.store.trouble()
            if trouble:
                _log.warning("not ready", problem=trouble)
                return Response(f"the database cannot be used: {trouble}\n", 503, media_type="text/plain")
            # That a row is left out, or a line of the log lost, keeps nothing else from being served.
            dropped = self._dropped_log_lines()
            lines = ["ready", *([f"log lines dropped: {dropped}"] if dropped else [])]
            lines += self._services.store.unreadable.lines()
            return Response("".join(f"{line}\n" for line in lines), media_type="text/plain")

        try:
            # Not among the calls, which may have all their threads at work.
            with anyio.fail_after(READY_TIME):
                return await anyio.to_thread.run_sync(
                    look, limiter=self._limiters().looking, abandon_on_cancel=True
                )
        except TimeoutError:
            return Response("the database does not answer\n", 503, media_type="text/plain")

    async def _describe(self, request: Request) -> Response:
        return _json(self._openapi, 200, {})

    async def _in_worker(self, work: Callable[[], T], *, slow: bool = False) -> T:
        limiters = self._limiters()
        return await anyio.to_thread.run_sync(work, limiter=limiters.slow if slow else limiters.calls)

    def _limiters(self) -> _Workers:
        if self._workers is None:
            self._workers = _Workers(CapacityLimiter(WORKERS), CapacityLimiter(SLOW_WORKERS), CapacityLimiter(1))
        return self._workers

    async def _body(self, request: Request, most: int) -> bytes:
        """The body, of at most `most` octets. Raises `RequestRefused` when it is longer, having read on for a
        while: a client that is still sending does not read the refusal."""
        refusal = RequestRefused(TOO_LARGE, f"{TOO_LARGE.message}: at most {most} octets are allowed")
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most * DRAINED:
            raise refusal
        kept: list[bytes] = []
        size = 0
        async with asyncio.timeout(BODY_TIME):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= most:
                    kept.append(chunk)
                elif size > most * DRAINED:
                    break
        if size > most:
            raise refusal
        return b"".join(kept)

    async def _skip_body(self, request: Request) -> None:
        """Read on for a while and keep nothing, so that a client which is still sending reads the refusal."""
        left = self._max_body
        with suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout(BODY_TIME):
                async for chunk in request.stream():
                    left -= len(chunk)
                    if left < 0:
                        break

    def _refuse(self, refusal: RequestRefused, standing: Standing) -> Response:
        headers = standing.headers()
        if refusal.retry_after is not None:
            headers |= _retry_after(refusal.retry_after)
        key = UNSET if refusal.key is None else dict(refusal.key)
        fail: list[Failure | Problem] = [Failure([refusal.problem], key)]
        if refusal.problem.code in _FLAT:
            fail = [refusal.problem]
        return _json(envelope.encode([], fail, status=refusal.status), refusal.status, headers)

    def _broken(self, problem: Exception, path: str, standing: Standing) -> Response:
        """What is said when we broke: an id that is also in the log, and nothing else."""
        number = secrets.token_hex(8)
        _log.error("call failed", id=number, path=path, exc_info=problem)
        return self._refuse(RequestRefused(INTERNAL, f"{INTERNAL.message} (id {number})"), standing)


class _Workers(Struct, frozen=True):
    """How many threads each kind of work may have. Made with the event loop, which a limiter belongs to."""

    calls: CapacityLimiter
    slow: CapacityLimiter
    looking: CapacityLimiter


@dataclass(slots=True)
class _Asked:
    """A call whose body is here. The caller is known once it is admitted. One that is `viewed` is a view's."""

    request: Request
    endpoint: Endpoint
    path: str
    body: bytes
    caller: Caller | None
    viewed: bool = False


class _NotAdmitted(Exception):
    """The caller is refused before anything is done, and told where it stands."""

    def __init__(self, refusal: RequestRefused, standing: Standing) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.standing = standing


class _Answered(Exception):
    """A function that a view calls was refused as a whole: what is said then."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status_code))
        self.response = response


class _OAuthError(Struct, frozen=True):
    """RFC 6749 section 5.2, and the `fail` that clients of the envelope read."""

    error: str
    fail: Sequence[Problem]


def _grant(body: bytes) -> dict[str, str]:
    """The members of a token request, as a form or as a JSON object, whatever its Content-Type says. Raises
    `RequestRefused` where it is JSON and no object of texts, or a form that names a member twice."""
    if not body.lstrip().startswith((b"{", b"[")):
        form = parse_qs(body.decode("utf-8", "replace"))
        if any(len(values) > 1 for values in form.values()):  # RFC 6749 section 3.2 has each once.
            raise RequestRefused(BAD_REQUEST)
        return {name: value for name, (value,) in form.items()}
    try:
        members = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RequestRefused(BAD_REQUEST) from problem
    return {name: value for name, value in members.items() if isinstance(value, str)}


_GRANT: Final = (
    "Send grant_type=client_credentials with client_id and client_secret, as a form or as a JSON object; "
    "id and secret may be in HTTP Basic instead"
)
_OAUTH_TEXTS: Final = {
    "invalid_request": f"The token request cannot be read, or has no grant_type. {_GRANT}",
    "unsupported_grant_type": f"The grant type is not supported. {_GRANT}",
    "invalid_client": "The client id or secret is wrong",
    "slow_down": "Too many wrong token requests; try again later",
}


def _decoded(asked: _Asked) -> envelope.Request:
    """The items of a call. A file is a body of its own, and its item stands in a header (api.md section 1.2).
    Raises `RequestRefused`."""
    argument = asked.request.headers.get(ARGUMENT) if asked.endpoint.file else None
    if argument is None:
        return envelope.decode(asked.body)
    try:
        text = asked.body.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise RequestRefused(
            BAD_REQUEST, "The file is not a text in UTF-8", field=asked.endpoint.file
        ) from problem
    request = envelope.decode(argument.encode("latin-1"))
    return structs.replace(request, items=[{**item, asked.endpoint.file: text} for item in request.items])


def _oauth_error(error: str, status: int, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    text = _OAUTH_TEXTS.get(error, "The token request is not valid")
    body = msgspec.json.encode(_OAuthError(error, [Problem(error, text, retryable=error == "slow_down")]))
    return _json(body, status, _SUCCESS_HEADERS | dict(headers))


def _retry_after(milliseconds: int) -> dict[str, str]:
    return {"Retry-After": str(-(-milliseconds // 1000))}


def _json(payload: bytes, status: int, headers: dict[str, str]) -> Response:
    # Set by hand: Starlette would add a charset, which the live service does not send.
    return Response(payload, status, headers | {"Content-Type": "application/json"})


def _is_small(request: Request) -> bool:
    """Whether the body is said to be small. One of unknown length is not."""
    declared = request.headers.get("content-length", "")
    if not declared:
        return "transfer-encoding" not in request.headers
    return declared.isdigit() and int(declared) <= SMALL_BODY


def _counted_as(caller: Caller, request: Request) -> str:
    # Nobody in particular is somebody at an address.
    return f"{caller.account_id}/{caller.actor or '/' + counted_as(_address(request))}"


def _given_password(request: Request) -> GivenPassword:
    """What the headers of a sign-in say. Raises `RequestRefused`."""
    app_id = _only(request, "x-mc-app-id")
    return read_password(*_credentials(request), None if app_id is None else app_id.decode("latin-1"))


def _reached_at(request: Request) -> str:
    """Scheme and host by which the client found us, as it wrote them; what is no host is none."""
    host = (_only(request, "Host") or b"").decode("latin-1")
    if not _HOST.fullmatch(host):
        name, port = request.scope.get("server") or ("localhost", None)
        host = f"[{name}]" if ":" in name else name
        host += f":{port}" if port else ""
    return f"{request.scope['scheme']}://{host}"


def _only(request: Request, name: str) -> bytes | None:
    """The value of a header, without the white space around it (RFC 9110 section 5.5); None without one. Raises
    `RequestRefused` where there are several: whoever reads the last of them, as a proxy may, sees another caller
    than whoever reads the first."""
    key = name.lower().encode()
    found = [value for header, value in request.scope["headers"] if header == key]
    if len(found) > 1:
        raise RequestRefused(NO_CREDENTIALS, f"{NO_CREDENTIALS.message}: {name} is there more than once")
    return found[0].strip(b" \t") if found else None


def _credentials(request: Request) -> tuple[str, str]:
    """The scheme of the Authorization header, in small letters, and what follows it. Raises `RequestRefused`."""
    scheme, _, rest = (_only(request, "Authorization") or b"").decode("latin-1").partition(" ")
    return scheme.lower(), rest.strip()


def _key_named(request: Request) -> str:
    """The access key that a refused caller named; of a token nothing, which might be good elsewhere."""
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    return rest.partition(":")[0].strip() if scheme.upper() == "MC" else ""


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
