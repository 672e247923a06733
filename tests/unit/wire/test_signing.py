"""A signed call is served when its signature covers what came, and its date is near; never otherwise.

The rules are those of api.md sections 2.2 and 2.3.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from mailreeve.wire import signing
from mailreeve.wire.errors import DATE_OUT_OF_RANGE, INVALID_SIGNATURE, NO_CREDENTIALS, Fault, RequestRefused
from mailreeve.wire.signing import SignedCall

NOW = datetime(2015, 11, 24, 12, 50, 11, tzinfo=UTC)
SECRET = bytes(range(64))
APP_KEY = "f9a1ce0b-7a1b-4d0e-a0ef-7d9d5e1a8d31"
DATE = "Tue, 24 Nov 2015 12:50:11 UTC"
REQ_ID = "8578FCFC-A305-4D9A-99CB-F4D5ECEFE297"
PATH = "/api/user/add-delegate-user"
WINDOW = 900.0


def call(date: str = DATE, req_id: str = REQ_ID, path: str = PATH) -> SignedCall:
    """A call signed as it should be."""
    signature = signing.sign(SECRET, date, req_id, path, APP_KEY)
    return SignedCall("access", signature, "app", date, req_id, path)


def verify(given: SignedCall, *, now: datetime = NOW, secret: bytes = SECRET, app_key: str = APP_KEY) -> None:
    signing.verify(given, secret, app_key, now, WINDOW)


def refused(given: SignedCall, fault: Fault, **settings: object) -> None:
    with pytest.raises(RequestRefused) as caught:
        verify(given, **settings)  # type: ignore[arg-type]
    assert (caught.value.problem.code, caught.value.status) == (fault.code, 401)


def test_the_signature_is_the_published_one() -> None:
    """HMAC-SHA1 over date, request id, path and application key joined by colons, in base64 with padding."""
    text = f"{DATE}:{REQ_ID}:{PATH}:{APP_KEY}".encode()
    expected = base64.encodebytes(hmac.digest(SECRET, text, "sha1")).rstrip().decode()
    assert signing.sign(SECRET, DATE, REQ_ID, PATH, APP_KEY) == expected
    verify(SignedCall("access", expected, "app", DATE, REQ_ID, PATH))


@pytest.mark.parametrize(
    "date",
    [
        "Tue, 24 Nov 2015 12:50:11 UTC",
        "Tue, 24 Nov 2015 12:50:11 GMT",
        "Tue, 24 Nov 2015 12:50:11 +0000",
        "Tue, 24 Nov 2015 12:50:11 -0000",
        "Tue, 24 Nov 2015 12:50:11",
        "Tue, 24 Nov 2015 07:50:11 EST",
        "Tue, 24 Nov 2015 13:50:11 +0100",
        "24 Nov 2015 12:50:11 GMT",
    ],
)
def test_every_form_of_the_date_is_taken(date: str) -> None:
    """`UTC`, `GMT`, an offset, a zone's name, none (api.md section 2.3); all name the same moment."""
    assert signing.read_date(date) == NOW
    verify(call(date))


@pytest.mark.parametrize("date", ["Wed, 4 Nov 2015 12:50:11 UTC", "Wed, 04 Nov 2015 12:50:11 UTC"])
def test_the_day_may_have_one_digit(date: str) -> None:
    """The published Java sample does not pad it."""
    assert signing.read_date(date) == NOW.replace(day=4)
    verify(call(date), now=NOW.replace(day=4))


def test_another_spelling_of_the_same_moment_does_not_verify() -> None:
    """The text is signed, not the moment: re-formatting the date breaks the signature."""
    refused(msgspec.structs.replace(call(), date="Tue, 24 Nov 2015 12:50:11 GMT"), INVALID_SIGNATURE)


@pytest.mark.parametrize(
    "text", ["", "now", "2015-11-24T12:50:11Z", "Tue, 24 Nov", "Tue, 32 Nov 2015 12:50:11 UTC"]
)
def test_a_date_that_is_none_is_refused(text: str) -> None:
    """As out of range: once signed, so the signature itself is right."""
    refused(call(text), DATE_OUT_OF_RANGE)


@pytest.mark.parametrize("seconds", [-WINDOW, -1, 0, 1, WINDOW])
def test_a_clock_may_be_off_by_the_window(seconds: float) -> None:
    """Either way, the last second included."""
    verify(call(), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-WINDOW - 1, WINDOW + 1, -86_400, 86_400 * 365])
def test_a_clock_that_is_further_off_is_refused(seconds: float) -> None:
    """One second beyond the window is too much, ahead or behind."""
    refused(call(), DATE_OUT_OF_RANGE, now=NOW + timedelta(seconds=seconds))


def test_a_stranger_does_not_learn_whether_the_date_would_do() -> None:
    """A wrong signature is told first, whatever the date."""
    wrong = msgspec.structs.replace(call("not a date"), signature=call().signature)
    refused(wrong, INVALID_SIGNATURE)
    refused(wrong, INVALID_SIGNATURE, now=NOW + timedelta(days=9))


