"""The endpoints of web locations and clients. All are ours."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.web_places import operations, rows
from mailreeve.families.directory.web_places.rows import ClientRow, LocationRow
from mailreeve.families.directory.web_places.types import (
    ClientAnswer,
    CreateLocation,
    DeletedLocation,
    FindClients,
    LocationAnswer,
    OneLocation,
    RemoveClient,
    RemovedClient,
    SetClient,
    SomeLocations,
    UpdateLocation,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

READ: Final = Permission.WEB_SECURITY_POLICIES_READ
EDIT: Final = Permission.WEB_SECURITY_POLICIES_EDIT


@endpoint("ext/create-web-location", EDIT, writes=True)
def create_web_location(call: Call, item: CreateLocation) -> LocationAnswer:
    """Create a location: a name for the networks that its web requests come from."""
    return _location(call, operations.create(call, item.name, item.networks), 0)


@endpoint("ext/get-web-locations", READ)
def get_web_locations(call: Call, item: SomeLocations) -> Page[LocationAnswer]:
    """List the locations, or return one of them."""
    if item.id is None:
        page = rows.page(call.work, call.page)
    else:
        row = rows.find(call.work, call.open(operations.LOCATION, item.id))
        page = Page.of_all([] if row is None else [row])
    uses = rows.uses(call.work)
    return page.showing([_location(call, row, uses.get(row.id, 0)) for row in page.rows])


@endpoint("ext/update-web-location", EDIT, writes=True)
def update_web_location(call: Call, item: UpdateLocation) -> LocationAnswer:
    """Change a location's name or networks. Web lists that are bound to it follow."""
    row = operations.update(call, item.id, item.name, item.networks)
    return _location(call, row, rows.uses(call.work).get(row.id, 0))


@endpoint("ext/delete-web-location", EDIT, writes=True)
def delete_web_location(call: Call, item: OneLocation) -> DeletedLocation:
    """Delete a location that no web list and no client names."""
    operations.delete(call, item.id)
    return DeletedLocation(item.id)


@endpoint("ext/set-web-clients", EDIT, writes=True, most=500)
def set_web_clients(call: Call, item: SetClient) -> ClientAnswer:
    """Say which user or location an address or network is."""
    return _client(call, operations.set_client(call, item.network, item.user, item.location))


@endpoint("ext/get-web-clients", READ)
def get_web_clients(call: Call, item: FindClients) -> Page[ClientAnswer]:
    """List the addresses and networks that are known as users or locations."""
    page = rows.page_of_clients(call.work, call.page)
    return page.showing([_client(call, row) for row in page.rows])


@endpoint("ext/remove-web-clients", EDIT, writes=True, most=500)
def remove_web_clients(call: Call, item: RemoveClient) -> RemovedClient:
    """Forget which user or location an address or network is."""
    return RemovedClient(operations.remove_client(call, item.network).network)


def _location(call: Call, row: LocationRow, lists: int) -> LocationAnswer:
    return LocationAnswer(call.seal(operations.LOCATION, row.id), row.name, row.networks.split(","), lists)


def _client(call: Call, row: ClientRow) -> ClientAnswer:
    return ClientAnswer(
        id=call.seal(operations.CLIENT, row.id),
        network=row.network,
        user=UNSET if row.user is None else row.user,
        location=UNSET if row.location is None else row.location,
    )


ENDPOINTS: Final = (
    create_web_location,
    get_web_locations,
    update_web_location,
    delete_web_location,
    set_web_clients,
    get_web_clients,
    remove_web_clients,
)
