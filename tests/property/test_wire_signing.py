"""Only the very texts that were signed verify, and no header text breaks the door (api.md section 2.2)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailreeve.wire import signing
from mailreeve.wire.errors import INVALID_SIGNATURE, RequestRefused
from mailreeve.wire.signing import SignedCall

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DATES = ["Fri, 2 Jan 2026 03:04:05 UTC", "Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:05 +0000"]

header = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), min_size=1, max_size=60)
secrets = st.binary(min_size=1, max_size=64)


@given(st.sampled_from(DATES), header, header, header, secrets)
def test_what_is_signed_verifies(date: str, req_id: str, path: str, app_key: str, secret: bytes) -> None:
    """Whatever characters the request id, the path and the keys have."""
    signature = signing.sign(secret, date, req_id, path, app_key)
    signing.verify(SignedCall("a", signature, "app", date, req_id, path), secret, app_key, NOW, 1)


@given(st.sampled_from(DATES), header, st.sampled_from(["date", "request_id", "path", "signature"]), header)
def test_only_the_exact_text_verifies(date: str, req_id: str, part: str, other: str) -> None:
    """Any other text in any one place is refused as a bad signature."""
    signature = signing.sign(b"secret", date, req_id, "/api/x", "key")
    call = SignedCall("a", signature, "app", date, req_id, "/api/x")
    changed = msgspec.structs.replace(call, **{part: other})
    assume(changed != call)
    with pytest.raises(RequestRefused) as caught:
        signing.verify(changed, b"secret", "key", NOW, 1)
    assert caught.value.problem.code == INVALID_SIGNATURE.code


@given(
    st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} -?\d{1,6} \d+:\d+(:\d+)? ?.{0,8}")
)
def test_any_date_text_is_a_moment_or_refused(text: str) -> None:
    """In UTC, or a refusal of the request; never another exception."""
    with contextlib.suppress(RequestRefused):
        assert signing.read_date(text).utcoffset() == timedelta(0)


@given(st.integers(0, 4_000_000_000), st.integers(-(10**7), 10**7), st.integers(0, 10**6))
def test_the_window_is_the_same_either_way(seconds: int, skew: int, window: int) -> None:
    """A call is served if and only if its date is at most the window away."""
    at = datetime.fromtimestamp(seconds, UTC)
    date = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    signature = signing.sign(b"secret", date, "id", "/api/x", "key")
    call = SignedCall("a", signature, "app", date, "id", "/api/x")
    try:
        signing.verify(call, b"secret", "key", at + timedelta(seconds=skew), window)
        served = True
    except RequestRefused:
        served = False
    assert served == (abs(skew) <= window)


@given(st.text(max_size=80), *[st.none() | header] * 3)
def test_any_credentials_are_taken_apart_or_refused(
    credentials: str, app_id: str | None, date: str | None, req_id: str | None
) -> None:
    """And what is taken apart has all its parts."""
    with contextlib.suppress(RequestRefused):
        call = signing.read_signed(credentials, app_id, date, req_id, "/api/x")
        assert all(msgspec.structs.astuple(call)[:2])
        assert (call.date, call.request_id) == (date, req_id)
