"""The rules for single values: which texts are taken, what they mean, and that a refusal names its member."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address, ip_network

import pytest

from mailreeve.wire import fields
from mailreeve.wire.errors import (
    BAD_ADDRESS,
    BAD_DATE,
    BAD_DOMAIN,
    BAD_IP,
    BAD_NETWORK,
    TOO_LONG,
    Fault,
    ItemRefused,
)

AT = datetime(2015, 11, 16, 14, 49, 18, tzinfo=UTC)


def refused_with(read: Callable[[str, str], object], text: str, fault: Fault) -> None:
    with pytest.raises(ItemRefused) as caught:
        read(text, "some.field")
    assert [(p.code, p.field) for p in caught.value.problems] == [(fault.code, "some.field")]


@pytest.mark.parametrize(
    "text",
    [
        "2015-11-16T14:49:18+0000",
        "2015-11-16T14:49:18+00:00",
        "2015-11-16T14:49:18Z",
        "2015-11-16T14:49:18",
        "2015-11-16T14:49:18.999999+0000",
        "2015-11-16T14:49:18.1Z",
        "2015-11-16T16:49:18+0200",
        "2015-11-16T09:19:18-05:30",
        "2015-11-16 14:49:18",
    ],
)
def test_every_form_of_a_date_is_the_same_moment(text: str) -> None:
    """With `+0000`, `+00:00`, `Z`, another zone, none, or fractions (api.md section 1.8; clients.md, 6)."""
    assert fields.moment(text, "f") == AT
    assert fields.moment(text, "f").utcoffset() == timedelta(0)


@pytest.fixture
def kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose own time zone is far from UTC."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("kolkata")
def test_a_date_without_a_zone_is_in_utc_wherever_the_server_stands() -> None:
    """Not in the server's own zone."""
    assert fields.moment("2015-11-16T14:49:18", "f") == AT
    assert fields.written(AT) == "2015-11-16T14:49:18+0000"


def test_a_day_is_its_midnight_in_utc() -> None:
    """A date alone is taken."""
    assert fields.moment("2015-11-16", "f") == AT.replace(hour=0, minute=0, second=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "16/11/2015",
        "2015-13-01T00:00:00Z",
        "2015-02-29T00:00:00Z",
        "2015-11-16T24:00:01Z",
        "2015-11-16T14:49:18+2500",
        "1447685358",
        "0001-01-01T00:00:00+0100",
        "9999-12-31T23:59:59-0100",
        "+2015-11-16T00:00:00Z",
        "2015-11-16T14:49:18 UTC",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    """Dates that overflow the calendar in UTC too."""
    refused_with(fields.moment, text, BAD_DATE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (AT, "2015-11-16T14:49:18+0000"),
        (AT.replace(microsecond=999_999), "2015-11-16T14:49:18+0000"),
        (AT.astimezone(timezone(timedelta(hours=5, minutes=30))), "2015-11-16T14:49:18+0000"),
        (datetime(999, 1, 2, tzinfo=UTC), "0999-01-02T00:00:00+0000"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00+0000"),
    ],
)
def test_dates_are_written_with_plus_and_four_zeros(value: datetime, text: str) -> None:
    """Never `Z`, never fractions, always four digits of year: a client replaces `+0000` (api.md section 1.8)."""
    assert fields.written(value) == text


def test_the_far_dates_are_written_as_recorded() -> None:
    """What answers say of eternal policies reads back as itself."""
    for text in (fields.ETERNAL_FROM, fields.ETERNAL_TO):
        assert fields.written(fields.moment(text, "f")) == text


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("8.8.8.8/24", "8.8.8.0/24"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.1/32", "192.0.2.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("::1", "::1/128"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ],
)
def test_ranges_are_taken_as_clients_write_them(text: str, network: str) -> None:
    """Host bits are dropped, an address is a range of one, and a mapped IPv4 range is that IPv4 range: addresses
    are unmapped before they are compared, so it would never match otherwise."""
    assert fields.network(text, "f") == ip_network(network)


@pytest.mark.parametrize("text", ["", "8.8.8.8/33", "8.8.8/24", "example.com", "8.8.8.8/24/8", "::1/129", "*"])
def test_what_is_no_range_is_refused(text: str) -> None:
    """Also a range with an impossible length."""
    refused_with(fields.network, text, BAD_NETWORK)


@pytest.mark.parametrize(
    ("text", "address"),
    [("192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"), ("::ffff:1.2.3.4", "1.2.3.4")],
)
def test_addresses_of_hosts(text: str, address: str) -> None:
    """IPv4 and IPv6, a mapped one as the IPv4 address it stands for."""
    assert fields.ip(text, "f") == ip_address(address)


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4/32", "host", "1.2.3.4:25", "256.1.1.1"])
def test_what_is_no_host_address_is_refused(text: str) -> None:
    """A range is none."""
    refused_with(fields.ip, text, BAD_IP)


@pytest.mark.parametrize("text", ["Ann.O'Neil@Example.COM", "a+tag@b.test", '"a b"@c.test', "a@bücher.test"])
def test_mail_addresses_are_taken(text: str) -> None:
    """Dot-atoms, quoted strings and international domains."""
    local, _, domain = text.rpartition("@")
    assert fields.address(text, "f").local == local
    assert fields.address(text, "f").domain == domain.lower().replace("bücher", "xn--bcher-kva")


@pytest.mark.parametrize(
    "text", ["", "bad_email", "@b.test", "a@", "a b@c.test", "a@b@c.test", "a@-b.test", "<a@b.test>"]
)
def test_what_is_no_mail_address_is_refused(text: str) -> None:
    """With the code and the text recorded live (api.md section 1.6)."""
    refused_with(fields.address, text, BAD_ADDRESS)


@pytest.mark.parametrize("text", ["Example.com", "@example.com", "example.com."])
def test_domains_are_taken_with_or_without_the_at(text: str) -> None:
    """In one canonical form."""
    assert fields.domain(text, "f") == "example.com"


@pytest.mark.parametrize(
    "text", ["", "@", "@@x.test", "*.x.test", "x..test", "a@x.test", "http://x.test", "x" * 300]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    """Wildcards and addresses included."""
    refused_with(fields.domain, text, BAD_DOMAIN)


def test_a_text_may_be_as_long_as_allowed() -> None:
    """And not one character longer."""
    assert fields.short("12345", "f", 5) == "12345"
    refused_with(lambda text, field: fields.short(text, field, 5), "123456", TOO_LONG)
