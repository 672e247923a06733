"""How many connections does each client have? One client must not take the places of all."""

from __future__ import annotations

from collections import Counter

from mailreeve.formats.networks import IPAddress, Network, network_of


def crowded(hostname: str) -> str:
    """The reply to one connection too many."""
    return f"421 4.7.0 {hostname} Too many connections from your address"


class Places:
    """Connections by whom they are for: an IPv4 address or a /64 of IPv6, at most so many for each.

    A connection that is for nobody in particular, as one of a proxy before it said for whom, is counted for none.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[Network] = Counter()

    def take(self, source_ip: IPAddress | None) -> bool:
        """One more, if there is room. Each that was taken has to be given back."""
        if source_ip is None:
            return True
        network = network_of(source_ip)
        if self._taken[network] >= self._most:
            return False
        self._taken[network] += 1
        return True

    def give_back(self, source_ip: IPAddress | None) -> None:
        """One less."""
        if source_ip is None:
            return
        network = network_of(source_ip)
        self._taken[network] -= 1
        if not self._taken[network]:
            del self._taken[network]
