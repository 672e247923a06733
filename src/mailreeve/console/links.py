"""What does a reader of a digest get who follows one of its links? A page that asks; then one that says what was
done.

A GET never acts: scanners and previews follow links. Its page has a form whose button sends a POST, which acts and
needs no script. Whoever has no link of ours is told just that, whatever there is behind the id that was made up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailreeve.console.page import page
from mailreeve.console.receiving import Receiving, form_of
from mailreeve.families.digest.acts import Acts, Seen, Standing
from mailreeve.families.digest.links import PATH, TOKEN_LENGTH, Act, NoLink
from mailreeve.families.digest.words import address_of
from mailreeve.wire.errors import ItemRefused

MAX_FORM: Final = 1024  # octets of what the button sends

_CONFIRMED: Final = {"confirm": ["yes"]}
_TITLES: Final = {
    Act.RELEASE: "Deliver this message?",
    Act.PERMIT: "Deliver this message, and permit its sender?",
    Act.BLOCK: "Remove this message, and block its sender?",
}
_BUTTONS: Final = {
    Act.RELEASE: "Deliver it",
    Act.PERMIT: "Deliver it, permit the sender",
    Act.BLOCK: "Remove it, block the sender",
}
_DONE: Final = {
    Act.RELEASE: "The message is being delivered",
    Act.PERMIT: "The message is being delivered, and its sender is permitted",
    Act.BLOCK: "The message is removed, and its sender is blocked",
}


class LinkPages:
    """The ASGI application for the paths that begin with `PATH`. `wait` is told the network of whoever comes, and
    says how many milliseconds that one has to wait, 0 if not at all."""

    def __init__(self, acts: Acts, wait: Callable[[str], int]) -> None:
        self._acts = acts
        self._receiving = Receiving(
            self._answer, wait, page, failed="a link of a digest failed", unchanged="Nothing was changed."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._receiving(scope, receive, send)

    async def _answer(self, request: Request, address: str) -> Response:
        token = request.scope["path"].removeprefix(PATH)
        try:
            if len(token) != TOKEN_LENGTH:
                raise NoLink
            if request.method != "POST":
                return _asking(await self._receiving.in_worker(partial(self._acts.look, token)))
            if await form_of(request, MAX_FORM) != _CONFIRMED:  # it was not the button of our page
                return page(
                    400, "Nothing was changed", ["Please open the link again, and press the button on its page."]
                )
            return _told(await self._receiving.in_worker(partial(self._acts.carry_out, token, address)))
        except NoLink:
            return page(
                404,
                "This is no link of ours",
                ["It may have been cut off or changed on its way. Please open it from the digest again."],
            )
        except ItemRefused as refusal:
            return page(409, "Nothing was changed", [problem.message for problem in refusal.problems])


def _asking(seen: Seen) -> Response:
    """The page that asks whether to act, or says why that is over."""
    if seen.standing is not Standing.WAITING:
        return _over(seen)
    lines = [f"Sender: {address_of(seen.listed)}"] if seen.act is not Act.RELEASE else []
    return page(200, _TITLES[seen.act], lines, seen=seen.message, button=_BUTTONS[seen.act])


def _told(seen: Seen) -> Response:
    """The page that says what was done."""
    if seen.standing is not Standing.DONE:
        return _over(seen)
    lines = [f"Sender: {address_of(seen.listed)}"] if seen.act is not Act.RELEASE else []
    return page(200, _DONE[seen.act], lines, seen=seen.message)


def _over(seen: Seen) -> Response:
    """The page for a link that acts no more."""
    match seen.standing:
        case Standing.RELEASED:
            return page(
                200, "Already done", ["The message was delivered before. Nothing was changed."], seen=seen.message
            )
        case Standing.REJECTED:
            return page(
                200, "Already done", ["The message was removed before. Nothing was changed."], seen=seen.message
            )
        case Standing.PAUSED:
            return page(503, "Not at present", ["Please try again later. Nothing was changed."])
        case _:
            return page(410, "This link has ended", ["The message is held no longer. Nothing was changed."])
