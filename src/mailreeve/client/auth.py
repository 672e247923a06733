"""How does a request show who sends it? By a signature, or by an access token (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Generator
from email.utils import formatdate
from typing import Final

import httpx2
import msgspec
from msgspec import Struct

from mailreeve.client.credentials import Credentials, OAuthCredentials
from mailreeve.client.errors import ApiError, Failure

_INHERITED: Final = ("timeout", "sni_hostname")  # what a request for a token takes over from the call
MARGIN: Final = 60  # seconds before its end that a token is no longer used
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - a path, not a secret


class SignedAuth(httpx2.Auth):
    """Signs each request anew: HMAC-SHA1 over date, request id, path and application key, which is the
    protocol's choice. The body is not signed, so an untrusted network needs https."""

    def __init__(self, credentials: Credentials, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._secret = base64.b64decode(credentials.secret_key)
        self._clock = clock

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """The request with its four headers."""
        keys = self._credentials
        # As in the published samples: an English date that ends in UTC.
        date = formatdate(self._clock(), usegmt=True).replace("GMT", "UTC")
        request_id = str(uuid.uuid4())
        text = f"{date}:{request_id}:{request.url.path}:{keys.app_key}"
        signature = base64.b64encode(hmac.new(self._secret, text.encode(), hashlib.sha1).digest()).decode()
        request.headers["Authorization"] = f"MC {keys.access_key}:{signature}"
        request.headers["x-mc-app-id"] = keys.app_id
        request.headers["x-mc-date"] = date
        request.headers["x-mc-req-id"] = request_id
        yield request


class TokenAuth(httpx2.Auth):
    """Carries an access token, fetched when there is none, when it is about to end, and once when it is refused.

    Two threads that find no token fetch one each; either serves.
    """

    requires_response_body = True

    def __init__(self, credentials: OAuthCredentials, clock: Callable[[], float] = time.monotonic) -> None:
        self._credentials = credentials
        self._clock = clock
        self._held: tuple[str, float] = "", 0.0

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """The request with a token. Raises `ApiError` when none is given."""
        token, end = self._held
        fetched = self._clock() >= end
        if fetched:
            token = self._take((yield self._ask(request)))
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401 and not fetched:
            token = self._take((yield self._ask(request)))
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _ask(self, request: httpx2.Request) -> httpx2.Request:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        extensions: dict[str, object] = {
            name: request.extensions[name] for name in _INHERITED if name in request.extensions
        }
        return httpx2.Request(
            "POST",
            request.url.copy_with(raw_path=TOKEN_PATH.encode()),
            headers={"Accept": "application/json"},
            data=form,
            extensions=extensions,
        )

    def _take(self, response: httpx2.Response) -> str:
        try:
            if response.status_code != 200:
                refusal = msgspec.json.decode(response.content, type=_Refusal)
                failure = Failure(refusal.error, refusal.error_description or "No access token was given")
                raise ApiError(response.status_code, [failure])
            given = msgspec.json.decode(response.content, type=_Given)
        except msgspec.DecodeError as problem:
            failure = Failure(f"http_{response.status_code}", "The answer to the token request is not valid")
            raise ApiError(response.status_code, [failure]) from problem
        self._held = given.access_token, self._clock() + given.expires_in - MARGIN
        return given.access_token


class _Given(Struct, frozen=True):
    access_token: str
    expires_in: float = 1800


class _Refusal(Struct, frozen=True):
    error: str
    error_description: str = ""
