"""`mailreeve log`: what became of mail, recipient by recipient; and all that is kept of one decision."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import click
import msgspec
from msgspec import Struct

from mailreeve.cli.asking.log_page import print_details, print_record
from mailreeve.cli.calling import calls_api
from mailreeve.cli.listing import print_csv
from mailreeve.cli.options import csv_option, json_option, misused, wants_csv
from mailreeve.cli.output import echo, say
from mailreeve.cli.refusals import said_of
from mailreeve.cli.times import PAST, WHEN
from mailreeve.client import ApiError, Client, Unreachable
from mailreeve.families.tracking.outcomes import State
from mailreeve.families.tracking.types import MailRecord, MailRecordDetail

FIND: Final = "ext/find-mail-records"
GET: Final = "ext/get-mail-record"

SHOWN: Final = 50
MOST: Final = 100_000
PAGE: Final = 500
POLL: Final = 0.5  # seconds between two looks for what is new
TRIES: Final = 240  # looks that may fail one after another, as while a server is started anew
BUSY: Final = 429

_FIELDS: Final = {
    "from": "from",
    "to": "to",
    "verdict": "verdict",
    "id": "id",
    "message-id": "messageId",
    "queue-id": "queueId",
    "policy": "policyId",
    "ip": "sourceIp",
}
"""The names that `--not` takes, which are those of the options, and the members that they become."""

Item = dict[str, object]


class _Listed(Struct, frozen=True):
    records: Sequence[MailRecord]


class _Shown(Struct, frozen=True):
    records: Sequence[MailRecordDetail]


class _Log(click.Group):
    """Lists, unless another of its commands is named: `mailreeve log --follow`, `mailreeve log show ID`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("log", cls=_Log)
def command() -> None:
    """Say what became of mail, and why."""


