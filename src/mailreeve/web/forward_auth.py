"""May a proxy let this request through? Asked over HTTP before each one: `/web/check`.

nginx asks by `auth_request`, Traefik by `ForwardAuth`, Caddy by `forward_auth`, Envoy by `ext_authz`. Each shows a
token of its own in `X-Mailreeve-Token`; without one nobody is told anything. 200 lets the request through, 403
stops it, with the reason in words and the id of the decision. A question that cannot be understood is a 403 as
well: 200 is never said of what was not looked at.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol

import anyio.to_thread
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailreeve.families.web_proxies.rows import FoundProxy
from mailreeve.formats.forward_auth import Asked, ForwardError, ProxyKind, read_forwarded
from mailreeve.formats.networks import counted_as
from mailreeve.web.requests import WebAnswer, WebRequest

PATH: Final = "/web/check"
"""Where proxies ask. Envoy puts the path of the request behind it."""

PAGE: Final = "/web/blocked"
"""Where the block page is, see `console.blocked`; a test holds the two together."""

TOKEN: Final = "x-mailreeve-token"  # noqa: S105 - the name of a header
LOGGED_EVERY: Final = 1.0  # seconds between two lines about questions that were turned away
DOOR: Final = "forward-auth"

_NOT_IN_HEADER: Final = re.compile(r"[^\x20-\x7e]")
_PLAIN: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}

_log = structlog.get_logger(__name__)


class Gate(Protocol):
    """Who decides: `web.gate.WebGate`."""

    async def answer(self, account_id: str, request: WebRequest) -> WebAnswer: ...


class Proxies(Protocol):
    """Who knows the proxies: `families.web_proxies.known.KnownProxies`."""

    def at_hand(self, token: str) -> bool: ...
    def find(self, token: str) -> FoundProxy | None: ...


class Turns(Protocol):
    """How many milliseconds somebody has to wait, 0 if not at all: after one more, or as things are."""

    def count(self, who: str) -> int: ...
    def look(self, who: str) -> int: ...


class ForwardAuth:
    """The ASGI application for the paths that begin with `PATH`. `strangers` counts by network those who show no
    token of ours, `known` the proxies that do, by their keys. `base` is what links to this installation begin
    with, empty where that is not known: with it a proxy is told where the block page is."""

    def __init__(
        self, gate: Gate, proxies: Proxies, strangers: Turns, known: Turns, base: Callable[[], str] = lambda: ""
    ) -> None:
        self._gate = gate
        self._proxies = proxies
        self._strangers = strangers
        self._known = known
        self._base = base
        self._logged_at = -LOGGED_EVERY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._response(scope)
        except Exception:
            number = secrets.token_hex(8)
            _log.exception("a question of a proxy failed", error=number)
            response = _refused(500, f"The question could not be answered. Error {number}")
        await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        headers = [(name.decode("latin-1"), _text(value)) for name, value in scope["headers"]]
        client = scope.get("client")
        network = counted_as(client[0] if client else "")
        tokens = [value for name, value in headers if name == TOKEN]
        if len(tokens) > 1:
            return self._turned_away(network, f"{TOKEN} comes {len(tokens)} times")
        token = tokens[0] if tokens else ""
        if not token:
            return self._turned_away(network, f"{TOKEN} is missing: mailreeve web proxy add makes one")
        proxy = await self._find(token, network)
        if isinstance(proxy, Response):
            return proxy
        if proxy is None:
            return self._turned_away(network, f"{TOKEN} holds no token of ours, or one that was taken away")
        if wait := self._known.count(proxy.id):
            return _wait(wait, "This proxy asks too often")
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        rest = _text(raw[len(PATH) :])
        if proxy.kind is not ProxyKind.ENVOY and rest:
            return _refused(404, f"Nothing is here; proxies ask at {PATH}")
        query: bytes = scope["query_string"]
        if query and rest:
            rest += f"?{_text(query)}"
        try:
            asked = read_forwarded(proxy.kind, Asked(scope["method"], rest, headers), proxy.user_header)
        except ForwardError as problem:
            return _refused(403, f"The question cannot be understood: {problem}")
        request = WebRequest(asked.url, asked.method, asked.user, asked.client, DOOR)
        return _told(await self._gate.answer(proxy.account_id, request), self._base())

    async def _find(self, token: str, network: str) -> FoundProxy | Response | None:
        """The proxy with this token. Whoever showed wrong ones before waits, unless the token is at hand."""
        if self._proxies.at_hand(token):
            return self._proxies.find(token)
        if wait := self._strangers.look(network):
            return _wait(wait, "Too many questions without a token of ours")
        return await anyio.to_thread.run_sync(self._proxies.find, token)

    def _turned_away(self, network: str, reason: str) -> Response:
        wait = self._strangers.count(network)
        if wait:
            return _wait(wait, "Too many questions without a token of ours")
        now = time.monotonic()
        if now - self._logged_at >= LOGGED_EVERY:
            self._logged_at = now
            _log.warning("a question of a proxy was turned away", network=network, reason=reason)
        return _refused(401, reason)


class Counted:
    """`Turns` by a function that counts or looks; see `api.quota.Quota`."""

    def __init__(self, count: Callable[[str], int], look: Callable[[str], int]) -> None:
        self.count = count
        self.look = look


def _told(answer: WebAnswer, base: str) -> Response:
    headers = {**_PLAIN, "X-Mailreeve-Verdict": answer.verdict.value}
    if answer.decision_id:
        headers["X-Mailreeve-Decision"] = answer.decision_id
    if answer.passes:
        return Response(b"", 200, headers)
    headers["X-Mailreeve-Reason"] = _in_header(answer.sentence)
    if base and answer.decision_id:
        headers["X-Mailreeve-Page"] = f"{base}{PAGE}?id={answer.decision_id}"
    lines = [answer.sentence, *([f"Decision {answer.decision_id}"] if answer.decision_id else [])]
    return Response("\n".join([*lines, ""]), 403, headers, "text/plain; charset=utf-8")


def _refused(status: int, reason: str) -> Response:
    headers = {**_PLAIN, "X-Mailreeve-Reason": _in_header(reason)}
    return Response(f"{reason}\n", status, headers, "text/plain; charset=utf-8")


def _wait(milliseconds: int, reason: str) -> Response:
    seconds = -(-milliseconds // 1000)
    response = _refused(429, f"{reason}; try again in {seconds} seconds")
    response.headers["Retry-After"] = str(seconds)
    return response


def _in_header(text: str) -> str:
    """A sentence as a header holds it: what is not ASCII becomes a question mark; the body has it as it is."""
    return _NOT_IN_HEADER.sub("?", text)


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
