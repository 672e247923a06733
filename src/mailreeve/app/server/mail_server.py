"""The mail door, put together: its policies, its records, its next hop, its certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from mailreeve.app.folder import Opened
from mailreeve.app.server.periodic import (
    forget_old,
    import_users,
    keep_house,
    purge_users,
    read_archive,
    remove_expired,
    sync_directory,
)
from mailreeve.app.settings import Archiving, Settings, SettingsError, Unavailable, split_host_port
from mailreeve.families.archive.indexing import ArchiveReader
from mailreeve.families.archive.retention import ExpiredMessages
from mailreeve.families.directory.routing import MailPolicies
from mailreeve.families.held.undelivered import UndeliveredCopies
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.released import archive_released
from mailreeve.families.managed_senders.auto_allow import AutoAllowLimits, EndedEntries
from mailreeve.families.outgoing import rows as outgoing_rows
from mailreeve.families.outgoing.queue import OutgoingQueue
from mailreeve.families.outgoing.rows import Waiting
from mailreeve.families.tracking.operations import OldOutcomes
from mailreeve.families.tracking.present import policy_wire_id
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.formats.message import Content
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.milter.door import MilterDoor, milter_door
from mailreeve.mail.milter.services import MilterSettings
from mailreeve.mail.next_hop.maildir import MaildirNextHop
from mailreeve.mail.next_hop.smtp import SmtpNextHop, StartTls
from mailreeve.mail.outgoing import OutgoingRunner, unmarked
from mailreeve.mail.ports import UNMETERED, Meter, NextHop, Recorder
from mailreeve.mail.released import HandedOn, ReleaseMarks
from mailreeve.mail.results import authserv_id
from mailreeve.mail.smtp.door import SmtpDoor, smtp_door, tls_context
from mailreeve.mail.smtp.services import SmtpSettings

if TYPE_CHECKING:  # it is loaded where it is wanted
    from mailreeve.app.metrics.metrics import Metrics
    from mailreeve.mail.spam.scanner import EngineScanner
    from mailreeve.mail.spam.settings import EngineSettings

MAILDIR_PREFIX: Final = "maildir:"


STOP_WITHIN: Final = 30.0  # seconds that a shutdown waits for copies that are being handed over


class MailServer(NamedTuple):
    """What is open: the doors, how much of what comes through is recorded, and what waits to be handed on."""

    door: SmtpDoor
    budget: RecordBudget
    outgoing: OutgoingQueue
    milter: MilterDoor | None = None

    @property
    def records_waiting(self) -> int:
        """How many messages' records wait to be written."""
        return self.door.records_waiting + (0 if self.milter is None else self.milter.records_waiting)


