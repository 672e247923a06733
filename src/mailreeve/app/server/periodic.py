"""What a server does by itself: policies loaded before it begins, then what is done again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import anyio.to_thread
import structlog

from mailreeve.access.caller import Origin
from mailreeve.app.folder import Opened
from mailreeve.families.archive.indexing import ArchiveReader
from mailreeve.families.archive.retention import ExpiredMessages
from mailreeve.families.digest.sending import DigestSender
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.imports.operations import run_waiting
from mailreeve.families.directory.purging.operations import purge_due
from mailreeve.families.directory.sync.operations import sync_if_due
from mailreeve.families.held import operations as held
from mailreeve.families.held import rows as held_rows
from mailreeve.families.login.last_use import LastUses
from mailreeve.families.machinery.directory_source import DirectorySource
from mailreeve.families.machinery.perform import Services
from mailreeve.families.managed_senders.auto_allow import EndedEntries
from mailreeve.families.registry import bodies_named
from mailreeve.families.tracking.operations import OldOutcomes
from mailreeve.families.web_log.keeper import WebKeeper
from mailreeve.store.follow import Follower
from mailreeve.store.transactions import Work

DROP_EVERY: Final = 60.0  # seconds between two looks for policies that nobody asks for
WRITE_USES_EVERY: Final = 60.0  # seconds between two writes of when keys were used
READ_EVERY: Final = 0.5  # seconds between two looks for archived messages that nobody has read yet
DIGESTS_EVERY: Final = 1.0  # seconds between two looks for digests that are due
IMPORT_EVERY: Final = 1.0  # seconds between two looks for imports of users
FORGET_EVERY: Final = 3600.0  # seconds between two removals of old outcomes

KEEP_HOUSE_EVERY: Final = 600.0  # seconds between two looks for held mail that expired
AT_ONCE: Final = 200  # rows in one transaction

_ORIGIN: Final = Origin("mail door")
_log = structlog.get_logger(__name__)


async def load_only_account(opened: Opened) -> None:
    """Load the policies of a server's only account, however many, before anybody has to wait for them. Where there
    are several, each is loaded on first use."""
    found = list(opened.store.look_up(accounts.codes).values())
    if len(found) == 1:
        await anyio.to_thread.run_sync(opened.services.follower.current, found[0])


async def drop_idle_policies(follower: Follower) -> None:
    """Drop the policies of idle accounts now and then, until it is cancelled."""

    def drop() -> None:
        dropped = follower.let_go()
        if dropped:
            _log.info("policies of idle accounts dropped", accounts=dropped)

    await _regularly(drop, DROP_EVERY, "policies of idle accounts were not dropped")


async def write_last_uses(uses: LastUses, every: float = WRITE_USES_EVERY) -> None:
    """Write when keys were used, again and again, until it is cancelled."""
    await _regularly(uses.write, every, "the last uses of keys were not written")


async def forget_old(old: OldOutcomes, ended: EndedEntries, every: float = FORGET_EVERY) -> None:
    """Remove old outcomes, and automatic entries of personal lists that have ended, now, and again after so many
    seconds, until it is cancelled."""

    def forget() -> None:
        removed = old.forget()
        if removed:
            _log.info("old outcomes removed", number=removed)
        removed = ended.forget()
        if removed:
            _log.info("automatic entries removed", number=removed)

    await _regularly(forget, every, "old outcomes and entries were not removed")


async def forget_old_web_records(keeper: WebKeeper, every: float = FORGET_EVERY) -> None:
    """Remove old records of web requests, now, and again after so many seconds, until it is cancelled."""

    def forget() -> None:
        removed = keeper.forget()
        if removed:
            _log.info("old web records removed", number=removed)

    await _regularly(forget, every, "old web records were not removed")


async def send_digests(sender: DigestSender, every: float = DIGESTS_EVERY) -> None:
    """Send the digests that are due, again and again, until it is cancelled."""
    await _regularly(sender.send_due, every, "digests were not sent")


async def keep_house(opened: Opened, every: float = KEEP_HOUSE_EVERY) -> None:
    """End what was held for too long, forget what was decided long ago, and remove bodies that nothing names any
    more: now, and again after so many seconds, until it is cancelled."""

    await _regularly(lambda: keep_house_of_all(opened), every, "held mail was not put in order")


def keep_house_of_all(opened: Opened) -> None:
    """What is to be done in every account, done; and the bodies of accounts that are gone removed. A fault in one
    account is logged, and keeps nothing from the others."""
    known = set(opened.store.look_up(accounts.codes).values())
    for account_id in known:
        try:
            done = keep_house_of(opened, account_id)
        except Exception:
            _log.exception("held mail was not put in order", account=account_id)
            continue
        if any(done.values()):
            _log.info("held mail put in order", account=account_id, **done)
    for gone in set(opened.bodies.accounts()) - known:
        opened.bodies.sweep(gone, lambda keys: ())


def keep_house_of(opened: Opened, account_id: str) -> dict[str, int]:
    """What is to be done in one account, done. How many messages expired and were forgotten, and how many bodies
    were removed."""
    done = {
        "expired": _in_parts(opened, account_id, held.expire),
        "forgotten": _in_parts(opened, account_id, held_rows.forget),
    }

    def named(keys: Collection[str]) -> Collection[str]:
        return opened.store.read(account_id, lambda work: bodies_named(work, list(keys)))

    done["bodies"] = opened.bodies.sweep(account_id, named)
    return done


def _in_parts(opened: Opened, account_id: str, some: Callable[[Work, int], int]) -> int:
    """Do it in small transactions: the mail that comes meanwhile waits for no more. How many there were."""
    total, number = 0, AT_ONCE
    while number == AT_ONCE:
        number = opened.store.write(account_id, _ORIGIN, lambda work: some(work, AT_ONCE))
        total += number
    return total


async def import_users(services: Services, every: float = IMPORT_EVERY) -> None:
    """Carry imports of users on, again and again, until it is cancelled."""
    await _regularly(lambda: run_waiting(services), every, "users were not imported")


async def sync_directory(opened: Opened, source: DirectorySource, every: float = IMPORT_EVERY) -> None:
    """Take the directory over when it is time, or somebody asked, until it is cancelled."""

    def sync() -> None:
        changes = sync_if_due(opened.services, source, opened.account_id(source.account or None))
        if changes is not None:
            _log.info("directory taken over", changes=changes)

    await _regularly(sync, every, "the directory was not taken over")


async def purge_users(services: Services, every: float = KEEP_HOUSE_EVERY) -> None:
    """Remove the marked users whose time has come, again and again, until it is cancelled."""

    def purge() -> None:
        removed = purge_due(services)
        if removed:
            _log.info("marked users removed", number=removed)

    await _regularly(purge, every, "marked users were not removed")


async def read_archive(reader: ArchiveReader, every: float = READ_EVERY) -> None:
    """Read what is new in the archive, for the search, until it is cancelled."""
    await _regularly(reader.read_new, every, "archived messages were not read")


async def remove_expired(expired: ExpiredMessages, every: float = FORGET_EVERY) -> None:
    """Remove archived messages whose time is over, until it is cancelled. `keep_house` removes their bodies."""

    def remove() -> None:
        messages = expired.forget()
        if messages:
            _log.info("archived messages removed", messages=messages)

    await _regularly(remove, every, "archived messages were not removed")


async def _regularly(work: Callable[[], object], every: float, failed: str) -> None:
    """Do it in a thread, now and again after so many seconds; a fault is logged as `failed`."""
    while True:
        try:
            await anyio.to_thread.run_sync(work)
        except Exception:
            # Whatever it was, the next attempt may do better; without any, memory and disk fill up.
            _log.exception(failed)
        await asyncio.sleep(every)
