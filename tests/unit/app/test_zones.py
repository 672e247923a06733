"""Zones are kept as the policies are: by what a resolver would be sent, with the serial that it would have.

A keeper works on a real folder, without sockets; time is handed to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import dns.name
import pytest

from mailreeve.access.caller import Origin
from mailreeve.app.folder import Opened
from mailreeve.app.folder_api import URL, FolderApi
from mailreeve.app.new_account import initialise
from mailreeve.app.server.zones import ZoneKeeper
from mailreeve.app.settings import Settings
from mailreeve.app.zone_file import zone_lines
from mailreeve.client import Client
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.web_zones import operations, rows
from mailreeve.policy.zone.rules import of_below, of_itself
from mailreeve.web.dns.records import Style
from mailreeve.web.dns.zone import Zone

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC).timestamp()
CREATE = "policy/webwhiteurl/create-policy-with-targets"
DELETE = "policy/webwhiteurl/delete-policy-with-targets"


class Office:
    """An open folder, its API, and what time it is for its zones."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        ((self.code, self.account_id),) = opened.store.look_up(accounts.codes).items()
        self.now = START
        self.told: list[Zone] = []
        self.api = Client(URL, None, transport=FolderApi(opened.services, self.account_id))

    def block(self, name: str, *, action: str = "block", locations: tuple[str, ...] = (), **scope: object) -> str:
        target: dict[str, object] = {"description": name, "from": {"type": "everyone"}, **scope}
        item = {
            "description": name,
            "policies": [target],
            "urls": [{"action": action, "type": "domain", "value": name}],
        }
        if locations:
            target["locations"] = [{"location": one} for one in locations]
        (made,) = self.api.call(CREATE, item)
        return str(made["id"])

    def keeper(self, style: Style = Style()) -> ZoneKeeper:  # noqa: B008 - immutable
        return ZoneKeeper(self.opened, style, self.told.append, self.time)

    def time(self) -> float:
        return self.now

    def zone_name(self, label: str = "everyone") -> dns.name.Name:
        return dns.name.from_text(f"{label}.{self.code.lower()}.rpz.mailreeve")


@pytest.fixture
def office(tmp_path: Path, own_log: None) -> Iterator[Office]:
    initialise(tmp_path / "data", ("corp.test",), None)
    opened = Opened(tmp_path / "data", Settings())
    with opened.store.feed.watched():
        yield Office(opened)
    opened.close()


def running(office: Office, steps: Callable[[ZoneKeeper], object], style: Style = Style()) -> object:  # noqa: B008
    """What comes of some steps while a keeper runs."""

    async def run() -> object:
        keeper = office.keeper(style)
        await keeper.begin()
        task = asyncio.create_task(keeper.run())
        try:
            async with asyncio.timeout(60):
                return await steps(keeper)
        finally:
            task.cancel()

    return asyncio.run(run())


async def until(office: Office, serial: int) -> Zone:
    """The zone that is told of with this serial, or a later one."""
    while not office.told or office.told[-1].serial < serial:
        await asyncio.sleep(0.005)
    return office.told[-1]


def said(zone: Zone) -> dict[str, tuple[int, int]]:
    return {host: (of_itself(what), of_below(what)) for host, what in zone.names.items()}


def test_a_zone_is_made_once_somebody_asks_and_follows_each_change(office):
    office.block("bad.test")

    async def steps(keeper):
        assert await keeper.find(dns.name.from_text("everyone.nobody.rpz.mailreeve")) is None
        assert await keeper.find(dns.name.from_text("everyone.other.test")) is None
        assert office.told == []
        served = await keeper.find(office.zone_name())
        first = served.zone
        assert said(first) == {"bad.test": (2, 2)}
        id_ = await asyncio.to_thread(office.block, "worse.test")
        second = await until(office, first.serial + 1)
        assert second is served.zone
        assert second.since(first.serial) == {"worse.test": (0, 8)}
        await asyncio.to_thread(office.api.call, DELETE, {"id": id_})
        third = await until(office, second.serial + 1)
        assert said(third) == said(first)
        return first, second, third

    serials = [zone.serial for zone in running(office, steps)]
    assert serials == sorted(set(serials))


def test_the_serial_is_the_revision_and_a_restart_leaves_it_alone(office):
    office.block("bad.test")
    office.api.call("user/create-user", {"emailAddress": "ann@corp.test"})  # a revision that no zone sees

    async def look(keeper):
        return (await keeper.find(office.zone_name())).zone

    first = running(office, look)
    revision = office.opened.services.follower.current(office.account_id).revision
    assert first.serial == revision
    office.api.call("user/create-user", {"emailAddress": "bob@corp.test"})
    assert running(office, look).serial == first.serial
    other = running(office, look, Style((ip_address("192.0.2.80"),)))
    assert other.serial == revision + 1


def test_time_changes_a_zone_without_a_revision_and_later_revisions_come_after(office):
    office.block("later.test", fromDate="2030-01-01T13:00:00+0000", toDate="2030-01-01T14:00:00+0000")

    async def steps(keeper):
        served = await keeper.find(office.zone_name())
        zones = [served.zone]
        for hour in (1, 2):
            office.now = START + hour * 3_600
            keeper.wake()
            zones.append(await until(office, zones[-1].serial + 1))
        await asyncio.to_thread(office.block, "now.test")
        zones.append(await until(office, zones[-1].serial + 1))
        return zones

    zones = running(office, steps)
    assert [set(zone.names) for zone in zones] == [set(), {"later.test"}, set(), {"now.test"}]
    revision = office.opened.services.follower.current(office.account_id).revision
    assert [zone.serial for zone in zones] == [revision - 1, revision, revision + 1, revision + 2]

    async def look(keeper):
        return (await keeper.find(office.zone_name())).zone.serial

    assert running(office, look) == zones[-1].serial


