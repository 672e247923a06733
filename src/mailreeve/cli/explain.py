"""`mailreeve explain`: what would become of a message or a web request, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Table

from mailreeve.cli.folder import FolderError, Opened, open_initialised
from mailreeve.cli.options import data_option, ends_with, fail, json_option
from mailreeve.families.account import rows as accounts
from mailreeve.families.explain.operations import explain_message, explain_web
from mailreeve.families.explain.types import (
    CandidateAnswer,
    ExplainMessage,
    ExplainWeb,
    MessageExplanation,
    WebCandidateAnswer,
    WebExplanation,
)
from mailreeve.policy.policy_set import PolicySet
from mailreeve.settings import SettingsError
from mailreeve.settings import read as read_settings
from mailreeve.store.migrations import SchemaError
from mailreeve.wire.errors import ItemRefused

SHOWN: Final = 15  # rows of a table before `--all` is needed

T = TypeVar("T")

_at = click.option("--at", metavar="TIME", help="When, in ISO 8601; without a zone in UTC.  [default: now]")
_ip = click.option("--ip", metavar="IP", help="The address that the message or request comes from.")
_account = click.option("--account", metavar="CODE", help="The account, if the folder holds several.")
_all = click.option("--all", "everything", is_flag=True, help="List every candidate, not only the first ones.")


@click.group("explain")
def command() -> None:
    """Say what would become of a message or a web request, and why.

    Reads the policies from the data folder and decides with the code that enforces them.
    """


@command.command("mail")
@data_option
@click.option("--from", "sender", required=True, metavar="ADDRESS", help="Envelope sender; '' for a bounce.")
@click.option("--to", "recipient", required=True, metavar="ADDRESS", help="Envelope recipient.")
@click.option("--header-from", metavar="TEXT", help="The From header.  [default: the envelope sender]")
@_ip
@_at
@_account
@_all
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
def mail(
    data: Path,
    sender: str,
    recipient: str,
    header_from: str | None,
    ip: str | None,
    at: str | None,
    account: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Explain a message, real or imagined."""
    item = ExplainMessage(sender, recipient, header_from, ip, at)
    told = _asked(
        data, account, lambda o, p: explain_message(p, o.house.ids, p.account_id, item, datetime.now(UTC))
    )
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        _print_message(told, item, everything)


@command.command("web")
@data_option
@click.argument("url")
@click.option("--user", metavar="ADDRESS", help="Who asks for it.  [default: nobody known]")
@_ip
@_at
@_account
@_all
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
def web(
    data: Path,
    url: str,
    user: str | None,
    ip: str | None,
    at: str | None,
    account: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Explain a web request, real or imagined."""
    item = ExplainWeb(url, user, ip, at)
    told = _asked(data, account, lambda o, p: explain_web(p, o.house.ids, p.account_id, item, datetime.now(UTC)))
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        _print_web(told, everything)


def _asked(data: Path, account_code: str | None, explain: Callable[[Opened, PolicySet], T]) -> T:
    opened = open_initialised(data, read_settings(data, {}))
    try:
        owner = _account_id(opened, account_code)
        return explain(opened, opened.house.follower.current(owner))
    except ItemRefused as refusal:
        fail("; ".join(f"{p.field}: {p.message}" for p in refusal.problems))
    finally:
        opened.close()


def _account_id(opened: Opened, code: str | None) -> str:
    codes = opened.store.look_up(accounts.codes)
    if code is None and len(codes) == 1:
        (only,) = codes.values()
        return only
    if code is None:
        fail(f"there are several accounts; name one with --account: {', '.join(sorted(codes))}")
    if code not in codes:
        fail(f"there is no account {code}")
    return codes[code]


def _print_message(told: MessageExplanation, item: ExplainMessage, everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    verdict = "refused" if told.verdict == "reject" else "delivered"
    console.print(f"From <{item.from_}> to <{item.to}>: {verdict}", markup=False, style="bold")
    if told.smtp_reply is not None:
        console.print(f"  reply        {told.smtp_reply} (at {told.stage})", markup=False)
    console.print(
        f"  settled by   {told.layer}" + (f": {told.description}" if told.description else ""), markup=False
    )
    console.print(f"  spam checks  {told.spam_checks}", markup=False)
    if told.recipient != item.to:
        console.print(f"  delivered to {told.recipient}", markup=False)
    for made in told.alterations:
        console.print(
            f"  altered      {made.address_type}: {made.original_address} -> {made.new_address}", markup=False
        )
    console.print(f"  revision     {told.revision}", markup=False)
    for step in told.steps:
        console.print(f"  - {step}", markup=False)
    _print_candidates(console, told.trace, everything, lambda c: (c.type, c.effect))


def _print_web(told: WebExplanation, everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{told.url}: {told.verdict}", markup=False, style="bold")
    if told.entry is not None:
        console.print(f"  entry     {told.entry.action} {told.entry.type} {told.entry.value}", markup=False)
    console.print(f"  revision  {told.revision}", markup=False)
    _print_candidates(
        console, told.trace, everything, lambda c: (c.entry.type, f"{c.entry.action} {c.entry.value}")
    )


Row = TypeVar("Row", CandidateAnswer, WebCandidateAnswer)


def _print_candidates(
    console: Console, trace: Sequence[Row], everything: bool, describe: Callable[[Row], tuple[str, str]]
) -> None:
    """A table of the candidates, those that applied first."""
    if not trace:
        return
    ordered = sorted(trace, key=lambda c: (c.place == 0, c.place))
    shown = ordered if everything else ordered[:SHOWN]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("place", "type", "policy", "effect", "why not", "order"):
        table.add_column(title, overflow="fold")
    for candidate in shown:
        kind, effect = describe(candidate)
        order = " ".join(f"{part:g}" for part in candidate.sort_key[:4])
        why = candidate.failed or candidate.note
        table.add_row(str(candidate.place or "-"), kind, candidate.description, effect, why, order)
    console.print()
    console.print(table)
    if len(shown) < len(ordered):
        console.print(f"{len(ordered) - len(shown)} more; --all lists them")
