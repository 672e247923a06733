"""`mailreeve audit`: who changed what, with the object before and after."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import click
import msgspec
from msgspec import Struct
from rich.console import Console

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.listing import print_csv
from mailreeve.cli.options import csv_option, fail, json_option, wants_csv
from mailreeve.cli.output import echo, say
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import wrapped
from mailreeve.cli.times import PAST, WHEN
from mailreeve.client import Client
from mailreeve.families.audit.lists import change_of_list
from mailreeve.families.audit.types import AuditChange, AuditRecord, AuditVerified

FIND: Final = "ext/find-audit-events"
SHOWN: Final = 50
MOST: Final = 100_000
PAGE: Final = 500

_DONE: Final = {
    "create": "made",
    "update": "changed",
    "delete": "removed",
    "rename": "renamed",
    "rotate": "rotated",
    "restore": "restored",
    "send": "sent",
    "release": "released",
    "reject": "rejected",
    "return": "took back",
    "ask": "asked for the release of",
    "decline": "declined the release of",
}


class _Listed(Struct, frozen=True):
    events: Sequence[AuditRecord]


class _ListsUnlessTold(click.Group):
    """What is none of the commands are options of `list`: `mailreeve audit --since 2d` lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("audit", cls=_ListsUnlessTold, no_args_is_help=False)
def command() -> None:
    """List who changed what, and with which application; verify that the log is whole.

    \b
      mailreeve audit --since 2d --actor admin@example.com

    Without the name of a command the options are those of `list`.
    """


@command.command("list")
@click.option("--since", metavar=WHEN, help=f"Recorded since then: {PAST}.")
@click.option("--until", metavar=WHEN, help="Recorded before then: as --since.")
@click.option("--actor", metavar="A", help="Who made the change: as the log names it.")
@click.option("--kind", metavar="KIND", help="The kind of object, such as 'blocked sender policy'.")
@click.option("--object", "object_id", metavar="ID", help="The object with this id.")
@click.option("--action", metavar="ACTION", help="What was done: create, update, delete and others.")
@click.option("--text", metavar="TEXT", help="Any text of the change.")
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=SHOWN, show_default=True, metavar="N", help="The newest N."
)
@csv_option
@json_option
@calls_api
def list_(
    api: Client,
    since: str | None,
    until: str | None,
    actor: str | None,
    kind: str | None,
    object_id: str | None,
    action: str | None,
    text: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List who changed what, and with which application, the newest last; --json has each object before and after.

    \b
    mailreeve audit --since 2d --actor admin@example.com
    mailreeve audit --kind 'blocked sender policy' --json
    """
    asked = {
        "since": since,
        "until": until,
        "actor": actor,
        "objectKind": kind,
        "objectId": object_id,
        "action": action,
        "query": text,
    }
    item = {name: value for name, value in asked.items() if value is not None}
    with said_of({"since": ("--since", since), "until": ("--until", until), "objectId": ("--object", object_id)}):
        rows = list(islice(api.every(FIND, item, page_size=min(limit, PAGE)), limit))[::-1]
        events = [msgspec.convert(row, AuditRecord) for row in rows]
    if as_json:
        echo(msgspec.json.encode(_Listed(events)))
        return
    if wants_csv():
        print_csv(rows)
        return
    print_events(events)
    if not events:
        say("No change is recorded that meets this.")


@command.command("verify")
@click.option("--known", metavar="DIGEST", default="", help="One that was printed before: an event has it still.")
@json_option
@calls_api
def verify(api: Client, known: str, as_json: bool) -> None:
    """Say whether the log of changes is as it was written.

    \b
      mailreeve audit verify
      mailreeve audit verify --known 5e1f...

    Each event has a digest over what it says and the digest before it: one that is changed, removed, put in or
    moved is found. Whoever can write to the database can compute all digests anew; so note the one that is printed
    elsewhere, and name it with --known. Exit code 1 if the log is not whole.
    """
    with said_of({"known": ("--known", known)}):
        (found,) = api.call("ext/verify-audit", {"known": known} if known else {})
    read = msgspec.convert(found, AuditVerified)
    if as_json:
        echo(msgspec.json.encode(read))
    elif read.whole:
        echo(f"{read.events} events, all as they were written; the newest has the digest {read.head}")
    if not read.whole:
        fail(*(f"event {one.id}: {one.why}" if one.id else one.why for one in read.broken))


def print_events(events: Sequence[AuditRecord], *, ids: bool = False) -> None:
    """Each event as a line, with `ids` a line of its id before it."""
    console = Console(highlight=False, soft_wrap=True)
    for event in events:
        if ids:
            echo(event.id)
        _print(console, event)


def _print(console: Console, event: AuditRecord) -> None:
    """An event as a line; on a terminal broken between words, the further lines indented."""
    when = datetime.fromisoformat(event.at)
    acting = f" for {event.acting_for}" if event.acting_for else ""
    used = f" with {json.dumps(event.application, ensure_ascii=False)}" if event.application else ""
    source = f" from {event.source_ip}" if event.source_ip else ""
    name = f" {json.dumps(event.object_name, ensure_ascii=False)}" if event.object_name else ""
    done = _DONE.get(event.action, event.action)
    line = (
        f"{when:%Y-%m-%d %H:%M:%S} {event.actor}{acting}{used}{source} {done} {event.object_kind}{name} "
        f"(revision {event.revision})"
    )
    if event.before is not None and event.after is not None:
        line += ": " + "; ".join(map(told, event.changes))
    if sys.stdout.isatty():
        console.print(wrapped(line, console.width, 4), markup=False, emoji=False)
    else:
        echo(escaped_line(line))


def told(one: AuditChange) -> str:
    """A change of a member in words."""
    listed = change_of_list(one.before, one.after)
    return f"{one.member} {listed or f'{_value(one.before)} -> {_value(one.after)}'}"


def _value(value: object) -> str:
    return "nothing" if value in (None, "") else json.dumps(value, ensure_ascii=False)