@command.command("list")
@click.option("--follow", "-f", is_flag=True, help="Wait for what comes, until Ctrl-C.")
@click.option(
    "--from", "sender", metavar="A", help="Sender, in envelope or From: address or domain, '<>' for bounces."
)
@click.option("--to", "recipient", metavar="A", help="Recipient: address or domain.")
@click.option(
    "--verdict",
    metavar="STATE",
    type=click.Choice([state.value for state in State]),
    help=f"What became of it: {', '.join(state.value for state in State)}.",
)
@click.option("--id", "decision", metavar="ID", help="Decision id as in the SMTP reply, or its beginning.")
@click.option("--message-id", metavar="M", help="Message-ID, with or without brackets.")
@click.option("--queue-id", metavar="Q", help="Id that the next hop gave the message.")
@click.option("--policy", metavar="ID", help="Policy that settled it.")
@click.option("--ip", metavar="IP", help="Address of the client.")
@click.option("--since", metavar=WHEN, help=f"Recorded since then: {PAST}.")
@click.option("--until", metavar=WHEN, help="Recorded before then: as --since.")
@click.option(
    "--not", "exclude", multiple=True, metavar="FIELD=VALUE", help=f"Leave these out: {', '.join(_FIELDS)}."
)
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=SHOWN, show_default=True, metavar="N", help="The newest N."
)
@csv_option
@json_option
@calls_api
def list_(
    api: Client,
    follow: bool,
    sender: str | None,
    recipient: str | None,
    verdict: str | None,
    decision: str | None,
    message_id: str | None,
    queue_id: str | None,
    policy: str | None,
    ip: str | None,
    since: str | None,
    until: str | None,
    exclude: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """List what became of mail, recipient by recipient, refusals included, the newest last.

    Options narrow the list, and all of them must be met. With --json one object is printed, with --follow an
    object on a line for each record. `mailreeve log show ID` shows all that is kept of one decision.

    \b
    mailreeve log --to ann@example.com --verdict rejected --since 2d
    mailreeve log --from bad.test --not to=postmaster@example.com
    mailreeve log --follow
    """
    asked = {
        "from": sender,
        "to": recipient,
        "verdict": verdict,
        "id": decision,
        "messageId": message_id,
        "queueId": queue_id,
        "policyId": policy,
        "sourceIp": ip,
        "since": since,
        "until": until,
    }
    item: Item = {name: value for name, value in asked.items() if value is not None}
    if exclude:
        item["exclude"] = [_excluded(text) for text in exclude]
    if follow and until is not None:
        misused("--until: what comes after it is what --follow waits for")
    if follow and wants_csv():
        misused("--csv: --follow prints lines, or with --json an object on each")
    newest = _newest(api) if follow else None
    options = {
        "from": ("--from", sender),
        "to": ("--to", recipient),
        "id": ("--id", decision),
        "policyId": ("--policy", policy),
        "sourceIp": ("--ip", ip),
        "since": ("--since", since),
        "until": ("--until", until),
        "exclude": ("--not", None),
    }
    with said_of(options):
        found = list(islice(_found(api, item, limit), limit))[::-1]
    if not follow and as_json:
        echo(msgspec.json.encode(_Listed(found)))
        return
    if wants_csv():
        print_csv([msgspec.to_builtins(record) for record in found])
        return
    for record in found:
        _print(record, as_json)
    if not follow:
        if not found:
            say("No mail is recorded that meets this.")
        return
    _follow(api, item, found[-1].id if found else newest, as_json)


def _found(api: Client, item: Item, most: int) -> Iterator[MailRecord]:
    for row in api.every(FIND, item, page_size=min(most, PAGE)):
        yield msgspec.convert(row, MailRecord)


def _newest(api: Client) -> str | None:
    """The id of the newest record of all."""
    return next((record.id for record in _found(api, {}, 1)), None)


def _follow(api: Client, item: Item, after: str | None, as_json: bool) -> None:
    """Print what is recorded after a record, as it comes."""
    item = {name: value for name, value in item.items() if name != "since"} | {"oldestFirst": True}
    failed = 0
    while True:
        sys.stdout.flush()
        time.sleep(POLL)
        try:
            for record in _found(api, item if after is None else item | {"after": after}, PAGE):
                after = record.id
                _print(record, as_json)
            failed = 0
        except (Unreachable, ApiError) as problem:
            # A server that is started anew, or that has had enough calls for now, answers again.
            failed += 1
            if failed == TRIES or (isinstance(problem, ApiError) and problem.status != BUSY):
                raise


def _print(record: MailRecord, as_json: bool) -> None:
    if as_json:
        echo(msgspec.json.encode(record))
    else:
        print_record(record)


def _excluded(text: str) -> Item:
    name, equals, value = text.partition("=")
    if not equals or name.strip() not in _FIELDS:
        misused(f"--not: {text!r} is not FIELD=VALUE with one of {', '.join(_FIELDS)}")
    name = name.strip()
    if name == "verdict" and value not in list(State):
        misused(f"--not: verdict is one of {', '.join(State)}, not {value!r}")
    return {_FIELDS[name]: value}


@command.command("show")
@click.argument("what", nargs=-1, metavar="ID")
@json_option
@calls_api
def show(api: Client, what: tuple[str, ...], as_json: bool) -> None:
    """Show all that is kept of a decision, and what would be decided today.

    ID is the id in the SMTP reply, its first 4 characters or more, the whole line of the reply, or a Message-ID.

    \b
    mailreeve log show dv3uvtlifhssmsho
    mailreeve log show '550 5.7.1 Envelope blocked [dv3uvtlifhssmsho]'
    mailreeve log show '<20261127.1@shop.test>'
    """
    text = " ".join(what).strip()
    if not text:
        misused("ID: name a decision, or a Message-ID")
    print_decision(api, text, "ID", as_json=as_json)


def print_decision(api: Client, text: str, argument: str, *, as_json: bool) -> None:
    """Print all that is kept of a decision that is named so, and what would be decided today. `argument` is what
    the name was given as."""
    is_message_id = "@" in text and "[" not in text
    with said_of({"id": (argument, None), "messageId": (argument, text)}):
        rows = api.call(GET, {"messageId" if is_message_id else "id": text})
    records = [msgspec.convert(row, MailRecordDetail) for row in rows]
    if as_json:
        echo(msgspec.json.encode(_Shown(records)))
    else:
        print_details(records)
