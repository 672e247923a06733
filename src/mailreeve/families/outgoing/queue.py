"""How do copies that wait come and go? What the one process that hands them on asks for, and reports."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from mailreeve.access.caller import Origin
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.machinery.copies import KeptCopy
from mailreeve.families.outgoing import rows
from mailreeve.families.outgoing.report import MAX_RETURNED
from mailreeve.families.outgoing.rows import GIVE_UP_AFTER, Waiting
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import Outcome, State, following
from mailreeve.formats.message import Content, Pieces, read_message
from mailreeve.store.bodies import Bodies, DamagedBody
from mailreeve.store.transactions import Store, Work

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)

_ORIGIN: Final = Origin("mail door")
_log = structlog.get_logger(__name__)


class CannotRead(Exception):
    """The body of a copy is damaged, gone, or cannot be read for another reason."""


class Depth(Struct, frozen=True):
    """How many copies wait, and for how many seconds the oldest one does, 0 where none does."""

    waiting: int
    oldest: float


OnDelivery = Callable[[Work, Waiting, Outcome | None], None]
"""What else is done in the transaction that notes that the next hop has a copy, given the outcome of its message
when it came; None where there is none."""


class Failed(Struct, frozen=True):
    """A copy that is handed on no more. `reply` is the last answer; `gave_up` says that it was one of those that
    may change. `one.kept.body` names its body, also where it was written here (`is_ours`), and is empty where
    that is gone; `body` is the body of one that is small enough to be sent back, None of any other."""

    one: Waiting
    reply: str
    gave_up: bool
    body: Pieces | None
    is_ours: bool = False


class Undelivered(Protocol):
    """Decides, in the transaction that ends a copy, what becomes of it: nothing that was taken is to be gone
    without anybody knowing."""

    def __call__(self, work: Work, failed: Failed) -> str:
        """What was done, in a word for the log. May be run twice."""
        ...


class OutgoingQueue:
    """The copies of all accounts that wait to be handed on. Its methods block on the database. `undelivered` says
    what becomes of those that are given up; `on_delivery` is called once for each copy that the next hop takes."""

    def __init__(
        self, store: Store, bodies: Bodies, undelivered: Undelivered, on_delivery: OnDelivery | None = None
    ) -> None:
        self._store = store
        self._bodies = bodies
        self._undelivered = undelivered
        self._on_delivery = on_delivery

    def hurry(self) -> None:
        """Have all that waits tried at once: what kept them may have gone while nobody served."""
        for account_id in self._store.look_up(accounts.codes).values():
            self._store.write(account_id, _ORIGIN, rows.hurry)

    def due(self, most: int, without: Collection[str] = ()) -> list[Waiting]:
        """Copies whose time has come, at most so many of each account, but those with these keys."""
        now = datetime.now(UTC)
        found: list[Waiting] = []
        for account_id in self._store.look_up(partial(rows.due_accounts, now=now)):
            found += self._store.read(account_id, partial(rows.due, most=most, without=without))
        return found

    def depth(self) -> Depth:
        """How much there is to do."""
        waiting, oldest = self._store.look_up(rows.depth)
        return Depth(waiting, 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds()))

    def begin(self, one: Waiting) -> Content | None:
        """Begin an attempt, and the copy that is to be handed over; None where it is not there any more.

        That it was begun is durable first: whoever dies in the middle of it hands the copy over once more, and
        not again and again. Raises `CannotRead`.
        """
        pause = min(FIRST_PAUSE * 2 ** min(one.attempts, 10), LONGEST_PAUSE)

        def note(work: Work) -> bool:
            return rows.begin(work, one.key, work.now + pause)

        account_id = one.kept.copy.account_id
        if not self._store.write(account_id, _ORIGIN, note):
            return None
        header = one.kept.copy.content.header
        try:
            body = tuple(self._bodies.read(account_id, one.kept.body)) if one.kept.body else ()
        except OSError as problem:
            raise CannotRead(str(problem)) from problem
        return Content(header, body)

    def delivered(self, one: Waiting, reply: str, queue_id: str) -> None:
        """The next hop has it, and said this."""

        def end(work: Work) -> None:
            # What we wrote ourselves has no outcome that this could follow.
            if not rows.remove(work, one.key) or not one.kept.body:
                return
            before = tracking.of_recipient(work, one.kept.copy.decision_id, str(one.to.original))
            if before is not None:
                said = "250 2.0.0 Delivered"
                after = following(before, State.DELIVERED, work.now, before.layer, said, reply, queue_id)
                tracking.add(work, [after])
            if self._on_delivery is not None:
                self._on_delivery(work, one, before)

        self._store.write(one.kept.copy.account_id, _ORIGIN, end)
        _log.info("outgoing.delivered", **_told(one), reply=reply)

    def refused(self, one: Waiting, reply: str) -> None:
        """The next hop refuses it for good."""
        self._give_up(one, reply, gave_up=False)

    def put_off(self, one: Waiting, reply: str) -> None:
        """The next hop does not take it now, or it cannot be read now. It is given up once it has waited for
        `GIVE_UP_AFTER`."""
        if datetime.now(UTC) - one.created_at >= GIVE_UP_AFTER:
            self._give_up(one, reply, gave_up=True)
            return
        self._store.write(one.kept.copy.account_id, _ORIGIN, partial(rows.put_off, key=one.key, reply=reply))

    def _give_up(self, one: Waiting, reply: str, *, gave_up: bool) -> None:
        """End a copy, and in the same transaction what becomes of it: so it happens once, whenever the process
        dies."""
        found, body = self._text(one)
        failed = Failed(found, reply, gave_up, body, is_ours=not one.kept.body)

        def end(work: Work) -> str | None:
            return self._undelivered(work, failed) if rows.remove(work, one.key) else None

        became = self._store.write(one.kept.copy.account_id, _ORIGIN, end)
        if became is not None:
            _log.warning("outgoing.given_up", **_told(one), attempts=one.attempts + 1, reply=reply, became=became)

    def _text(self, one: Waiting) -> tuple[Waiting, Pieces | None]:
        """The copy as `Failed` has it, and its body where that is small."""
        account_id, kept = one.kept.copy.account_id, one.kept
        if not kept.body:  # The row has all of it.
            whole = read_message(kept.copy.content.header)
            header = kept.copy.content.header[: whole.size - sum(map(len, whole.body))]
            (key,) = self._bodies.put(account_id, [whole.body])
            copy = replace(kept.copy, content=Content(header))
            return replace(one, kept=KeptCopy(copy, key)), whole.body
        found: list[bytes] = []
        try:
            for piece in self._bodies.read(account_id, kept.body):
                if one.size <= MAX_RETURNED:
                    found.append(piece)
        except (FileNotFoundError, DamagedBody):
            return replace(one, kept=replace(kept, body="")), None
        except OSError:
            # It may be there, and can be read another time: whoever has its key keeps it.
            return one, None
        return one, tuple(found) if one.size <= MAX_RETURNED else None


def _told(one: Waiting) -> dict[str, str]:
    return {"origin": one.origin, "decision": one.kept.copy.decision_id, "recipient": str(one.to.effective)}
