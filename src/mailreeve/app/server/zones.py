"""The zones that resolvers fetch, kept as the policies are: made when somebody asks, changed with every change.

A zone is compared with what it was when a web list changes, and when one begins or ends to hold. If anything in it
is another, it takes its next serial, durably, before anybody sees it, and resolvers are told.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Final

import dns.name
import dns.tsig
import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy.exc import NoResultFound

from mailreeve.access.caller import Origin
from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.families.directory.account import rows as account_rows
from mailreeve.families.web_zones import rows
from mailreeve.families.web_zones.naming import ROOT, ZonePlace, key_name, places, room_in, zone_name
from mailreeve.families.web_zones.operations import ALGORITHM, settle
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.zone.names import Changed, ZoneNames
from mailreeve.policy.zone.rules import UNSAID, Said, ZoneRules
from mailreeve.store.changes import Part, Touched
from mailreeve.web.dns.answers import Keys
from mailreeve.web.dns.door import Access, ServedZone, ZoneDoor, zone_door
from mailreeve.web.dns.notify import Notifier, Target
from mailreeve.web.dns.records import Style
from mailreeve.web.dns.zone import WrittenZone, Zone

LOOK_EVERY: Final = 60.0
"""Seconds after which one looks again, whatever is due when: a clock may be set."""

TRIED_EVERY: Final = 1.0  # seconds after an attempt that failed

_ORIGIN: Final = Origin("zones")
_PARTS: Final = frozenset({Part.WEB_LISTS, Part.WEB_PLACES, Part.ZONE_KEYS})
_ROOT: Final = dns.name.from_text(ROOT)
_log = structlog.get_logger(__name__)


class _Kept:
    """A zone, the keys that it may be fetched with, and how its names are kept up to date. There are none before
    it was made, nor once that went wrong: then they are made anew."""

    __slots__ = ("keys", "names", "served")

    def __init__(self, keys: frozenset[dns.name.Name]) -> None:
        self.keys = keys
        self.names: ZoneNames | None = None
        self.served: ServedZone | None = None


class _Account:
    """An account whose zones are served: as they were `at` a time, until time changes one of them when `due`, both
    in POSIX seconds."""

    def __init__(self, account_id: str, code: str) -> None:
        self.id = account_id
        self.code = code
        self.policies: PolicySet | None = None
        self.zones: Mapping[dns.name.Name, _Kept] = {}
        self.at = 0.0
        self.due = 0.0
        self.ready = asyncio.Event()
        self.untold: list[Zone] = []


class ZoneKeeper:
    """Keeps the zones of a folder's accounts. For one event loop; what takes long is done in a thread, one thing
    after the other."""

    def __init__(
        self,
        opened: Opened,
        style: Style,
        changed: Callable[[Zone], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._opened = opened
        self._style = style
        self._changed = changed
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._keys: Keys = {}
        self._keys_of: dict[str, frozenset[dns.name.Name]] = {}
        self._keys_stale = True
        self._woken = asyncio.Event()

    @property
    def keys(self) -> Keys:
        """The keys of all accounts, by name."""
        return self._keys

    async def find(self, name: dns.name.Name) -> ServedZone | None:
        """The zone of this name, once it is made; None where there is no such zone."""
        if not name.is_subdomain(_ROOT) or len(name) != len(_ROOT) + 2:
            return None
        code = name[1].decode("ascii", "replace").lower()
        account = self._accounts.get(code)
        if account is None:
            codes = await asyncio.to_thread(self._opened.store.look_up, account_rows.codes)
            known = {one.lower(): (one, account_id) for one, account_id in codes.items()}
            if code not in known:
                return None
            written, account_id = known[code]
            account = self._accounts.setdefault(code, _Account(account_id, written))
            self._woken.set()
        await account.ready.wait()
        kept = account.zones.get(name)
        return None if kept is None else kept.served

    def wake(self) -> None:
        """Have it look now. For its event loop."""
        self._woken.set()

    async def begin(self) -> None:
        """Have at hand what the first question needs: keys, and which zones there were."""
        await asyncio.to_thread(self._begin)

    async def run(self) -> None:
        """Keep the zones until it is cancelled."""
        loop = asyncio.get_running_loop()

        def follow(account_id: str, touched: Touched) -> None:
            if not _PARTS.isdisjoint(touched):
                self._keys_stale = self._keys_stale or Part.ZONE_KEYS in touched
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self.wake)

        self._opened.store.feed.follow(follow)
        while True:
            self._woken.clear()
            pause = LOOK_EVERY
            try:
                if self._keys_stale:
                    await asyncio.to_thread(self._read_keys)
            except Exception:
                _log.exception("the keys of zones were not read")
                pause = TRIED_EVERY
            for account in list(self._accounts.values()):
                try:
                    await self._look_at(account)
                    pause = min(pause, max(0.0, account.due - self._clock()))
                except Exception:
                    _log.exception("zones were not brought up to date", account=account.id)
                    pause = min(pause, TRIED_EVERY)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _look_at(self, account: _Account) -> None:
        try:
            await asyncio.to_thread(self._bring_up_to_date, account)
            account.ready.set()
        except NoResultFound:  # it was removed
            self._accounts.pop(account.code.lower(), None)
            account.zones = {}
            account.ready.set()
        finally:
            # Also what changed before something went wrong.
            while account.untold:
                self._changed(account.untold.pop(0))

    def _begin(self) -> None:
        self._read_keys()
        codes = {account_id: code for code, account_id in self._opened.store.look_up(account_rows.codes).items()}
        for account_id in self._opened.store.look_up(rows.accounts_with_zones):
            if account_id in codes:
                self._accounts.setdefault(codes[account_id].lower(), _Account(account_id, codes[account_id]))

    def _read_keys(self) -> None:
        keys: Keys = {}
        of: dict[str, set[dns.name.Name]] = {}
        self._keys_stale = False
        try:
            found = self._opened.store.look_up(rows.everybodys_keys)
        except BaseException:
            self._keys_stale = True
            raise
        for row in found:
            name = dns.name.from_text(key_name(row.name, row.code))
            try:
                secret = self._opened.vault.open(row.secret, row.account_id)
            except (InvalidTag, ValueError):
                _log.error("a key of zones cannot be read and is left out", account=row.account_id, key=row.name)
                continue
            keys[name] = dns.tsig.Key(name, secret, ALGORITHM)
            of.setdefault(row.account_id, set()).add(name)
        self._keys_of = {account_id: frozenset(names) for account_id, names in of.items()}
        self._keys = keys
        for account in list(self._accounts.values()):
            for kept in account.zones.values():
                kept.keys = self._keys_of.get(account.id, frozenset())
                if kept.served is not None:
                    kept.served.keys = kept.keys

    def _bring_up_to_date(self, account: _Account) -> None:
        """Have the zones of an account as they are now; those that are others are `untold`. It blocks on the
        database, and takes its time."""
        policies, at = self._opened.services.follower.current(account.id), self._clock()
        before = account.policies
        if before is not None and _says_the_same(before, policies) and account.at <= at < account.due:
            return
        known = self._opened.store.read(account.id, rows.zones)
        zones: dict[dns.name.Name, _Kept] = {}
        due = float("inf")
        for place in places(policies, known):
            text = zone_name(place.label, account.code)
            rules = ZoneRules(policies, at, place.networks, room_in(text))
            due = rules.next_turn()
            name = dns.name.from_text(text)
            kept = account.zones.get(name) or _Kept(self._keys_of.get(account.id, frozenset()))
            zones[name] = kept
            try:
                zone = self._changed_zone(account, place, name, rules, kept)
            except BaseException:
                kept.names = None  # what changed may be lost
                raise
            if zone is not None:
                account.untold.append(zone)
        account.zones, account.policies, account.at, account.due = zones, policies, at, due

    def _changed_zone(
        self, account: _Account, place: ZonePlace, name: dns.name.Name, rules: ZoneRules, kept: _Kept
    ) -> Zone | None:
        """The zone at its next serial, which is served from now on; None where it is as it was."""
        zone = None if kept.served is None else kept.served.zone
        if kept.names is not None and zone is not None:
            changed = kept.names.change(rules, _let_others)
            if not changed:
                return None
        else:
            kept.names = ZoneNames(rules, _let_others)
            changed = {} if zone is None else _difference(zone.names, kept.names.names)
        names = kept.names.names
        row = self._opened.store.write(
            account.id, _ORIGIN, partial(settle, place=place, names=kept.names, style=self._style.digest)
        )
        if zone is None:
            zone = Zone(name, row.serial, names, self._style)
            kept.served = ServedZone(zone, WrittenZone(self._style), kept.keys)
        elif changed and kept.served is not None:
            zone = zone.changed(row.serial, names, changed)
            kept.served.zone = zone
        else:
            return None
        _log.info("zone changed", zone=name.to_text(), serial=row.serial, names=len(names), changed=len(changed))
        return zone


def _says_the_same(one: PolicySet, other: PolicySet) -> bool:
    return one.web is other.web and one.places is other.places


def _let_others() -> None:
    """Let another thread go on that waits for the interpreter: the doors, where a zone is being made."""
    time.sleep(0)


def _difference(before: Sharded[Said], after: Sharded[Said]) -> Changed:
    found = {host: (before.get(host) or UNSAID, after.get(host) or UNSAID) for host in {*before, *after}}
    return {host: (was, now) for host, (was, now) in found.items() if was != now}


def zone_style(settings: Settings) -> Style:
    """What becomes of blocked names. Raises `SettingsError`."""
    return Style(settings.block_page_at())


@asynccontextmanager
async def zones_served(
    opened: Opened, settings: Settings, tcp: Sequence[socket.socket], udp: Sequence[socket.socket]
) -> AsyncIterator[ZoneDoor]:
    """The zones are served on these sockets while the block runs."""
    host = tcp[0].getsockname()[0]
    targets = [Target(*one) for one in settings.zone_notify()]
    notifier = Notifier(targets, "" if ip_address(host).is_unspecified else host)
    keeper = ZoneKeeper(opened, zone_style(settings), notifier.tell)
    await keeper.begin()
    running = asyncio.create_task(keeper.run())
    try:
        async with zone_door(keeper, Access(settings.zone_clients(), settings.zone_keyless()), tcp, udp) as door:
            yield door
    finally:
        notifier.close()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
