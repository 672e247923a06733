"""Which connections may stand at once? So many for each stranger and for all together; the silent ones give way.

A connection costs a stranger next to nothing. So whoever comes when all places of its network are taken gets the
place of the one that has kept quiet for longest: first of those that have not begun a request, then of those that
have not sent theirs to the end. A call that is being answered is never cut off; where there is nothing but such
calls, the newcomer has to go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mailreeve.formats.networks import counted_as

MAX_CONNECTIONS: Final = 2_000
MAX_PER_NETWORK: Final = 200
"""For each IPv4 address and each /64 of IPv6. A proxy in front of the API counts as one."""


class Place:
    """What one connection holds, from `Crowd.enter` to `Crowd.leave`. `close` is how it is told to go."""

    __slots__ = ("close", "network")

    def __init__(self, network: str, close: Callable[[], None]) -> None:
        self.network = network
        self.close = close

    @property
    def given_up(self) -> bool:
        """Whether the place was left, or taken away for another."""
        return not self.network


class _Network:
    """The places of one network: all, and those that can be taken, which stand longest first."""

    __slots__ = ("receiving", "silent", "taken")

    def __init__(self) -> None:
        self.taken = 0
        self.silent: dict[Place, None] = {}
        self.receiving: dict[Place, None] = {}


class Crowd:
    """The connections of one server. Used by its event loop alone."""

    def __init__(self, most: int = MAX_CONNECTIONS, per_network: int = MAX_PER_NETWORK) -> None:
        self._most = most
        self._per_network = per_network
        self._taken = 0
        self._networks: dict[str, _Network] = {}

    def enter(self, peer: str, close: Callable[[], None]) -> Place | None:
        """A place for a connection from the address `peer`, or None: there is none to be had."""
        name = counted_as(peer)
        network = self._networks.get(name)
        if network is not None and network.taken >= self._per_network:
            if not self._make_room(network):
                return None
        elif self._taken >= self._most:
            # The network with the most connections is the one to give way, not whoever came first. One that has
            # only calls under way, as a busy proxy may, keeps them.
            yielding = (one for one in self._networks.values() if one.silent or one.receiving)
            fullest = max(yielding, key=lambda one: one.taken, default=None)
            if fullest is None or not self._make_room(fullest):
                return None
        network = self._networks.setdefault(name, _Network())
        place = Place(name, close)
        network.taken += 1
        self._taken += 1
        network.silent[place] = None
        return place

    def begins(self, place: Place) -> None:
        """A request begins to come in."""
        self._move(place, receiving=True)

    def works(self, place: Place) -> None:
        """A request is here and is being answered."""
        self._move(place)

    def waits(self, place: Place) -> None:
        """The answer is given; nothing is under way."""
        self._move(place, silent=True)

    def leave(self, place: Place) -> None:
        """The connection is gone. Once is enough, more do no harm."""
        network = self._networks.get(place.network)
        if network is None or place.given_up:
            return
        network.silent.pop(place, None)
        network.receiving.pop(place, None)
        network.taken -= 1
        self._taken -= 1
        if not network.taken:
            del self._networks[place.network]
        place.network = ""

    def _move(self, place: Place, *, silent: bool = False, receiving: bool = False) -> None:
        network = self._networks.get(place.network)
        if network is None:
            return
        network.silent.pop(place, None)
        network.receiving.pop(place, None)
        if silent:
            network.silent[place] = None
        elif receiving:
            network.receiving[place] = None

    def _make_room(self, network: _Network) -> bool:
        place = next(iter(network.silent), None) or next(iter(network.receiving), None)
        if place is None:
            return False
        self.leave(place)
        place.close()
        return True
