"""What can be done with web locations and clients: validate, change, audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.web_places import rows
from mailreeve.families.directory.web_places.errors import (
    CLIENT_LIMIT,
    CLIENT_NOT_FOUND,
    LOCATION_EXISTS,
    LOCATION_IN_USE,
    LOCATION_LIMIT,
    LOCATION_NOT_FOUND,
)
from mailreeve.families.directory.web_places.rows import ClientRow, LocationRow
from mailreeve.families.directory.web_places.types import MAX_NETWORKS
from mailreeve.families.machinery.call import Call
from mailreeve.store.changes import Part
from mailreeve.store.keys import new_key
from mailreeve.wire import fields
from mailreeve.wire.errors import AT_LEAST_ONE, EXACTLY_ONE, TOO_LONG, refused
from mailreeve.wire.tokens import Kind

LOCATION: Final = Kind.WEB_LOCATION
CLIENT: Final = Kind.WEB_CLIENT

MAX_LOCATIONS: Final = 1_000
MAX_CLIENTS: Final = 50_000


def create(call: Call, name: str, networks: Sequence[str]) -> LocationRow:
    """A new location. Raises `ItemRefused`."""
    if rows.count(call.work) >= MAX_LOCATIONS:
        raise refused(LOCATION_LIMIT, "name", f"{LOCATION_LIMIT.message}: {MAX_LOCATIONS}")
    _refuse_taken(call, name)
    now = call.work.now
    row = LocationRow(new_key(), name, rows.name_key(name), _networks(networks), now, now)
    rows.insert_location(call.work, row)
    call.work.changed(Part.WEB_PLACES, "create", LOCATION, row.id, after=row)
    return row


def update(call: Call, wire_id: str, name: str | None, networks: Sequence[str] | None) -> LocationRow:
    """The location with another name, or other networks. Web lists that are bound to it follow. Raises
    `ItemRefused`."""
    old = get(call, wire_id)
    new = old
    if name is not None:
        _refuse_taken(call, name, old.id)
        new = replace(new, name=name, name_key=rows.name_key(name))
    if networks is not None:
        new = replace(new, networks=_networks(networks))
    if new != old:
        new = rows.replace_location(call.work, replace(new, updated_at=call.work.now))
        call.work.changed(Part.WEB_PLACES, "update", LOCATION, new.id, before=old, after=new)
    return new


def delete(call: Call, wire_id: str) -> None:
    """Remove a location that nothing names. Raises `ItemRefused`."""
    old = get(call, wire_id)
    lists = rows.uses(call.work).get(old.id, 0)
    if lists:
        raise refused(LOCATION_IN_USE, "id", f"{LOCATION_IN_USE.message}: {lists} web lists are bound to it")
    clients = rows.clients_in(call.work, old.id)
    if clients:
        raise refused(LOCATION_IN_USE, "id", f"{LOCATION_IN_USE.message}: {clients} web clients are in it")
    rows.remove_location(call.work, old.id)
    call.work.changed(Part.WEB_PLACES, "delete", LOCATION, old.id, before=old)


def get(call: Call, wire_id: str) -> LocationRow:
    """One location. Raises `ItemRefused`."""
    row = rows.find(call.work, call.open(LOCATION, wire_id))
    if row is None:
        raise refused(LOCATION_NOT_FOUND, "id")
    return row


def get_named(call: Call, name: str, field: str) -> LocationRow:
    """The location of this name. Raises `ItemRefused` naming `field`."""
    row = rows.named(call.work, name)
    if row is None:
        raise refused(LOCATION_NOT_FOUND, field, f"{LOCATION_NOT_FOUND.message}: {name[:64]}")
    return row


def set_client(call: Call, network_text: str, user: str | None, location: str | None) -> ClientRow:
    """Say whose an address or network is: a user's or a location's. Raises `ItemRefused`."""
    network = fields.network(network_text, "network")
    if (user is None) == (location is None):
        raise refused(EXACTLY_ONE, None, f"{EXACTLY_ONE.message}: user, location")
    owner = None if user is None else users.get_reached(call.work, user, "user")
    place = None if location is None else get_named(call, location, "location")
    old = rows.client_at(call.work, network)
    if old is None and rows.count_clients(call.work) >= MAX_CLIENTS:
        raise refused(CLIENT_LIMIT, "network", f"{CLIENT_LIMIT.message}: {MAX_CLIENTS}")
    row = ClientRow(
        id=new_key() if old is None else old.id,
        network=str(network),
        user_id=None if owner is None else owner.id,
        user=None if owner is None else owner.address,
        location_id=None if place is None else place.id,
        location=None if place is None else place.name,
    )
    if row == old:
        return row
    if old is not None:
        rows.remove_client(call.work, old.id)
    rows.insert_client(call.work, row)
    action = "create" if old is None else "update"
    call.work.changed(Part.WEB_PLACES, action, CLIENT, row.id, before=old, after=row)
    return row


def remove_client(call: Call, network_text: str) -> ClientRow:
    """Forget whose an address or network is. Raises `ItemRefused`."""
    old = rows.client_at(call.work, fields.network(network_text, "network"))
    if old is None:
        raise refused(CLIENT_NOT_FOUND, "network")
    forget(call, old)
    return old


def forget(call: Call, old: ClientRow) -> None:
    """Forget a client."""
    rows.remove_client(call.work, old.id)
    call.work.changed(Part.WEB_PLACES, "delete", CLIENT, old.id, before=old)


def _refuse_taken(call: Call, name: str, but: str = "") -> None:
    taken = rows.named(call.work, name)
    if taken is not None and taken.id != but:
        raise refused(LOCATION_EXISTS, "name")


def _networks(texts: Sequence[str]) -> str:
    """The networks as the column holds them, each once, in their order."""
    if not texts:
        message = "At least one network is required: a list bound to the location would hold for nobody"
        raise refused(AT_LEAST_ONE, "networks", message)
    if len(texts) > MAX_NETWORKS:
        raise refused(TOO_LONG, "networks", f"At most {MAX_NETWORKS} networks are allowed")
    networks = [fields.network(text, f"networks[{n}]") for n, text in enumerate(texts)]
    return ",".join(dict.fromkeys(map(str, networks)))
