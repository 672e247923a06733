"""Points in time and spans: how options have them written, and how they are shown.

What is to come is read here. What is past, as `--since` has it, is read by the API itself, which knows the time of
the server: `wire.fields.moment_or_ago`. Both know the same units.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from mailreeve.cli.options import misused

WHEN: Final = "SPAN|TIME"
"""How an option that takes either is shown in a help."""

COMING: Final = "30m, 12h, 7d or 2w from now, a date, or a time in ISO 8601 (UTC)"
PAST: Final = "30m, 12h, 7d or 2w ago, a date, or a time in ISO 8601 (UTC)"

_SPAN: Final = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str, option: str) -> timedelta:
    """A span such as `90d`, `12h` or `30m`. It ends the command where it is none."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        misused(f"{option} {text!r}: write it like 30m, 12h, 7d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def coming(text: str | None, option: str) -> str | None:
    """A point in time as the API takes it, written as a date, a time, or a span from now; None for none. It ends
    the command where it is none of these."""
    if text is None:
        return None
    if _SPAN.fullmatch(text.strip().lower()):
        try:
            return (datetime.now(UTC) + span(text, option)).isoformat(timespec="seconds")
        except OverflowError:
            misused(f"{option} {text!r}: that is too long; leave it out for ever")
    try:
        # The API reads it once more: how the end of a day is meant is for each family to say.
        datetime.fromisoformat(text.strip())
    except ValueError:
        misused(
            f"{option} {text!r}: write 30m, 12h, 7d or 2w, a date as 2026-12-31, or a time as 2026-12-31T18:00"
        )
    return text.strip()


def past(text: str | None, option: str) -> str | None:
    """A point in time as the API takes it, written as a date, a time, or how long ago; None for none. It ends the
    command where it is none of these."""
    if text is None or not _SPAN.fullmatch(text.strip().lower()):
        return coming(text, option)
    try:
        return (datetime.now(UTC) - span(text, option)).isoformat(timespec="seconds")
    except OverflowError:
        misused(f"{option} {text!r}: that is longer ago than time goes back")


def shown(written: object, none: str = "") -> str:
    """A point in time of an answer, for a reader: `2026-12-31 18:00 UTC`; `none` where there is none."""
    return f"{found} UTC" if (found := in_column(written)) else none


def in_column(written: object) -> str:
    """The same below a title that says that it is UTC; empty where there is none."""
    if isinstance(written, datetime):
        return f"{written.astimezone(UTC):%Y-%m-%d %H:%M}"
    return in_column(datetime.fromisoformat(written)) if isinstance(written, str) and written else ""
