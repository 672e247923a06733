"""`mailreeve web proxy`: the proxies that ask before they let a request through, each with a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import carried_out, confirm_removal, yes_option
from mailreeve.cli.ids import IdCommand, Listed, resolve
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text
from mailreeve.cli.options import json_option
from mailreeve.cli.output import echo, say
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import in_column
from mailreeve.client import Client
from mailreeve.formats.forward_auth import ProxyKind

PROXY: Final = Listed("proxy", "ext/get-web-proxies", says=("name",), named=True)


@click.group("proxy")
def proxy() -> None:
    """The proxies that ask at /web/check before they let a request through.

    \b
    mailreeve web proxy add gateway --kind nginx
    """


@proxy.command("list")
@limit_option
@json_option
@calls_api
def list_(api: Client, limit: int, as_json: bool) -> None:
    """List the proxies that may ask.

    \b
    mailreeve web proxy list
    """
    show(api.pages(PROXY.path, page_size=page_size(limit)), _TABLE, limit, as_json=as_json)


@proxy.command("add")
@click.argument("name")
@click.option(
    "--kind", required=True, type=click.Choice([one.value for one in ProxyKind]), help="By whose headers it asks."
)
@click.option("--user-header", metavar="HEADER", help="In which it says whom it authenticated.")
@json_option
@calls_api
def add(api: Client, name: str, kind: str, user_header: str | None, as_json: bool) -> None:
    """Give a proxy a token, which is shown this once. It goes into the header X-Mailreeve-Token.

    \b
    mailreeve web proxy add gateway --kind nginx
    mailreeve web proxy add edge --kind envoy --user-header X-Auth-User
    """
    item = {"name": name, "kind": kind, **({} if user_header is None else {"userHeader": user_header})}
    with said_of({"name": ("NAME", name), "userHeader": ("--user-header", user_header)}):
        (row,) = carried_out(api, "ext/create-web-proxy", item).data
    if as_json:
        echo(msgspec.json.encode(row))
        return
    say(f"{escaped_line(name)} may ask at /web/check with this token, which is not shown again:")
    echo(text(row, "token"))


@proxy.command("remove", cls=IdCommand)
@click.argument("which", metavar="PROXY")
@yes_option()
@json_option
@calls_api
def remove(api: Client, which: str, yes: bool, as_json: bool) -> None:
    """Take the token of a proxy away, after asking. It is named by its id, the beginning of that, or its name.

    \b
    mailreeve web proxy remove gateway --yes
    """
    item = {"id": resolve(api, PROXY, which, "PROXY")}
    confirm_removal([f"the proxy {which}, which lets nothing through from then on"], yes=yes)
    (row,) = carried_out(api, "ext/delete-web-proxy", item).data
    echo(msgspec.json.encode(row) if as_json else f"{escaped_line(which)} may no longer ask")


def _cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    return (
        ids[text(row, "id")],
        text(row, "name"),
        text(row, "kind"),
        text(row, "userHeader"),
        in_column(row.get("created")),
        text(row, "madeBy"),
    )


_TABLE: Final = Table(
    ("proxy", "proxies"),
    (
        Column("id"),
        Column("proxy", 2),
        Column("kind"),
        Column("user in", 2, if_any=True),
        Column("made (UTC)"),
        Column("made by", 2),
    ),
    _cells,
)
