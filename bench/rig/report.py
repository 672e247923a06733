"""On which machine was this measured, and what came out?"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table


def machine() -> str:
    """Processor, number of cores, system and Python in one line."""
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


class Judged(Struct, frozen=True):
    """A figure that is to be no greater than its target, and what the plain way takes, where there is one."""

    what: str
    target: float
    measured: float
    unit: str
    plain: str = ""


def show_targets(title: str, judged: Sequence[Judged]) -> None:
    """Print what was aimed at and what was reached."""
    show(
        title,
        "",
        ("figure", "at most", "measured", "", "reached", "plain way"),
        [
            (
                one.what,
                f"{one.target:,g}",
                f"{one.measured:,.3g}" if one.measured < 100 else f"{one.measured:,.0f}",
                one.unit,
                "yes" if one.measured <= one.target else "NO",
                one.plain,
            )
            for one in judged
        ],
    )


def show(title: str, notes: str, columns: Sequence[str], rows: Sequence[Sequence[str] | None]) -> None:
    """Print one table, with the machine below it. None draws a line."""
    table = Table(
        title=title, caption=f"{notes}\n{machine()}".strip(), title_justify="left", caption_justify="left"
    )
    for n, name in enumerate(columns):
        table.add_column(name, justify="left" if n == 0 else "right")
    for row in rows:
        if row is None:
            table.add_section()
        else:
            table.add_row(*row)
    Console(width=None if os.isatty(1) else 110).print(table)


def median(values: Sequence[float]) -> float:
    """The middle value, which a disturbed round does not move."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    """Least and greatest value."""
    return f"{min(values):,.0f} to {max(values):,.0f}"


def ratios(values: Mapping[str, Sequence[float]], base: str) -> dict[str, float]:
    """Each subject's rate over the base's: the median of the ratios round by round, so that a slow phase of the
    machine, which hits both, does not count."""
    return {
        name: median([value / other for value, other in zip(rates, values[base], strict=True)])
        for name, rates in values.items()
    }
