"""The items and answers of the endpoints of web locations and clients. All are ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from mailreeve.wire.items import longest

MAX_NETWORKS = 500
"""Networks of one location."""


class CreateLocation(Struct, frozen=True):
    """A location to create: its name, and the networks that its requests come from, in CIDR notation."""

    name: Annotated[str, longest(64)]
    networks: list[str]


class UpdateLocation(Struct, frozen=True):
    """A location to change; what is not given stays."""

    id: str
    name: Annotated[str, longest(64)] | None = None
    networks: list[str] | None = None


class OneLocation(Struct, frozen=True):
    """One location, by id."""

    id: str


class SomeLocations(Struct, frozen=True):
    """One location by id, or all without one."""

    id: str | None = None


class LocationAnswer(Struct, frozen=True):
    """A location. `lists` is how many web lists are bound to it."""

    id: str
    name: str
    networks: Sequence[str]
    lists: int


class DeletedLocation(Struct, frozen=True):
    """A location that is gone."""

    id: str
    deleted: bool = True


class SetClient(Struct, frozen=True):
    """Whose an address or network is: a user's, by any of the user's addresses, or a location's, by name. What was
    said of the network before no longer holds."""

    network: str
    user: str | None = None
    location: str | None = None


class RemoveClient(Struct, frozen=True):
    """A client to forget, by address or network as it was given."""

    network: str


class FindClients(Struct, frozen=True):
    """All clients."""


class ClientAnswer(Struct, frozen=True):
    """Whose an address or network is."""

    id: str
    network: str
    user: str | UnsetType = UNSET
    location: str | UnsetType = UNSET


class RemovedClient(Struct, frozen=True):
    """A client that is known no more."""

    network: str
    removed: bool = True
