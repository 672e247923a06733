"""What is asked about before it is done: a block of a whole organisation, and what cannot be undone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final, ParamSpec, TypeVar

import click

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.options import fail, misused
from mailreeve.cli.output import say
from mailreeve.cli.refusals import Options, said_of
from mailreeve.client import Answer, Client
from mailreeve.client.api import only

P = ParamSpec("P")
R = TypeVar("R")

CONFIRM: Final = "confirmReach"
UNCONFIRMED: Final = "err_policy_reach_unconfirmed"


REACH: Final = "Do not ask before a block of a whole organisation."
"""The help of `--yes` where that is what is asked about."""


def yes_option(help: str = "Do not ask first.") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`--yes`."""
    return click.option("--yes", is_flag=True, help=help)


def is_meant(message: str) -> bool:
    """Ask whether it is meant. False as well where nobody can answer."""
    return sys.stdin.isatty() and click.confirm(f"{escaped_line(message)}.\nIs it meant?", err=True)


def send_confirmed(api: Client, path: str, item: Mapping[str, object], *, yes: bool) -> Answer:
    """The answer to a call that may block a whole organisation, which is asked about first. What it warns of is
    said. Raises `ApiError` when it is refused."""
    answer = api.send(path, {**item, CONFIRM: yes})
    if any(failure.code == UNCONFIRMED for failure in answer.failures):
        words = answer.failures[0].message.partition("; if that is meant")[0]
        if not is_meant(words):
            fail(f"{words}; if that is meant, give --yes")
        answer = api.send(path, {**item, CONFIRM: True})
    return _told(answer)


def carried_out(api: Client, path: str, item: Mapping[str, object]) -> Answer:
    """The answer to a call that changes something. What it warns of is said. Raises `ApiError` when it is
    refused."""
    return _told(api.send(path, item))


def changed(
    api: Client, path: str, item: Mapping[str, object], options: Options, *, yes: bool | None = None
) -> Mapping[str, object]:
    """The row that comes of a change; a refusal is said of options. With `yes` given it is asked about first, see
    `send_confirmed`."""
    with said_of(options):
        if yes is None:
            return only(carried_out(api, path, item).data)
        return only(send_confirmed(api, path, item, yes=yes).data)


def _told(answer: Answer) -> Answer:
    answer.rows()
    for warning in answer.warnings:
        say(f"Warning: {warning}")
    return answer


def confirm_at_terminal(what: Sequence[str], *, yes: bool) -> None:
    """Ask before something is removed that is easily made again, where somebody can answer. What runs by itself
    goes on without `--yes`, as it always did."""
    if sys.stdin.isatty():
        confirm_removal(what, yes=yes)


def confirm_removal(what: Sequence[str], *, yes: bool) -> None:
    """Ask before something is removed for good. It ends the command unless that is meant."""
    if yes:
        return
    for line in what:
        say(escaped_line(line))
    if not sys.stdin.isatty():
        misused("give --yes to remove what is listed above: there is nobody to ask")
    click.confirm(f"Remove {'this' if len(what) == 1 else f'these {len(what)}'}?", err=True, abort=True)
