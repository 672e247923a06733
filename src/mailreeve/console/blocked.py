"""What does somebody see whose web request was blocked? Who, what and why, and how to ask for access.

A proxy sends browsers here with the decision id. Nothing of what is shown comes from the address, and nothing is
shown to whoever has no such id.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from urllib.parse import parse_qs

import anyio
import structlog
from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailreeve.console.page import block_page
from mailreeve.families.web_log.access import (
    MAX_REASON,
    Blocked,
    BlockedRequests,
    NotBlocked,
    TooManyRequests,
)
from mailreeve.formats.networks import counted_as
from mailreeve.policy.model.wording import quoted

PATH: Final = "/web/blocked"
MAX_FORM: Final = 8 * 1024  # octets; a character may take twelve of them
FORM_TIME: Final = 20  # seconds that it may take to arrive
WORKERS: Final = 4  # pages made at once; each holds at most one database connection

WRITTEN_WITHIN: Final = 0.5  # seconds after which a decision of another process is on record

_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class BlockPages:
    """The ASGI application for `PATH`. `wait` is told the network of whoever comes, and says how many milliseconds
    that one has to wait, 0 if not at all."""

    def __init__(self, blocked: BlockedRequests, wait: Callable[[str], int]) -> None:
        self._blocked = blocked
        self._wait = wait
        self._workers: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except Exception:
            number = secrets.token_hex(8)
            _log.exception("a block page failed", error=number)
            response = block_page(500, "That did not work", ["Please try again later.", f"Error {number}"])
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        wait = self._wait(counted_as(address))
        if wait:
            seconds = str(-(-wait // 1000))
            lines = [f"Please try again in {seconds} seconds."]
            return block_page(429, "Too many requests", lines, headers={"Retry-After": seconds})
        if request.method not in ("GET", "HEAD", "POST"):
            return block_page(405, "That is not possible here", headers={"Allow": "GET, HEAD, POST"})
        decision_id = request.query_params.get("id", "")
        try:
            if request.scope["path"] != PATH or not _ID.fullmatch(decision_id):
                raise NotBlocked
            if request.method != "POST":
                return _told(await self._look(decision_id), decision_id)
            reason = await _reason(request)
            if not reason:
                return block_page(400, "Nothing was asked", ["Please go back, and say why you need it."])
            asked = await self._in_worker(partial(self._blocked.ask, decision_id, reason, address))
            return _told(asked, decision_id)
        except NotBlocked:
            return block_page(
                404,
                "No such decision",
                ["Nothing is known of it here: it may be too old, or the address was cut off on its way."],
            )
        except TooManyRequests:
            lines = ["Too many requests wait for an answer. Please call your administrators."]
            return block_page(503, "Nothing was asked", lines)

    async def _look(self, decision_id: str) -> Blocked:
        look = partial(self._blocked.look, decision_id)
        try:
            return await self._in_worker(look)
        except NotBlocked as problem:
            if not problem.is_ours:
                raise
        # Another process of this server may be about to write it.
        await asyncio.sleep(WRITTEN_WITHIN)
        return await self._in_worker(look)

    async def _in_worker(self, work: Callable[[], T]) -> T:
        if self._workers is None:
            self._workers = CapacityLimiter(WORKERS)
        return await anyio.to_thread.run_sync(work, limiter=self._workers)


def _told(blocked: Blocked, decision_id: str) -> Response:
    one = blocked.record
    why = "The address cannot be read."
    if one.entry is not None:
        why = f"The web list {quoted(one.description)} names the {one.entry.type} {one.entry.value}."
    facts = [
        ("Address", one.url + (" …" if one.url_cut else "")),
        ("Why", why),
        ("You", one.user or one.login or one.client or "not known"),
        ("When", datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("Decision", decision_id),
    ]
    if one.location:
        facts.insert(3, ("Where", one.location))
    lines = ["Your organisation does not allow this address."]
    if blocked.asked_at is not None:
        lines.append(f"Access was asked for on {blocked.asked_at.astimezone(UTC):%Y-%m-%d at %H:%M UTC}.")
    clean = [(name, _CONTROL.sub(" ", value)) for name, value in facts]
    return block_page(403, "Blocked", lines, facts=clean, asks=MAX_REASON if blocked.asked_at is None else 0)


async def _reason(request: Request) -> str:
    """What somebody wrote into the form of our page, in one harmless text; empty for anything else."""
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_TIME):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_FORM:
                    return ""
    except TimeoutError:
        return ""
    if body.count(b"&") >= 4:
        return ""
    found = parse_qs(body.decode("latin-1"), max_num_fields=4, errors="replace").get("reason", [""])
    return _CONTROL.sub(" ", found[0]).strip()[:MAX_REASON]
