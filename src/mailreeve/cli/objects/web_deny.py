"""`mailreeve web default-deny`: lists that block whatever no entry speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import send_confirmed, yes_option
from mailreeve.cli.ids import WEB_POLICY, IdCommand, resolve
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo
from mailreeve.cli.tables import Column
from mailreeve.client import Client

SET: Final = "ext/set-web-default-deny"
GET: Final = "ext/get-web-default-deny"


@click.command("default-deny", cls=IdCommand)
@click.argument("which", metavar="[LIST]", required=False)
@click.argument("switch", type=click.Choice(["on", "off"]), required=False, metavar="[on|off]")
@yes_option("Do not ask before everybody's browsing is stopped.")
@limit_option
@json_option
@calls_api
def default_deny(api: Client, which: str | None, switch: str | None, yes: bool, limit: int, as_json: bool) -> None:
    """Have a list block whatever no entry speaks of, for those whom it is for.

    What a list of equal scope or a narrower one allows stays open, and so does a temporary allow. Without LIST the
    lists with a default deny are listed; without a switch it is turned on.

    \b
    mailreeve web default-deny "Build machines" on
    mailreeve web default-deny
    """
    if which is None:
        show(api.pages(GET, page_size=page_size(limit)), _TABLE, limit, as_json=as_json)
        return
    item: dict[str, object] = {"id": resolve(api, WEB_POLICY, which, "LIST"), "defaultDeny": switch != "off"}
    (row,) = send_confirmed(api, SET, item, yes=yes).data
    if as_json:
        echo(msgspec.json.encode(row))
        return
    name = escaped_line(text(row, "description"))
    if row.get("defaultDeny"):
        number = row.get("allows")
        echo(f"{name} blocks whatever no entry speaks of; {number} of its entries allow something")
    else:
        echo(f"{name} blocks and allows what its entries say, and nothing else")


def _cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    return ids[text(row, "id")], text(row, "description"), str(row.get("allows"))


_TABLE: Final = Table(
    ("list with a default deny", "lists with a default deny"),
    (Column("id"), Column("list", 2), Column("allows")),
    _cells,
)
