"""Which requests are for pages? Those whose path begins as pages' do; all others are for the API."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


def with_pages(api: ASGIApp, pages: Mapping[str, ASGIApp]) -> ASGIApp:
    """The API, and pages by what their paths begin with. A path is what was sent, octet for octet."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        for beginning, page in pages.items():
            if path.startswith(beginning):
                await page({**scope, "path": path}, receive, send)
                return
        await api(scope, receive, send)

    return serve
