"""Which columns do the files of each kind have?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import click
import msgspec

from mailreeve.cli.objects.table_file import ATTRIBUTE, Columns, Format
from mailreeve.families.bulk.kinds import KINDS

P = ParamSpec("P")
R = TypeVar("R")

ATTRIBUTES: Final = "attributes"
"""The member of a row that attributes are in."""


def kind_argument(function: Callable[P, R]) -> Callable[P, R]:
    """`KIND`."""
    return click.argument("kind", type=click.Choice(list(KINDS)), metavar="KIND")(function)


def format_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--format csv|jsonl`."""
    return click.option(
        "--format",
        "written",
        type=click.Choice([one.value for one in Format]),
        callback=_format,
        help="How rows are written.  [default: what the suffix of FILE says, else CSV]",
    )(function)


def _format(context: click.Context, parameter: click.Parameter, value: str | None) -> Format | None:
    return None if value is None else Format(value)


def columns_of(kind: str) -> Columns:
    """The columns of a kind, in order."""
    fields = msgspec.structs.fields(KINDS[kind].row)
    names = [field.encode_name for field in fields if field.encode_name != ATTRIBUTES]
    required = [field.encode_name for field in fields if field.required]
    return Columns(names, required, len(names) < len(fields))


def folded(row: dict[str, object]) -> dict[str, object]:
    """A row as the API takes it: its attributes in one member."""
    held = {name.removeprefix(ATTRIBUTE): value for name, value in row.items() if name.startswith(ATTRIBUTE)}
    if not held:
        return row
    plain = {name: value for name, value in row.items() if not name.startswith(ATTRIBUTE)}
    return plain | {ATTRIBUTES: held}


def unfolded(row: dict[str, object]) -> dict[str, object]:
    """A row of the API with a column for each attribute."""
    held = row.pop(ATTRIBUTES, None)
    if isinstance(held, dict):
        row |= {f"{ATTRIBUTE}{name}": value for name, value in held.items()}
    return row
