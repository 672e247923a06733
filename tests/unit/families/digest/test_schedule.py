"""When a digest is due: each time of each local date once, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailreeve.families.digest.schedule import Schedule, Weekday, last_due, next_due, zone_of

BERLIN = "Europe/Berlin"
ZONES = (
    "UTC",
    BERLIN,
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Cairo",
)

times = st.times().map(lambda at: f"{at:%H:%M}")
schedules = st.builds(
    Schedule,
    st.sampled_from(ZONES),
    st.sets(times, min_size=1, max_size=4).map(sorted).map(tuple),
    st.sets(st.sampled_from(Weekday), min_size=1).map(tuple),
)
moments = st.integers(1_293_840_000, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def passes(schedule: Schedule, start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """The digests that whoever looks now and then sends, as the sender does it: what was due after the last."""
    handled, sent, now = start, [], start
    while now <= end:
        due = last_due(schedule, now)
        if due is not None and due > handled:
            sent.append(due)
            handled = due
        now += step
    return sent


def test_a_time_of_day_is_local() -> None:
    daily = Schedule(BERLIN, ("08:00",))
    assert last_due(daily, at("2026-07-01T12:00")) == at("2026-07-01T06:00")
    assert last_due(daily, at("2026-12-01T12:00")) == at("2026-12-01T07:00")
    assert next_due(daily, at("2026-12-01T12:00")) == at("2026-12-02T07:00")


def test_only_on_its_weekdays() -> None:
    """2026-11-27 is a Friday."""
    mondays = Schedule("UTC", ("08:00",), (Weekday.MON,))
    assert last_due(mondays, at("2026-11-27T09:00")) == at("2026-11-23T08:00")
    assert next_due(mondays, at("2026-11-27T09:00")) == at("2026-11-30T08:00")


def test_a_time_that_the_clocks_skip_is_due_once_they_have() -> None:
    """02:30 is not on 29 March 2026 in Berlin; an hour later it is due, and the day has its one digest."""
    daily = Schedule(BERLIN, ("02:30",))
    start, end = at("2026-03-28T12:00"), at("2026-03-30T12:00")
    assert passes(daily, start, end, timedelta(minutes=10)) == [
        at("2026-03-29T03:30", BERLIN),
        at("2026-03-30T02:30", BERLIN),
    ]


def test_a_time_that_the_clocks_show_twice_is_due_once() -> None:
    daily = Schedule(BERLIN, ("02:30",))
    start, end = at("2026-10-24T12:00"), at("2026-10-26T12:00")
    assert passes(daily, start, end, timedelta(minutes=10)) == [at("2026-10-25T00:30"), at("2026-10-26T01:30")]


def test_a_skipped_and_another_time_that_fall_together_are_one_digest() -> None:
    both = Schedule(BERLIN, ("02:30", "03:30"))
    start, end = at("2026-03-28T12:00"), at("2026-03-29T12:00")
    assert passes(both, start, end, timedelta(minutes=10)) == [at("2026-03-29T01:30")]


def test_a_day_that_is_skipped_is_not_missed() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    fridays = Schedule("Pacific/Apia", ("08:00",), (Weekday.FRI,))
    start, end = at("2011-12-28T00:00"), at("2012-01-08T00:00")
    assert passes(fridays, start, end, timedelta(hours=1)) == [at("2011-12-30T18:00"), at("2012-01-05T18:00")]


def test_many_missed_ones_are_one_digest() -> None:
    daily = Schedule("UTC", ("08:00",))
    start, end = at("2026-11-01T09:00"), at("2026-11-11T09:00")
    assert passes(daily, start, end, timedelta(days=10)) == [at("2026-11-11T08:00")]


def test_a_zone_has_to_be_one() -> None:
    for name in ("Europe", "Europe/Nowhere", "../etc/passwd", "/etc/localtime", "", "a\x00b"):
        with pytest.raises(ValueError, match="time zone"):
            zone_of(name)


def test_the_zones_that_are_tried_are_there() -> None:
    assert available_timezones().issuperset(ZONES)


@settings(max_examples=50)
@given(schedules, moments)
def test_the_last_one_is_past_the_next_one_is_not(schedule: Schedule, now: datetime) -> None:
    last, following = last_due(schedule, now), next_due(schedule, now)
    assert last is not None
    assert following is not None
    assert last <= now < following
    # Nothing is due between them.
    assert last_due(schedule, following - timedelta(microseconds=1)) == last
    assert next_due(schedule, last) == following


@settings(max_examples=50)
@given(schedules, moments)
def test_each_time_of_each_local_date_is_due_just_once(schedule: Schedule, now: datetime) -> None:
    """Against an independent reading: when a clock on the wall first shows the time, or would but for a skip."""
    due = []
    following = next_due(schedule, now)
    while following is not None and following < now + timedelta(days=10):
        due.append(following)
        following = next_due(schedule, following)
    assert due == sorted(set(due))
    zone = ZoneInfo(schedule.time_zone)
    expected = set()
    for offset in range(-2, 13):
        day: date = now.astimezone(zone).date() + timedelta(days=offset)
        if list(Weekday)[day.weekday()] in schedule.weekdays:
            for text in schedule.times:
                wall = datetime.combine(day, time.fromisoformat(text))
                before = min(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
                real = before if before.astimezone(zone).replace(tzinfo=None) == wall else _skipped(wall, zone)
                expected.add(real)
    assert set(due) == {one for one in expected if now < one < now + timedelta(days=10)}


def _skipped(wall: datetime, zone: ZoneInfo) -> datetime:
    """When a time that no clock showed is due: by the offset before the skip (RFC 5545 section 3.3.5)."""
    offset = wall.replace(tzinfo=zone, fold=0).utcoffset()
    assert offset is not None
    return (wall - offset).replace(tzinfo=UTC)
