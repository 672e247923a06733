"""How a digest is to be: what is said is kept, and what cannot be is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from mailreeve.families.digest import rows
from mailreeve.families.machinery.call import InstallationOptions


def test_it_is_off_until_somebody_switches_it_on(office) -> None:
    answer = office.call("ext/get-digest")
    assert (answer.enabled, answer.time_zone, answer.times, answer.sender) == (
        False,
        "UTC",
        ("08:00",),
        f"postmaster@{office.domain}",
    )
    assert office.read(rows.find) is None


def test_the_next_one_is_told_in_the_zone_of_the_account(office) -> None:
    """Friday 27 November 2026, 09:00 UTC, is 10:00 in Berlin."""
    answer = office.call("ext/set-digest", enabled=True, timeZone="Europe/Berlin", times=["10:00", "08:00"])
    assert answer.times == ("08:00", "10:00")
    assert answer.next == "2026-11-28T07:00:00+0000"


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"times": ["25:00"]}, "times[0]"),
        ({"times": ["08:00", "8"]}, "times[1]"),
        ({"timeZone": "Europe"}, "timeZone"),
        ({"sender": "ann@elsewhere.test"}, "sender"),
        ({"groupId": "x" * 43}, "groupId"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_nothing_is_kept(office, item: dict, field: str) -> None:
    with pytest.raises(AssertionError, match=field.replace("[", r"\[")):
        office.call("ext/set-digest", **item)
    assert office.read(rows.find) is None


def test_without_a_public_url_it_can_be_prepared_and_not_switched_on(office) -> None:
    office.services = replace(office.services, installation=InstallationOptions())
    assert office.call("ext/set-digest", times=["07:00"]).times == ("07:00",)
    for path, item in (("ext/set-digest", {"enabled": True}), ("ext/send-digest", {})):
        with pytest.raises(AssertionError, match="err_digest_no_public_url"):
            office.call(path, **item)


def test_a_group_that_a_digest_is_for_cannot_be_deleted(office) -> None:
    group = office.call("directory/create-group", description="Sales")
    office.call("ext/set-digest", groupId=group.id)
    with pytest.raises(AssertionError, match="err_folder_in_use"):
        office.call("directory/delete-group", id=group.id)
    office.call("ext/set-digest", groupId="")
    office.call("directory/delete-group", id=group.id)


def test_a_change_that_is_none_is_no_change(office) -> None:
    office.call("ext/set-digest", enabled=True, times=["07:00"])
    before = office.read(rows.find)
    office.clock.now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    office.call("ext/set-digest", enabled=True, times=["07:00"])
    assert office.read(rows.find) == before
