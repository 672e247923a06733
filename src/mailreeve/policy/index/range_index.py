"""Which of many source ranges hold a range, or lie within it? Without looking at each of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from mailreeve.formats.networks import Network

Range = tuple[int, int, int]
"""A network as version, first address and length of the prefix: quick to compare and to look up."""


def range_of(network: Network) -> Range:
    """The network as a range."""
    return network.version, int(network.network_address), network.prefixlen


class RangeIndex:
    """Some ranges. Immutable."""

    __slots__ = ("_lengths", "_sorted")

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._sorted = sorted(set(ranges))
        lengths: dict[int, set[int]] = {}
        for version, _, length in self._sorted:
            lengths.setdefault(version, set()).add(length)
        self._lengths = {version: sorted(several) for version, several in lengths.items()}

    def around(self, network: Network) -> Iterator[Range]:
        """What holds all of the network, itself among it: every such range, and others that are none of these."""
        first = int(network.network_address)
        for length in self._lengths.get(network.version, ()):
            if length > network.prefixlen:
                return
            shift = network.max_prefixlen - length
            yield network.version, first >> shift << shift, length

    def within(self, network: Network) -> Iterator[Range]:
        """Those that are part of the network, but not all of it."""
        version, last = network.version, int(network.broadcast_address)
        start = bisect_left(self._sorted, (version, int(network.network_address), network.prefixlen + 1))
        for number in range(start, len(self._sorted)):
            found = self._sorted[number]
            if found[:2] > (version, last):
                return
            if found[2] > network.prefixlen:
                yield found
