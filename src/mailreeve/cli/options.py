"""Options that several commands share, and how a command ends when it cannot do its work."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final, NoReturn, ParamSpec, TypeVar

import click

from mailreeve.app.settings import CONFIG, DEFAULT_DATA, OptionError
from mailreeve.app.terminal import said_of
from mailreeve.cli.output import say
from mailreeve.wire.errors import ItemRefused

P = ParamSpec("P")
R = TypeVar("R")


def data_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--data DIR`, and `--config FILE` for its settings where they are kept elsewhere."""
    with_config = click.option(
        "--config",
        type=click.Path(dir_okay=False),
        envvar=CONFIG,
        show_envvar=True,
        expose_value=False,
        callback=_use_config,
        help="The file of settings.  [default: mailreeve.toml in DATA]",
    )(function)
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_DATA,
        envvar="MAILREEVE_DATA",
        show_default=True,
        help="The data folder.",
    )(with_config)


def _use_config(context: click.Context, option: click.Parameter, value: str | None) -> None:
    """Have the command, and whatever it starts, read its settings from this file."""
    if not value:
        return
    before = os.environ.get(CONFIG)
    os.environ[CONFIG] = value

    def restore() -> None:
        if before is None:
            os.environ.pop(CONFIG, None)
        else:
            os.environ[CONFIG] = before

    context.call_on_close(restore)


def account_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--account CODE`."""
    return click.option("--account", metavar="CODE", help="The account, if the folder holds several.")(function)


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


_CSV: Final = "mailreeve.csv"


def csv_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--csv`, of which `wants_csv` tells."""
    return click.option(
        "--csv", is_flag=True, expose_value=False, callback=_keep_csv, help="Print CSV, a line for each."
    )(function)


def _keep_csv(context: click.Context, option: click.Parameter, value: bool) -> None:
    context.meta[_CSV] = value


def wants_csv(*, as_json: bool = False) -> bool:
    """Whether the command that runs was given `--csv`. With `--json` as well it ends the command."""
    context = click.get_current_context(silent=True)
    found = context is not None and bool(context.meta.get(_CSV))
    if found and as_json:
        misused("--csv: give either --csv or --json")
    return found


def ends_with(*expected: type[Exception]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Turn these exceptions into a message on standard error and exit code 1, a wrong option into exit code 2."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except OptionError as problem:
                misused(said_of(problem))
            except expected as problem:
                fail(said_of(problem))

        return run

    return wrap


class _Failed(click.ClickException):
    """The last thing that is said about why it could not be done."""

    def show(self, file: IO[str] | None = None) -> None:
        say(f"Error: {self.format_message()}")


def fail(*messages: str) -> NoReturn:
    """Say why it could not be done, a line per message, and end with exit code 1."""
    *earlier, last = messages
    for message in earlier:
        say(f"Error: {message}")
    raise _Failed(last)


class _Misused(_Failed):
    exit_code = 2


def misused(message: str) -> NoReturn:
    """Say in a line what is wrong with the command as it was given, and end with exit code 2."""
    raise _Misused(message)


def refused(refusal: ItemRefused, options: Mapping[str, str]) -> NoReturn:
    """Say why an item was refused, its members named as the options that they came from.

    It ends with exit code 2 where options alone are wrong, with 1 where a member is of a file.
    """
    text = "; ".join(f"{_with_value(options.get(p.field or '', p.field))}: {p.message}" for p in refusal.problems)
    if all(p.field in options for p in refusal.problems):
        misused(text)
    fail(text)


def _with_value(option: str | None) -> str:
    """An option of the command that runs, with the value that it was given."""
    context = click.get_current_context(silent=True)
    for parameter in context.command.params if context is not None else ():
        names = (*parameter.opts, parameter.make_metavar(context) if context else "")
        if option in names and context is not None and parameter.name is not None:
            value = context.params.get(parameter.name)
            return f"{option} {value!r}" if isinstance(value, str) else str(option)
    return str(option)
