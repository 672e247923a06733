"""Ranges of IP addresses, behaviour.md section 2.5 and D-08."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mailreeve.formats.networks import counted_as, network_of, parse_network, unmapped, within
from mailreeve.policy.index.network_table import NetworkTable


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("8.8.8.8/24", "8.8.8.0/24"),
        ("192.0.2.1", "192.0.2.1/32"),
        (" 192.0.2.1/32 ", "192.0.2.1/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:192.0.2.9/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_host_bits_are_dropped_and_mapped_ranges_are_ipv4(text, canonical):
    assert str(parse_network(text)) == canonical


@pytest.mark.parametrize("text", ["", "x", "192.0.2.0/33", "192.0.2", "2001:db8::/129"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_network(text)


@pytest.mark.parametrize(
    ("address", "inside"),
    [("192.0.2.0", True), ("192.0.2.255", True), ("192.0.3.0", False), ("::ffff:192.0.2.7", True),
     ("2001:db8::5", True), ("2001:db9::5", False), ("::c000:207", False)],
)  # fmt: skip
def test_any_one_range_is_enough(address, inside):
    networks = [parse_network(text) for text in ("192.0.2.0/24", "2001:db8::/32")]
    assert within(unmapped(ip_address(address)), networks) is inside
    assert (unmapped(ip_address(address)) in NetworkTable.of(networks)) is inside


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_who_has_ipv6_is_counted_by_64_bits(address, network):
    assert str(network_of(ip_address(address))) == network


def test_no_range_holds_nothing():
    assert not within(ip_address("192.0.2.1"), [])
    assert ip_address("192.0.2.1") not in NetworkTable()


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_peers_are_counted_by_what_one_customer_has(peer, counted):
    """Whoever has a /64 has 2^64 addresses, and is one stranger all the same."""
    assert counted_as(peer) == counted
