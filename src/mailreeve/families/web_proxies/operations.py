"""What can be done about proxies that ask: named and given a token, listed, sent away."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.web_proxies import rows
from mailreeve.families.web_proxies.errors import WEB_PROXY_EXISTS, WEB_PROXY_LIMIT, WEB_PROXY_NOT_FOUND
from mailreeve.families.web_proxies.rows import WebProxyRow
from mailreeve.families.web_proxies.types import CreateWebProxy
from mailreeve.store.changes import Part
from mailreeve.store.keys import new_key
from mailreeve.wire import fields
from mailreeve.wire.errors import NOT_ALLOWED, refused
from mailreeve.wire.tokens import Kind

KIND: Final = Kind.WEB_PROXY
MOST: Final = 100
LONGEST: Final = 128  # characters of a name
MARK: Final = "mailreeve-web-"
"""What tokens begin with, so that whoever finds one in a file knows what it is."""

_OCTETS: Final = 32
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_NOT_A_NAME: Final = frozenset(
    (
        "authorization",
        "cookie",
        "host",
        "proxy-authorization",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-method",
        "x-forwarded-proto",
        "x-forwarded-uri",
        "x-mailreeve-token",
        "x-original-method",
        "x-original-url",
    )
)
"""Headers of another meaning, or of secrets, which would get into the records."""


def create(call: Call, item: CreateWebProxy) -> tuple[WebProxyRow, str]:
    """A new proxy, and its token. Raises `ItemRefused`."""
    work = call.work
    fields.short(item.name, "name", LONGEST)
    header = (item.user_header or "").lower()
    if header and (not _HEADER.fullmatch(header) or header in _NOT_A_NAME):
        message = "The header that names the user has letters, digits and hyphens, and no other meaning"
        raise refused(NOT_ALLOWED, "userHeader", message)
    if rows.named(work, item.name):
        raise refused(WEB_PROXY_EXISTS, "name")
    if rows.count(work) >= MOST:
        raise refused(WEB_PROXY_LIMIT, "name", f"{WEB_PROXY_LIMIT.message}: {MOST} are allowed")
    token = MARK + secrets.token_urlsafe(_OCTETS)
    row = WebProxyRow(new_key(), item.name, item.kind, header, call.caller.actor, work.now)
    rows.RECORDS.insert(work, row, token_hash=hash_token(token))
    work.changed(Part.CREDENTIALS, "create", KIND, row.id, after=row)
    return row, token


def delete(call: Call, wire_id: str) -> None:
    """Send a proxy away: its token is no good from now on. Raises `ItemRefused`."""
    row = rows.RECORDS.find(call.work, call.open(KIND, wire_id))
    if row is None:
        raise refused(WEB_PROXY_NOT_FOUND, "id")
    rows.RECORDS.delete(call.work, row.id)
    call.work.changed(Part.CREDENTIALS, "delete", KIND, row.id, before=row)


def hash_token(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
