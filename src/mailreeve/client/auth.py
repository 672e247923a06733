"""How does a request show who sends it? By a signature, with keys at hand or after a login, or by an
access token (RFC 6749 section 4.4)."""

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

from mailreeve.client.credentials import Application, Credentials, LoginCredentials, OAuthCredentials
from mailreeve.client.errors import ApiError, Failure

_INHERITED: Final = ("timeout", "sni_hostname")  # what a request for a token takes over from the call
MARGIN: Final = 60  # seconds before its end that a token is no longer used
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - a path, not a secret
LOGIN_PATH: Final = "/api/login/login"
EXPIRED: Final = 418  # how a key that has ended is answered


def dated(now: float) -> str:
    """`x-mc-date` as in the published samples: an English date that ends in UTC."""
    return formatdate(now, usegmt=True).replace("GMT", "UTC")


def inherited(request: httpx2.Request) -> dict[str, object]:
    """What a request on behalf of another takes over from it."""
    return {name: request.extensions[name] for name in _INHERITED if name in request.extensions}


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
        date = dated(self._clock())
        request_id = str(uuid.uuid4())
        text = f"{date}:{request_id}:{request.url.path}:{keys.app_key}"
        signature = base64.b64encode(hmac.new(self._secret, text.encode(), hashlib.sha1).digest()).decode()
        request.headers["Authorization"] = f"MC {keys.access_key}:{signature}"
        request.headers["x-mc-app-id"] = keys.app_id
        request.headers["x-mc-date"] = date
        request.headers["x-mc-req-id"] = request_id
        yield request


class ApplicationAuth(httpx2.Auth):
    """Says which application asks, and nothing of a user: for what comes before signing in."""

    def __init__(self, credentials: Application, clock: Callable[[], float] = time.time) -> None:
        self._app_id = credentials.app_id
        self._clock = clock

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """The request with its three headers."""
        request.headers["x-mc-app-id"] = self._app_id
        request.headers["x-mc-date"] = dated(self._clock())
        request.headers["x-mc-req-id"] = str(uuid.uuid4())
        yield request


class LoginAuth(httpx2.Auth):
    """Signs in with a password when there is no key yet, and once more when the key has ended (HTTP status 418),
    then signs as `SignedAuth` does. A key that has ended is named, so that the same one is renewed; its secret
    stays where the server gives no other. Two threads that find no key sign in both; either key serves."""

    requires_response_body = True

    def __init__(self, credentials: LoginCredentials, clock: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
        self._clock = clock
        self._keys: Credentials | None = None

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """The request with its four headers. Raises `ApiError` when the user cannot sign in."""
        keys, fresh = self._keys, False
        if keys is None:
            keys, fresh = self._take((yield self._ask(request, None)), None), True
        response = yield from self._signed(request, keys)
        if response.status_code == EXPIRED and not fresh:
            keys = self._take((yield self._ask(request, keys)), keys)
            yield from self._signed(request, keys)

    def _signed(
        self, request: httpx2.Request, keys: Credentials
    ) -> Generator[httpx2.Request, httpx2.Response, httpx2.Response]:
        signed = next(SignedAuth(keys, self._clock).auth_flow(request))
        return (yield signed)

    def _ask(self, request: httpx2.Request, old: Credentials | None) -> httpx2.Request:
        who = self._credentials
        item = {"userName": who.email_address} | ({} if old is None else {"accessKey": old.access_key})
        shown = base64.b64encode(f"{who.email_address}:{who.password}".encode()).decode()
        return httpx2.Request(
            "POST",
            request.url.copy_with(raw_path=LOGIN_PATH.encode()),
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "Authorization": f"{who.scheme} {shown}",
                "x-mc-app-id": who.app_id,
                "x-mc-date": dated(self._clock()),
                "x-mc-req-id": str(uuid.uuid4()),
            },
            content=msgspec.json.encode({"data": [item]}),
            extensions=inherited(request),
        )

    def _take(self, response: httpx2.Response, old: Credentials | None) -> Credentials:
        try:
            answer = msgspec.json.decode(response.content, type=_LoginAnswer)
        except msgspec.DecodeError as problem:
            failure = Failure(f"http_{response.status_code}", "The answer to the login is not valid")
            raise ApiError(response.status_code, [failure]) from problem
        failures = [Failure(e.code, e.message, e.retryable, e.field) for one in answer.fail for e in one.errors]
        if response.status_code != 200 or failures or not answer.data:
            refused = Failure(f"http_{response.status_code}", "The login was refused")
            raise ApiError(response.status_code, failures or [refused])
        binding = answer.data[0]
        secret = binding.secret_key or ("" if old is None else old.secret_key)
        if not secret:
            raise ApiError(
                response.status_code, [Failure("no_secret_key", "The login gave a key without a secret")]
            )
        who = self._credentials
        self._keys = keys = Credentials(who.app_id, who.app_key, binding.access_key, secret)
        return keys


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
        return httpx2.Request(
            "POST",
            request.url.copy_with(raw_path=TOKEN_PATH.encode()),
            headers={"Accept": "application/json"},
            data=form,
            extensions=inherited(request),
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


class _LoginError(Struct, frozen=True):
    code: str = ""
    message: str = ""
    retryable: bool = False
    field: str | None = None


class _LoginFail(Struct, frozen=True):
    errors: list[_LoginError] = []


class _Binding(Struct, frozen=True, rename="camel"):
    access_key: str
    secret_key: str = ""


class _LoginAnswer(Struct, frozen=True):
    data: list[_Binding] = []
    fail: list[_LoginFail] = []
