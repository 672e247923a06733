"""`mailreeve web log` and `web requests`: what web requests came to, and who asked to be let through."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli import listing
from mailreeve.cli.calling import calls_api
from mailreeve.cli.ids import ACCESS_REQUEST, WEB_POLICY, IdCommand, resolve, resolve_all
from mailreeve.cli.listing import Object, Table, limit_option, page_size
from mailreeve.cli.options import csv_option, json_option, wants_csv
from mailreeve.cli.output import echo, say
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import PAST, WHEN
from mailreeve.client import Client
from mailreeve.families.web_log.types import WebRecordAnswer
from mailreeve.policy.model.decisions import WebVerdict

FIND: Final = "ext/find-web-records"
SHOWN: Final = 50
MOST: Final = 100_000
PAGE: Final = 500


@click.command("log")
@click.option(
    "--verdict", type=click.Choice([one.value for one in WebVerdict]), help="What became of it; none: no opinion."
)
@click.option("--domain", metavar="D", help="Host, with all below it.")
@click.option("--host", metavar="H", help="Just this host.")
@click.option("--user", metavar="ADDRESS", help="Who asked for it.")
@click.option("--ip", metavar="IP", help="Address of the client.")
@click.option("--list", "policy", metavar="LIST", help="List that settled it, by id or name.")
@click.option("--since", metavar=WHEN, help=f"Recorded since then: {PAST}.")
@click.option("--until", metavar=WHEN, help="Recorded before then: as --since.")
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=SHOWN, show_default=True, metavar="N", help="The newest N."
)
@csv_option
@json_option
@calls_api
def log(
    api: Client,
    verdict: str | None,
    domain: str | None,
    host: str | None,
    user: str | None,
    ip: str | None,
    policy: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what became of web requests, the newest last: all that were blocked, and a sample of what passed.

    Options narrow the list, and all of them must be met. `mailreeve explain web --id ID` says why.

    \b
    mailreeve web log --verdict block --since 2h
    mailreeve web log --domain video.test --user ann@example.com
    """
    asked = {
        "verdict": verdict,
        "domain": domain,
        "host": host,
        "user": user,
        "client": ip,
        "policyId": None if policy is None else resolve(api, WEB_POLICY, policy, "--list"),
        "since": since,
        "until": until,
    }
    item = {name: value for name, value in asked.items() if value is not None}
    options = {
        "domain": ("--domain", domain),
        "host": ("--host", host),
        "client": ("--ip", ip),
        "policyId": ("--list", policy),
        "since": ("--since", since),
        "until": ("--until", until),
    }
    with said_of(options):
        rows = list(islice(api.every(FIND, item, page_size=min(limit, PAGE)), limit))[::-1]
    if as_json:
        echo(msgspec.json.encode({"records": rows}))
        return
    if wants_csv():
        listing.print_csv(rows)
        return
    for row in rows:
        _print(msgspec.convert(row, WebRecordAnswer))
    if not rows:
        say("No web request is recorded that meets this.")


def _print(one: WebRecordAnswer) -> None:
    who = one.user or one.login or "-"
    place = f"{one.client or '-'}{f' ({one.location})' if one.location else ''}"
    asked = f"{one.method} {one.url}".strip()
    echo(escaped_line(f"{one.at}  {one.verdict.value:<5}  {who}  {place}  {asked}"))
    if one.policy is not None:
        entry = "the default deny"
        if one.entry is not None:
            entry = f"{one.entry.action} {one.entry.type} {one.entry.value}"
        echo(escaped_line(f"    by {entry} of {one.policy.description or one.policy.id}"))
    elif one.settled_by:
        echo(escaped_line(f"    {one.settled_by}"))
    if one.not_enforceable:
        echo(f"    {one.not_enforceable} entries name a path on this host: not enforceable without inspection")
    echo(f"    id {one.id}")


@click.group("requests")
def requests() -> None:
    """Who asked on a block page to be let through, and why."""


@requests.command("list")
@limit_option
@json_option
@calls_api
def list_(api: Client, limit: int, as_json: bool) -> None:
    """List the requests that nobody has answered yet, oldest first.

    \b
    mailreeve web requests list
    """
    listing.show(api.pages(ACCESS_REQUEST.path, page_size=page_size(limit)), _REQUESTS, limit, as_json=as_json)


@requests.command("close", cls=IdCommand)
@click.argument("which", nargs=-1, required=True, metavar="REQUEST...")
@json_option
@calls_api
def close(api: Client, which: tuple[str, ...], as_json: bool) -> None:
    """Take requests from the list, once they are answered. That opens nothing.

    \b
    mailreeve web requests close 3fKd9aQx
    """
    ids = resolve_all(api, ACCESS_REQUEST, which, "REQUEST")
    rows = api.call("ext/close-web-access-request", *({"id": id_} for id_ in ids))
    if as_json:
        echo(msgspec.json.encode({"closed": rows}))
    else:
        echo(f"closed {len(rows)}")


def _cells(row: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    named = [listing.text(row, name) for name in ("at", "user", "url", "policy", "reason")]
    return ids[listing.text(row, "id")], *named


_REQUESTS: Final = Table(
    ("request", "requests"),
    (
        Column("id"),
        Column("asked at"),
        Column("user", 1),
        Column("address", 2),
        Column("list", 1),
        Column("reason", 2),
    ),
    _cells,
)
