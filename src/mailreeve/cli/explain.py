"""`mailreeve explain`: what would become of a message or a web request, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
from msgspec import UNSET, UnsetType
from rich.console import Console

from mailreeve.cli.folder import FolderError, Opened, open_initialised
from mailreeve.cli.options import account_option, data_option, ends_with, fail, json_option
from mailreeve.cli.tables import Column, print_table
from mailreeve.families.explain.operations import explain_message, explain_web
from mailreeve.families.explain.types import (
    ExpectedAnswer,
    ExplainMessage,
    ExplainWeb,
    MessageExplanation,
    WebExplanation,
)
from mailreeve.policy.decisions import PolicyType
from mailreeve.policy.order import RANKED
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.wording import TYPE_LAYERS
from mailreeve.settings import SettingsError
from mailreeve.settings import read as read_settings
from mailreeve.store.migrations import SchemaError
from mailreeve.wire.errors import ItemRefused

SHOWN: Final = 20  # rows of a table before `--all` is needed: with its head and foot it fits a screen of 24 lines

_TYPES: Final = {
    PolicyType.BLOCKED_SENDERS: "blocked",
    PolicyType.PERMITTED_SENDERS: "permitted",
    PolicyType.MANAGED_SENDERS: "personal",
    PolicyType.ADDRESS_ALTERATION: "alteration",
}
_EFFECTS: Final = {"block_sender": "blocks", "no_action": "exempts", "permit": "permits", "block": "blocks"}

T = TypeVar("T")

_at = click.option("--at", metavar="TIME", help="When, in ISO 8601; without a zone in UTC.  [default: now]")
_ip = click.option("--ip", metavar="IP", help="The address that the message or request comes from.")
_policy = click.option(
    "--policy", "policy_id", metavar="ID", help="A policy that you expected: say why it did not win."
)
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
@account_option
@_policy
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
    policy_id: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Explain a message, real or imagined."""
    item = ExplainMessage(sender, recipient, header_from, ip, at, policy_id)
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
@account_option
@_policy
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
    policy_id: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Explain a web request, real or imagined."""
    item = ExplainWeb(url, user, ip, at, policy_id)
    told = _asked(data, account, lambda o, p: explain_web(p, o.house.ids, p.account_id, item, datetime.now(UTC)))
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        _print_web(told, everything)


def _asked(data: Path, account_code: str | None, explain: Callable[[Opened, PolicySet], T]) -> T:
    opened = open_initialised(data, read_settings(data, {}))
    try:
        return explain(opened, opened.house.follower.current(opened.account_id(account_code)))
    except ItemRefused as refusal:
        fail("; ".join(f"{_OPTIONS.get(p.field or '', p.field)}: {p.message}" for p in refusal.problems))
    finally:
        opened.close()


_OPTIONS: Final = {"policyId": "--policy", "sourceIp": "--ip", "headerFrom": "--header-from"}


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
    _print_expected(console, told.expected)
    settled = next((type_ for type_, layer in TYPE_LAYERS.items() if layer is told.layer), None)
    ranked = sorted(told.trace, key=lambda c: (c.place == 0, c.place, c.type is not settled))
    _print_candidates(
        console,
        "policy",
        (
            (
                str(c.place or "-"),
                _TYPES[c.type],
                c.description.removeprefix(f"personal {c.effect} of "),
                _EFFECTS.get(c.effect, c.effect if "relay" in c.effect else "alters"),
                _order(c.sort_key),
                c.failed or c.note or _standing(c.place),
            )
            for c in ranked
        ),
        everything,
    )


def _print_web(told: WebExplanation, everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{told.url}: {told.verdict}", markup=False, style="bold")
    if told.entry is not None:
        console.print(f"  entry     {told.entry.action} {told.entry.type} {told.entry.value}", markup=False)
    console.print(f"  revision  {told.revision}", markup=False)
    _print_expected(console, told.expected)
    ranked = sorted(told.trace, key=lambda c: (c.place == 0, c.place))
    _print_candidates(
        console,
        "entry",
        (
            (
                str(c.place or "-"),
                c.entry.type,
                f"{c.entry.value} ({c.description})",
                c.entry.action,
                _order(c.sort_key),
                c.failed or c.note or _standing(c.place),
            )
            for c in ranked
        ),
        everything,
    )


def _print_expected(console: Console, expected: ExpectedAnswer | UnsetType) -> None:
    if expected is not UNSET:
        console.print(f"\n{expected.sentence}", markup=False, style="bold")


def _print_candidates(console: Console, named: str, rows: Iterable[Sequence[str]], everything: bool) -> None:
    """A table of the candidates, the best first: those that applied, then those that did not."""
    every = list(rows)
    if not every:
        return
    shown = every if everything else every[:SHOWN]
    columns = [
        Column("#"), Column("type"), Column(named, 3), Column("effect"), Column("order"), Column("why", 4)
    ]  # fmt: skip
    console.print()
    print_table(console, columns, shown, whole=everything)
    if len(shown) < len(every):
        console.print(f"{len(every) - len(shown)} more; --all lists them")


def _standing(place: int) -> str:
    return "won" if place == 1 else "outranked by the first"


def _order(sort_key: Sequence[float]) -> str:
    """What of the sort key says how narrow the policy is: the part before the ties are broken."""
    return " ".join(f"{part:g}" for part in sort_key[:RANKED])
