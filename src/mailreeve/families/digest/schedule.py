"""When is a digest due? Times of day on some weekdays, in a time zone; pure.

A time of day that the clocks skip is due when they have skipped it, one that they show twice the first time only
(the rule of RFC 5545 section 3.3.5). So each local date has each of its times once, and none is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

# A week, and the days by which a local date may differ from that in UTC, or be skipped (Apia, 2011-12-30).
_DAYS: Final = 7 + 2
_A_DAY: Final = timedelta(days=1)


class Weekday(StrEnum):
    """A day of the week, in the order of `date.weekday`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_ORDER: Final = tuple(Weekday)


class Schedule(Struct, frozen=True):
    """Times of day, `HH:MM` in 24 hours, on these weekdays, in the time zone of this IANA name."""

    time_zone: str = "UTC"
    times: tuple[str, ...] = ("08:00",)
    weekdays: tuple[Weekday, ...] = _ORDER


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises `ValueError` where there is none of it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:  # a folder of zones, such as Europe, is an OSError
        raise ValueError(f"there is no time zone {name}") from problem


def last_due(schedule: Schedule, now: datetime) -> datetime | None:
    """The last instant at which a digest was due, not after `now`; None for a schedule without times or weekdays.
    Raises `ValueError` where the time zone is not known."""
    return max((at for at in _around(schedule, now, -_DAYS, 2) if at <= now), default=None)


def next_due(schedule: Schedule, now: datetime) -> datetime | None:
    """The first instant after `now` at which a digest is due; None for a schedule without times or weekdays.
    Raises `ValueError` where the time zone is not known."""
    return min((at for at in _around(schedule, now, -2, _DAYS) if at > now), default=None)


def _around(schedule: Schedule, now: datetime, first: int, last: int) -> Iterator[datetime]:
    """The instants at which a digest is due on the local dates from so many days before or after today on."""
    zone = zone_of(schedule.time_zone)
    today = now.astimezone(zone).date()
    times = [time.fromisoformat(text) for text in schedule.times]
    for offset in range(first, last + 1):
        day: date = today + offset * _A_DAY
        if _ORDER[day.weekday()] in schedule.weekdays:
            for at in times:
                yield datetime.combine(day, at, zone).astimezone(UTC)