def test_the_next_turn_of_a_list_wakes_the_keeper(office, monkeypatch):
    """It sleeps until then, and no longer."""
    office.block("later.test", fromDate="2030-01-01T13:00:00+0000")
    office.now = START + 3_600 - 0.2
    began = time.monotonic()
    monkeypatch.setattr(Office, "time", lambda self: self.now + time.monotonic() - began)

    async def steps(keeper):
        first = (await keeper.find(office.zone_name())).zone
        return first, await until(office, first.serial + 1)

    first, second = running(office, steps)
    assert (set(first.names), set(second.names)) == (set(), {"later.test"})


def test_a_location_has_a_zone_with_all_that_holds_there(office):
    office.api.call("ext/create-web-location", {"name": "Head Office", "networks": ["192.0.2.0/24"]})
    office.block("bad.test")
    office.block("here.test", locations=("Head Office",))
    office.block("bad.test", action="allow", locations=("Head Office",))

    async def steps(keeper):
        everyone = await keeper.find(office.zone_name())
        here = await keeper.find(office.zone_name("at-head-office"))
        return said(everyone.zone), said(here.zone)

    everyone, here = running(office, steps)
    assert everyone == {"bad.test": (2, 2)}
    assert here == {"bad.test": (1, 1), "here.test": (2, 2)}
    (status,) = office.api.call("ext/get-web-zones", {})
    assert [(zone["location"], zone["names"]) for zone in status["zones"]] == [("", 1), ("Head Office", 2)]
    assert [zone["notSaid"] for zone in status["zones"]] == [[], []]


def test_a_serial_that_cannot_be_kept_is_tried_again_and_nothing_is_lost(office, monkeypatch):
    async def steps(keeper):
        served = await keeper.find(office.zone_name())
        first = served.zone
        broken = [True]
        settle = rows.settle

        def fail_once(*arguments):
            if broken.pop() if broken else False:
                raise OSError("the disk is full")
            return settle(*arguments)

        monkeypatch.setattr(rows, "settle", fail_once)
        await asyncio.to_thread(office.block, "bad.test")
        second = await until(office, first.serial + 1)
        return second.since(first.serial)

    assert running(office, steps) == {"bad.test": (0, 8)}


def test_keys_are_at_hand_as_soon_as_they_are_made_and_no_longer(office):
    def write(action):
        return office.opened.store.write(office.account_id, Origin("test"), action)

    async def steps(keeper):
        served = await keeper.find(office.zone_name())
        assert not keeper.keys
        made = await asyncio.to_thread(write, lambda work: operations.make_key(work, office.opened.vault, "r1"))
        name = dns.name.from_text(made.name)
        while name not in keeper.keys:
            await asyncio.sleep(0.005)
        assert served.keys == {name}
        await asyncio.to_thread(write, lambda work: operations.delete_key(work, "r1"))
        while keeper.keys:
            await asyncio.sleep(0.005)
        return served.keys

    assert running(office, steps) == frozenset()


def test_a_file_has_the_serial_that_is_served(office):
    office.block("bad.test")
    lines = "".join(zone_lines(office.opened, Settings(), office.account_id, ""))

    async def look(keeper):
        return (await keeper.find(office.zone_name())).zone.serial

    serial = running(office, look)
    assert f"@ SOA localhost. hostmaster.invalid. {serial} " in lines
    assert "bad.test CNAME .\n*.bad.test CNAME .\n" in lines
    assert "".join(zone_lines(office.opened, Settings(), office.account_id, "")) == lines


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a--b", "x" * 41])
def test_a_key_needs_a_name_that_is_one(office, name):
    def make(work):
        return operations.make_key(work, office.opened.vault, name)

    with pytest.raises(operations.ZoneKeyError, match="a key's name"):
        office.opened.store.write(office.account_id, Origin("test"), make)


def test_a_default_deny_is_what_is_said_of_all_other_names_and_a_temporary_allow_is_told_as_one(office):
    good = office.block("good.test", action="allow")
    soon = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    office.api.call("user/create-user", {"emailAddress": "pat@corp.test"})
    office.api.call(
        "ext/allow-web", {"value": "b.test", "user": "pat@corp.test", "until": soon, "reason": "Ticket 7"}
    )

    deny = {"id": good, "defaultDeny": True, "confirmReach": True}

    async def steps(keeper):
        first = (await keeper.find(office.zone_name())).zone
        assert said(first) == {"good.test": (1, 1)}
        await asyncio.to_thread(office.api.call, "ext/set-web-default-deny", deny)
        assert said(await until(office, first.serial + 1)) == {"": (0, 2), "good.test": (1, 1), "test": (2, 2)}

    running(office, steps)
    (told,) = office.api.call("ext/get-web-zones", {})
    (missing,) = told["zones"][0]["notSaid"]
    (allow,) = office.api.call("ext/get-web-allows", {})
    assert (missing["id"], missing["description"], missing["reason"]) == (allow["id"], "Ticket 7", "user")
