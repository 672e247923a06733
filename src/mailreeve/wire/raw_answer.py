"""What does a function answer that gives octets and no JSON, such as a file (api.md section 3.13)?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct

CONTENT_TYPE: Final = "application/octet-stream"
"""Whatever it is: what a stranger wrote is never shown as a page of ours."""

_PLAIN: Final = re.compile(r"[^A-Za-z0-9 ._-]")


class RawAnswer(Struct, frozen=True):
    """Octets, in pieces, and what a file of them may be called; without a name they are no file. `more` are
    further headers. Refusals are told in the envelope."""

    content: Sequence[bytes]
    name: str
    content_type: str = CONTENT_TYPE
    more: Mapping[str, str] = {}

    def headers(self) -> dict[str, str]:
        """What is said of it over HTTP: that it is a file to be saved (RFC 6266), and not to be guessed at. A name
        that is plain stands there once: some clients take for it whatever comes behind `="`, but for the last
        octet."""
        if not self.name:
            return {"Content-Type": self.content_type, **self.more}
        plain = _PLAIN.sub("_", self.name)[:128] or "file"
        exact = quote(self.name[:255].encode("utf-8", "replace"), safe="")
        also = "" if plain == self.name else f"; filename*=UTF-8''{exact}"
        return {
            "Content-Type": self.content_type,
            "Content-Disposition": f'attachment; filename="{plain}"{also}',
            **self.more,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
