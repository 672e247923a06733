"""What does somebody see whose web request was blocked? Who, what and why, and how to ask for access.

A proxy sends browsers here with the decision id. Nothing of what is shown comes from the address, and nothing is
shown to whoever has no such id.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailreeve.console.page import block_page
from mailreeve.console.receiving import Receiving, form_of
from mailreeve.families.web_log.access import (
    MAX_REASON,
    Blocked,
    BlockedRequests,
    NotBlocked,
    TooManyRequests,
)
from mailreeve.policy.model.wording import quoted

PATH: Final = "/web/blocked"
MAX_FORM: Final = 8 * 1024  # octets; a character may take twelve of them
WRITTEN_WITHIN: Final = 0.5  # seconds after which a decision of another process is on record

_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class BlockPages:
    """The ASGI application for `PATH`. `wait` is told the network of whoever comes, and says how many milliseconds
    that one has to wait, 0 if not at all."""

    def __init__(self, blocked: BlockedRequests, wait: Callable[[str], int]) -> None:
        self._blocked = blocked
        self._receiving = Receiving(self._answer, wait, block_page, failed="a block page failed")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._receiving(scope, receive, send)

    async def _answer(self, request: Request, address: str) -> Response:
        decision_id = request.query_params.get("id", "")
        try:
            if request.scope["path"] != PATH or not _ID.fullmatch(decision_id):
                raise NotBlocked
            if request.method != "POST":
                return _told(await self._look(decision_id), decision_id)
            reason = await _reason(request)
            if not reason:
                return block_page(400, "Nothing was asked", ["Please go back, and say why you need it."])
            asked = await self._receiving.in_worker(partial(self._blocked.ask, decision_id, reason, address))
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
            return await self._receiving.in_worker(look)
        except NotBlocked as problem:
            if not problem.is_ours:
                raise
        # Another process of this server may be about to write it.
        await asyncio.sleep(WRITTEN_WITHIN)
        return await self._receiving.in_worker(look)


def _told(blocked: Blocked, decision_id: str) -> Response:
    one = blocked.record
    why = "The address cannot be read."
    if one.entry is None and one.policy_id:
        why = f"The web list {quoted(one.description)} blocks what no web list allows."
    elif one.entry is not None:
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
    found = (await form_of(request, MAX_FORM)).get("reason", [""])
    return _CONTROL.sub(" ", found[0]).strip()[:MAX_REASON]
