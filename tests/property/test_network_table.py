"""A table of networks finds what one finds who asks the standard library about each of them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from effort import examples
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mailreeve.formats.networks import IPAddress, Network
from mailreeve.policy.index.network_table import NetworkTable, network_key
from mailreeve.policy.model import persistent_map


@pytest.fixture(autouse=True, scope="module")
def tiny() -> Iterator[None]:
    """Shards so small that they split and empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(persistent_map, "FULL", 3)
        patch.setattr(persistent_map, "FILLED", 2)
        yield


# Addresses that differ in few bits, at either end, so that networks of all lengths hold them and each other.
ends = st.tuples(st.integers(0, 7), st.integers(0, 7))
fours = ends.map(lambda pair: IPv4Address(pair[0] << 29 | pair[1]))
sixes = ends.map(lambda pair: IPv6Address(pair[0] << 125 | pair[1]))
addresses: st.SearchStrategy[IPAddress] = fours | sixes | st.ip_addresses()
networks: st.SearchStrategy[Network] = st.builds(
    lambda address, short, bits: ip_network(
        (str(address), bits if short else address.max_prefixlen - bits), strict=False
    ),
    addresses,
    st.booleans(),
    st.integers(0, 3) | st.integers(0, 32),
)
changes = st.dictionaries(networks, st.none() | st.integers(0, 9), max_size=8)


def place(network: Network) -> tuple[int, int, int]:
    """A wider network before those within it, else in the order of addresses."""
    return network.version, int(network.network_address), network.prefixlen


def holds(wide: Network, narrow: Network) -> bool:
    return wide.version == narrow.version and narrow.subnet_of(wide)  # type: ignore[arg-type]


@settings(max_examples=examples(300))
@given(changes, st.lists(changes, max_size=6), st.lists(addresses, max_size=6), st.lists(networks, max_size=6))
def test_a_table_finds_what_a_scan_finds(first, steps, asked, within):
    """After any changes, and in the table that was changed as well. A value is told by its network, too."""
    scan = {network: (network, value) for network, value in first.items() if value is not None}
    tables = [(NetworkTable({network_key(network): value for network, value in scan.items()}), scan)]
    for step in steps:
        table, scan = tables[-1]
        new = {network: None if value is None else (network, value) for network, value in step.items()}
        scan = {network: value for network, value in {**scan, **new}.items() if value is not None}
        tables.append((table.changed({network_key(network): value for network, value in new.items()}), scan))
    for table, scan in tables:
        assert len(table) == len(scan)
        assert set(table.values()) == set(scan.values())
        assert all(table.get(network_key(network)) == scan.get(network) for network in (*within, *scan))
        for address in (*asked, *(network.broadcast_address for network in scan)):
            found = sorted((network for network in scan if address in network), key=lambda one: one.prefixlen)
            assert table.holding(address) == [scan[network] for network in found]
            assert (address in table) is bool(found)
            event(f"hold the address: {min(len(found), 3)}")
        for network in (*within, *scan):
            around = sorted((one for one in scan if holds(one, network)), key=lambda one: one.prefixlen)
            inside = sorted((one for one in scan if one != network and holds(network, one)), key=place)
            assert table.around(network) == [scan[one] for one in around]
            assert list(table.inside(network)) == [scan[one] for one in inside]
            event(f"inside: {min(len(inside), 3)}")


@given(st.lists(networks, max_size=8), st.lists(addresses, max_size=6))
def test_networks_alone_are_the_values_of_themselves(networks, asked):
    table = NetworkTable.of(networks)
    assert set(table.values()) == set(networks)
    for address in asked:
        assert (address in table) is any(address in network for network in networks)


@given(networks, networks)
def test_each_network_has_a_key_of_its_own(one, other):
    assert (network_key(one) == network_key(other)) is (one == other)


def test_a_table_of_no_networks_holds_nothing():
    table: NetworkTable[int] = NetworkTable()
    assert not table
    assert ip_address("192.0.2.1") not in table
    assert not table.around(ip_network("0.0.0.0/0"))
    assert not list(table.inside(ip_network("::/0")))
