"""What is kept of a message by others than its record? Copies that wait to be handed on, and those in the archive.

Records tell of it and stand below those who keep them, which they do not import: so it is asked for through here,
and the registry says who answers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import Struct

from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page


class WaitingCopy(Struct, frozen=True):
    """A copy that waits to be handed to the next hop. `origin` says what sends it, `last_reply` what came of the
    last of `attempts`, empty before the first; the next is at `due_at`."""

    key: str
    created_at: datetime
    due_at: datetime
    attempts: int
    origin: str
    decision_id: str
    sender: str
    recipient: str
    effective_recipient: str
    size: int
    last_reply: str


class WaitingPage(Struct, frozen=True):
    """Which copies are asked for: in which order, of which time."""

    asked: Asked
    oldest_first: bool = False
    since: datetime | None = None
    until: datetime | None = None


class InArchive(Struct, frozen=True):
    """A copy that is archived: since when, until when at least, None where for good; for how many days, 0 for
    good; and whether it is under legal hold."""

    since: datetime
    until: datetime | None
    days: int
    legal_hold: bool


def _none_waits(work: Work, which: WaitingPage) -> Page[WaitingCopy]:
    return Page((), 0, 0)


def _none_archived(work: Work, decision_id: str, recipient: str, at: datetime, days: int) -> InArchive | None:
    return None


class Elsewhere(Struct, frozen=True):
    """Who answers. `archived` is given a decision, a recipient as the sender wrote it, about when the copy was
    archived, and for how many days the installation keeps archives."""

    waiting: Callable[[Work, WaitingPage], Page[WaitingCopy]] = _none_waits
    archived: Callable[[Work, str, str, datetime, int], InArchive | None] = _none_archived


NOWHERE: Final = Elsewhere()
