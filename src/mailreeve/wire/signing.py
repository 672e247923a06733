"""Is a signed call what it claims to be? API 1.0 signatures (api.md sections 2.2, 2.3).

The signature covers the date, the request id, the path and the application's key, each byte for byte as it
came in the headers; neither method nor body. HMAC-SHA1 is the protocol's choice, not ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from msgspec import Struct

from mailreeve.wire.errors import DATE_OUT_OF_RANGE, INVALID_SIGNATURE, NO_CREDENTIALS, RequestRefused

MAX_HEADER: Final = 1024  # Characters of any one header that is signed or looked up.


class SignedCall(Struct, frozen=True):
    """What the headers of a signed call say, unverified. `date` and `request_id` are the literal texts."""

    access_key: str
    signature: str
    application_id: str
    date: str
    request_id: str
    path: str


def read_signed(
    credentials: str, app_id: str | None, date: str | None, req_id: str | None, path: str
) -> SignedCall:
    """The parts of a call signed in the realm `MC`; `credentials` is what follows the realm. Both halves of
    it are trimmed, since one client puts a space after the colon. Raises `RequestRefused` when a part is
    missing or over-long."""
    access_key, colon, signature = (part.strip() for part in credentials.partition(":"))
    absent = [
        name
        for name, value in (
            ("Authorization", colon and access_key and signature),
            ("x-mc-app-id", app_id),
            ("x-mc-date", date),
            ("x-mc-req-id", req_id),
        )
        if not value
    ]
    if absent or app_id is None or date is None or req_id is None:
        raise RequestRefused(NO_CREDENTIALS, f"{NO_CREDENTIALS.message}: {', '.join(absent)}")
    if max(len(text) for text in (access_key, signature, app_id, date, req_id)) > MAX_HEADER:
        raise RequestRefused(NO_CREDENTIALS, f"{NO_CREDENTIALS.message}: a header is too long")
    return SignedCall(access_key, signature, app_id.strip(), date, req_id, path)


def text_of(header: bytes) -> str:
    """A header's value as text that `sign` turns into the same octets again, whatever they are."""
    return header.decode("utf-8", "surrogateescape")


def sign(secret_key: bytes, date: str, request_id: str, path: str, application_key: str) -> str:
    """The signature as base64 text. `secret_key` is the decoded key."""
    text = f"{date}:{request_id}:{path}:{application_key}".encode("utf-8", "surrogateescape")
    return base64.b64encode(hmac.new(secret_key, text, hashlib.sha1).digest()).decode()


def verify(call: SignedCall, secret_key: bytes, application_key: str, now: datetime, window: float) -> None:
    """Check the signature, then the date against a window of `window` seconds either way.

    The date is judged only once the signature holds, so that a stranger learns nothing from it. Raises
    `RequestRefused`.
    """
    # Compared as text: base64 has four spellings of these 20 octets, and one of them is the signature.
    expected = sign(secret_key, call.date, call.request_id, call.path, application_key)
    if not hmac.compare_digest(expected.encode(), call.signature.encode()):
        raise RequestRefused(INVALID_SIGNATURE)
    skew = (read_date(call.date) - now).total_seconds()
    if abs(skew) > window:
        raise RequestRefused(
            DATE_OUT_OF_RANGE,
            f"{DATE_OUT_OF_RANGE.message}: it is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}, "
            f"and {window:.0f} s are allowed",
            retryable=skew > 0,  # What is ahead comes into the window; what is behind, or no date, never does.
        )


_LONGEST_KNOWN: Final = 40  # characters of a date that is remembered: none that is one is longer
# Calls of the same second name the same one.
_known_date: Final = lru_cache(maxsize=256)(parsedate_to_datetime)


def read_date(text: str) -> datetime:
    """The moment an `x-mc-date` names: `UTC`, `GMT`, `+0000` or another zone, one- or two-digit day. Raises
    `RequestRefused`."""
    try:
        value = _known_date(text) if len(text) <= _LONGEST_KNOWN else parsedate_to_datetime(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError) as problem:
        raise RequestRefused(DATE_OUT_OF_RANGE, "0005 The x-mc-date header is not a date") from problem
