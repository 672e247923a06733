"""Who browses from an address, and in which location is it? Two look-ups, by network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from mailreeve.formats.addresses import Address
from mailreeve.formats.networks import IPAddress, Network
from mailreeve.policy.index.network_table import NetworkTable, network_key
from mailreeve.policy.model.policies import Scope, WebPolicy
from mailreeve.policy.model.web_places import Location, Places


class WebPlaces:
    """The locations and clients of an account, indexed. Immutable for its readers.

    A location has its own networks and those of the clients that are said to be there. An address is in every
    location of which a network holds it; the narrowest network says which of them it is told as, and whose
    address it is.
    """

    __slots__ = ("_at", "_networks", "_users", "locations")

    def __init__(self, places: Places = Places()) -> None:  # noqa: B008 - immutable
        self.locations: Final = {location.id: location for location in places.locations}
        users: dict[str, Address] = {}
        at: dict[str, Location] = {}
        networks: dict[str, dict[Network, None]] = {
            location.id: dict.fromkeys(location.networks) for location in places.locations
        }
        for location in places.locations:
            at |= {network_key(network): location for network in location.networks}
        for client in places.clients:
            if client.user is not None:
                users[network_key(client.network)] = client.user
            known = self.locations.get(client.location_id)
            if known is not None:
                networks[known.id][client.network] = None
                at[network_key(client.network)] = known
        self._users = NetworkTable(users)
        self._at = NetworkTable(at)
        self._networks = {key: tuple(several) for key, several in networks.items()}

    def user_at(self, address: IPAddress) -> Address | None:
        """Whose address it is, by the narrowest network that holds it; None where nobody's is known. The address
        is as `formats.networks.unmapped` has it, here and below."""
        found = self._users.holding(address)
        return found[-1] if found else None

    def location_at(self, address: IPAddress) -> Location | None:
        """In which location the address is, by the narrowest network that holds it."""
        found = self._at.holding(address)
        return found[-1] if found else None

    def networks_of(self, location_id: str) -> tuple[Network, ...]:
        """Where requests of a location come from; of one that is unknown from nowhere."""
        return self._networks.get(location_id, ())

    def resolved(self, policy: WebPolicy) -> WebPolicy:
        """The web list with the networks of the locations that its scopes name. A scope all of whose locations
        are unknown holds for nobody."""
        if not policy.located:
            return policy
        scopes = tuple(
            self._scope(scope, locations) for scope, locations in zip(policy.scopes, policy.located, strict=True)
        )
        return replace(policy, scopes=scopes)

    def _scope(self, scope: Scope, locations: Iterable[str]) -> Scope:
        named = tuple(locations)
        if not named:
            return scope
        networks = dict.fromkeys(network for key in named for network in self.networks_of(key))
        # `unconditional` follows from the others, which only making the value anew does.
        terms = replace(scope.terms, networks=tuple(networks), enabled=scope.terms.enabled and bool(networks))
        return replace(scope, terms=terms)
