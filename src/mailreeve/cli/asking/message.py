"""`mailreeve message`: find messages as message-finder does, and show what is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.ids import IdCommand
from mailreeve.cli.listing import Object, Table, inner, limit_option, page_size, show, text
from mailreeve.cli.options import fail, json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column
from mailreeve.cli.times import PAST, WHEN, in_column, past
from mailreeve.client import Client
from mailreeve.families.tracking.message_finder import ALL_STATUSES

FIND: Final = "message-finder/search"
INFO: Final = "message-finder/get-message-info"

MOST: Final = 10  # recipients, and attempts, of one message that are shown together

_ROUTES: Final = ("internal", "outbound", "inbound", "external")


@click.group("message")
def command() -> None:
    """Find messages, and show what is known of one.

    `mailreeve log` has more of each: every decision, its reply, and what would be decided today.

    \b
    mailreeve message find --to ann@example.com --status rejected --since 2d
    """


@command.command("find")
@click.option("--message-id", metavar="M", help="Message-ID, with or without brackets; alone.")
@click.option("--from", "sender", metavar="A", help="Sender, in envelope or From: address or domain.")
@click.option("--to", "recipient", metavar="A", help="Recipient: address or domain.")
@click.option("--subject", metavar="TEXT", help="With this in the subject.")
@click.option("--ip", metavar="IP", help="Address of the client.")
@click.option(
    "--status",
    "statuses",
    metavar="STATUS",
    multiple=True,
    type=click.Choice(ALL_STATUSES),
    help=f"May be repeated: {', '.join(ALL_STATUSES)}.",
)
@click.option("--route", "routes", multiple=True, type=click.Choice(_ROUTES), help="May be repeated.")
@click.option("--since", metavar=WHEN, help=f"Recorded since then: {PAST}.")
@click.option("--until", metavar=WHEN, help="Recorded before then: as --since.")
@limit_option
@json_option
@calls_api
def find(
    api: Client,
    message_id: str | None,
    sender: str | None,
    recipient: str | None,
    subject: str | None,
    ip: str | None,
    statuses: tuple[str, ...],
    routes: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Find messages, recipient by recipient, the newest first.

    \b
    mailreeve message find --from shop.test --status rejected --status held
    mailreeve message find --message-id '<20261127.1@shop.test>'
    """
    asked = {"from": sender, "to": recipient, "subject": subject, "senderIP": ip}
    options = {name: value for name, value in asked.items() if value is not None}
    if message_id is not None and options:
        misused("--message-id: give it alone, or leave it out")
    item: dict[str, object] = {"status": list(statuses), "route": list(routes)}
    if message_id is not None:
        item["messageId"] = message_id
    else:
        item["advancedTrackAndTraceOptions"] = options
    for name, option, value in (("start", "--since", since), ("end", "--until", until)):
        moment = past(value, option)
        if moment is not None:
            item[name] = moment
    said = {
        "from": ("--from", sender),
        "to": ("--to", recipient),
        "sourceIp": ("--ip", ip),
        "start": ("--since", since),
        "end": ("--until", until),
    }
    with said_of(said):
        pages = api.pages(FIND, item, page_size=page_size(limit))
        show(pages, _TABLE, limit, as_json=as_json, member="trackedEmails", is_filtered=True)


@command.command("show", cls=IdCommand)
@click.argument("what", metavar="ID")
@json_option
@calls_api
def show_(api: Client, what: str, as_json: bool) -> None:
    """Show what is known of a message, for each recipient, and of each attempt.

    ID is a Message-ID, or the id of one entry as `find --json` has it.

    \b
    mailreeve message show '<20261127.1@shop.test>'
    """
    ids = [what]
    if "@" in what:
        pages = api.pages(FIND, {"messageId": what}, page_size=MOST)
        ids = [text(one, "id") for one in inner(next(pages).data, "trackedEmails")]
        if not ids:
            fail(f"ID {what!r}: no message with this Message-ID is recorded")
    with said_of({"id": ("ID", what)}):
        found = api.call(INFO, *({"id": one} for one in ids))
    if as_json:
        echo(msgspec.json.encode({"messages": found}))
        return
    for number, one in enumerate(found):
        if number:
            echo("")
        for line in _lines(one):
            echo(line)


def _lines(found: Object) -> list[str]:
    info = _inner(found, "recipientInfo")
    message, meta = _inner(info, "messageInfo"), _inner(info, "recipientMetaInfo")
    spam = _inner(_inner(found, "spamInfo"), "spamProcessingDetail")
    told: list[tuple[str, object]] = [
        ("status", found.get("status")),
        ("from", message.get("fromEnvelope")),
        ("header", message.get("fromHeader")),
        ("to", ", ".join(map(str, _listed(message, "to")))),
        ("subject", message.get("subject")),
        ("message-id", meta.get("messageId")),
        ("client", f"{meta.get('remoteIp', '')} {meta.get('remoteHost', '')}".strip()),
        ("reply", message.get("transmissionInfo")),
        ("event", meta.get("receiptEvent")),
        *(
            ("policy", f"{one.get('policyType')}: {one.get('policyName')}")
            for one in _listed(found, "policyInfo")
            if isinstance(one, dict)
        ),
        ("permitted", _inner(spam, "permittedSender").get("info")),
        ("own list", _inner(spam, "managedSender").get("info")),
    ]
    return [f"{name:<11} {escaped_line(str(value))}" for name, value in told if value]


def _inner(of: Mapping[str, object], member: str) -> dict[str, object]:
    found = of.get(member)
    return found if isinstance(found, dict) else {}


def _listed(of: Mapping[str, object], member: str) -> list[object]:
    found = of.get(member)
    return found if isinstance(found, list) else []


def _address(of: Object, member: str) -> str:
    found = of.get(member)
    first = found[0] if isinstance(found, list) and found else found
    return text(first, "emailAddress") if isinstance(first, dict) else ""


def _cells(one: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    return (
        in_column(one.get("received")),
        text(one, "status"),
        _address(one, "fromEnv"),
        _address(one, "to"),
        text(one, "subject"),
        text(one, "info"),
    )


_TABLE: Final = Table(
    ("message", "messages"),
    (
        Column("received (UTC)"),
        Column("status"),
        Column("from", 4),
        Column("to", 4),
        Column("subject", 4, if_any=True),
        Column("info", 4),
    ),
    _cells,
)
