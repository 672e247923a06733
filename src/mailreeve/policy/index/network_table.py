"""Which of many networks hold an address, hold a network, or lie within one? Without looking at each of them.

A network is found by its key: its version and its first bits. So an address is looked for once for each
length of a prefix in the table. Those are a handful, however many networks there are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, ValuesView
from ipaddress import IPv6Address, IPv6Network
from operator import itemgetter
from typing import Final, Generic, TypeAlias

from mailreeve.formats.networks import IPAddress, Network
from mailreeve.policy.model.persistent_map import Sharded, V

Range: TypeAlias = tuple[int, int, int]
"""A network as version, first address and length of the prefix. In order, those within a network follow it."""

ANYWHERE: Final = ""
"""In the place of a key, for what asks for no network."""

_BITS: Final = {4: 32, 6: 128}
"""Of an address, by version."""


def network_key(network: Network) -> str:
    """The key of a network. It is text because a sender of policies could choose numbers whose hashes collide."""
    return hex(network.version << network.prefixlen | int(network.network_address) >> _shift(network))


def network_keys(networks: Iterable[Network]) -> set[str]:
    """The keys of several networks."""
    return set(map(network_key, networks))


class NetworkTable(Generic[V]):
    """A value for each of many networks, by `network_key`. Immutable for its readers; `changed` makes another one.

    Addresses are as `formats.networks.unmapped` has them.
    """

    __slots__ = ("_four", "_lengths", "_six", "_sorted", "_values")

    def __init__(self, values: Mapping[str, V] | None = None) -> None:
        self._values = Sharded(values)
        self._prepare(Counter(map(_length, self._values)))

    @staticmethod
    def of(networks: Iterable[Network] | NetworkTable[Network]) -> NetworkTable[Network]:
        """Of the networks alone, each the value of itself; such a table is returned as it is."""
        if isinstance(networks, NetworkTable):
            return networks
        return NetworkTable({network_key(network): network for network in networks})

    def get(self, key: str) -> V | None:
        """The value of the network with this key, or None."""
        return self._values.get(key)

    def values(self) -> ValuesView[V]:
        """The values of all networks."""
        return self._values.values()

    def __len__(self) -> int:
        return len(self._values)

    def changed(self, values: Mapping[str, V | None]) -> NetworkTable[V]:
        """The table with these values; networks whose value is None are gone."""
        new: NetworkTable[V] = NetworkTable.__new__(NetworkTable)
        new._values = self._values.changed(values)
        lengths = self._lengths.copy()
        for key, value in values.items():
            lengths[_length(key)] += (value is not None) - (key in self._values)
        new._prepare(+lengths)
        return new

    def _prepare(self, lengths: Counter[tuple[int, int]]) -> None:
        """Note how many networks have which version and length, and what an address is looked for by: how many of
        its bits to drop, and the version in front of the others."""
        self._lengths = lengths
        sought: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for version, length in sorted(lengths):
            sought[version].append((_BITS[version] - length, version << length))
        self._four, self._six = sought[4], sought[6]
        self._sorted: list[tuple[Range, V]] | None = None

    def holding(self, address: IPAddress) -> list[V]:
        """The values of the networks that hold the address, the widest first."""
        # Here and below: what looking up several keys would say, without the calls, as every decision asks.
        found: list[V] = []
        number, shards, mask = int(address), self._values.shards, self._values.mask
        for shift, version in self._six if isinstance(address, IPv6Address) else self._four:
            key = hex(version | number >> shift)
            shard = shards[hash(key) & mask]
            if key in shard:
                found.append(shard[key])
        return found

    def __contains__(self, address: IPAddress) -> bool:
        """Whether any of the networks holds the address."""
        number, shards, mask = int(address), self._values.shards, self._values.mask
        for shift, version in self._six if isinstance(address, IPv6Address) else self._four:
            key = hex(version | number >> shift)
            if key in shards[hash(key) & mask]:
                return True
        return False

    def around(self, network: Network) -> list[V]:
        """The values of the networks that hold all of this one, itself among them, the widest first."""
        number, least = int(network.network_address), _shift(network)
        sought = self._six if isinstance(network, IPv6Network) else self._four
        return self._values.several(
            tuple([hex(version | number >> shift) for shift, version in sought if shift >= least])
        )

    def inside(self, network: Network) -> Iterator[V]:
        """The values of the networks that are part of this one but not all of it, in the order of their ranges."""
        if self._sorted is None:
            self._sorted = sorted(((_range(key), value) for key, value in self._values.items()), key=_by_range)
        version, first, last = network.version, int(network.network_address), int(network.broadcast_address)
        start = bisect_left(self._sorted, (version, first, network.prefixlen + 1), key=_by_range)
        end = bisect_left(self._sorted, (version, last + 1, 0), key=_by_range)
        for place in range(start, end):
            yield self._sorted[place][1]


_by_range: Final = itemgetter(0)


def _shift(network: Network) -> int:
    """How many bits of an address the network leaves open."""
    return network.max_prefixlen - network.prefixlen


def _length(key: str) -> tuple[int, int]:
    """The version of the network with the key, and the length of its prefix."""
    number = int(key, 16)
    length = number.bit_length() - 3  # 4 and 6 have three bits
    return number >> length, length


def _range(key: str) -> Range:
    version, length = _length(key)
    return version, (int(key, 16) - (version << length)) << (_BITS[version] - length), length
