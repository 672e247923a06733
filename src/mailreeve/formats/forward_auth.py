"""Which request does a proxy ask about? Read from the headers by which each proxy says so, and from no others.

nginx (`auth_request`), Traefik (`ForwardAuth`), Caddy (`forward_auth`) and Envoy (`ext_authz` over HTTP) say it in
ways of their own, and pass on what the browser sent besides. So the kind of a proxy is known beforehand: what one
of them sets, a browser behind another may have sent. A header that comes twice is refused, and so is a host that
no Host header may hold: `Host: open.test#` would make the path after it a part of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct

MAX_USER: Final = 320  # characters of a name
MAX_METHOD: Final = 32

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_SCHEMES: Final = frozenset(("http", "https", "ws", "wss"))
_METHOD: Final = re.compile(r"[A-Za-z-]{1,32}")
_WHOLE: Final = re.compile(r"(?P<scheme>[a-z]+)://(?P<host>[^/?#\\]*)(?P<path>/.*)?", re.DOTALL)

FORWARDED_FOR: Final = "x-forwarded-for"


class ProxyKind(StrEnum):
    """Which proxy asks, by whose headers the request is read."""

    NGINX = "nginx"
    TRAEFIK = "traefik"
    CADDY = "caddy"
    ENVOY = "envoy"


class Forwarded(Struct, frozen=True, gc=False):
    """The request that a proxy asks about. `client` and `user` are as the proxy wrote them, empty where it says
    nothing of them."""

    url: str
    method: str
    client: str
    user: str


class ForwardError(ValueError):
    """The headers name no request, or more than one. The message says why."""


class Asked(Struct, frozen=True):
    """What the proxy's own request is: its method, the path after ours with the query, and its headers, names in
    lower case, in their order."""

    method: str
    rest: str
    headers: Iterable[tuple[str, str]]


def read_forwarded(kind: ProxyKind, asked: Asked, user_header: str = "") -> Forwarded:
    """The request that is asked about. `user_header` names the header in which the proxy says whom it
    authenticated, in lower case; empty where it says so in none. Raises `ForwardError`."""
    headers = _Headers(asked.headers)
    client = _last(headers.every(FORWARDED_FOR))
    user = headers.one(user_header).strip() if user_header else ""
    if len(user) > MAX_USER:
        raise ForwardError(f"{user_header} is longer than {MAX_USER} characters")
    match kind:
        case ProxyKind.NGINX:
            url, method = _whole(headers.one("x-original-url")), headers.one("x-original-method")
        case ProxyKind.ENVOY:
            url = _joined(headers.one("x-forwarded-proto") or "http", headers.one("host"), asked.rest)
            method = asked.method
        case ProxyKind.TRAEFIK | ProxyKind.CADDY:
            url = _joined(
                headers.one("x-forwarded-proto"), headers.one("x-forwarded-host"), headers.one("x-forwarded-uri")
            )
            method = headers.one("x-forwarded-method")
        case other:
            assert_never(other)
    if method and not _METHOD.fullmatch(method):
        raise ForwardError("the method is malformed")
    return Forwarded(url, method, client, user)


class _Headers:
    """Headers by name, each of which may come once."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        self._found: Mapping[str, list[str]] = found

    def one(self, name: str) -> str:
        """The value of a header, empty without it. Raises `ForwardError` where it comes twice."""
        values = self._found.get(name, [""])
        if len(values) > 1:
            raise ForwardError(f"{name} comes {len(values)} times")
        return values[0]

    def every(self, name: str) -> list[str]:
        """All values of a header that may come several times."""
        return self._found.get(name, [])


def _last(values: list[str]) -> str:
    """The address that the proxy itself added: those before it are what others said."""
    return values[-1].rpartition(",")[2].strip() if values else ""


def _whole(url: str) -> str:
    if not url:
        raise ForwardError("x-original-url is missing")
    found = _WHOLE.fullmatch(url)
    if found is None:
        raise ForwardError("x-original-url is not a whole URL")
    return _joined(found["scheme"], found["host"], found["path"] or "/")


def _joined(scheme: str, host: str, path: str) -> str:
    if scheme not in _SCHEMES:
        raise ForwardError(
            "the scheme is missing" if not scheme else "the scheme is none of http, https, ws and wss"
        )
    if not _HOST.fullmatch(host):
        raise ForwardError("the host is malformed" if host else "the host is missing")
    if not path.startswith("/"):
        raise ForwardError("the path does not begin with a slash" if path else "the path is missing")
    return f"{scheme}://{host}{path}"
