"""What are zones and keys called?

The zone of everyone is `everyone.CODE.rpz.mailreeve`, after the code of its account, that of a location
`at-LOCATION.CODE.rpz.mailreeve`. A location that was renamed keeps its zone's name: resolvers know it by that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from mailreeve.families.web_zones.rows import ZoneRow
from mailreeve.formats.networks import Network
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.zone.rules import MAX_NAME

ROOT: Final = "rpz.mailreeve"
EVERYONE: Final = "everyone"
MAX_LABEL: Final = 40  # of 63: what a zone's own name takes, names in it lack

_NOT_IN_LABEL: Final = re.compile("[^a-z0-9]+")


class ZonePlace(Struct, frozen=True):
    """For whom a zone is: those of a location, or everyone, of whom no location and no network is known."""

    label: str
    location_id: str = ""
    location: str = ""
    networks: tuple[Network, ...] = ()


def zone_name(label: str, code: str) -> str:
    """The name of a zone, without a dot at its end."""
    return f"{label}.{code.lower()}.{ROOT}"


def key_name(name: str, code: str) -> str:
    """The name of a key, as resolvers are told it."""
    return f"{name}.{code.lower()}.mailreeve"


def room_in(zone: str) -> int:
    """How many octets a name may take in a zone of this name."""
    return MAX_NAME - (len(zone) + 2)


def places(policies: PolicySet, known: Sequence[ZoneRow]) -> list[ZonePlace]:
    """The zones of an account: that of everyone, and one for each location that has any address."""
    locations = sorted(policies.places.locations.values(), key=lambda one: one.id)
    labels = {row.location_id: row.label for row in known if row.location_id in policies.places.locations}
    taken = {EVERYONE, *labels.values()}
    found = [ZonePlace(EVERYONE)]
    for location in locations:
        networks = policies.places.networks_of(location.id)
        if networks:
            label = labels.get(location.id) or _label(location.name, taken)
            taken.add(label)
            found.append(ZonePlace(label, location.id, location.name, networks))
    return found


def _label(name: str, taken: Collection[str]) -> str:
    """A label that is like the name of a location, and no other zone's."""
    like = _NOT_IN_LABEL.sub("-", name.casefold()).strip("-")[:MAX_LABEL].strip("-") or "location"
    label, number = f"at-{like}", 1
    while label in taken:
        number += 1
        label = f"at-{like}-{number}"
    return label
