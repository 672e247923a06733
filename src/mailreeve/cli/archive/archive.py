"""`mailreeve archive`: archived mail found, shown, exported, held, and held against what was kept."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Final, ParamSpec, TypeVar

import click
import msgspec
from msgspec import Struct
from rich.console import Console

from mailreeve.app import logs
from mailreeve.app.folder import FolderError, opened_folder
from mailreeve.app.keeping.archive_check import check_archive
from mailreeve.app.private_files import FILE_MODE
from mailreeve.app.settings import SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.cli.calling import calls_api
from mailreeve.cli.ids import IdCommand
from mailreeve.cli.listing import print_csv
from mailreeve.cli.options import (
    account_option,
    csv_option,
    data_option,
    ends_with,
    fail,
    json_option,
    misused,
    wants_csv,
)
from mailreeve.cli.output import counted, echo, say
from mailreeve.cli.progress import progress_bar, reported
from mailreeve.cli.refusals import said_of
from mailreeve.cli.tables import Column, filled, print_table
from mailreeve.cli.times import PAST, WHEN, in_column, shown
from mailreeve.client import Client
from mailreeve.client.api import only
from mailreeve.families.archive.types import FoundMessage, MessageDetail, Retention
from mailreeve.store.migrations import SchemaError

P = ParamSpec("P")
R = TypeVar("R")

FIND: Final = "ext/find-archived-messages"
DETAIL: Final = "archive/get-message-detail"
PART: Final = "archive/get-message-part"
HOLD: Final = "ext/set-legal-hold"

SHOWN: Final = 50
MOST: Final = 1_000_000
PAGE: Final = 500
WIDE: Final = 400  # columns where there is no terminal

_COLUMNS: Final = (
    Column("received (UTC)"),
    Column("from", share=2),
    Column("to", share=2),
    Column("subject", share=3),
    Column("files", if_any=True),
    Column("held", if_any=True),
    Column("id"),
)


class _Found(Struct, frozen=True):
    messages: Sequence[FoundMessage]


@click.group("archive")
def command() -> None:
    """Find, read, export and hold archived mail, and check that all of it is there."""


def _criteria(function: Callable[P, R]) -> Callable[P, R]:
    """What says which messages are meant."""
    options = (
        click.argument("text", nargs=-1, metavar="[TEXT]..."),
        click.option("--from", "sender", metavar="A", help="Sender: address, domain or name."),
        click.option("--to", "recipient", metavar="A", help="Recipient: address, domain or name."),
        click.option("--subject", metavar="S", help="Words of the subject."),
        click.option("--mailbox", metavar="A", help="In the mailbox of this user or address."),
        click.option("--since", metavar=WHEN, help=f"Kept since then: {PAST}."),
        click.option("--until", metavar=WHEN, help="Kept before then: as --since."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command("find")
@_criteria
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=SHOWN, show_default=True, metavar="N", help="The newest N."
)
@csv_option
@json_option
@calls_api
def find(
    api: Client,
    text: tuple[str, ...],
    sender: str | None,
    recipient: str | None,
    subject: str | None,
    mailbox: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Find archived messages by words, the newest first.

    TEXT is words that all stand in the message; `or` parts alternatives, `not` stands before what is not there,
    quotes around words that follow one another, and subject:, from:, to:, body: or attachment: before a word that
    stands there.

    \b
    mailreeve archive find 'invoice not draft' --from shop.test --since 30d
    mailreeve archive find 'subject:offer' --mailbox ann@example.com
    """
    item = _item(text, sender, recipient, subject, mailbox, since, until)
    found = list(_found(api, item, limit))
    if as_json:
        echo(msgspec.json.encode(_Found(found)))
        return
    if wants_csv():
        print_csv([msgspec.to_builtins(one) for one in found])
        return
    if not found:
        say("No archived message meets this.")
        return
    rows = [
        (
            in_column(one.received),
            one.from_,
            ", ".join(one.to),
            one.subject,
            str(one.attachment_count or ""),
            "held" if one.legal_hold else "",
            one.id,
        )
        for one in found
    ]
    # Ids are to be copied: off a terminal nothing is cut, and nothing broken.
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
    columns, cells = filled(console.width, _COLUMNS, rows)
    print_table(console, columns, cells)


