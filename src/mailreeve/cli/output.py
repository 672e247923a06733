"""What a command prints: answers on standard output, everything else on standard error, nothing that acts."""

from __future__ import annotations

import shutil
import sys
import textwrap

import click

from mailreeve.app.terminal import escaped


def echo(text: str | bytes, *, err: bool = False, newline: bool = True) -> None:
    """Print lines of text or JSON."""
    click.echo(escaped(text if isinstance(text, str) else text.decode()), err=err, nl=newline)


def say(text: str) -> None:
    """Say something on standard error: a line for programs, and on a terminal broken between words."""
    text = escaped(text)
    if sys.stderr.isatty():
        text = "\n".join(broken(text, shutil.get_terminal_size().columns))
    click.echo(text, err=True)


def counted(many: int, what: str, *, none: str = "0") -> str:
    """How many there are, in words for people: `1 body`, `2,000 bodies`; `none` says that there is none."""
    several = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{f'{many:,}' if many else none} {what if many == 1 else several}"


def broken(text: str, width: int) -> list[str]:
    """The text in lines of that width, those after the first indented. A longer word stays whole, to be copied."""
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
