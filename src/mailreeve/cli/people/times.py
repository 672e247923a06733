"""Points in time and spans, as they are typed and as they are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import click

_SPAN: Final = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}  # seconds


def span(text: str, option: str) -> timedelta:
    """A span such as `90d`, `12h` or `30m`. Raises `BadParameter`."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise click.BadParameter(f"{text!r} is no span such as 90d, 12h or 30m", param_hint=option)
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def moment(text: str, option: str) -> datetime:
    """A point in time in ISO 8601, without a zone in UTC; or a span from now. Raises `BadParameter`."""
    if _SPAN.fullmatch(text.strip().lower()):
        return datetime.now(UTC) + span(text, option)
    try:
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise click.BadParameter(
            f"{text!r} is neither a span such as 90d nor a time such as 2027-01-31T09:00", param_hint=option
        ) from problem


def shown(value: datetime | None) -> str:
    """A point in time for a reader; "never" for none."""
    return "never" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
