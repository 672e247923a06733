"""`mailreeve replay`: what a draft of changes would have done to the messages of the past days."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Final

import click
import msgspec
from msgspec import UNSET
from rich.console import Console

from mailreeve.app.folder import FolderError
from mailreeve.app.library import open_account
from mailreeve.app.settings import SettingsError
from mailreeve.app.terminal import escaped_line
from mailreeve.cli.main import INTERRUPTED
from mailreeve.cli.options import (
    account_option,
    data_option,
    ends_with,
    json_option,
    refused,
)
from mailreeve.cli.output import echo
from mailreeve.cli.progress import progress_bar, waiting
from mailreeve.cli.tables import Column, print_table, wrapped
from mailreeve.cli.times import PAST, WHEN
from mailreeve.families.replay.types import Fate, Group, Named, ReplayAnswer, Step, WebChange, WebReplay
from mailreeve.policy.model.wording import quoted
from mailreeve.policy.replay.difference import Change
from mailreeve.store.migrations import SchemaError
from mailreeve.wire.errors import ItemRefused

SHOWN: Final = 20  # groups before `--all` is needed
INTERRUPTION: Final = "it was interrupted"

_WORDS: Final = {
    Change.NEWLY_REFUSED: "newly refused",
    Change.NEWLY_DELIVERED: "newly delivered",
    Change.NEWLY_HELD: "newly held",
    Change.REFUSED_DIFFERENTLY: "refused with another reply",
    Change.SPAM_CHECKS: "other spam checks",
    Change.ALTERED_DIFFERENTLY: "altered differently",
    Change.TAGGED_DIFFERENTLY: "tagged differently",
    Change.DEPENDS_ON_HEADER: "depends on the header",
}


@click.command("replay")
@click.option(
    "--draft",
    "file",
    required=True,
    type=click.File("rb"),
    help="A JSON file with the steps; - for standard input.",
)
@click.option("--since", default="7d", show_default=True, metavar=WHEN, help=f"Since then: {PAST}.")
@click.option(
    "--limit", "most", type=click.IntRange(min=1), metavar="N", help="Look at the newest N messages only."
)
@click.option("--all", "everything", is_flag=True, help="List every group, with examples.")
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
@data_option
@account_option
def command(
    data: Path,
    account: str | None,
    file: BinaryIO,
    since: str,
    most: int | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Say what a draft of changes would have done to the messages of the past days. Nothing is changed.

    The draft is a JSON list of steps, each an endpoint and its item:

    \b
    [{"call": "policy/blockedsenders/create-policy",
      "item": {"option": "block_sender", "policy": {
        "description": "No shop mail",
        "from": {"type": "email_domain", "emailDomain": "shop.test"},
        "to": {"type": "internal_addresses"}}}}]

    Ctrl-C ends the comparison; what was found until then is told, and the exit code is 130.

    \b
    mailreeve replay --draft draft.json --since 7d
    """
    try:
        draft = _read(file.read())
        with open_account(data, account) as opened:
            rehearsing = waiting("carrying out the draft, to undo it again")
            answer = opened.replay(draft, since=since, most=most, rehearsing=rehearsing, comparing=_shown)
    except ItemRefused as refusal:
        refused(refusal, {"since": "--since"})
    except KeyboardInterrupt:
        echo("Interrupted before there was anything to tell. Nothing was changed.", err=True)
        raise SystemExit(INTERRUPTED) from None
    if as_json:
        echo(msgspec.json.encode(answer))
    else:
        _print(answer, everything)
    if answer.why == INTERRUPTION:
        raise SystemExit(INTERRUPTED)


