"""A Maildir as the next hop: for trying things out, for tests, and for readers that poll a folder.

A file is written in `tmp` under a name of its own, synced, and linked into `new`; then `new` itself is synced,
without which a file may be gone after a power failure. The standard library's `mailbox` writes such files too, but
takes a message as one text, which it copies twice; ours may be large and come in pieces.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Final

import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from structlog.typing import FilteringBoundLogger

from mailreeve.families.machinery.copies import Routed
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Content
from mailreeve.mail.client import Client
from mailreeve.mail.ports import NextHopSession
from mailreeve.policy.model.policy_types import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

CANNOT_STORE: Final = SmtpReply(452, "4.3.1", "The mailbox cannot be written, try again later")

WRITERS: Final = 16
"""How many messages are written at once. Others wait for their turn, and take no thread from those who only ask
for policies."""

_FOLDERS: Final = ("tmp", "new", "cur")


class MaildirNextHop:
    """The directory itself is a Maildir; it is made if absent. One file per mailbox.

    Each file begins with `Return-Path`, `Delivered-To` and `X-Original-To`. Line ends are LF, as
    readers of a Maildir expect.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path, *(path / name for name in _FOLDERS)):
            folder.mkdir(exist_ok=True, mode=0o700)
        _sync_directory(path)
        self._path = path
        self._writers: CapacityLimiter | None = None
        # What may stand in a file name of a Maildir, whatever the machine is called.
        self._host = socket.gethostname().replace("/", r"\057").replace(":", r"\072")

    def session(self) -> NextHopSession:
        """A session; all share the one Maildir."""
        return _MaildirSession(self)

    def store(self, sender: Sender, recipients: Sequence[Routed], content: Content) -> list[SmtpReply | None]:
        """Write one file per mailbox. Blocks. Stops at the first file that cannot be written. Of those that are
        there, the answer names the file."""
        # Several originals may lead to one mailbox, which gets one copy.
        boxes: dict[str, list[Routed]] = {}
        for recipient in recipients:
            boxes.setdefault(str(recipient.effective), []).append(recipient)
        done: dict[str, SmtpReply] = {}
        try:
            for box, theirs in boxes.items():
                name = self._add(_delivery_fields(sender, box, theirs), content)
                done[box] = SmtpReply(250, "2.0.0", f"stored as {name}")
            _sync_directory(self._path / "new")
        except OSError as problem:
            log.error("maildir.cannot_write", path=str(self._path), problem=str(problem))
            # A failed sync says nothing about which files are safe, so none counts as stored.
            if len(done) == len(boxes) or not self._are_synced():
                done.clear()
        return [done.get(str(recipient.effective), CANNOT_STORE) for recipient in recipients]

    async def store_in_turn(
        self, sender: Sender, recipients: Sequence[Routed], content: Content
    ) -> list[SmtpReply | None]:
        """The same in a thread, of which no more than `WRITERS` are taken."""
        if self._writers is None:
            self._writers = CapacityLimiter(WRITERS)
        return await anyio.to_thread.run_sync(self.store, sender, recipients, content, limiter=self._writers)

    def _are_synced(self) -> bool:
        """Whether the files written so far are durable."""
        try:
            _sync_directory(self._path / "new")
        except OSError:
            return False
        return True

    def _add(self, fields: bytes, content: Content) -> str:
        """Write a file. Returns its name."""
        name = f"{time.time():.6f}.{secrets.token_hex(8)}.{self._host}"
        written = self._path / "tmp" / name
        with written.open("xb", buffering=0) as file:
            try:
                _write_all(file, fields)
                for piece in content.pieces():
                    # Every CR is one of a line end by now.
                    _write_all(file, piece.translate(None, b"\r"))
                os.fsync(file.fileno())
                written.rename(self._path / "new" / name)
            except BaseException:
                written.unlink(missing_ok=True)
                raise
        return name


class _MaildirSession:
    """Whoever the policies let through, a Maildir takes."""

    def __init__(self, next_hop: MaildirNextHop) -> None:
        self._next_hop = next_hop

    def handed_in_by(self, client: Client) -> None:
        """The door's Received field says it."""

    async def check(self, sender: Sender, recipient: Address, *, utf8: bool) -> SmtpReply | None:
        return None

    async def deliver(
        self, sender: Sender, recipients: Sequence[Routed], content: Content, *, utf8: bool, envelope_id: str = ""
    ) -> Sequence[SmtpReply | None]:
        return await self._next_hop.store_in_turn(sender, recipients, content)

    async def reset(self) -> None:
        """Nothing is begun before it is delivered."""

    async def aclose(self) -> None:
        """Nothing is open."""


def _delivery_fields(sender: Sender, box: str, recipients: Sequence[Routed]) -> bytes:
    originals = "".join(f"X-Original-To: {recipient.original}\n" for recipient in recipients)
    return f"Return-Path: <{sender}>\nDelivered-To: {box}\n{originals}".encode()


def _write_all(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