@command.command("show", cls=IdCommand)
@click.argument("message", metavar="ID")
@json_option
@calls_api
def show(api: Client, message: str, as_json: bool) -> None:
    """Show what is kept of a message: header, files, recipients, and which policies applied, as they were called.

    \b
    mailreeve archive show ID
    """
    with said_of({"id": ("ID", message)}):
        row = only(api.call(DETAIL, {"id": message}))
    if as_json:
        echo(msgspec.json.encode(row))
        return
    detail = msgspec.convert(row, MessageDetail)
    lines = [
        ("received", shown(detail.processed)),
        ("from", f"{detail.from_.displayable_name} <{detail.from_.email_address}>".strip()),
        ("envelope from", detail.envelope_from.email_address or "<>"),
        ("subject", detail.subject),
        ("Message-ID", detail.mime_message_id),
        ("size", f"{detail.size:,}"),
        ("client", detail.source_ip),
        ("decision", detail.decision_id),
        ("legal hold", "yes" if detail.legal_hold else "no"),
        ("kept until", "for good" if detail.expires is None else shown(detail.expires)),
    ]
    for name, value in lines:
        echo(f"{name:<14} {value}")
    for recipient in detail.recipients:
        altered = "" if recipient.original == recipient.effective else f", sent to {recipient.original}"
        echo(f"{'recipient':<14} {recipient.effective}{altered} (revision {recipient.revision})")
        for policy in recipient.policies:
            echo(f"{'':<14}   {policy.type.replace('_', ' ')}: {policy.description or '(no description)'}")
    for file in detail.attachments:
        echo(f"{'file':<14} {file.filename or '(no name)'} {file.content_type} sha256 {file.sha256}")
    if detail.message_body_preview:
        echo(f"{'text':<14} {detail.message_body_preview}")


@command.command("export")
@_criteria
@click.option("--id", "message", metavar="ID", help="One message, as it was delivered (.eml).")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="A file that is new.")
@calls_api
def export(
    api: Client,
    text: tuple[str, ...],
    sender: str | None,
    recipient: str | None,
    subject: str | None,
    mailbox: str | None,
    since: str | None,
    until: str | None,
    message: str | None,
    out: Path,
) -> None:
    """Write one message to a file, or all that a search finds to an mbox file.

    A message is written as it was delivered, octet for octet. In an mbox its lines end as files have it, and those
    that begin with "From " have ">" before them.

    \b
    mailreeve archive export --id ID --out message.eml
    mailreeve archive export invoice --mailbox ann@example.com --out invoices.mbox
    """
    if out.exists():
        misused(f"--out: {out} is there already")
    item = _item(text, sender, recipient, subject, mailbox, since, until)
    if message is not None:
        if item:
            misused("--id names the message; leave the words and other options out")
        with said_of({"id": ("--id", message)}):
            content = api.octets(PART, {"id": message, "type": "RFC822"})
        _write(out, content)
        return
    found = list(_found(api, item, MOST))
    if not found:
        fail("no archived message meets this; nothing was written")
    try:
        with progress_bar("messages", len(found)) as report, _new_file(out) as file:
            for number, one in enumerate(reversed(found), 1):
                _append(file, one, api.octets(PART, {"id": one.id, "type": "RFC822"}))
                report(number)
    except OSError as problem:
        fail(f"{out} cannot be written: {problem.strerror}")
    say(f"{len(found)} messages were written to {out}.")


