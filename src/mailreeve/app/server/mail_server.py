"""The mail door, put together: its policies, its records, its next hop, its certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from mailreeve.app.folder import Opened
from mailreeve.app.server.periodic import forget_old_outcomes, keep_house
from mailreeve.app.settings import Settings, SettingsError, Unavailable, split_host_port
from mailreeve.families.directory.routing import MailPolicies
from mailreeve.families.held.operations import RELEASE
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.outgoing.queue import OutgoingQueue
from mailreeve.families.outgoing.rows import Waiting
from mailreeve.families.tracking.operations import OldOutcomes
from mailreeve.families.tracking.present import policy_wire_id
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.formats.message import Content
from mailreeve.mail.next_hop.maildir import MaildirNextHop
from mailreeve.mail.next_hop.smtp import SmtpNextHop, StartTls
from mailreeve.mail.outgoing import OutgoingRunner, unmarked
from mailreeve.mail.ports import UNMETERED, NextHop, Recorder
from mailreeve.mail.released import ReleaseMarks
from mailreeve.mail.smtp.door import SmtpDoor, smtp_door, tls_context
from mailreeve.mail.smtp.services import SmtpSettings

if TYPE_CHECKING:  # it is loaded where it is wanted
    from mailreeve.app.metrics.metrics import Metrics

MAILDIR_PREFIX: Final = "maildir:"


STOP_WITHIN: Final = 30.0  # seconds that a shutdown waits for copies that are being handed over


class MailServer(NamedTuple):
    """What is open: the door, how much of what comes through is recorded, and what waits to be handed on."""

    door: SmtpDoor
    budget: RecordBudget
    outgoing: OutgoingQueue


@asynccontextmanager
async def open_mail_door(
    opened: Opened,
    settings: Settings,
    next_hop: str,
    tls: ssl.SSLContext | None,
    listeners: Sequence[socket.socket],
    *,
    forgets: bool = True,
    metrics: Metrics | None = None,
) -> AsyncIterator[MailServer]:
    """An SMTP door on these sockets, open while the block runs. `tls` is for STARTTLS; `forgets` says whether this
    process removes old outcomes. What it does is told to the `metrics`."""
    hostname = _hostname(settings)
    mail_goes = _next_hop(next_hop, hostname, settings)
    budget = RecordBudget(settings.networks() + settings.proxies())
    queue = OutgoingQueue(opened.store, opened.bodies)
    woken = _Woken()
    recorder: Recorder = MessageKeeper(opened.store, budget, opened.bodies, settings.holding(), woken)
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
    )
    marks = ReleaseMarks(opened.release_key)
    chores = [forget_old_outcomes(OldOutcomes(opened.store)), keep_house(opened)] if forgets else []
    tasks = [asyncio.create_task(chore) for chore in chores]
    try:
        door = smtp_door(
            door_settings,
            policies=MailPolicies(opened.store, opened.services.follower),
            next_hop=mail_goes,
            recorder=recorder,
            tls=tls,
            listeners=listeners,
            meter=UNMETERED if metrics is None else metrics.mail,
            policy_ids=lambda account_id, layer, key: policy_wire_id(opened.services.ids, account_id, layer, key),
            relay_networks=settings.networks(),
            marks=marks,
        )
        # A Maildir does not bring back what it is handed.
        marked = unmarked if next_hop.startswith(MAILDIR_PREFIX) else partial(_marked, marks)
        runner = OutgoingRunner(queue, mail_goes, marked)
        async with _handing_on(opened, runner, woken) if forgets else contextlib.nullcontext(), door as found:
            yield MailServer(found, budget, queue)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


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


def _marked(marks: ReleaseMarks, one: Waiting, content: Content) -> Content:
    if one.origin != RELEASE:
        return content
    (to,) = one.kept.copy.recipients
    return marks.marked(content, one.kept.copy.decision_id, to.effective)


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
