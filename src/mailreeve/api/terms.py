"""On which terms is a call to write? What its headers `Idempotency-Key` and `If-Match` say (ADR 0085)."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from mailreeve.access.caller import Caller
from mailreeve.families.machinery.once import Once, once
from mailreeve.wire.errors import BAD_IF_MATCH, BAD_KEY, NO_VIEW, Fault, RequestRefused

KEY: Final = "Idempotency-Key"
IF_MATCH: Final = "If-Match"
REPLAYED: Final = {"Idempotent-Replayed": "true"}

_KEY: Final = re.compile("[ -~]{1,255}")
_REVISION: Final = re.compile('"([0-9]{1,18})"')


def once_of(request: Request, caller: Caller, *sent: bytes) -> Once | None:
    """The call under its key, None where it has none. Raises `RequestRefused`."""
    key = _only(request, KEY, BAD_KEY, _KEY)
    return None if key is None else once(caller, key[0], *sent)


def newest_of(request: Request) -> int | None:
    """The latest revision of the account that the call is for, None for any. Raises `RequestRefused`."""
    revision = _only(request, IF_MATCH, BAD_IF_MATCH, _REVISION)
    return None if revision is None else int(revision[1])


def refuse_at_views(request: Request) -> None:
    """Refuse what a view cannot keep to: it may call several functions, one with what another found."""
    for name in (KEY, IF_MATCH):
        if request.method != "GET" and name in request.headers:
            raise RequestRefused(NO_VIEW, field=name)


def _only(request: Request, name: str, fault: Fault, form: re.Pattern[str]) -> re.Match[str] | None:
    """The header, which is there once at most and has this form. Raises `RequestRefused`, naming it."""
    values = request.headers.getlist(name)
    if not values:
        return None
    found = form.fullmatch(values[0].strip(" \t"))
    if len(values) > 1 or found is None:
        raise RequestRefused(fault, field=name)
    return found