@asynccontextmanager
async def open_mail_door(
    opened: Opened,
    settings: Settings,
    next_hop: str,
    tls: ssl.SSLContext | None,
    listeners: Sequence[socket.socket],
    *,
    milter_listeners: Sequence[socket.socket] = (),
    forgets: bool = True,
    metrics: Metrics | None = None,
) -> AsyncIterator[MailServer]:
    """An SMTP door on these sockets, and a milter door where there are sockets for it, open while the block
    runs. `tls` is for STARTTLS; `forgets` says whether this process removes old outcomes. What they do is told to
    the `metrics`."""
    hostname = _hostname(settings)
    mail_goes = _next_hop(next_hop, hostname, settings)
    budget = RecordBudget(settings.networks() + settings.proxies())
    archives = settings.archive is Archiving.ON
    undelivered = UndeliveredCopies(hostname, settings.networks(), settings.holding())
    queue = OutgoingQueue(opened.store, opened.bodies, undelivered, archive_released if archives else None)
    woken = _Woken()
    recorder: Recorder = MessageKeeper(
        opened.store, budget, opened.bodies, settings.holding(), woken, _auto_allow(settings)
    )
    if metrics is not None:
        kind = "maildir" if next_hop.startswith(MAILDIR_PREFIX) else "smtp"
        mail_goes, recorder = metrics.next_hop(mail_goes, kind), metrics.recorder(recorder)
    door_settings = SmtpSettings(
        hostname=hostname,
        max_size=settings.max_message,
        # A message of the size that is allowed must have room while no other is there.
        max_receiving=max(settings.max_receiving, settings.max_message),
        max_recipients=settings.max_recipients,
        xclient_hosts=settings.proxies(),
        authserv_ids=frozenset(map(authserv_id, settings.trusted_authserv_ids)),
        authserv_hosts=settings.networks(),
        archives=archives,
    )
    milter_settings = MilterSettings(
        hostname=hostname,
        max_size=door_settings.max_size,
        max_recipients=door_settings.max_recipients,
        authserv_ids=door_settings.authserv_ids,
        archives=door_settings.archives,
    )
    memory = MemoryBudget(door_settings.max_receiving)
    policies = MailPolicies(opened.store, opened.services.follower)
    meter: Meter = UNMETERED if metrics is None else metrics.mail

    def policy_id(account_id: str, layer: str, key: str) -> str:
        return policy_wire_id(opened.services.ids, account_id, layer, key)

    marks = ReleaseMarks(opened.release_key, partial(_under_way, opened))
    scanner = scanner_of(settings)
    tasks = _chores(opened, settings) if forgets else []
    try:
        door = smtp_door(
            door_settings,
            policies=policies,
            next_hop=mail_goes,
            recorder=recorder,
            tls=tls,
            listeners=listeners,
            memory=memory,
            meter=meter,
            policy_ids=policy_id,
            relay_networks=settings.networks(),
            marks=marks,
            scanner=scanner,
        )
        # A Maildir does not bring back what it is handed.
        marked = unmarked if next_hop.startswith(MAILDIR_PREFIX) else partial(_marked, marks)
        runner = OutgoingRunner(queue, mail_goes, marked)
        async with AsyncExitStack() as stack:
            if forgets:
                await stack.enter_async_context(_handing_on(opened, runner, woken))
            found = await stack.enter_async_context(door)
            milter = None
            if milter_listeners:
                milter = await stack.enter_async_context(
                    milter_door(
                        milter_settings,
                        policies=policies,
                        recorder=recorder,
                        memory=memory,
                        listeners=milter_listeners,
                        meter=meter,
                        policy_ids=policy_id,
                        relay_networks=settings.networks(),
                        marks=marks,
                        scanner=scanner,
                    )
                )
            yield MailServer(found, budget, queue, milter)
    finally:
        if scanner is not None:
            await scanner.aclose()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _chores(opened: Opened, settings: Settings) -> list[asyncio.Task[None]]:
    """What one process does for all, beside the mail."""
    chores = [
        forget_old(OldOutcomes(opened.store), EndedEntries(opened.store)),
        keep_house(opened),
        import_users(opened.services),
        purge_users(opened.services),
        read_archive(ArchiveReader(opened.store, opened.bodies)),
        remove_expired(ExpiredMessages(opened.store, settings.archive_days)),
    ]
    directory = settings.directory()
    if directory is not None:
        chores.append(sync_directory(opened, directory))
    return [asyncio.create_task(chore) for chore in chores]


class _Woken:
    """Wakes the runner from any thread, where this process has it: called without, it does nothing."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] | None = None

    def __call__(self) -> None:
        wake = self.wake
        if wake is not None:
            wake()


@asynccontextmanager
async def _handing_on(opened: Opened, runner: OutgoingRunner, woken: _Woken) -> AsyncIterator[None]:
    """The runner goes on while the block does. It is woken by every commit, whichever process made it; what it
    has begun it finishes, for at most `STOP_WITHIN` seconds."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(runner.wake)

    woken.wake = wake
    opened.store.feed.follow(lambda account_id, touched: woken())
    running = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        woken.wake = None
        runner.stop()
        await asyncio.wait({running}, timeout=STOP_WITHIN)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def _marked(marks: ReleaseMarks, one: Waiting, content: Content) -> HandedOn:
    return marks.marked(one, content, time.time())


