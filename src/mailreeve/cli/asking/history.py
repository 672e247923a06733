"""`mailreeve history`: what an object was, and how it becomes that again."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.asking.audit import MOST, PAGE, SHOWN, print_events, told
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import yes_option
from mailreeve.cli.ids import IdCommand
from mailreeve.cli.listing import print_csv
from mailreeve.cli.options import csv_option, fail, json_option, misused, wants_csv
from mailreeve.cli.output import echo, say
from mailreeve.cli.refusals import said_of
from mailreeve.cli.times import PAST, WHEN
from mailreeve.client import Client
from mailreeve.families.audit.types import AuditRecord, Restored, RestoredObject, RestoreOutcome

HISTORY: Final = "ext/get-history"
RESTORE: Final = "ext/restore"


@click.group("history")
def command() -> None:
    """Show what objects were, and make them that again.

    \b
      mailreeve history list ID
      mailreeve history restore --request REQUEST --dry-run

    Versions are the events of the audit log. Policies, web lists, personal entries, groups and their members,
    sets, definitions and web locations can be restored.
    """


@command.command("list", cls=IdCommand)
@click.argument("object_id", metavar="[ID]", required=False)
@click.option("--request", "request_id", metavar="REQUEST", help="All that the request of this id changed.")
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=SHOWN, show_default=True, metavar="N", help="The newest N."
)
@csv_option
@json_option
@calls_api
def list_(api: Client, object_id: str | None, request_id: str | None, limit: int, as_json: bool) -> None:
    """List the versions of an object, also of one that is gone, the newest last.

    \b
      mailreeve history list ID
      mailreeve history list --request REQUEST

    Before each version stands the id of its event, which the other commands take.
    """
    if (object_id is None) == (request_id is None):
        misused("give the id of an object, or --request")
    item = {"objectId": object_id} if object_id is not None else {"requestId": request_id}
    with said_of({"objectId": ("ID", object_id), "requestId": ("--request", request_id)}):
        found = list(islice(api.every(HISTORY, item, page_size=min(limit, PAGE)), limit))
    events = [msgspec.convert(row, AuditRecord) for row in found][::-1]
    if as_json:
        echo(msgspec.json.encode({"events": events}))
    elif wants_csv():
        print_csv(found[::-1])
    else:
        print_events(events, ids=True)
        if not events:
            say("Nothing is recorded of that.")


@command.command("show")
@click.argument("event_id", metavar="EVENT")
@calls_api
def show(api: Client, event_id: str) -> None:
    """Show a version with the object before and after, as JSON.

    \b
      mailreeve history show EVENT
    """
    echo(json.dumps(msgspec.to_builtins(_event(api, event_id)), indent=2, ensure_ascii=False))


@command.command("diff")
@click.argument("event_id", metavar="EVENT")
@click.argument("other_id", metavar="[OTHER]", required=False)
@json_option
@calls_api
def diff(api: Client, event_id: str, other_id: str | None, as_json: bool) -> None:
    """Show what differs between two versions of an object, or what one event changed.

    \b
      mailreeve history diff EVENT
      mailreeve history diff OLDER NEWER
    """
    # Loaded here: nothing else needs it.
    from mailreeve.families.audit.words import changes

    one = _event(api, event_id)
    found = list(one.changes)
    if other_id is not None:
        other = _event(api, other_id)
        if (one.object_kind, one.object_id) != (other.object_kind, other.object_id):
            fail("these are versions of two objects")
        found = changes(one.after, other.after)
    if as_json:
        echo(msgspec.json.encode({"changes": found}))
    for change in () if as_json else found:
        echo(escaped_line(told(change)))


@command.command("restore")
@click.option("--to", "event_id", metavar="EVENT", help="The object of this event, as it was after it.")
@click.option("--before", is_flag=True, help="With --to: as it was before the event.")
@click.option("--request", "request_id", metavar="REQUEST", help="All that the request of this id changed.")
@click.option("--at", metavar=WHEN, help=f"All that was changed since, as it was then: {PAST}.")
@click.option("--force", is_flag=True, help="With --request: overwrite what was changed after it.")
@click.option("--dry-run", is_flag=True, help="Change nothing, say what would become of each object.")
@yes_option()
@json_option
@calls_api
def restore(
    api: Client,
    event_id: str | None,
    before: bool,
    request_id: str | None,
    at: str | None,
    force: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Make objects what they were: one, all that a request changed, or all as at a time.

    \b
      mailreeve history restore --to EVENT --before
      mailreeve history restore --request REQUEST --dry-run
      mailreeve history restore --at 2h

    It is one revision or nothing. What would become of each object is shown, and asked about, first.
    """
    given = {"eventId": event_id, "requestId": request_id, "at": at}
    item: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if len(item) != 1:
        misused("give one of --to, --request and --at")
    item |= {"before": before, "force": force}
    options = {"eventId": ("--to", event_id), "requestId": ("--request", request_id), "at": ("--at", at)}
    with said_of(options):
        planned = _called(api, {**item, "dryRun": True})
        if not dry_run and not yes and planned.changed:
            _print(planned.objects)
            if not sys.stdin.isatty():
                misused("give --yes to do what is listed above: there is nobody to ask")
            click.confirm("Do this?", err=True, abort=True)
        done = planned if dry_run else _called(api, item)
    if as_json:
        echo(msgspec.json.encode(done))
        return
    _print(done.objects)
    would = "would be" if dry_run else "were" if done.changed != 1 else "was"
    say(f"{done.changed} object{'' if done.changed == 1 else 's'} {would} changed")


def _called(api: Client, item: dict[str, object]) -> Restored:
    return msgspec.convert(api.call(RESTORE, item)[0], Restored)


def _event(api: Client, event_id: str) -> AuditRecord:
    with said_of({"eventId": ("EVENT", event_id)}):
        found = api.call(HISTORY, {"eventId": event_id})
    if not found:
        fail(f"there is no event {event_id}")
    return msgspec.convert(found[0], AuditRecord)


_SHOWN: Final = {RestoreOutcome.MADE: "+", RestoreOutcome.REMOVED: "-", RestoreOutcome.CHANGED: "~"}


def _print(objects: Sequence[RestoredObject]) -> None:
    """A line for each object, and below it what changes of one that stays."""
    for one in objects:
        name = f" {json.dumps(one.object_name, ensure_ascii=False)}" if one.object_name else ""
        why = f": {one.why}" if one.why else ""
        sign = _SHOWN.get(one.outcome, "!" if one.outcome is RestoreOutcome.CONFLICT else " ")
        echo(escaped_line(f"{sign} {one.outcome.value} {one.object_kind}{name}{why}"))
        if one.outcome is RestoreOutcome.CHANGED:
            for change in one.changes:
                echo(escaped_line(f"    {told(change)}"))
