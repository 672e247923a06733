"""Serials go up, whatever revisions do, and come round (RFC 1982)."""

import pytest

from mailreeve.policy.zone.serials import SERIALS, is_later, next_serial


@pytest.mark.parametrize(
    ("last", "revision", "serial"),
    [
        (None, 7, 7),
        (None, 0, 1),
        (7, 9, 9),
        (7, 7, 8),  # time alone changed it
        (9, 8, 10),
        (SERIALS - 1, SERIALS - 1, 1),  # zero is left out
        (SERIALS - 1, SERIALS + 5, 5),
        (5, SERIALS + 5, 6),
    ],
)
def test_the_next_serial_is_the_revision_where_that_is_later(last, revision, serial):
    assert next_serial(last, revision) == serial
    assert last is None or is_later(serial, last)


@pytest.mark.parametrize(
    ("one", "other", "later"),
    [(1, 0, True), (0, 1, False), (5, 5, False), (1, SERIALS - 1, True), (SERIALS - 1, 1, False)],
)
def test_which_is_later(one, other, later):
    assert is_later(one, other) is later
