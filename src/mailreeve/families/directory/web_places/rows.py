"""Which locations and web clients does an account have? Their tables and queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    func,
    insert,
    select,
)

from mailreeve.families.directory.users.rows import user
from mailreeve.families.machinery.pages import Listing
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.networks import Network, parse_network
from mailreeve.policy.model.web_places import Location, Places, WebClient
from mailreeve.store.loading import stream
from mailreeve.store.records import Query, Records, given, maker, ours
from mailreeve.store.schema import KEY, Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

web_location: Final = Table(
    "web_location",
    metadata,
    account_column(),
    key_column(),
    Column("name", Text, nullable=False),
    Column("name_key", String(255), nullable=False),
    Column("networks", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name_key"),
)
"""Locations. `name_key` is the name without case, unique within the account; `networks` are in CIDR notation, with
a comma between them."""

web_client: Final = Table(
    "web_client",
    metadata,
    account_column(),
    key_column(),
    Column("network", String(49), nullable=False),
    Column("user_id", KEY, nullable=True),
    Column("location_id", KEY, nullable=True),
    Column("created_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "user_id"], ["user.account_id", "user.id"]),
    ForeignKeyConstraint(["account_id", "location_id"], ["web_location.account_id", "web_location.id"]),
    UniqueConstraint("account_id", "network"),
    Index(None, "account_id", "user_id"),
    Index(None, "account_id", "location_id"),
)
"""Clients: whose an address or network is, a user's or a location's."""

web_location_use: Final = Table(
    "web_location_use",
    metadata,
    account_column(),
    Column("location_id", KEY, primary_key=True),
    Column("policy_id", KEY, primary_key=True),
    ForeignKeyConstraint(["account_id", "location_id"], ["web_location.account_id", "web_location.id"]),
    Index(None, "account_id", "policy_id"),
)
"""Which web lists are bound to a location, which cannot be deleted then."""


class LocationRow(Struct, frozen=True):
    """A location as the store keeps it."""

    id: str
    name: str
    name_key: str
    networks: str
    created_at: datetime
    updated_at: datetime

    @property
    def ranges(self) -> tuple[Network, ...]:
        """Its networks."""
        return tuple(map(parse_network, self.networks.split(",")))


class ClientRow(Struct, frozen=True):
    """A client as the store keeps it, with the user's primary address or the location's name, which else are
    empty."""

    id: str
    network: str
    user_id: str | None
    user: str | None
    location_id: str | None
    location: str | None


_locations: Final = Records(web_location, LocationRow)
_all: Final = _locations.where(order_by=web_location.c.id)
_named: Final = _locations.where(web_location.c.name_key == given("which"))
_listing: Final = Listing(_locations.where().statement, web_location.c.id, _locations.make, all_at_once=True)
_count: Final = select(func.count()).select_from(web_location).where(ours(web_location))
_uses: Final = (
    select(web_location_use.c.location_id, func.count())
    .where(ours(web_location_use))
    .group_by(web_location_use.c.location_id)
)
_forget_uses: Final = delete(web_location_use).where(
    ours(web_location_use), web_location_use.c.policy_id == given("policy")
)
_add_uses: Final = insert(web_location_use)

_client: Final = web_client.c
_clients: Final = (
    select(_client.id, _client.network, _client.user_id, user.c.address, _client.location_id, web_location.c.name)
    .outerjoin(user, and_(user.c.account_id == _client.account_id, user.c.id == _client.user_id))
    .outerjoin(
        web_location,
        and_(web_location.c.account_id == _client.account_id, web_location.c.id == _client.location_id),
    )
    .where(ours(web_client))
)
_make_client: Final = maker(ClientRow)
_client_listing: Final = Listing(_clients, _client.id, _make_client)
_client_at: Final = Query(web_client.name, _clients.where(_client.network == given("which")), _make_client)
_clients_of: Final = Query(
    web_client.name, _clients.where(_client.user_id == given("which")).order_by(_client.id), _make_client
)
_clients_in: Final = (
    select(func.count()).select_from(web_client).where(ours(web_client), _client.location_id == given("which"))
)
_count_clients: Final = select(func.count()).select_from(web_client).where(ours(web_client))
_insert_client: Final = insert(web_client)
_delete_client: Final = delete(web_client).where(ours(web_client), _client.id == given("key"))


def page(work: Work, asked: Asked) -> Page[LocationRow]:
    """A page of the locations in the order of their keys, or all of them when no page was asked for."""
    return _listing.page(work, asked, lambda: count(work))


def every(work: Work) -> list[LocationRow]:
    """All locations, oldest first."""
    return _all.every(work)


def find(work: Work, key: str) -> LocationRow | None:
    """One location, or None."""
    return _locations.find(work, key)


def named(work: Work, name: str) -> LocationRow | None:
    """The location of this name, whatever its case, or None."""
    return _named.one(work, which=name_key(name))


def name_key(name: str) -> str:
    """A location's name as names are compared."""
    return name.casefold()


