"""The mail door, put together: its policies, its records, its next hop, its certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from mailreeve.app.folder import Opened
from mailreeve.app.server.periodic import forget_old_outcomes
from mailreeve.app.settings import Settings, SettingsError, Unavailable, split_host_port
from mailreeve.families.directory.routing import MailPolicies
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.operations import OldOutcomes
from mailreeve.families.tracking.present import policy_wire_id
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.milter.door import MilterDoor, milter_door
from mailreeve.mail.milter.services import MilterSettings
from mailreeve.mail.next_hop.maildir import MaildirNextHop
from mailreeve.mail.next_hop.smtp import SmtpNextHop, StartTls
from mailreeve.mail.ports import UNMETERED, Meter, NextHop, Recorder
from mailreeve.mail.smtp.door import SmtpDoor, smtp_door, tls_context
from mailreeve.mail.smtp.services import SmtpSettings

if TYPE_CHECKING:  # it is loaded where it is wanted
    from mailreeve.app.metrics.metrics import Metrics

MAILDIR_PREFIX: Final = "maildir:"


class MailServer(NamedTuple):
    """What is open: the doors, and how much of what comes through is recorded."""

    door: SmtpDoor
    budget: RecordBudget
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
    recorder: Recorder = MessageKeeper(opened.store, budget)
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
    milter_settings = MilterSettings(
        hostname=hostname,
        max_size=door_settings.max_size,
        max_recipients=door_settings.max_recipients,
    )
    memory = MemoryBudget(door_settings.max_receiving)
    policies = MailPolicies(opened.store, opened.services.follower)
    meter: Meter = UNMETERED if metrics is None else metrics.mail

    def policy_id(account_id: str, layer: str, key: str) -> str:
        return policy_wire_id(opened.services.ids, account_id, layer, key)

    forgetting = asyncio.create_task(forget_old_outcomes(OldOutcomes(opened.store))) if forgets else None
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
        )
        async with AsyncExitStack() as stack:
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
                    )
                )
            yield MailServer(found, budget, milter)
    finally:
        if forgetting is not None:
            forgetting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await forgetting


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
