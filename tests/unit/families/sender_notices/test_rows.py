"""The notices of a day are counted for each address, whatever way it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailreeve.families.sender_notices import rows
from mailreeve.formats.addresses import parse_address

ANN, BOB = parse_address("ann@corp.test"), parse_address("bob@corp.test")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_the_notices_of_a_day_are_counted(account, other_account) -> None:
    def at(hours: float, work) -> None:
        work.now = NOON + timedelta(hours=hours)

    def add(work) -> None:
        for hours, whom in ((0, ANN), (1, parse_address("ANN@Corp.test")), (1, BOB)):
            at(hours, work)
            rows.add(work, whom)

    def counted(hours: float):
        def count(work) -> tuple[int, int]:
            at(hours, work)
            return rows.lately(work, ANN), rows.lately(work, BOB)

        return count

    account.write(add)
    assert account.write(counted(2)) == (2, 1)
    assert account.write(counted(24)) == (1, 1)
    assert account.write(counted(25)) == (0, 0)
    assert other_account.write(counted(2)) == (0, 0)


def test_what_is_older_is_forgotten(account) -> None:
    def add(work) -> None:
        for days in range(5):
            work.now = NOON + timedelta(days=days)
            rows.add(work, ANN)

    account.write(add)
    assert account.write(lambda work: work.execute(rows.notice.select()).all().__len__()) == 1