@command.command("hold", cls=IdCommand)
@click.argument("messages", metavar="ID...", nargs=-1, required=True)
@click.option("--release", is_flag=True, help="End the legal hold.")
@calls_api
def hold(api: Client, messages: tuple[str, ...], release: bool) -> None:
    """Put messages under legal hold: they are kept however old they are.

    \b
    mailreeve archive hold ID
    mailreeve archive hold ID --release
    """
    with said_of({"id": ("ID", None)}):
        done = api.call(HOLD, *({"id": message, "legalHold": not release} for message in messages))
    number = f"{len(done)} {'message' if len(done) == 1 else 'messages'}"
    echo(f"{number} no longer under legal hold" if release else f"{number} under legal hold")


@command.command("retention")
@click.option("--days", type=click.IntRange(0, 36_500), help="Keep messages for so many days; 0 is for good.")
@click.option("--default", "as_installation", is_flag=True, help="Keep them as the setting archive_days says.")
@json_option
@calls_api
def retention(api: Client, days: int | None, as_installation: bool, as_json: bool) -> None:
    """Say for how long the account keeps its archive, or change that.

    \b
    mailreeve archive retention
    mailreeve archive retention --days 3650
    """
    if days is not None and as_installation:
        misused("--days or --default, not both")
    if days is not None or as_installation:
        row = only(api.call("ext/set-archive-retention", {"days": days} if days is not None else {}))
    else:
        row = only(api.call("ext/get-archive-retention", {}))
    if as_json:
        echo(msgspec.json.encode(row))
        return
    found = msgspec.convert(row, Retention)
    span = f"for {found.days} days" if found.days else "for good"
    said = "" if found.is_own else ", as the installation says"
    echo(f"{found.messages:,} messages, each kept {span}{said}")


@command.command("verify")
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
@account_option
@data_option
def verify(data: Path, account: str | None, as_json: bool) -> None:
    """Hold every archived message against what was kept: its header, its body, its key.

    A server may work on the folder meanwhile. Exit code 1 if anything is missing or damaged.

    \b
    mailreeve archive verify
    """
    logs.configure_quietly()
    with opened_folder(data, read_settings(data, {})) as opened, reported() as report:
        found = check_archive(opened, account, report)
    if as_json:
        echo(msgspec.json.encode(found))
    else:
        echo(f"{counted(found.messages, 'message')}, {counted(found.bodies, 'body')}")
    if found.problems:
        fail(*found.problems)


def _item(
    text: tuple[str, ...],
    sender: str | None,
    recipient: str | None,
    subject: str | None,
    mailbox: str | None,
    since: str | None,
    until: str | None,
) -> dict[str, object]:
    asked = {
        "text": " ".join(text) or None,
        "from": sender,
        "to": recipient,
        "subject": subject,
        "mailbox": mailbox,
        "since": since,
        "until": until,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _found(api: Client, item: dict[str, object], limit: int) -> Iterator[FoundMessage]:
    names = ("from", "to", "subject", "mailbox", "since", "until")
    options = {"text": ("TEXT", item.get("text")), **{name: (f"--{name}", item.get(name)) for name in names}}
    with said_of(options):
        for row in islice(api.every(FIND, item, page_size=min(limit, PAGE)), limit):
            yield msgspec.convert(row, FoundMessage)


_FROM_LINE: Final = re.compile(rb"^(>*From )", re.MULTILINE)


def _append(file: IO[bytes], message: FoundMessage, content: bytes) -> None:
    """Write a message as an mbox has it (RFC 4155, with the quoting of mboxrd)."""
    received = datetime.fromisoformat(message.received)
    sender = message.from_.encode("ascii", "replace").replace(b" ", b"_") or b"MAILER-DAEMON"
    file.write(b"From " + sender + received.strftime(" %a %b %d %H:%M:%S %Y").encode() + b"\n")
    lines = _FROM_LINE.sub(rb">\1", content.replace(b"\r\n", b"\n"))
    file.write(lines if lines.endswith(b"\n") else lines + b"\n")
    file.write(b"\n")


def _write(path: Path, content: bytes) -> None:
    try:
        with _new_file(path) as file:
            file.write(content)
    except OSError as problem:
        fail(f"{path} cannot be written: {problem.strerror}")


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that only its owner may read: it is other people's mail. What is not written whole is removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
