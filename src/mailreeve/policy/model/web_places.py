"""Where do web requests come from? Locations and clients: what an account says of networks and addresses.

Ids are the store's keys as text. Nothing here is validated, as in `policies`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mailreeve.formats.addresses import Address
from mailreeve.formats.networks import Network


class Location(Struct, frozen=True, gc=False):
    """A named place of browsing users: the networks that its requests come from (behaviour.md section 6.3)."""

    id: str
    name: str
    networks: tuple[Network, ...]


class WebClient(Struct, frozen=True, gc=False):
    """Who or where an address or network is: a user, by primary address, or a location, by id."""

    network: Network
    user: Address | None = None
    location_id: str = ""


class Places(Struct, frozen=True):
    """All locations and clients of an account."""

    locations: Sequence[Location] = ()
    clients: Sequence[WebClient] = ()
