"""`mailreeve alteration`: which address becomes which, and the sets that hold these definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import click
from msgspec.structs import replace

from mailreeve.cli import ids
from mailreeve.cli.calling import calls_api
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show
from mailreeve.cli.options import json_option
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.client import Answer, Client

DEFINITIONS: Final = "policy/address-alteration/get-definition"
ROOT: Final = "root"
"""How the place of definitions that are in no set is called, which hold for all mail."""


@click.group("alteration")
def command() -> None:
    """List which addresses are altered, and the sets that hold these definitions.

    The policies that put sets to work are listed by `mailreeve policy list --type alteration`.

    \b
    mailreeve alteration definitions Merger
    """


@command.command("sets")
@limit_option
@json_option
@calls_api
def sets(api: Client, limit: int, as_json: bool) -> None:
    """List the sets, those within others below them.

    \b
    mailreeve alteration sets
    """
    kind = ids.ALTERATION_SET
    pages = api.pages(kind.path, kind.item, page_size=page_size(limit))
    show(map(_flattened, pages), _SETS, limit, as_json=as_json)


@command.command("definitions", cls=ids.IdCommand)
@click.argument("set_", metavar="[SET]", required=False)
@click.option("--original", metavar="ADDRESS", help="Those that alter this address.")
@click.option("--new", metavar="ADDRESS", help="Those that alter into this address.")
@click.option("--routing", type=click.Choice(["all", "inbound", "outbound"]), help="Those for mail of this way.")
@limit_option
@json_option
@calls_api
def definitions(
    api: Client,
    set_: str | None,
    original: str | None,
    new: str | None,
    routing: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List definitions: all, or those of a SET, by its name or id; `root` holds those that are in no set.

    \b
    mailreeve alteration definitions Merger --original ann@example.com
    """
    asked = {"originalAddress": original, "newAddress": new, "routing": routing}
    item = {name: value for name, value in asked.items() if value is not None}
    if set_ is None and item:
        pages = api.pages(DEFINITIONS, item)
    else:
        chosen = _all_sets(api) if set_ is None else [_one_set(api, set_)]
        pages = (_of_set(api, name, {**item, "folderId": id_}) for id_, name in chosen)
    options = {"originalAddress": ("--original", original), "newAddress": ("--new", new)}
    with said_of(options):
        show(map(_rows, pages), _DEFINITIONS, limit, as_json=as_json, is_filtered=bool(item))


def _one_set(api: Client, given: str) -> tuple[str, str]:
    return ("", ROOT) if given == ROOT else (ids.resolve(api, ids.ALTERATION_SET, given, "SET"), given)


def _all_sets(api: Client) -> Iterator[tuple[str, str]]:
    yield "", ROOT
    for one in ids.ALTERATION_SET.objects(api):
        yield str(one["id"]), str(one["description"])


def _of_set(api: Client, name: str, item: Mapping[str, object]) -> Answer:
    """The definitions of one set, each with the name of the set."""
    answer = api.send(DEFINITIONS, item)
    answer.rows()
    rows = [{**one, "set": name} for one in _rows(answer).data]
    return replace(answer, data=rows)


def _rows(answer: Answer) -> Answer:
    """An answer with a row for each definition, which the API has in one row together."""
    rows: list[dict[str, object]] = []
    for row in answer.data:
        items = row.get("items")
        rows += [one for one in items if isinstance(one, dict)] if isinstance(items, list) else [row]
    return replace(answer, data=rows, total=None)


def _flattened(answer: Answer) -> Answer:
    """A tree of sets as a list, each with how deep it is."""
    rows: list[dict[str, object]] = []

    def add(one: dict[str, object], depth: int) -> None:
        below = one.pop("folders", None)
        rows.append({**one, "depth": depth})
        for child in below if isinstance(below, list) else ():
            add(child, depth + 1)

    for row in answer.data:
        add(row, 0)
    return replace(answer, data=rows, total=None)


def _set_cells(one: Object, shown: Mapping[str, str]) -> list[str]:
    return [shown[str(one["id"])], f"{'  ' * int(str(one['depth']))}{one['description']}", str(one["folderCount"])]


def _cells(one: Object, shown: Mapping[str, str]) -> list[str]:
    return [
        shown[str(one["id"])],
        str(one.get("set", "")),
        str(one["originalAddress"]),
        str(one["newAddress"]),
        str(one["addressType"]).replace("_", " "),
        str(one["routing"]),
    ]


_SETS: Final = Table(("set", "sets"), (Column("id"), Column("set", 1), Column("sets below")), _set_cells)
_DEFINITIONS: Final = Table(
    ("definition", "definitions"),
    (
        Column("id"),
        Column("set", 2, if_any=True),
        Column("original", 4),
        Column("new", 4),
        Column("where"),
        Column("routing"),
    ),
    _cells,
)