def _under_way(opened: Opened, account_id: str, key: str, attempts: int) -> bool:
    return opened.store.read(account_id, partial(outgoing_rows.is_under_way, key=key, attempts=attempts))


def scanner_of(settings: Settings) -> EngineScanner | None:
    """What has messages looked at, as the settings say; None where no spam engine is set. Raises `SettingsError`.
    To be called in an event loop."""
    if not settings.spam_engine:
        return None
    # It is loaded where it is wanted: an HTTP client takes its time.
    from mailreeve.mail.spam.scanner import EngineScanner

    return EngineScanner(engine_settings(settings))


def engine_settings(settings: Settings) -> EngineSettings:
    """How the spam engine is asked. Raises `SettingsError`."""
    from mailreeve.mail.spam.settings import EngineSettings, WhenAbsent

    parts = urlsplit(settings.spam_engine)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"spam_engine: {settings.spam_engine!r} is no address such as http://127.0.0.1:11333")
    try:
        when_absent = WhenAbsent(settings.spam_engine_absent)
    except ValueError as problem:
        known = ", ".join(WhenAbsent)
        raise SettingsError(f"spam_engine_absent: {settings.spam_engine_absent!r} is none of {known}") from problem
    return EngineSettings(
        url=settings.spam_engine.rstrip("/"),
        when_absent=when_absent,
        timeout=settings.spam_engine_timeout,
        at_once=settings.spam_engine_at_once,
        max_size=settings.spam_engine_max_size,
        finds_viruses=settings.spam_engine_finds_viruses,
    )


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """The certificate as the settings name it, None where they name none. Raises `SettingsError`."""
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingsError("tls_cert and tls_key: give both or neither")
    if not settings.tls_cert:
        return None
    try:
        return tls_context(Path(settings.tls_cert), Path(settings.tls_key))
    except OSError as problem:  # which names no file
        files = f"{settings.tls_cert} and {settings.tls_key}"
        raise Unavailable(f"tls_cert and tls_key: {files} cannot be used: {problem}") from problem


def _auto_allow(settings: Settings) -> AutoAllowLimits:
    return AutoAllowLimits(
        settings.auto_allow,
        settings.auto_allow_recipients,
        settings.auto_allow_per_day,
        settings.auto_allow_per_user,
        settings.managed_senders_per_user,
    )


def _hostname(settings: Settings) -> str:
    """What the door calls itself, in ASCII or as an address literal: it goes into every message and greeting."""
    name = settings.hostname or socket.getfqdn()
    if not name.isascii():
        raise SettingsError(f"hostname: {name!r} has to be given in its ASCII form, xn--…")
    try:
        parse_address(f"postmaster@{name}")
    except AddressError as problem:
        origin = "" if settings.hostname else " (the machine's own name; set `hostname`)"
        raise SettingsError(f"hostname: {name!r}{origin}: {problem}") from problem
    return name


def _next_hop(text: str, hostname: str, settings: Settings) -> NextHop:
    try:
        start_tls = StartTls(settings.next_hop_starttls)
    except ValueError as problem:
        known = ", ".join(StartTls)
        raise SettingsError(f"next_hop_starttls: {settings.next_hop_starttls!r} is none of {known}") from problem
    if text.startswith(MAILDIR_PREFIX):
        try:
            return MaildirNextHop(Path(text.removeprefix(MAILDIR_PREFIX)))
        except OSError as problem:
            raise Unavailable(f"next_hop: {text} cannot be made: {problem.strerror}") from problem
    host, port = split_host_port(text, "next_hop")
    return SmtpNextHop(
        host=host, port=port, greeting=hostname, start_tls=start_tls, xforward=settings.next_hop_xforward
    )
