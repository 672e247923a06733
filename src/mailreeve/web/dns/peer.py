"""Who is on the other side of a socket?"""

from __future__ import annotations

from ipaddress import ip_address

from mailreeve.formats.networks import IPAddress, unmapped

Peer = tuple[str, int] | tuple[str, int, int, int]
"""The other side as a socket names it, in IPv4 or IPv6."""


def address_of(peer: Peer | None) -> IPAddress | None:
    """The address; None where there is none any more, or no such thing."""
    if not peer:
        return None
    try:
        return unmapped(ip_address(peer[0].partition("%")[0]))
    except ValueError:
        return None
