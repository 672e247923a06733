"""How does a long command show that it is getting on? On standard error, so that answers stay clean."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

EVERY: Final = 5.0  # seconds between two lines where no bar can be drawn


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function that takes how many of `total` are done. A bar on a terminal, now and then a line elsewhere."""
    if not sys.stderr.isatty():
        yield _lines(what, total)
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def reported() -> Iterator[Callable[[str, int, int], None]]:
    """A function that takes what is being done, how much is done and how much there is, one thing after another. A
    bar on a terminal, now and then a line elsewhere."""
    if not sys.stderr.isatty():
        lines: dict[str, Callable[[int], None]] = {}

        def say(what: str, done: int, total: int) -> None:
            if what not in lines:
                lines[what] = _lines(what, total)
            lines[what](done)

        yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield show


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on a terminal what is going on, until it is done. For what cannot tell how far it has got."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(what):
        yield


def _lines(what: str, total: int) -> Callable[[int], None]:
    said = time.monotonic()

    def report(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= EVERY:
            said = now
            click.echo(f"{done} of {total} {what}", err=True)

    return report
