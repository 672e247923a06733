"""`mailreeve web location` and `web client`: where web requests come from, and whose addresses these are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli import listing
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import confirm_at_terminal, confirm_removal, yes_option
from mailreeve.cli.ids import LOCATION, IdCommand, resolve, resolve_all, short
from mailreeve.cli.listing import Object, Table, limit_option, page_size
from mailreeve.cli.options import fail, json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.client import Client

CLIENTS: Final = "ext/get-web-clients"


@click.group("location")
def location() -> None:
    """Named places that web requests come from, which lists can be bound to.

    \b
    mailreeve web location create Berlin 203.0.113.0/24
    """


@location.command("list")
@limit_option
@json_option
@calls_api
def list_locations(api: Client, limit: int, as_json: bool) -> None:
    """List the locations, their networks, and how many lists are bound to each.

    \b
    mailreeve web location list
    """
    pages = api.pages(LOCATION.path, page_size=page_size(limit))
    listing.show(pages, _LOCATIONS, limit, as_json=as_json)


@location.command("create")
@click.argument("name")
@click.argument("networks", nargs=-1, required=True, metavar="NETWORK...")
@json_option
@calls_api
def create_location(api: Client, name: str, networks: tuple[str, ...], as_json: bool) -> None:
    """Make a location of the networks that its requests come from.

    \b
    mailreeve web location create Berlin 203.0.113.0/24 2001:db8:1::/48
    """
    with said_of({"name": ("NAME", name), "networks": ("NETWORK", None)}):
        (row,) = api.call("ext/create-web-location", {"name": name, "networks": list(networks)})
    _tell(row, "made", as_json)


@location.command("update", cls=IdCommand)
@click.argument("which", metavar="LOCATION")
@click.option("--name", help="Another name.")
@click.option("--network", "networks", multiple=True, help="A network; all that are given replace those before.")
@json_option
@calls_api
def update_location(api: Client, which: str, name: str | None, networks: tuple[str, ...], as_json: bool) -> None:
    """Change a location's name or networks. Lists that are bound to it follow.

    \b
    mailreeve web location update Berlin --network 203.0.113.0/25
    """
    item: dict[str, object] = {"id": resolve(api, LOCATION, which, "LOCATION")}
    if name is not None:
        item["name"] = name
    if networks:
        item["networks"] = list(networks)
    if len(item) == 1:
        misused("give --name or --network")
    with said_of({"name": ("--name", name), "networks": ("--network", None)}):
        (row,) = api.call("ext/update-web-location", item)
    _tell(row, "changed", as_json)


@location.command("delete", cls=IdCommand)
@click.argument("which", nargs=-1, required=True, metavar="LOCATION...")
@yes_option()
@json_option
@calls_api
def delete_location(api: Client, which: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete locations that no list and no client names, after asking.

    \b
    mailreeve web location delete Berlin --yes
    """
    ids = resolve_all(api, LOCATION, which, "LOCATION")
    confirm_removal(list(which), yes=yes)
    rows = api.call("ext/delete-web-location", *({"id": id_} for id_ in ids))
    if as_json:
        echo(msgspec.json.encode({"deleted": rows}))
    else:
        echo(f"deleted {len(rows)}")


@click.group("client")
def client() -> None:
    """Whose an address or network is, where a proxy authenticates nobody.

    \b
    mailreeve web client set 10.0.0.7 --user ann@example.com
    """


@client.command("list")
@limit_option
@json_option
@calls_api
def list_clients(api: Client, limit: int, as_json: bool) -> None:
    """List the addresses and networks that are known as users or locations.

    \b
    mailreeve web client list
    """
    listing.show(api.pages(CLIENTS, page_size=page_size(limit)), _CLIENTS, limit, as_json=as_json)


@client.command("set")
@click.argument("network")
@click.option("--user", metavar="ADDRESS", help="Whoever uses it is this user.")
@click.option("--location", "place", metavar="NAME", help="It is in this location.")
@json_option
@calls_api
def set_client(api: Client, network: str, user: str | None, place: str | None, as_json: bool) -> None:
    """Say which user or location an address or network is.

    \b
    mailreeve web client set 10.0.0.7 --user ann@example.com
    mailreeve web client set 10.1.0.0/16 --location Berlin
    """
    if (user is None) == (place is None):
        misused("give --user or --location")
    item = {"network": network} | ({"location": place} if user is None else {"user": user})
    options = {"network": ("NETWORK", network), "user": ("--user", user), "location": ("--location", place)}
    with said_of(options):
        (row,) = api.call("ext/set-web-clients", item)
    if as_json:
        echo(msgspec.json.encode(row))
    else:
        echo(escaped_line(f"{listing.text(row, 'network')} is {_whose(row)}"))


@client.command("remove")
@click.argument("networks", nargs=-1, required=True, metavar="NETWORK...")
@yes_option()
@json_option
@calls_api
def remove_client(api: Client, networks: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Forget which user or location an address or network is.

    \b
    mailreeve web client remove 10.0.0.7
    """
    confirm_at_terminal([f"what is known of {network}" for network in networks], yes=yes)
    rows = api.call("ext/remove-web-clients", *({"network": network} for network in networks))
    if as_json:
        echo(msgspec.json.encode({"removed": rows}))
    else:
        echo(f"removed {len(rows)}")


def _tell(row: Mapping[str, object], done: str, as_json: bool) -> None:
    if as_json:
        echo(msgspec.json.encode(row))
        return
    name, networks = listing.text(row, "name"), _networks(row)
    if not networks:
        fail("the server told nothing of the location")
    echo(escaped_line(f"{done} {short(listing.text(row, 'id'))}: {name}, {networks}"))


def _networks(row: Mapping[str, object]) -> str:
    found = row.get("networks")
    return ", ".join(map(str, found)) if isinstance(found, list) else ""


def _whose(row: Mapping[str, object]) -> str:
    return listing.text(row, "user") or f"in {listing.text(row, 'location')}"


def _location_cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    lists = row.get("lists")
    return ids[listing.text(row, "id")], listing.text(row, "name"), _networks(row), str(lists or 0)


def _client_cells(row: Object, _: Mapping[str, str]) -> tuple[str, ...]:
    return listing.text(row, "network"), listing.text(row, "user"), listing.text(row, "location")


_LOCATIONS: Final = Table(
    ("location", "locations"),
    (Column("id"), Column("location", 1), Column("networks", 3), Column("lists")),
    _location_cells,
)
_CLIENTS: Final = Table(
    ("client", "clients"), (Column("network"), Column("user", 2), Column("location", 1)), _client_cells
)
