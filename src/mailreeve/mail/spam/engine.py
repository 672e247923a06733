"""How is rspamd asked? Over HTTP, `POST /checkv2`, on kept connections.

What the client said goes in header fields of the request, the message in its body, piece by piece. A connection
that was kept may be gone when it is used again: then the question is asked once more on a new one, which does no
harm, since the engine only looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx2

from mailreeve.mail.scan import Scan, ScanRequest
from mailreeve.mail.spam.answer import read_answer

MAX_ANSWER: Final = 1 << 20  # octets
CONNECTING: Final = 2.0  # seconds: it is near, or it is not there
KEPT: Final = 30.0  # seconds that a connection is kept without use


class EngineAway(Exception):
    """The engine gave no verdict: it is not there, took too long, or said what is none. The message says which."""


class SpamEngine:
    """An engine at an address such as `http://127.0.0.1:11333`. `timeout` is in seconds, for all of one question;
    at most `at_once` are under way, and those that wait for their turn wait within their time."""

    def __init__(self, url: str, *, timeout: float, at_once: int) -> None:
        self._timeout = timeout
        self._turns = asyncio.Semaphore(at_once)
        self._client = httpx2.AsyncClient(
            base_url=url,
            timeout=httpx2.Timeout(timeout, connect=min(CONNECTING, timeout)),
            limits=httpx2.Limits(
                max_connections=at_once, max_keepalive_connections=at_once, keepalive_expiry=KEPT
            ),
            trust_env=False,
        )

    async def check(self, request: ScanRequest) -> Scan:
        """What the engine says of a message. Raises `EngineAway`."""
        try:
            async with asyncio.timeout(self._timeout), self._turns:
                try:
                    return await self._ask(request)
                except (httpx2.NetworkError, httpx2.RemoteProtocolError) as problem:
                    if isinstance(problem, httpx2.ConnectError):
                        raise
                    return await self._ask(request)
        except TimeoutError as problem:
            raise EngineAway(f"no answer within {self._timeout:g} seconds") from problem
        except httpx2.HTTPError as problem:
            raise EngineAway(str(problem) or type(problem).__name__) from problem
        except ValueError as problem:
            raise EngineAway(str(problem)) from problem

    async def ping(self) -> None:
        """Raises `EngineAway` where it does not answer."""
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.get("/ping")
        except (TimeoutError, httpx2.HTTPError) as problem:
            raise EngineAway(str(problem) or type(problem).__name__) from problem
        if answer.status_code != httpx2.codes.OK:
            raise EngineAway(f"HTTP {answer.status_code}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(self, request: ScanRequest) -> Scan:
        asked = self._client.build_request(
            "POST", "/checkv2", headers=request_fields(request), content=_content(request)
        )
        answer = await self._client.send(asked, stream=True)
        try:
            text = b""
            async for piece in answer.aiter_bytes():
                text += piece
                if len(text) > MAX_ANSWER:
                    raise ValueError(f"the engine answered more than {MAX_ANSWER} octets")
        finally:
            await answer.aclose()
        if answer.status_code != httpx2.codes.OK:
            raise ValueError(f"HTTP {answer.status_code}")
        return read_answer(text)


def request_fields(request: ScanRequest) -> list[tuple[bytes, bytes]]:
    """The header fields of a question, as rspamd's protocol has them. What would break out of a field is left
    out of it.

    All tests are wanted. By itself rspamd may make no more of them once the score is enough to reject
    (`check_all_filters`): then nobody has looked for a virus, where a permit skips the score and nothing else.
    """
    named = [
        ("Pass", "all"),
        ("Content-Length", str(request.size)),
        ("IP", request.source_ip),
        ("Helo", request.client_name),
        ("From", request.sender or "<>"),
        *(("Rcpt", recipient) for recipient in request.recipients),
        ("User", request.login),
        ("Queue-Id", request.queue_id),
        ("MTA-Name", request.hostname),
    ]
    return [(name.encode("ascii"), _harmless(value)) for name, value in named if value]


def _harmless(value: str) -> bytes:
    return "".join(one for one in value if one.isprintable()).strip().encode("utf-8", "replace")


async def _content(request: ScanRequest) -> AsyncIterator[bytes]:
    yield request.header
    for piece in request.body:
        yield piece
