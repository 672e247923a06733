"""How is the mail door put together? Its policies, its records, its next hop, its certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio.to_thread
import structlog
from sqlalchemy.exc import DBAPIError

from mailreeve.cli.folder import Opened
from mailreeve.families.routing import MailPolicies
from mailreeve.families.tracking.operations import OutcomeKeeper
from mailreeve.mail.maildir_next_hop import MaildirNextHop
from mailreeve.mail.ports import NextHop
from mailreeve.mail.smtp.door import smtp_door, tls_context
from mailreeve.mail.smtp.session import SmtpSettings
from mailreeve.mail.smtp_next_hop import SmtpNextHop
from mailreeve.settings import Settings, SettingsError, split_host_port

MAILDIR_PREFIX: Final = "maildir:"
FORGET_EVERY: Final = 3600.0  # seconds between two removals of old outcomes

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_mail_door(opened: Opened, settings: Settings, next_hop: str) -> AsyncIterator[tuple[str, int]]:
    """The address of an SMTP door that is open while the block runs."""
    host, port = split_host_port(settings.smtp, "smtp")
    hostname = settings.hostname or socket.getfqdn()
    keeper = OutcomeKeeper(opened.store)
    door_settings = SmtpSettings(
        hostname=hostname,
        host=host,
        port=port,
        max_size=settings.max_message,
        max_recipients=settings.max_recipients,
    )
    forgetting = asyncio.create_task(_forget_old(keeper))
    try:
        async with smtp_door(
            door_settings,
            policies=MailPolicies(opened.store, opened.house.follower),
            next_hop=_next_hop(next_hop, hostname),
            recorder=keeper,
            tls=_tls(settings),
        ) as door:
            yield door.address
    finally:
        forgetting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await forgetting


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls_cert:
        return None
    try:
        return tls_context(Path(settings.tls_cert), Path(settings.tls_key))
    except OSError as problem:  # which names no file
        files = f"{settings.tls_cert} and {settings.tls_key}"
        raise SettingsError(f"tls_cert and tls_key: {files} cannot be used: {problem}") from problem


def _next_hop(text: str, hostname: str) -> NextHop:
    if text.startswith(MAILDIR_PREFIX):
        return MaildirNextHop(Path(text.removeprefix(MAILDIR_PREFIX)))
    host, port = split_host_port(text, "next_hop")
    return SmtpNextHop(host=host, port=port, greeting=hostname)


async def _forget_old(keeper: OutcomeKeeper) -> None:
    while True:
        try:
            removed = await anyio.to_thread.run_sync(keeper.forget_old)
        except DBAPIError as problem:
            _log.warning("old outcomes were not removed", problem=str(problem.orig))
        else:
            if removed:
                _log.info("old outcomes removed", number=removed)
        await asyncio.sleep(FORGET_EVERY)
