"""A Maildir as the next hop: for trying things out, for tests, and for readers that poll a folder.

The standard library writes the files: under a name of their own, synced before they appear in `new`.
What it leaves out is added here: `new` itself is synced as well, without which a file that was just
renamed may be gone after a power failure.
"""

from __future__ import annotations

import mailbox
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio.to_thread
import structlog
from structlog.typing import FilteringBoundLogger

from mailreeve.mail.ports import Courier, Routed
from mailreeve.policy.addresses import Address, Sender
from mailreeve.policy.decisions import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

CANNOT_STORE: Final = SmtpReply(452, "4.3.1", "The mailbox cannot be written, try again later")

_NAMING_ATTEMPTS: Final = 20
_FOLDERS: Final = ("tmp", "new", "cur")


class MaildirNextHop:
    """The directory itself is a Maildir; it is made if absent. One file per recipient.

    Each file begins with `Return-Path`, `Delivered-To` and `X-Original-To`. Line ends are LF, as
    readers of a Maildir expect.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path, *(path / name for name in _FOLDERS)):
            folder.mkdir(exist_ok=True, mode=0o700)
        _sync_directory(path)
        self._path = path
        self._mailbox = mailbox.Maildir(path, create=False)

    def courier(self) -> Courier:
        """A courier; all share the one Maildir."""
        return _MaildirCourier(self)

    def store(self, sender: Sender, recipients: Sequence[Routed], content: bytes) -> list[SmtpReply | None]:
        """Write one file per recipient. Blocks. Stops at the first file that cannot be written."""
        # The library turns LF into the line ends of the system.
        body = content.replace(b"\r\n", b"\n")
        results: list[SmtpReply | None] = []
        try:
            for recipient in recipients:
                self._add(_delivery_fields(sender, recipient) + body)
                results.append(None)
            _sync_directory(self._path / "new")
        except (OSError, mailbox.Error) as problem:
            log.error("maildir.cannot_write", path=str(self._path), problem=str(problem))
            # A failed sync says nothing about which files are safe, so none counts as stored.
            done = 0 if len(results) == len(recipients) else self._synced(len(results))
            return results[:done] + [CANNOT_STORE] * (len(recipients) - done)
        return results

    def _synced(self, written: int) -> int:
        """How many of the files written so far are durable."""
        try:
            _sync_directory(self._path / "new")
        except OSError:
            return 0
        return written

    def _add(self, content: bytes) -> None:
        for attempt in range(_NAMING_ATTEMPTS):
            try:
                self._mailbox.add(content)
            except mailbox.ExternalClashError:
                # Names are made from the time and a counter without a lock, so two threads may meet on
                # one. The file is opened exclusively: the second finds out here and takes another.
                if attempt + 1 == _NAMING_ATTEMPTS:
                    raise
            else:
                return


class _MaildirCourier:
    """Whoever the policies let through, a Maildir takes."""

    def __init__(self, next_hop: MaildirNextHop) -> None:
        self._next_hop = next_hop

    async def check(self, sender: Sender, recipient: Address, *, utf8: bool) -> SmtpReply | None:
        return None

    async def deliver(
        self, sender: Sender, recipients: Sequence[Routed], content: bytes, *, utf8: bool
    ) -> Sequence[SmtpReply | None]:
        return await anyio.to_thread.run_sync(self._next_hop.store, sender, recipients, content)

    async def reset(self) -> None:
        """Nothing is begun before it is delivered."""

    async def aclose(self) -> None:
        """Nothing is open."""


def _delivery_fields(sender: Sender, recipient: Routed) -> bytes:
    return (
        f"Return-Path: <{sender}>\nDelivered-To: {recipient.effective}\nX-Original-To: {recipient.original}\n"
    ).encode()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