def _read(text: bytes) -> list[Step]:
    """The steps of a draft, in a list or as the member `draft` of an object."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise _bad_draft(f"this is no JSON: {problem}{_line_of(text, str(problem))}") from problem
    steps = value.get("draft") if isinstance(value, dict) else value
    if isinstance(value, dict) and "call" in value:
        raise _bad_draft("this is one step; a draft is a list of steps: put it in [ and ]")
    if not isinstance(steps, list):
        what = 'an object without a list "draft"' if isinstance(value, dict) else f"a {_KINDS[type(value)]}"
        raise _bad_draft(f"a draft is a list of steps, and this is {what}")
    found = []
    for n, step in enumerate(steps):
        try:
            found.append(msgspec.convert(step, Step))
        except msgspec.ValidationError as problem:
            why = _MISSING.sub(r'"\1" is missing', str(problem))
            raise _bad_draft(f'draft[{n}]: {why}; a step is {{"call": PATH, "item": {{…}}}}') from problem
    return found


_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
_KINDS: Final = {str: "text", int: "number", float: "number", bool: "truth value", type(None): "null"}


def _line_of(text: bytes, complaint: str) -> str:
    """The line that a complaint about a byte is about."""
    found = re.search(r"\(byte (\d+)\)", complaint)
    return "" if found is None else f", line {text.count(10, 0, int(found[1])) + 1}"


def _bad_draft(why: str) -> click.BadParameter:
    return click.BadParameter(why, param_hint="--draft")


@contextmanager
def _shown(total: int) -> Iterator[Callable[[int], str]]:
    """Show how far the comparison has got, and stop it at Ctrl-C."""
    with _interruption() as interrupted, progress_bar("messages", total) as report:

        def stop(looked_at: int) -> str:
            report(looked_at)
            return INTERRUPTION if interrupted() else ""

        yield stop


@contextmanager
def _interruption() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed since the block began. Pressed again, it ends the program as ever."""
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _print(answer: ReplayAnswer, everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    messages = f"{answer.differences} of {answer.looked_at} messages"
    headline = f"{messages} would fare differently, {answer.since} to {answer.until}"
    console.print(wrapped(headline, console.width, 2), style="bold", markup=False)
    for change, count in sorted(answer.changes.items(), key=lambda item: -item[1]):
        console.print(f"  {count:>8}  {_WORDS[change]}")
    if answer.undetermined:
        console.print(f"  {answer.undetermined:>8}  refused before the header was seen, on which it may depend")
    if answer.unreadable:
        console.print(f"  {answer.unreadable:>8}  records could not be read")
    if answer.truncated:
        console.print(f"There is more: {answer.why}.")
    if answer.web is not UNSET:
        _print_web(console, answer.web, everything)
    for warning in answer.warnings:
        console.print(wrapped(f"Warning: {warning}", console.width, 2), markup=False, emoji=False)
    shown = answer.groups if everything else answer.groups[:SHOWN]
    if everything:
        for group in shown:
            _print_whole(console, group)
        if len(shown) < answer.group_count:
            console.print(f"\n{answer.group_count - len(shown)} more groups, all smaller")
    elif shown:
        console.print()
        columns = [
            Column("count"),
            Column("change"),
            Column("step"),
            Column("by", 2),
            Column("from", 2),
            Column("to", 2),
        ]
        print_table(console, columns, [_row(group) for group in shown])
        left = answer.group_count - len(shown)
        console.print(f"{f'{left} more groups; ' if left else ''}--all tells more about each, with examples")


def _print_web(console: Console, web: WebReplay, everything: bool) -> None:
    console.print(f"{web.differences} of {web.looked_at} web requests would fare differently", style="bold")
    for change, count in sorted(web.changes.items(), key=lambda item: -item[1]):
        console.print(f"  {count:>8}  {_WEB_WORDS[change]}")
    for example in web.examples if everything else web.examples[:SHOWN]:
        by = f" by {example.entry} of {quoted(example.policy)}" if example.entry else ""
        text = f"  {example.at} {example.url} for {example.user or example.client or '-'}: "
        words = escaped_line(f"{text}{_WEB_WORDS[example.change]}{by}")
        console.print(wrapped(words, console.width, 4), markup=False, emoji=False)


_WEB_WORDS: Final = {
    WebChange.NOW_BLOCKED: "blocked",
    WebChange.NO_LONGER_BLOCKED: "no longer blocked",
    WebChange.PASSES_OTHERWISE: "passing by another rule",
}


def _row(group: Group) -> tuple[str, ...]:
    return (
        str(group.count),
        _WORDS[group.change],
        "-" if group.cause is None or group.cause.step is None else str(group.cause.step),
        "-" if group.cause is None else group.cause.description,
        _named(group.senders, group.sender_count, group.more_senders),
        _named(group.recipients, group.recipient_count, group.more_recipients),
    )


def _cause(group: Group) -> str:
    if group.cause is None:
        return "-"
    step = "" if group.cause.step is None else f" (step {group.cause.step})"
    return f"{group.cause.description}{step}"


def _named(addresses: Sequence[Named], total: int, more: bool) -> str:
    first = (addresses[0].address or "<>") if addresses else ""
    return first if total < 2 else f"{total}{'+' if more else ''}, as {first}"


def _print_whole(console: Console, group: Group) -> None:
    def tell(text: str, indent: int, style: str = "") -> None:
        console.print(wrapped(text, console.width, indent), style=style, markup=False, emoji=False)

    console.print()
    tell(f"{group.count} {_WORDS[group.change]} by {_cause(group)}", 2, "bold")
    for title, addresses, total in (
        ("from", group.senders, group.sender_count),
        ("to", group.recipients, group.recipient_count),
    ):
        shown = ", ".join(f"{named.address or '<>'} ({named.count})" for named in addresses)
        more = "" if total <= len(addresses) else f" and {total - len(addresses)} more"
        tell(f"  {title:<5} {shown}{more}", 8)
    for example in group.examples:
        then, now = _fate(example.before), _fate(example.after)
        tell(f"  {example.at} <{example.sender}> to <{example.recipient}> [{example.decision_id}]", 4)
        tell(f"    now: {then}; with the draft: {now}", 6)


def _fate(fate: Fate) -> str:
    return fate.smtp_reply or f"{'delivered to' if fate.held is UNSET else 'held for'} {fate.recipient}"
