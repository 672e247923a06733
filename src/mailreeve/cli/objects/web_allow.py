"""`mailreeve web allow`, `allows`, `unallow`: what one user or client may open for a time, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import carried_out, confirm_at_terminal, yes_option
from mailreeve.cli.ids import IdCommand, Listed, resolve
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text
from mailreeve.cli.options import json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import COMING, WHEN, coming, in_column
from mailreeve.cli.times import shown as shown_at
from mailreeve.client import Client

ALLOW: Final = Listed("temporary allow", "ext/get-web-allows", says=("value",), named=True)


@click.command("allow")
@click.argument("entry")
@click.option("--user", metavar="ADDRESS", help="For this user.")
@click.option("--client", metavar="IP", help="For whoever browses from this address.")
@click.option("--for", "until", required=True, metavar=WHEN, help=f"Until when: {COMING}.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is in the audit log and in explanations.")
@click.option("--type", "type_", type=click.Choice(["domain", "url"]), help="[default: what has a path is a URL]")
@click.option("--override", is_flag=True, help="Win over lists that override as well.")
@json_option
@calls_api
def allow(
    api: Client,
    entry: str,
    user: str | None,
    client: str | None,
    until: str,
    reason: str,
    type_: str | None,
    override: bool,
    as_json: bool,
) -> None:
    """Allow a domain or URL for one user or client for a time. It ends by itself.

    \b
    mailreeve web allow video.test --user kim@example.com --for 2h --reason Exam
    """
    if (user is None) == (client is None):
        misused("--user: give either --user or --client")
    item: dict[str, object] = {"value": entry, "until": coming(until, "--for"), "reason": reason}
    given: Mapping[str, object] = {"user": user, "client": client, "type": type_, "override": override or None}
    item |= {name: value for name, value in given.items() if value is not None}
    said = {
        "value": ("ENTRY", entry),
        "until": ("--for", until),
        "reason": ("--reason", reason),
        "user": ("--user", user),
        "client": ("--client", client),
    }
    with said_of(said):
        (row,) = carried_out(api, "ext/allow-web", item).data
    if as_json:
        echo(msgspec.json.encode(row))
        return
    echo(f"{escaped_line(text(row, 'value'))} is allowed for {_whom(row)} until {shown_at(row.get('until'))}")


@click.command("allows")
@click.option("--user", metavar="ADDRESS", help="Those of this user only.")
@click.option("--client", metavar="IP", help="Those of this address only.")
@limit_option
@json_option
@calls_api
def allows(api: Client, user: str | None, client: str | None, limit: int, as_json: bool) -> None:
    """List what is allowed single users and clients for a time.

    \b
    mailreeve web allows
    """
    item = {name: value for name, value in (("user", user), ("client", client)) if value is not None}
    with said_of({"user": ("--user", user), "client": ("--client", client)}):
        pages = api.pages(ALLOW.path, item, page_size=page_size(limit))
        show(pages, _TABLE, limit, as_json=as_json, is_filtered=bool(item))


@click.command("unallow", cls=IdCommand)
@click.argument("which", metavar="ALLOW")
@yes_option()
@json_option
@calls_api
def unallow(api: Client, which: str, yes: bool, as_json: bool) -> None:
    """End a temporary allow now. It is named by its id, the beginning of that, or what it allows.

    \b
    mailreeve web unallow video.test
    """
    item = {"id": resolve(api, ALLOW, which, "ALLOW")}
    confirm_at_terminal([f"the temporary allow {which}"], yes=yes)
    (row,) = carried_out(api, "ext/remove-web-allow", item).data
    echo(msgspec.json.encode(row) if as_json else f"{escaped_line(which)} is no longer allowed")


def _whom(row: Object) -> str:
    return text(row, "user") or text(row, "client")


def _cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    return (
        ids[text(row, "id")],
        text(row, "value"),
        _whom(row),
        in_column(row.get("until")),
        text(row, "reason"),
        text(row, "madeBy"),
    )


_TABLE: Final = Table(
    ("temporary allow", "temporary allows"),
    (
        Column("id"),
        Column("allows", 3),
        Column("for", 2),
        Column("until (UTC)"),
        Column("why", 3),
        Column("made by", 2),
    ),
    _cells,
)
