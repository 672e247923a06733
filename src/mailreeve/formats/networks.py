"""Does an IP address lie within a range? IPv4 and IPv6 alike (behaviour.md section 2.5, D-08)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
"""Where IPv6 holds the IPv4 addresses (RFC 4291 section 2.5.5.2)."""


def parse_ip(text: str) -> IPAddress:
    """The address that the text names, an IPv4-mapped IPv6 address as the IPv4 one it stands for.

    Raises `ValueError`.
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_network(text: str) -> Network:
    """The range that the text names in CIDR notation; a bare address is a range of one.

    Host bits are dropped, so `8.8.8.8/24` is `8.8.8.0/24`: clients send it that way. An IPv4-mapped
    IPv6 range becomes the IPv4 range it stands for. Raises `ValueError`.
    """
    network = ip_network(text.strip(), strict=False)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED.prefixlen))
    return network


def network_of(address: IPAddress) -> Network:
    """What one network's customer has at least: the address itself for IPv4, its /64 for IPv6 (RFC 6177).

    Whoever counts by source address counts by this, since anybody with IPv6 has 2^64 addresses.
    """
    if isinstance(address, IPv6Address):
        return IPv6Network((int(address), 64), strict=False)
    return IPv4Network(address)


def counted_as(peer: str) -> str:
    """Under which name is a peer counted, whose address is given as text? That of its `network_of`.

    What is no address (a Unix socket has none) is counted as it is. A zone (`fe80::1%eth0`) is no part of it.
    """
    try:
        return str(network_of(parse_ip(peer.partition("%")[0])))
    except ValueError:
        return peer


def unmapped(address: IPAddress) -> IPAddress:
    """The address itself, or the IPv4 address that an IPv4-mapped IPv6 address stands for."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def within(address: IPAddress, networks: Iterable[Network]) -> bool:
    """Whether any one of a few ranges holds the address, which `unmapped` has seen."""
    for network in networks:  # noqa: SIM110 - `any` with a generator takes twice the time
        if address in network:
            return True
    return False