def count(work: Work) -> int:
    """How many locations there are."""
    found: int = work.run(_count).scalar_one()
    return found


def insert_location(work: Work, row: LocationRow) -> LocationRow:
    """A new location."""
    return _locations.insert(work, row)


def replace_location(work: Work, row: LocationRow) -> LocationRow:
    """The location with other contents; its id stays."""
    return _locations.replace(work, row)


def remove_location(work: Work, key: str) -> None:
    """Remove a location."""
    _locations.delete(work, key)


def use(work: Work, policy_id: str, location_ids: Iterable[str]) -> None:
    """Note that a web list is bound to just these locations."""
    work.run(_forget_uses, {"policy": policy_id})
    rows: list[dict[str, object]] = [
        {"account_id": work.account_id, "policy_id": policy_id, "location_id": key} for key in location_ids
    ]
    work.insert_many(_add_uses, rows)


def uses(work: Work) -> dict[str, int]:
    """How many web lists are bound to each location."""
    return {row[0]: row[1] for row in work.run(_uses)}


def page_of_clients(work: Work, asked: Asked) -> Page[ClientRow]:
    """A page of the clients in the order of their keys."""
    return _client_listing.page(work, asked, lambda: count_clients(work))


def count_clients(work: Work) -> int:
    """How many clients there are."""
    found: int = work.run(_count_clients).scalar_one()
    return found


def clients_in(work: Work, location_id: str) -> int:
    """How many clients are said to be in a location."""
    found: int = work.run(_clients_in, {"which": location_id}).scalar_one()
    return found


def client_at(work: Work, network: Network) -> ClientRow | None:
    """The client that is exactly this network, or None."""
    return _client_at.one(work, which=str(network))


def clients_of(work: Work, user_id: str) -> list[ClientRow]:
    """The clients that are a user's."""
    return _clients_of.every(work, which=user_id)


def insert_client(work: Work, row: ClientRow) -> ClientRow:
    """A new client."""
    values = {"id": row.id, "network": row.network, "user_id": row.user_id, "location_id": row.location_id}
    work.insert(_insert_client, values | {"created_at": work.now})
    return row


def remove_client(work: Work, key: str) -> None:
    """Forget a client."""
    work.run(_delete_client, {"key": key})


def load(work: Work) -> Places:
    """The locations and clients as decisions see them."""
    for table in (web_location, web_client):
        work.unreadable.forget(work.account_id, table.name)
    return Places(
        tuple(work.read(web_location.name, stream(work, _all.statement), _location)),
        tuple(work.read(web_client.name, stream(work, _clients), _web_client)),
    )


def _location(columns: Sequence[Any]) -> Location:
    row = _locations.make(columns)
    return Location(row.id, row.name, row.ranges)


def _web_client(columns: Sequence[Any]) -> WebClient:
    row = _make_client(columns)
    address = None if row.user is None else parse_address(row.user)
    return WebClient(parse_network(row.network), address, row.location_id or "")