@pytest.mark.parametrize("part", ["date", "request_id", "path"])
def test_each_part_is_covered(part: str) -> None:
    """One character more in the date, the request id or the path, and the signature fails."""
    given = call()
    refused(msgspec.structs.replace(given, **{part: getattr(given, part) + " "}), INVALID_SIGNATURE)


def test_the_colons_between_the_parts_cannot_be_moved() -> None:
    """The text to sign has no escapes, so two splits of it share a signature: it verifies only as a call whose
    date is a date."""
    moved = msgspec.structs.replace(call(), date=DATE[:-4], request_id=f"UTC:{REQ_ID}")
    refused(moved, INVALID_SIGNATURE)


def test_the_keys_are_covered() -> None:
    """Another secret key and another application key are refused alike."""
    refused(call(), INVALID_SIGNATURE, secret=bytes(64))
    refused(call(), INVALID_SIGNATURE, app_key=APP_KEY.upper())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: "",
        lambda s: "=" * 28,
        lambda s: s[:-1],
        lambda s: s + "=",
        lambda s: s + "\n",
        lambda s: s[:10] + "*" + s[11:],
        lambda s: s[:10] + " " + s[10:],
        lambda s: s.swapcase(),
        lambda s: "é" * 28,
        lambda s: base64.b64encode(base64.b64decode(s)[:-1]).decode(),
        lambda s: s[:26] + chr(ord(s[26]) + 1) + s[27:],
    ],
)
def test_a_spoiled_signature_is_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    """Whatever it is, without an error of ours; also another spelling of the same octets in base64."""
    given = call()
    refused(msgspec.structs.replace(given, signature=spoil(given.signature)), INVALID_SIGNATURE)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `hmac.compare_digest`, right or wrong, and by nothing else."""
    compared: list[bool] = []
    real = hmac.compare_digest

    def watched(a: bytes, b: bytes) -> bool:
        compared.append(real(a, b))
        return compared[-1]

    monkeypatch.setattr(signing.hmac, "compare_digest", watched)
    verify(call())
    refused(msgspec.structs.replace(call(), signature="x" * 28), INVALID_SIGNATURE)
    assert compared == [True, False]


def test_the_headers_of_a_call_are_taken_apart() -> None:
    """Access key and signature from what follows the realm, the rest as it came."""
    read = signing.read_signed("key:c2ln=", " app ", DATE, REQ_ID, PATH)
    assert read == SignedCall("key", "c2ln=", "app", DATE, REQ_ID, PATH)


@pytest.mark.parametrize("credentials", ["key: sig", "key :sig", " key : sig "])
def test_spaces_around_the_halves_are_trimmed(credentials: str) -> None:
    """One client puts one after the colon (api.md section 2.2)."""
    read = signing.read_signed(credentials, "app", DATE, REQ_ID, PATH)
    assert (read.access_key, read.signature) == ("key", "sig")


@pytest.mark.parametrize(
    ("credentials", "app_id", "date", "req_id", "named"),
    [
        ("", "app", DATE, REQ_ID, ["Authorization"]),
        ("key", "app", DATE, REQ_ID, ["Authorization"]),
        ("key:", "app", DATE, REQ_ID, ["Authorization"]),
        (":sig", "app", DATE, REQ_ID, ["Authorization"]),
        (" : ", "app", DATE, REQ_ID, ["Authorization"]),
        ("key:sig", None, DATE, REQ_ID, ["x-mc-app-id"]),
        ("key:sig", "app", None, REQ_ID, ["x-mc-date"]),
        ("key:sig", "app", DATE, None, ["x-mc-req-id"]),
        ("key:sig", "app", DATE, "", ["x-mc-req-id"]),
        ("key", None, None, None, ["Authorization", "x-mc-app-id", "x-mc-date", "x-mc-req-id"]),
    ],
)
def test_what_is_missing_is_named(
    credentials: str, app_id: str | None, date: str | None, req_id: str | None, named: list[str]
) -> None:
    """All of it at once, with 401."""
    with pytest.raises(RequestRefused) as caught:
        signing.read_signed(credentials, app_id, date, req_id, PATH)
    assert (caught.value.problem.code, caught.value.status) == (NO_CREDENTIALS.code, 401)
    assert str(caught.value).partition(": ")[2].split(", ") == named


@pytest.mark.parametrize("place", range(4))
def test_endless_headers_are_refused(place: int) -> None:
    """Before anything is looked up or hashed."""
    parts = ["key:sig", "app", DATE, REQ_ID]
    parts[place] += "x" * signing.MAX_HEADER
    with pytest.raises(RequestRefused) as caught:
        signing.read_signed(parts[0], parts[1], parts[2], parts[3], PATH)
    assert caught.value.problem.code == NO_CREDENTIALS.code
