"""`mailreeve lint`: which policies can never win, win by chance, or come to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console

from mailreeve.app.folder import FolderError
from mailreeve.app.library import open_account
from mailreeve.app.settings import SettingsError
from mailreeve.cli.options import account_option, data_option, ends_with, json_option, refused
from mailreeve.cli.output import counted, echo
from mailreeve.cli.progress import progress_bar, waiting
from mailreeve.cli.tables import Column, print_table, wrapped
from mailreeve.families.lint.types import FindingAnswer, LintAnswer
from mailreeve.policy.lint.findings import FindingKind, Level
from mailreeve.policy.lint.linter import Progress, size
from mailreeve.store.migrations import SchemaError
from mailreeve.wire.errors import ItemRefused

SHOWN: Final = 10  # findings before `--all` is needed
LARGE: Final = 20_000  # policies and entries from which on progress is shown


_KINDS: Final = "Kinds: " + ", ".join(kind.value for kind in FindingKind) + "."


@click.command("lint", epilog=_KINDS)
@click.option(
    "--kind",
    metavar="KIND",
    type=click.Choice([kind.value for kind in FindingKind]),
    help="Findings of this kind only; the kinds are listed below.",
)
@click.option("--at", metavar="TIME", help="As of when, in ISO 8601; without a zone in UTC.  [default: now]")
@click.option("--all", "everything", is_flag=True, help="List every finding, with what to do about it.")
@click.option("--strict", is_flag=True, help="Exit with 1 if there is any warning.")
@json_option
@ends_with(FolderError, SettingsError, SchemaError, OSError)
@data_option
@account_option
def command(
    data: Path,
    account: str | None,
    kind: str | None,
    at: str | None,
    everything: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Say which policies can never win, win by chance, or come to nothing.

    A warning wants something done; a note may be as intended. Exit code 0 whatever is found, unless --strict is
    given: then 1 if there is any warning.

    \b
    mailreeve lint --strict
    """
    try:
        with open_account(data, account) as opened:
            with waiting("reading the policies"):
                policies = opened.policies
            with _shown_progress(size(policies)) as report:
                answer = opened.lint(kind=None if kind is None else FindingKind(kind), at=at, report=report)
    except ItemRefused as refusal:
        refused(refusal, {"at": "--at", "kind": "--kind"})
    if as_json:
        echo(msgspec.json.encode(answer))
    else:
        _print(answer, everything)
    if strict and any(finding.level is Level.WARNING for finding in answer.findings):
        raise SystemExit(1)


@contextmanager
def _shown_progress(total: int) -> Iterator[Progress]:
    if total < LARGE:
        yield lambda looked_at: None
        return
    with progress_bar("policies", total) as report:
        yield report


def _print(answer: LintAnswer, everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    warnings = sum(1 for finding in answer.findings if finding.level is Level.WARNING)
    notes = len(answer.findings) - warnings
    found = f"{counted(warnings, 'warning', none='no')}, {counted(notes, 'note', none='no')}"
    console.print(f"{found} at revision {answer.revision}", style="bold")
    shown = answer.findings if everything else answer.findings[:SHOWN]
    if everything:
        for finding in shown:
            _print_whole(console, finding)
    elif shown:
        console.print()
        columns = (Column("level"), Column("policy", 1), Column("why", 2))
        print_table(console, columns, map(_row, shown), whole=True)
        left = len(answer.findings) - len(shown)
        console.print(f"{left} more; --all lists them, and says" if left else "--all says", end=" ")
        console.print("what to do about each")


def _row(finding: FindingAnswer) -> tuple[str, str, str]:
    description = finding.policies[0].description
    return finding.level, description, finding.why.removeprefix(f'"{description}" ')


def _print_whole(console: Console, finding: FindingAnswer) -> None:
    title = f"{finding.level}: {finding.kind.replace('_', ' ')}"
    console.print(f"\n{title}", style="bold" if finding.level is Level.WARNING else "", markup=False)
    for text in (f"{finding.why}.", finding.advice):
        console.print(wrapped(f"  {text}", console.width, 2), markup=False, emoji=False)
    for subject in finding.policies:
        text = f"    {subject.type.replace('_', ' ')} {subject.id}  {subject.description}"
        console.print(wrapped(text, console.width, 6), markup=False, emoji=False)
    if finding.count > len(finding.policies):
        console.print(f"    {finding.count} in all", markup=False)
