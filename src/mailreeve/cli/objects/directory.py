"""What the commands for domains, users and groups do alike: call, say what was refused, ask first, and list."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, ParamSpec, TypeVar

import click
import msgspec
from rich.console import Console

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.options import fail, misused
from mailreeve.cli.output import echo, say
from mailreeve.cli.tables import Column, print_table
from mailreeve.client import Client, Failure

P = ParamSpec("P")
R = TypeVar("R")

Row = Mapping[str, object]
Options = Mapping[str, tuple[str, str]]
"""From a member of an item to the option that it came from, and its value."""

LIMIT: Final = 100  # rows of a list, where nobody says how many
AT_ONCE: Final = 500  # rows that are fetched at once
UNCONFIRMED: Final = "err_policy_reach_unconfirmed"
_VALIDATION: Final = "err_validation"
_FOR: Final = re.compile(r"(\d{1,5})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def carried_out(api: Client, path: str, item: Row, options: Options) -> Row:
    """What one item gave; what is warned of is said. Where it is refused this ends the command, with exit code 2
    where only what was given is wrong, not what there is."""
    return _outcome(api, path, item, options, None)


def guarded(api: Client, path: str, item: Row, options: Options, *, yes: bool) -> Row:
    """As `carried_out`, of what may have a policy block a whole organisation: that is asked about first."""

    def confirmed() -> Row:
        return _outcome(api, path, {**item, "confirmReach": True}, options, None)

    return _outcome(api, path, {**item, "confirmReach": yes}, options, None if yes else confirmed)


def _outcome(api: Client, path: str, item: Row, options: Options, meant: Callable[[], Row] | None) -> Row:
    answer = api.send(path, item)
    if meant is not None and any(one.code == UNCONFIRMED for one in answer.failures):
        message = escaped_line(answer.failures[0].message)
        if not sys.stdin.isatty():
            fail(f"{message}, or give --yes")
        click.confirm(f"{message}.\nIs it meant?", err=True, abort=True)
        return meant()
    if answer.failures:
        told = [_told(one, options) for one in answer.failures]
        for text in told[:-1]:
            say(f"Error: {text}")
        wrong = all(one.code.startswith(_VALIDATION) and one.field in options for one in answer.failures)
        if wrong:
            misused(told[-1])
        fail(told[-1])
    for warning in answer.warnings:
        say(f"Warning: {warning}")
    return answer.data[0] if answer.data else {}


def _told(failure: Failure, options: Options) -> str:
    if failure.field is None or failure.field not in options:
        return failure.described(200)
    option, value = options[failure.field]
    return f"{option} {value}: {failure.message}"


def confirm_removal(what: Sequence[str], *, yes: bool) -> None:
    """Ask before something is removed for good. It ends the command unless that is meant."""
    if yes:
        return
    for line in what:
        say(escaped_line(line))
    if not sys.stdin.isatty():
        misused("give --yes to remove what is listed above: there is nobody to ask")
    click.confirm(f"Remove {'this' if len(what) == 1 else f'these {len(what)}'}?", err=True, abort=True)


def yes_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--yes`."""
    return click.option("--yes", is_flag=True, help="Do not ask first.")(function)


def limit_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--limit N`."""
    return click.option(
        "--limit",
        type=click.IntRange(min=0),
        default=LIMIT,
        show_default=True,
        metavar="N",
        help="List so many at most; 0 for all.",
    )(function)


def rows_of(api: Client, path: str, item: Row, *, member: str = "", limit: int = 0) -> Iterator[Row]:
    """The rows of a list, page after page, or what a member of each row holds. No more is fetched than is wanted.
    Raises `ApiError`."""
    size = min(limit + 1, AT_ONCE) if limit else AT_ONCE
    for row in api.every(path, item, page_size=size):
        if not member:
            yield row
            continue
        inner = row.get(member)
        yield from (one for one in inner if isinstance(one, dict)) if isinstance(inner, list) else ()


def show(
    rows: Iterator[Row],
    names: tuple[str, str],
    columns: Sequence[Column],
    cells: Callable[[Row], Sequence[str]],
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List rows, at most `limit`, 0 for all; it is told that some are left out. `names` are what they are called,
    one and several; that is the member of the JSON object too."""
    shown = list(islice(rows, limit or None))
    more = bool(limit) and next(rows, None) is not None
    if as_json:
        echo(msgspec.json.encode({names[1]: shown, "more": more}))
        return
    if not shown:
        say(f"no {names[0]}")
        return
    print_table(Console(highlight=False, soft_wrap=True), columns, map(cells, shown))
    if more:
        say(f"the first {len(shown)} {names[1]}; --limit {limit * 10} lists more, --limit 0 all")


def text(row: Row, name: str) -> str:
    """A member of a row that is a text; empty where there is none."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def texts(row: Row, name: str) -> list[str]:
    """A member of a row that is a list of texts."""
    value = row.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def moment(written: str) -> str:
    """A point in time as answers have it, for a reader."""
    try:
        return f"{datetime.fromisoformat(written).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return written


def end(until: str | None, duration: str | None) -> str | None:
    """When something ends that was given `--until` or `--for`; None where neither was."""
    if duration is None:
        return until
    if until is not None:
        misused("--until and --for: give one of them")
    found = _FOR.fullmatch(duration.strip())
    if found is None:
        misused(f"--for {duration!r}: write it like 12h, 30d or 6w")
    return (datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})).isoformat(timespec="seconds")
