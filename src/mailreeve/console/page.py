"""How does a page look, and what may a browser do with it? One template, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import jinja2
from markupsafe import Markup
from starlette.responses import Response

from mailreeve.families.digest.acts import Shown

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; font-size: 1rem; line-height: 1.5; margin: 0; }
main { max-width: 36rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.25; }
dl { border: 1px solid #888; border-radius: 6px; padding: .75rem 1rem; margin: 1rem 0; }
dt { font-size: .85rem; opacity: .8; }
dd { margin: 0 0 .5rem; }
button { font: inherit; font-weight: 600; width: 100%; min-height: 3rem; padding: .5rem 1rem; color: #fff;
  background: #1a56b0; border: 2px solid #1a56b0; border-radius: 6px; cursor: pointer; }
textarea { font: inherit; box-sizing: border-box; width: 100%; padding: .5rem; border: 2px solid #888;
  border-radius: 6px; }
button:focus-visible, textarea:focus-visible { outline: 3px solid #e8a200; outline-offset: 2px; }
.said { font-size: .9rem; }
@media (min-width: 36rem) { main { padding-top: 3rem; } button { width: auto; min-width: 14rem; } }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}

_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("mailreeve.console"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
)
_LINK: Final = "link.html.j2"
_BLOCKED: Final = "blocked.html.j2"


def page(
    status: int,
    title: str,
    lines: Sequence[str] = (),
    *,
    seen: Shown | None = None,
    button: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page: what it says, the message it is about, and the button that acts, where there are any. Everything in
    it is escaped."""
    return _response(_LINK, status, headers, title=title, lines=lines, seen=seen, button=button)


def block_page(
    status: int,
    title: str,
    lines: Sequence[str] = (),
    *,
    facts: Sequence[tuple[str, str]] = (),
    asks: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page about a web request that was blocked: what it says, the facts with their names, and, where somebody
    may ask for access, a form for up to so many characters. Everything in it is escaped."""
    return _response(_BLOCKED, status, headers, title=title, lines=lines, facts=facts, asks=asks)


def _response(template: str, status: int, headers: Mapping[str, str] | None, **values: object) -> Response:
    style = Markup(_STYLE)  # noqa: S704  our own, and the hash is of just this text
    text = _TEMPLATES.get_template(template).render(style=style, **values)
    return Response(text, status, {**HEADERS, **(headers or {})}, media_type="text/html")
