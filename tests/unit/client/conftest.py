"""A server made of a list of answers, so that the client's side of the wire can be looked at."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import httpx2
import pytest

from mailreeve.client import Client, Credentials, OAuthCredentials

KEYS = Credentials("app-id", "app-key", "access", base64.b64encode(b"secret").decode())
CLIENT = OAuthCredentials("client-id", "client-secret")


class Script:
    """Gives the answers in order and keeps the requests. An exception among the answers is raised."""

    def __init__(self) -> None:
        self.answers: list[httpx2.Response | Exception] = []
        self.requests: list[httpx2.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @staticmethod
    def envelope(*data: object, fail: object = (), status: int = 200, **pagination: object) -> httpx2.Response:
        """An answer of the API."""
        meta = {"status": status} | ({"pagination": pagination} if pagination else {})
        return httpx2.Response(status, json={"meta": meta, "data": list(data), "fail": list(fail)})

    def body(self, number: int = -1) -> dict:
        """The envelope of a request."""
        return json.loads(self.requests[number].content)


@pytest.fixture
def keys() -> Credentials:
    return KEYS


@pytest.fixture
def oauth() -> OAuthCredentials:
    return CLIENT


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def connect(script: Script) -> Callable[..., Client]:
    """`connect()` gives a client of the script, signed unless other credentials are given."""

    def make(credentials: Credentials | OAuthCredentials = KEYS, **options: object) -> Client:
        return Client(
            "https://mail.test",
            credentials,
            transport=httpx2.MockTransport(script),
            sleep=script.slept.append,
            **options,
        )

    return make


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()
