"""What stands in the To field of messages that are written here, whoever chose the address."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from mailreeve.families.digest.letter import Letter, ShownMessage, written
from mailreeve.families.outgoing.report import Failure, failure_report
from mailreeve.formats.addresses import Address, parse_address
from mailreeve.formats.message import Content
from mailreeve.formats.to_field import NOT_SHOWN, to_field

AT = datetime(2026, 11, 27, tzinfo=UTC)
HOSTILE = (
    "a\x85b@evil.test",
    "a\u2028b@evil.test",
    "a\u200fb@evil.test",
    "=?utf-8?q?a?=@evil.test",
    "=?utf-8?b?AA==?=@evil.test",
    '"=?utf-8?q?a=0d=0aBcc:x?="@evil.test',
)


def report(to: Address) -> Content:
    failure = Failure(
        recipient=str(to), reply="550 5.1.1 No", gave_up=False, arrived_at=AT, tried_at=AT, header=b"", body=None
    )
    return failure_report(failure, to, domain="corp.test", hostname="mx.corp.test")


def digest(to: Address) -> Content:
    shown = ShownMessage("bob@shop.test", "Offers", AT.isoformat(), "spam", ())
    return written(Letter(parse_address("postmaster@corp.test"), to, AT, "x", [shown]))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("make", [report, digest])
def test_an_address_neither_breaks_the_header_nor_is_read_as_another(make, text: str) -> None:  # type: ignore[no-untyped-def]
    """Encoded words in an address would be decoded by the library, with the line ends in them."""
    made = bytes(make(parse_address(text)))
    message = message_from_bytes(made, policy=policy.default)
    assert message["To"] == NOT_SHOWN
    assert message["Bcc"] is None
    assert made.count(b"\n") == made.count(b"\r\n")


@pytest.mark.parametrize("text", ["bob@shop.test", '"a b"@shop.test', "grüße@shop.test", "o'brien+x@[192.0.2.1]"])
def test_any_other_is_shown_as_it_is(text: str) -> None:
    assert to_field(parse_address(text)) == text
    assert f"\r\nTo: {text}\r\n".encode() in bytes(report(parse_address(text)))
